"""What is stored comes back: the codec of results and runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
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
    Case,
    CaseError,
    Cluster,
    Counts,
    Difference,
    DifferenceKind,
    ErrorKind,
    Expectation,
    Failure,
    Intake,
    Judgement,
    Measure,
    Observation,
    OutcomeName,
    Quantiles,
    RankSpec,
    Request,
    Result,
    RuleSpec,
    SideInfo,
    Spread,
    Summary,
    Timing,
    Verdict,
)
from replay.store import RunRecord
from replay.store.codec import decode_result, decode_run, encode_result, encode_run
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
    flags=st.lists(any_text, max_size=2).map(tuple),
    error=st.none() | st.builds(CaseError, st.just("both"), st.just("tls"), any_text),
    skipped=st.none() | any_text,
)


@given(results)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_result_comes_back_as_it_was_stored(result: Result) -> None:
    text, stored = encode_result(result)
    assert decode_result(text, stored) == result


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
    text, stored = encode_result(result)
    returned = decode_result(text, stored).differences[0].old
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
    text, stored = encode_result(result)
    returned: Any = decode_result(text, stored).differences[0].old
    for _ in range(3_000):
        returned = returned[0] if isinstance(returned, list) else returned["$k"]
    assert repr(returned) == "Decimal('1.0')"


def test_a_number_keeps_the_spelling_that_it_had() -> None:
    text, stored = encode_result(
        Result(CASE, "deviation", differences=(Difference("a", "value", [Numeral("1e5")], 1, "d"),))
    )
    (returned,) = decode_result(text, stored).differences[0].old  # type: ignore[misc]
    assert returned.spelling == "1e5"


def test_bodies_stand_beside_the_document_and_not_in_it() -> None:
    observation = Observation(status=200, body=b"a body that is easy to find")
    text, stored = encode_result(Result(CASE, "match", observation, observation))
    assert "easy to find" not in text
    assert stored == [observation.body, observation.body]


def test_no_body_and_an_empty_body_stay_apart() -> None:
    for body in (None, b""):
        text, stored = encode_result(Result(Case("a", "golden", "a", Request(body=body)), "match"))
        assert decode_result(text, stored).case.request.body == body


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
        summary=SUMMARY,
        verdict=VERDICT,
    )
    assert all(getattr(record, each.name) not in (None, "", {}, False) for each in fields(record))
    assert decode_run(encode_run(record)) == record


def test_every_field_of_a_summary_is_covered_by_the_test_above() -> None:
    assert all(getattr(SUMMARY, each.name) not in (None, (), {}, "", 0) for each in fields(SUMMARY))


CASE = Case("a", "traffic", "f:1", Request())
SIDE = SideInfo("http://x", "not frozen", "nobody obeys", "case-7")
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
    seed=42,
    intake=(Intake("a.har", 8, {"status 0": 2}),),
    clusters=(
        Cluster("t", 2, "c1", ("body.a",), ("value",), Difference("body.a", "value", 1, MISSING, "d"), ("c1", "c2")),
    ),
    latency={"old": Quantiles(3, 1.0, 2.0, 3.0, 4.5)},
    measures={"rank.tau": Spread(2, 0.8, 0.9, 0.9, 1.0)},
    accepted={"numbers": 20},
    skipped={"not writable": 1},
    errors={"new timeout": 2},
    warnings=("w",),
)
VERDICT = Verdict("NO-GO", (Judgement("goldens pass", "NO-GO", "one fails", 0.5, (0.1, 0.9), 2.0),), "pr", 1)
