"""What is stored comes back: the codec of results and runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.documents import Numeral
from replay.models import (
    MISSING,
    Acceptance,
    Again,
    Basis,
    Binding,
    Case,
    CaseError,
    Change,
    Cluster,
    Counts,
    DayFigures,
    Difference,
    DifferenceKind,
    ErrorKind,
    Expectation,
    Experiment,
    Failure,
    Figure,
    Intake,
    Judgement,
    Kpi,
    LatencyParity,
    Lateness,
    Measure,
    Membership,
    Noise,
    NoiseRate,
    Observation,
    OutcomeName,
    Pacing,
    Played,
    Poll,
    QuantileParity,
    Quantiles,
    RankSpec,
    Request,
    Result,
    RouteLatency,
    RuleSpec,
    SideInfo,
    Spread,
    StatusCount,
    Step,
    Summary,
    Timing,
    Verdict,
    Way,
)
from replay.store import RunRecord
from replay.store.bodies import unpack
from replay.store.codec import decode_run, dumped, encode_run, loaded
from replay.store.pages import Page, StoredPage, packed, pages_of
from replay.store.values import decode_value, encode_value

any_text = st.text(st.characters(exclude_categories=()), max_size=8)
keys = any_text | st.sampled_from(["$d", "$o", "$$", "$s", "$", "$deep", "\ud83d\ude00"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62, max_value=2**80)
    | st.decimals(allow_nan=False)
    | any_text
    | keys
)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
milliseconds = st.floats(min_value=0, allow_nan=False)
instants = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])).map(
    lambda instant: instant.replace(fold=0)
)
headers = st.lists(st.tuples(any_text, any_text), max_size=3).map(tuple)
bodies = st.binary(max_size=40) | st.binary(min_size=300, max_size=400)
rules = st.builds(
    RuleSpec,
    at=any_text,
    why=st.none() | any_text,
    within=st.none() | st.decimals(allow_nan=False) | st.lists(any_text, max_size=2),
    map=st.none() | st.lists(st.tuples(json_values, json_values), max_size=2).map(tuple),
    rank=st.none() | st.builds(RankSpec, by=any_text, top=st.integers(1, 9)),
    schema=st.none() | json_values,
)
single_observations = st.builds(
    Observation,
    status=st.none() | st.integers(0, 1000),
    headers=headers,
    body=bodies,
    error=st.none() | st.builds(Failure, st.sampled_from(get_args(ErrorKind)), any_text),
    timing=st.none() | st.builds(Timing, milliseconds, st.none() | milliseconds),
    clock_frozen=st.none() | st.booleans(),
)
played = st.builds(Played, any_text, single_observations, st.dictionaries(any_text, json_values, max_size=2))
observations = single_observations | st.builds(
    replace, single_observations, steps=st.lists(played, min_size=1, max_size=2).map(tuple)
)
requests = st.builds(Request, any_text, any_text, headers, st.none() | bodies)
steps = st.builds(
    Step,
    any_text,
    requests,
    st.dictionaries(any_text, any_text, max_size=2),
    milliseconds,
    until=st.none() | st.builds(Poll, any_text, milliseconds, milliseconds),
    rules=st.lists(rules, max_size=1).map(tuple),
)
cases = st.builds(
    Case,
    id=any_text,
    kind=st.sampled_from(["golden", "traffic"]),
    identity=any_text,
    request=requests,
    correlation_id=any_text,
    freeze=st.none() | instants,
    seed=st.none() | st.integers(),
    session=st.none() | any_text,
    tags=st.lists(any_text, max_size=2).map(tuple),
    rules=st.lists(rules, max_size=2).map(tuple),
    expect=st.none() | st.builds(Expectation, st.none() | st.integers(), headers, st.none() | bodies),
    recorded=st.none() | observations,
    steps=st.lists(steps, max_size=1).map(tuple),
    bound=st.lists(st.builds(Binding, json_values, json_values, any_text), max_size=1).map(tuple),
)
differences = st.builds(
    Difference,
    at=any_text,
    kind=st.sampled_from(get_args(DifferenceKind)),
    old=json_values | st.just(MISSING),
    new=json_values | st.just(MISSING),
    rule=any_text,
    against=st.sampled_from(["old", "expect"]),
    note=any_text,
    noise=any_text,
)
results = st.builds(
    Result,
    case=cases,
    outcome=st.sampled_from(get_args(OutcomeName)),
    old=st.none() | observations,
    new=st.none() | observations,
    differences=st.lists(differences, max_size=2).map(tuple),
    accepted=st.lists(st.builds(Acceptance, any_text, any_text), max_size=2).map(tuple),
    measures=st.lists(st.builds(Measure, any_text, any_text, st.none() | milliseconds), max_size=2).map(tuple),
    groups=st.lists(st.builds(Membership, any_text, st.none() | any_text), max_size=2).map(tuple),
    flags=st.lists(any_text, max_size=2).map(tuple),
    error=st.none() | st.builds(CaseError, st.just("both"), st.just("tls"), any_text),
    skipped=st.none() | any_text,
    lateness=st.none() | st.builds(Lateness, milliseconds, milliseconds),
    figures=st.lists(st.builds(Figure, any_text, old=json_values), max_size=1).map(tuple),
    again=st.none()
    | st.builds(
        Again, st.lists(st.lists(differences, max_size=2).map(tuple), max_size=2).map(tuple), st.integers(), st.just(1)
    ),
)


def read_back(page: Page, *, bodies: bool = True) -> list[Result]:
    stored = StoredPage(page.documents, page.bodies if bodies else None, page.outside.__getitem__)
    return [stored.result(slot) for slot in range(len(page.rows))]


def stored(result: Result) -> Result:
    """Return a result as it comes back from a page."""
    (page,) = pages_of([result])
    (returned,) = read_back(page)
    return returned


@given(st.lists(results, max_size=3), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_results_come_back_as_they_were_stored(several: list[Result], data: st.DataObject) -> None:
    # Some twice, and in any order: what results have in common is written once.
    several += data.draw(st.lists(st.sampled_from(several), max_size=3)) if several else []
    returned = [returned for page in pages_of(several) for returned in read_back(page)]
    assert returned == several
    assert repr(returned) == repr(several)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, Decimal(1)),
        (Decimal("1.0"), Decimal("1.00")),
        ("", None),
        ([], {}),
        ([1], [True]),
        (MISSING, None),
        (Numeral("1e5"), Numeral("100000")),
    ],
)
def test_values_that_are_equal_and_not_alike_stay_what_they_are_beside_each_other(one: Any, other: Any) -> None:
    several = [
        Result(CASE, "deviation", differences=(Difference("a", "value", old, new, "d"),))
        for old, new in ((one, one), (other, one), (one, other))
    ]
    (page,) = pages_of(several)
    assert repr(read_back(page)) == repr(several)


def test_one_instant_in_two_zones_comes_back_in_both() -> None:
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    zones = (UTC, timezone(timedelta(hours=5, minutes=30)), UTC)
    several = [Result(replace(CASE, freeze=noon.astimezone(zone)), "match") for zone in zones]
    (page,) = pages_of(several)
    assert repr(read_back(page)) == repr(several)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((0.0, -0.0), id="two-zeros"),
        pytest.param((0.1, 0.1 + 1e-17, 0.30000000000000004), id="every-bit"),
        pytest.param((float("inf"), float("nan"), float("inf")), id="no-numbers"),
        pytest.param((1, 1.0, 10**400), id="integers"),
        pytest.param((2.5, 2.5, 2.5), id="alike"),
    ],
)
def test_floats_come_back_to_the_bit(values: tuple[float, ...]) -> None:
    several = [Result(CASE, "match", Observation(200, timing=Timing(value, value))) for value in values]
    (page,) = pages_of(several)
    assert repr(read_back(page)) == repr(several)


def test_what_all_results_of_a_page_have_in_common_is_written_once() -> None:
    accepted = (Acceptance("body", "the same rule"), Acceptance("headers", "another rule"))
    several = [
        Result(replace(CASE, id=f"c{n}", title="the same title"), "match", accepted=accepted) for n in range(100)
    ]
    (page,) = pages_of(several)
    document = unpack(*page.documents)
    assert document.count(b"the same title") == 1
    assert document.count(b"the same rule") == 1
    assert document.count(b'"c7"') == 1
    assert read_back(page) == several


@given(results)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_without_bodies_everything_but_bodies_comes_back(result: Result) -> None:
    (page,) = pages_of([result])
    assert read_back(page, bodies=False) == [emptied(result)]


def emptied(result: Result) -> Result:
    case = result.case
    request, expect = without_body(case.request), case.expect and without_body(case.expect)
    steps = tuple(replace(step, request=without_body(step.request)) for step in case.steps)
    case = replace(case, request=request, expect=expect, recorded=unseen(case.recorded), steps=steps)
    return replace(result, case=case, old=unseen(result.old), new=unseen(result.new))


def without_body(asked: Any) -> Any:
    return replace(asked, body=asked.body and b"")


def unseen(side: Observation | None) -> Observation | None:
    steps = () if side is None else tuple(replace(each, seen=replace(each.seen, body=b"")) for each in side.steps)
    return side and replace(side, body=b"", steps=steps)


@given(json_values)
@settings(deadline=None)
def test_a_value_comes_back_with_its_type(value: object) -> None:
    assert repr(decode_value(encode_value(value))) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**5_000 + 1, id="5001-digits"),
        pytest.param(-(2**64), id="beyond-64-bits"),
        pytest.param(Decimal("1.10"), id="trailing-zero"),
        pytest.param(Decimal("1E+400"), id="beyond-floats"),
        pytest.param(Decimal("NaN"), id="nan"),
        pytest.param(MISSING, id="missing"),
        pytest.param(b"\x00\xff", id="bytes"),
        pytest.param("\ud83d\ude00", id="two-lone-surrogates"),
        pytest.param({"\ud800": 1, "$d": "9.90"}, id="odd-keys"),
        pytest.param({"$o": {"$o": {"$m": 1}}}, id="looks-like-a-tag"),
    ],
)
def test_values_that_json_would_lose_come_back(value: object) -> None:
    result = Result(CASE, "deviation", differences=(Difference("body", "value", value, MISSING, "default"),))
    returned = stored(result).differences[0].old
    if isinstance(value, int):
        assert returned == value
    else:
        assert repr(returned) == repr(value)


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"$k": value, "\ud800": [1]}])
def test_a_value_nested_beyond_recursion_comes_back(wrap: Callable[[Any], Any]) -> None:
    value: Any = Decimal("1.0")
    for _ in range(3_000):
        value = wrap(value)
    result = Result(CASE, "deviation", differences=(Difference("body", "value", value, MISSING, "default"),))
    returned: Any = stored(result).differences[0].old
    for _ in range(3_000):
        returned = returned[0] if isinstance(returned, list) else returned["$k"]
    assert repr(returned) == "Decimal('1.0')"


def test_a_number_keeps_the_spelling_that_it_had() -> None:
    result = Result(CASE, "deviation", differences=(Difference("a", "value", [Numeral("1e5")], 1, "d"),))
    (returned,) = stored(result).differences[0].old  # type: ignore[misc]
    assert returned.spelling == "1e5"


def test_one_odd_text_changes_nothing_about_its_neighbours() -> None:
    odd = Result(
        Case("\ud83d\ude00", "traffic", "\udfff", Request(headers=(("\ud800", "$s"),)), seed=10**5_000), "match"
    )
    plain = Result(CASE, "match", Observation(200, (("a", "é\0\u2028"),), b"body"))
    (page,) = pages_of([plain, odd, plain])
    assert read_back(page) == [plain, odd, plain]


def test_bodies_stand_beside_the_documents_and_equal_ones_once() -> None:
    observation = Observation(status=200, body=b"a body that is easy to find")
    (page,) = pages_of([Result(CASE, "match", observation, replace(observation))] * 2)
    assert b"easy to find" not in unpack(*page.documents)
    assert unpack(*page.bodies) == observation.body
    assert page.outside == {}


@pytest.mark.parametrize(("length", "outside"), [(0, 0), (1, 0), (4_095, 0), (4_096, 1), (100_000, 1)])
def test_large_bodies_lie_outside_and_come_back(length: int, outside: int) -> None:
    result = Result(CASE, "match", Observation(200, body=b"x" * length), Observation(200, body=b"y" * min(length, 9)))
    (page,) = pages_of([result])
    assert len(page.outside) == outside
    assert read_back(page) == [result]


def test_a_page_holds_a_hundred_results_and_no_more_than_a_megabyte_of_them() -> None:
    small = [Result(CASE, "match")] * 250
    texts = [str(number) * 400_000 for number in range(5)]
    large = [Result(CASE, "deviation", differences=(Difference("body", "value", text, 1, "d"),)) for text in texts]
    assert [len(page.rows) for page in pages_of(small)] == [100, 100, 50]
    assert [len(page.rows) for page in pages_of(large)] == [2, 1, 2]
    assert list(pages_of([])) == []


def test_no_body_and_an_empty_body_stay_apart() -> None:
    for body in (None, b""):
        result = Result(Case("a", "golden", "a", Request(body=body)), "match")
        assert stored(result).case.request.body == body


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        [],
        [[], []],
        [[], [], 1, None],
        [[], [], 1, 7],
        [[], [], 1, []],
        [[], [], 1, [[]]],
        [[5], [], 1, []],
        [[], [1], 1, []],
        [[], [], "1", []],
        [[], [], None, []],
        [[], [], 0, []],
    ],
)
def test_a_page_that_does_not_fit_its_parts_is_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError, match=r"stored|does not fit|unpack"):
        StoredPage(packed(dumped(content)), packed(b""), dict[bytes, bytes]().__getitem__).result(0)


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ((2,), 3),
        ((3,), []),
        ((3, 0), 5),
        ((3, 0, 0), ["a", "b", "c"]),
        ((3, 0, 0), []),
        ((3, 0, 0), "ab"),
        ((3, 0, 3, 2), [9]),
        ((3, 0, 6), [["yesterday"]]),
        ((3, 2), [[], [1, 1, 1]]),
        ((3, 2, 0, 4, 0, 0), "*"),
        ((3, 2, 0, 4, 0, 0), "AAAA"),
        ((3, 2, 0, 2), [7]),
        ((3, 4), [[1, 1], None]),
    ],
    ids=str,
)
def test_columns_that_do_not_fit_are_a_value_error(place: tuple[int, ...], instead: Any) -> None:
    (page,) = pages_of(TWO)
    content = loaded(unpack(*page.documents))
    *outer, last = place
    part = content
    for index in outer:
        part = part[index]
    part[last] = instead
    with pytest.raises(ValueError, match=r"stored|unpack"):
        read_back(page._replace(documents=packed(dumped(content))))


def test_every_field_of_a_run_comes_back() -> None:
    record = RunRecord(
        id="r1",
        started=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        state="complete",
        fingerprint={"rules": "ab", "$d": "1"},
        criteria={"": ("goldens pass",), "pr": ("deviation < 0.5%", "errors <= old")},
        criteria_hash="cafe",
        gate="pr",
        narrowed="--only 'a*'",
        shard="1/3",
        collect=True,
        settings={"decision": "Move", "limits": [Decimal("0.10"), None]},
        version="0.1.0",
        labels={"new": "4f2a91c"},
        warnings=("only a part was asked for",),
        musts=("at body.total, must: true",),
        summary=SUMMARY,
        verdict=VERDICT,
        before=(Basis(("goldens pass",), "pr", "ab", "NO-GO"), Basis(())),
    )
    assert all(getattr(record, each.name) not in (None, "", {}, (), False) for each in fields(record))
    assert decode_run(encode_run(record)) == record


@pytest.mark.parametrize("content", [None, 1, [], {}, [1, 2], [[], []], [["r1"], ["yesterday"]]])
def test_a_run_that_is_none_is_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError, match="a stored RunRecord does not fit its fields"):
        decode_run(dumped(content))


def test_a_run_that_was_kept_before_summaries_gained_a_field_is_read_without_it() -> None:
    record = RunRecord("r1", datetime(2026, 1, 2, tzinfo=UTC), summary=replace(SUMMARY, experiment=None))
    document = loaded(encode_run(record))
    place = [each.name for each in fields(RunRecord)].index("summary")
    (summary,) = document[place]
    document[place] = [summary[:-1]]
    assert decode_run(dumped(document)) == record
    for other in (summary[:-3], [*summary, [None]]):
        document[place] = [other]
        with pytest.raises(ValueError, match="fields"):
            decode_run(dumped(document))


def test_every_field_of_a_summary_is_covered_by_the_test_above() -> None:
    assert all(getattr(SUMMARY, each.name) not in (None, (), {}, "", 0) for each in fields(SUMMARY))


CASE = Case("a", "traffic", "f:1", Request())
TWO: Final = [
    Result(replace(CASE, id=name, freeze=datetime(2024, 2, day, tzinfo=UTC)), "match", Observation(timing=Timing(ms)))
    for name, day, ms in (("a", 1, 1.5), ("b", 2, 2.5))
]
SIDE = SideInfo("http://x", "not frozen", "nobody obeys", "case-7", "1.0, then 1.1", {"1.0": 3, "1.1": 5})
SUMMARY = Summary(
    run="r1",
    started=datetime(2026, 1, 2, tzinfo=UTC),
    finished=datetime(2026, 1, 3, tzinfo=UTC),
    complete=True,
    old=SIDE,
    new=SideInfo("recorded", "recorded"),
    counts=Counts(9, 6, 1, 2, 1, 2, 2, 1),
    decision="Move",
    owner="payments",
    experiment=Experiment("needs-draft", True, {"old": 8, "new": 1}, {"too many": 2}),
    seed=42,
    intake=(Intake("a.har", 8, {"status 0": 2}),),
    clusters=(
        Cluster(
            "t",
            2,
            "c1",
            ("body.a",),
            ("value",),
            Difference("body.a", "value", 1, MISSING, "d"),
            ("c1", "c2"),
            "c2",
            (Way("body.a", "value", "one more"),),
            {"body.b is new": 1},
            {"GET /a/*": 2},
            1,
        ),
    ),
    latency={"old": Quantiles(3, 1.0, 2.0, 3.0, 4.5)},
    measures={"rank.tau": Spread(2, 0.8, 0.9, 0.9, 1.0)},
    accepted={"numbers": 20},
    skipped={"not writable": 1},
    errors={"new timeout": 2},
    categories={"status": 2},
    statuses=(StatusCount("200", "404", 2),),
    waived={"at body.a, waive: {}": 1},
    warnings=("w",),
    pacing=Pacing("200/s", 200.0, 199.5, Quantiles(3, 0.1, 0.2, 0.3, 0.4), {"new": Quantiles(3, 1.0, 2.0, 3.0, 4.0)}),
    warmed=5,
    noise=Noise(3, 7, 21, 1, 2, (NoiseRate("GET /a", "body.t", 20, 21, 7, 7, "another range"),), 4),
    days=(DayFigures("2026-01-02", 9, 2, 1, {"new": Quantiles(3, 1.0, 2.0, 3.0, 4.5)}),),
    latency_parity=LatencyParity(
        3000,
        811.6,
        (QuantileParity("p95", 2.0, (0.0, 3.0), 2.5, (2.0, float("inf")), 1.25, (0.0, float("inf")), 0.5, (0.1, 0.9)),),
        (RouteLatency("GET /a", 2000, 40.2, 0.02, 0.001),),
        3,
        True,
        ("left out: 64 cases",),
    ),
    ended_because="it was interrupted",
    kpis=(
        Kpi(
            "fee",
            "sum",
            "body.fee",
            2,
            Decimal("9.90"),
            Decimal("9.900"),
            Decimal("0.000"),
            (-0.5, 0.5),
            {"new": 1},
            {"old: body.fee is null": 2},
            {"old: body.fee is null": "c1"},
        ),
    ),
)
PARTS = (Judgement("GET /a", "NO-GO", "too many", 0.5, (0.1, 0.9), 2.0, "share", (Judgement("day", "GO", ""),)),)
VERDICT = Verdict(
    "NO-GO",
    (Judgement("goldens pass", "NO-GO", "one fails", 0.5, (0.1, 0.9), 2.0, parts=PARTS),),
    "pr",
    1,
    (Change("criterion", "goldens pass", None), Change("rules")),
)
