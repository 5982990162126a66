"""What results add up to as they are handed over is what they add up to once they are kept, or it is not taken."""

# ruff: noqa: S311 - results, no secrets

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Comparison, rule_book
from replay.engine import Plan, Referee, Sending
from replay.engine.sums import Sums, added_up
from replay.models import (
    MISSING,
    Acceptance,
    Case,
    CaseError,
    CaseKind,
    Difference,
    Failure,
    Lateness,
    Measure,
    Observation,
    OutcomeName,
    Request,
    Result,
    TargetSpec,
    Timing,
)
from replay.store import RunRecord, SqliteStore
from replay.verdict import parse_criteria

RUN = "run-1"
STARTED = datetime(2026, 1, 2, tzinfo=UTC)
CRITERIA = parse_criteria(["deviation < 0.5%", "errors <= old", "p95 <= old + 10%"])
OUTCOMES: Sequence[OutcomeName] = ("match", "match", "deviation", "new_error", "old_error", "skipped")
PLAN = Plan(
    RunRecord(RUN, STARTED),
    cases=(),  # type: ignore[arg-type]  # nobody sends any
    sides={"old": TargetSpec(url="http://old.test", version_header="x-version")},
    referee=Referee(Comparison(rule_book([]), {"old": None, "new": None})),
    criteria=CRITERIA,
    sending=Sending(seed=1, instant=STARTED, concurrency=1),
)


def result(number: int, outcome: OutcomeName = "match", latency: float = 5.0, session: str | None = None) -> Result:
    answer = Observation(200, (("X-Version", "7"),), b'{"n": 1}', timing=Timing(latency))
    case = Case(f"c{number}", "traffic", f"d:{number}", Request(path=f"/{number % 3}"), session=session, freeze=STARTED)
    return Result(
        case,
        outcome,
        old=None if outcome == "skipped" else answer,
        new=None if outcome == "skipped" else replace(answer, timing=Timing(latency * 2)),
        differences=(Difference("body.n", "value", 1, MISSING, "default"),) if outcome == "deviation" else (),
        accepted=(Acceptance("headers.date", "default"),),
        measures=(Measure("body.hits", "rank.tau", 0.5, 9),),
        error=CaseError("new" if outcome == "new_error" else "old", "status") if outcome.endswith("error") else None,
        skipped="it must not be sent" if outcome == "skipped" else None,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "store.db") as opened:
        opened.begin(PLAN.record)
        yield opened


def along(results: Sequence[Result], plan: Plan = PLAN) -> Sums:
    sums = Sums.of(plan)
    sums.add_all(results)
    return sums


def told(sums: Sums) -> Mapping[str, Any]:
    """Return all that a run's summary and verdict say of its results."""
    tally = sums.tally
    return {
        "counts": tally.counts(),
        "warnings": tally.warnings(),
        "latency": tally.latency(),
        "planned": (tally.planned_latency(), tally.lateness()),
        "clocks": (tally.strays("old"), tally.strays("new")),
        "parity": tally.timings.parity(),
        "measures": tally.measures(),
        "accepted": tally.accepted,
        "errors": tally.errors,
        "statuses": tally.parity.statuses(),
        "categories": tally.parity.categories(),
        "days": tally.days.figures(date(2026, 1, 2)),
        "causes": tally.causes.clusters(),
        "versions": sums.versions.seen("old"),
        "verdict": sums.judge.verdict(),
    }


KINDS: Sequence[CaseKind] = ("traffic", "traffic", "traffic", "traffic", "golden")
MOSTLY_MATCHING: Sequence[OutcomeName] = ("match", "match", "match", "match", "waived", *get_args(OutcomeName))
ASKED = parse_criteria(
    [
        "goldens pass",
        "deviation < 0.5% for 2 days",
        "errors <= old on GET /1",
        "availability >= 99%",
        "timeouts <= old",
        "category.value <= 3",
        "deviation < 5% per route",
        "p50 <= old + 1ms",
        "p90 <= old + 10% for 2 runs",
        "p99 < 300ms",
    ]
)
ASKING = replace(PLAN, criteria=ASKED)


def any_results(draw: random.Random, count: int) -> list[Result]:
    """Return results of all sorts, many enough that every criterion has something to tell."""
    return [any_result(draw, number) for number in range(count)]


def any_result(draw: random.Random, number: int) -> Result:
    case = Case(
        f"c{number}",
        draw.choice(KINDS),
        f"d:{number}",
        Request(draw.choice(["GET", "post"]), f"/{draw.randrange(3)}?{number}"),
        freeze=draw.choice([None, STARTED, STARTED - timedelta(days=1), STARTED + timedelta(days=1)]),
        session=draw.choice([None, None, f"s{number // 4}"]),
        turn=draw.choice([1, 1, 1, 2]),
    )
    outcome = draw.choice(MOSTLY_MATCHING)
    late = Lateness(draw.random(), 9 * draw.random()) if draw.random() < 0.2 else None
    return Result(case, outcome, any_answer(draw), any_answer(draw), lateness=late)


def any_answer(draw: random.Random) -> Observation | None:
    timing = Timing(draw.lognormvariate(3, 0.5), connect_ms=draw.choice([None, None, None, 1.5]))
    return draw.choice(
        [
            *[Observation(200, timing=timing, clock_frozen=True, retries=number % 5 == 0) for number in range(8)],
            Observation(404, timing=timing),
            Observation(error=Failure("timeout"), timing=timing),
            Observation(error=Failure("refused")),
            None,
        ]
    )


@pytest.mark.parametrize("size", [1, 7, 100])
def test_results_add_up_alike_however_many_are_taken_together(size: int) -> None:
    results = any_results(random.Random(5), 1500)
    sums, left = Sums.of(ASKING), iter(results)
    while chunk := list(islice(left, size)):
        sums.add_all(chunk)
    assert told(sums) == told(along(results, ASKING))


ROWS = st.tuples(st.sampled_from(OUTCOMES), st.floats(0, 1e6), st.none() | st.sampled_from(["s", "t"]))


@given(rows=st.lists(ROWS, max_size=120))
def test_results_add_up_alike_as_they_come_and_once_they_are_kept(
    rows: list[tuple[OutcomeName, float, str | None]],
) -> None:
    results = [result(number, *row) for number, row in enumerate(rows)]
    with TemporaryDirectory() as folder, SqliteStore.open(Path(folder) / "store.db") as store:
        store.begin(PLAN.record)
        store.add(RUN, results)
        sums = along(results)
        assert added_up(PLAN, store, "", sums) is sums
        assert told(sums) == told(added_up(PLAN, store, "", None))


@pytest.mark.parametrize(
    "kept",
    [
        [result(1), result(2, "deviation")],
        [result(1), result(2), result(3)],
        [result(1), result(1)],
        [result(1), result(1, "deviation"), result(2)],
        [],
    ],
    ids=["another outcome", "one more", "one twice", "one replaced", "nothing"],
)
def test_sums_of_anything_but_what_is_kept_are_not_taken(store: SqliteStore, kept: list[Result]) -> None:
    for each in kept:
        store.add(RUN, [each])
    found = added_up(PLAN, store, "", along([result(1), result(2)]))
    assert found.tally.outcomes == store.outcomes(RUN)
    assert told(found) == told(added_up(PLAN, store, "", None))


def test_a_run_that_may_be_gone_on_with_is_read_as_it_was_kept(store: SqliteStore) -> None:
    results = [result(number) for number in range(3)]
    store.add(RUN, results)
    sums = along(results)
    assert added_up(PLAN, store, "it was interrupted", sums) is not sums
