"""What is stored comes back: the codec of results and runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.documents import Numeral
from replay.models import (
    MISSING,
    Acceptance,
    Again,
    Basis,
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
    Intake,
    Judgement,
    Kpi,
    LatencyParity,
    Measure,
    Membership,
    Noise,
    NoiseRate,
    Observation,
    OutcomeName,
    Pacing,
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
instants = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
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
observations = st.builds(
    Observation,
    status=st.none() | st.integers(0, 1000),
    headers=headers,
    body=bodies,
    error=st.none() | st.builds(Failure, st.sampled_from(get_args(ErrorKind)), any_text),
    timing=st.none() | st.builds(Timing, milliseconds, st.none() | milliseconds),
    clock_frozen=st.none() | st.booleans(),
)
cases = st.builds(
    Case,
    id=any_text,
    kind=st.sampled_from(["golden", "traffic"]),
    identity=any_text,
    request=st.builds(Request, any_text, any_text, headers, st.none() | bodies),
    correlation_id=any_text,
    freeze=st.none() | instants,
    seed=st.none() | st.integers(),
    session=st.none() | any_text,
    tags=st.lists(any_text, max_size=2).map(tuple),
    rules=st.lists(rules, max_size=2).map(tuple),
    expect=st.none() | st.builds(Expectation, st.none() | st.integers(), headers, st.none() | bodies),
    recorded=st.none() | observations,
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


@given(st.lists(results, max_size=3))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_results_come_back_as_they_were_stored(several: list[Result]) -> None:
    assert [returned for page in pages_of(several) for returned in read_back(page)] == several


@given(results)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_without_bodies_everything_but_bodies_comes_back(result: Result) -> None:
    (page,) = pages_of([result])
    assert read_back(page, bodies=False) == [emptied(result)]


def emptied(result: Result) -> Result:
    case = result.case
    request = replace(case.request, body=case.request.body and b"")
    expect = case.expect and replace(case.expect, body=case.expect.body and b"")
    case = replace(case, request=request, expect=expect, recorded=case.recorded and replace(case.recorded, body=b""))
    old, new = (side and replace(side, body=b"") for side in (result.old, result.new))
    return replace(result, case=case, old=old, new=new)


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
    large = [Result(CASE, "deviation", differences=(Difference("body", "value", "x" * 400_000, 1, "d"),))] * 5
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
        [[], [], "", [1]],
        [[], [], "", [[1]]],
        [[], [1], "", [[]]],
        [[5], [], "", [[]]],
        [[], [], "", 7],
        [[], [], 7, [[]]],
        [[], [], "AAAA", [[]]],
        [[], [], "*", [[]]],
    ],
)
def test_a_page_that_does_not_fit_its_parts_is_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError, match=r"stored|does not fit|unpack|base64"):
        StoredPage(packed(dumped(content)), packed(b""), dict[bytes, bytes]().__getitem__).result(0)


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


@pytest.mark.parametrize("content", [None, 1, [], [1, 2], ["", []], ["", {}], ["*", [1]]])
def test_a_run_that_is_none_is_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError, match=r"stored|unpack|base64"):
        decode_run(dumped(content))


def test_a_run_that_was_kept_before_summaries_gained_a_field_is_read_without_it() -> None:
    record = RunRecord("r1", datetime(2026, 1, 2, tzinfo=UTC), summary=replace(SUMMARY, experiment=None))
    text, document = loaded(encode_run(record))
    place = [each.name for each in fields(RunRecord)].index("summary")
    older = [*document[:place], document[place][:-1], *document[place + 1 :]]
    assert decode_run(dumped((text, older))) == record
    with pytest.raises(ValueError, match="fields"):
        decode_run(dumped((text, [*document[:place], document[place][:-3], *document[place + 1 :]])))


def test_every_field_of_a_summary_is_covered_by_the_test_above() -> None:
    assert all(getattr(SUMMARY, each.name) not in (None, (), {}, "", 0) for each in fields(SUMMARY))


CASE = Case("a", "traffic", "f:1", Request())
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
