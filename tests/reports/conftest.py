"""A run that says something about everything, and one in which everything is hostile."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from replay.causes import Causes
from replay.models import (
    MISSING,
    Acceptance,
    Again,
    Case,
    CaseError,
    Change,
    Cluster,
    Counts,
    Difference,
    Failure,
    Intake,
    Judgement,
    Kpi,
    LatencyParity,
    Measure,
    Noise,
    NoiseRate,
    Observation,
    QuantileParity,
    Quantiles,
    Request,
    Result,
    RouteLatency,
    SideInfo,
    Spread,
    StatusCount,
    Summary,
    Timing,
    Verdict,
    Way,
)
from replay.reports import REPORTS

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = (
    "\x1b[31mred\x1b[0m \x9b2J \u202egnp.exe [red]x[/red] <script>alert(1)</script> ]]> &amp; | `` ``` @octocat"
    " \x00\r\n# h\ud800 ${jndi:x} {{7*7}} %s \ufffe"
)


@dataclass(frozen=True)
class Run:
    """What a report is given."""

    summary: Summary
    results: tuple[Result, ...]
    verdict: Verdict

    def report(self, kind: str) -> str:
        """Return the report as text."""
        out = io.StringIO()
        REPORTS[kind]().write(out, self.summary, self.results, self.verdict)
        return out.getvalue()


def case(name: str, kind: str = "traffic") -> Case:
    return Case(
        name,
        "golden" if kind == "golden" else "traffic",
        name,
        Request("GET", f"/{name}"),
        correlation_id=f"req-{name}",
        title="A leap day" if kind == "golden" else "",
        why="INC-7" if kind == "golden" else "",
    )


def answer(milliseconds: float = 1.5) -> Observation:
    return Observation(200, (("content-type", "application/json"),), b"{}", timing=Timing(milliseconds))


FEE = Difference("body.fee", "value", Decimal("9.90"), Decimal("9.9000"), "at body.fee, strict: true", note="spelled")
GONE = Difference("body.items[3].id", "missing", "a1", MISSING, "default: values are equal")
RESULTS = (
    Result(case("checkout/leap-day", "golden"), "deviation", answer(), answer(2.5), (FEE, GONE), flags=("drifted",)),
    Result(case("top", "golden"), "match", answer(), answer(), measures=(Measure("body.hits", "rank.tau", 0.8),)),
    Result(case("checkout/refund", "golden"), "skipped", skipped="POST is not writable"),
    Result(case("t1"), "match", answer(), answer(), accepted=(Acceptance("body", "default: JSON by value"),)),
    Result(case("t2"), "new_error", answer(), Observation(error=Failure("timeout")), error=CaseError("new", "timeout")),
    Result(case("t3"), "both_error", error=CaseError("both", "refused", "connection refused")),
    Result(case("t4"), "noise", answer(), answer(), (replace(FEE, at="body.took"),)),
)


def causes_of(results: Iterable[Result]) -> tuple[Cluster, ...]:
    causes, found = Causes(), {each.case.identity: each for each in results}
    for each in found.values():
        causes.add(each)
    return causes.clusters(found.get)


INF = float("inf")
PARITY = LatencyParity(
    3000,
    811.6,
    (
        QuantileParity("p50", 20.1, (19.8, 20.44), 20.3, (20.0, 20.6), 1.012, (0.995, 1.031), 0.2, (-0.1, 0.5)),
        QuantileParity("p95", 1234.5, (0.0, 1300.0), 1500.0, (1400.0, INF), 1.215, (0.0, INF), 266.0, (0.0, 9.0)),
    ),
    (RouteLatency("GET /orders/*", 2000, 40_200.0, 20.1, 1.0), RouteLatency("GET /", 1000, -1.0, -0.001, 0.1)),
    3,
    remarks=("left out: 64 cases that opened a connection",),
)
SUMMARY = Summary(
    run="0193-abcd",
    started=START,
    finished=START,
    complete=True,
    old=SideInfo("http://localhost:8001", "frozen"),
    new=SideInfo("http://localhost:8002", "not frozen", "nobody obeys Replay-Time", "t1"),
    counts=Counts(loaded=7, compared=4, matched=2, deviating=1, noise=1, waived=0, errored=2, skipped=1),
    decision="Move payment capture from provider A to provider B",
    owner="payments-oncall",
    seed=42,
    intake=(Intake("week.jsonl", 4, {"status 0": 1}),),
    clusters=causes_of(RESULTS),
    latency={"old": Quantiles(5, 1.0, 2.0, 3.0, 4.0), "new": Quantiles(4, 1.1, 2.1, 3.1, 4.1)},
    measures={"rank.tau": Spread(1, 0.8, 0.8, 0.8, 0.8)},
    accepted={"default: JSON by value": 20},
    skipped={"POST is not writable": 1},
    errors={"new timeout": 1, "both refused": 1},
    categories={"value": 1, "timeout": 1, "transport": 1},
    statuses=(StatusCount("200", "200", 4), StatusCount("200", "timeout", 1)),
    latency_parity=PARITY,
    waived={"at body.gone, waive: {until: 2026-12-31, owner: payments, why: soon}": 1},
    warnings=("the mask key was made for this run",),
    noise=Noise(3, 4, 12, 1, 2, (NoiseRate("GET /*", "body.took", 11, 11, 4, 4),)),
    kpis=(
        Kpi("auth_rate", "share", "body.outcome == 'approved'", 20_000, 0.841, 0.834, -0.007, (-0.0081, -0.0059)),
        Kpi(
            "fee_total",
            "sum",
            "body.fee",
            3,
            Decimal("0.30"),
            Decimal("0.1"),
            Decimal("-0.20"),
            (float("-inf"), 1.5),
            {"new": 2, "both": 1},
            {"new: body.fee is missing": 4},
            {"new: body.fee is missing": "t4"},
        ),
        Kpi("ctr", "mean", "shop.evidence:clicks", 0),
    ),
)
VERDICT = Verdict(
    "NO-GO",
    (
        Judgement("goldens pass", "NO-GO", "1 of 3 goldens deviates: checkout/leap-day", 1 / 3, None, 3.0, "share"),
        Judgement(
            "deviation < 0.5% per route",
            "INCONCLUSIVE",
            "598 cases more would settle it",
            0.5,
            (0.1, 0.9),
            3.0,
            "share",
            (Judgement("GET /orders/*", "INCONCLUSIVE", "too few", 0.5, (0.1, 0.9), 3.0, "share"),),
        ),
        Judgement("errors <= old", "GO", "new fails no more often", 0.0, (float("-inf"), 0.004), 4.0, "share"),
    ),
    "cutover",
    1,
)


def hostile() -> Run:
    difference = Difference(HOSTILE, "value", HOSTILE, {HOSTILE: [HOSTILE]}, HOSTILE, note=HOSTILE, noise=HOSTILE)
    again = Again(((difference,), ()), failed=1, unlisted=2)
    evil = Case(
        HOSTILE,
        "golden",
        HOSTILE,
        Request(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), HOSTILE.encode("utf-8", "surrogatepass")),
    )
    evil = replace(evil, title=HOSTILE, why=HOSTILE, place=HOSTILE, correlation_id=HOSTILE)
    seen = Observation(200, (("content-type", HOSTILE),), b"", Failure("exception", HOSTILE))
    traffic = replace(evil, kind="traffic")
    return Run(
        replace(
            SUMMARY,
            run=HOSTILE,
            decision=HOSTILE,
            owner=HOSTILE,
            old=SideInfo(HOSTILE, "frozen", HOSTILE, HOSTILE),
            intake=(Intake(HOSTILE, 1, {HOSTILE: 2}),),
            clusters=(
                Cluster(
                    HOSTILE,
                    1,
                    HOSTILE,
                    (HOSTILE,),
                    (HOSTILE,),
                    difference,
                    (HOSTILE, HOSTILE),
                    HOSTILE,
                    (Way(HOSTILE, HOSTILE, HOSTILE),) * 2,
                    {HOSTILE: 1},
                    {HOSTILE: 1},
                ),
            ),
            accepted={HOSTILE: 1},
            skipped={HOSTILE: 1},
            errors={HOSTILE: 1},
            categories={HOSTILE: 1},
            statuses=(StatusCount("200", HOSTILE, 1),),
            latency_parity=replace(PARITY, routes=(RouteLatency(HOSTILE, 1, 1.0, 1.0, 0.1),) * 2, remarks=(HOSTILE,)),
            waived={HOSTILE: 1},
            measures={HOSTILE: Spread(1, 1.0, 1.0, 1.0, 1.0)},
            warnings=(HOSTILE,),
            kpis=(Kpi(HOSTILE, "sum", HOSTILE, 1, 1, 2, 1, (0.0, 2.0), {}, {HOSTILE: 1}, {HOSTILE: HOSTILE}),),
            noise=Noise(1, 1, 1, 0, 0, (NoiseRate(HOSTILE, HOSTILE, 1, 1, 1, 1, HOSTILE),)),
        ),
        (
            Result(evil, "deviation", seen, seen, (difference,), flags=(HOSTILE,), again=again),
            Result(traffic, "new_error", seen, seen, (difference,), error=CaseError("new", "exception", HOSTILE)),
            Result(evil, "skipped", skipped=HOSTILE),
        ),
        Verdict(
            "NO-GO",
            (Judgement(HOSTILE, "NO-GO", HOSTILE, parts=(Judgement(HOSTILE, "NO-GO", HOSTILE),)),),
            HOSTILE,
            1,
            (Change("criterion", HOSTILE, HOSTILE), Change("criterion", None, HOSTILE)),
        ),
    )


@pytest.fixture
def run() -> Run:
    return Run(SUMMARY, RESULTS, VERDICT)


@pytest.fixture
def hostile_run() -> Run:
    return hostile()


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run, str], str]:
    """Return what renders a report as CI sees it: 80 columns, no colour, no terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return lambda run, kind: run.report(kind)
