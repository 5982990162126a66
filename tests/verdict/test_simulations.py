"""What a verdict is worth: how often it is wrong, over many simulated runs with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from replay.models import Case, OutcomeName, Request, Result
from replay.verdict import Judge, parse_criteria
from replay.verdict.quantiles import Quantiles, side_interval
from replay.verdict.statistics import effective_n, upper_bound
from replay.verdict.tails import PairedLatencies

RUNS = 2000
MOST_WRONG = 131
"""5% of 2,000 runs, and what chance adds to that in one test of a thousand."""
LIMIT = 0.005

Draw = np.random.Generator
Sides = tuple["np.ndarray", "np.ndarray", "np.ndarray"]


# rates


@cache
def is_go(bad: float, n: float) -> bool:
    return upper_bound(bad, n) < LIMIT


@pytest.mark.parametrize("n", [598, 2000, 10_000])
def test_at_the_limit_at_most_131_of_2000_runs_are_go(n: int) -> None:
    draws = np.random.default_rng(n).binomial(n, LIMIT, RUNS)
    assert sum(is_go(int(bad), n) for bad in draws) <= MOST_WRONG


def test_a_judge_says_go_where_this_simulation_does() -> None:
    def result(number: int, outcome: OutcomeName) -> Result:
        return Result(Case(str(number), "traffic", str(number), Request()), outcome)

    for bad in range(6):
        judge = Judge(parse_criteria(["deviation < 0.5%"]))
        judge.add_all(result(number, "deviation" if number < bad else "match") for number in range(2000))
        assert (judge.verdict().state == "GO") == is_go(bad, 2000)


@pytest.mark.parametrize("size", [2, 10])
def test_sessions_that_deviate_as_a_whole_do_not_manufacture_a_go(size: int) -> None:
    sessions = 1200
    draws = np.random.default_rng(size).binomial(sessions, LIMIT, RUNS)
    worth = effective_n([size] * sessions)
    wrong = sum(is_go(int(bad) * size * worth / (size * sessions), worth) for bad in draws)
    assert wrong <= MOST_WRONG
    unaware = sum(is_go(int(bad) * size, size * sessions) for bad in draws)
    assert unaware > MOST_WRONG, "counting cases as independent would be wrong far more often"


# latencies


def correlated(draw: Draw, n: int) -> Sides:
    """Return sides of which new is 10% slower, and which hang together case by case."""
    shared, old, new = draw.normal(size=(3, n))
    return np.exp(3 + 0.4 * shared + 0.3 * old), 1.1 * np.exp(3 + 0.4 * shared + 0.3 * new), np.arange(n)


def of_another_shape(draw: Draw, n: int) -> Sides:
    """Return a new that is slower at the median, but steadier, and hangs closely together with old."""
    shared, old, new = draw.normal(size=(3, n))
    return (
        np.exp(3 + 0.9 * (0.95 * shared + 0.31 * old)),
        np.exp(3.4 + 0.3 * (0.95 * shared + 0.31 * new)),
        np.arange(n),
    )


def clustered(draw: Draw, n: int) -> Sides:
    """Return sessions of five, each with a speed of its own on either side."""
    session = np.arange(n) // 5
    old, new = draw.normal(size=(2, n // 5))[:, session]
    noise = draw.normal(size=(2, n))
    return (
        np.exp(3 + 0.4 * old + 0.3 * noise[0]),
        1.1 * np.exp(3 + 0.4 * new + 0.3 * noise[1]),
        session,
    )


SCENARIOS: tuple[Callable[[Draw, int], Sides], ...] = (correlated, of_another_shape, clustered)


@cache
def truth(scenario: Callable[[Draw, int], Sides]) -> tuple[float, float]:
    old, new, _ = scenario(np.random.default_rng(0), 1_000_000)
    return float(np.quantile(old, 0.95)), float(np.quantile(new, 0.95))


@dataclass
class Covered:
    """How many intervals cover the truth, of those that were made."""

    runs: int = 0
    ratios: int = 0
    gaps: int = 0
    sides: int = 0
    too_low: int = 0
    """Of the ratios: where new is exactly at its limit, each would be a wrong GO."""


def covered(scenario: Callable[[Draw, int], Sides], n: int, runs: int) -> Covered:
    draw, (of_old, of_new), found = np.random.default_rng(n), truth(scenario), Covered(runs)
    for _ in range(runs):
        old, new, session = scenario(draw, n)
        tails = batches_of(old, new, session).tails()
        quantiles = Quantiles(tails, 0.95, 0.95)
        low, high = quantiles.ratios()
        found.ratios += low <= of_new / of_old <= high
        found.too_low += high < of_new / of_old
        low, high = quantiles.differences()
        found.gaps += low <= of_new - of_old <= high
        low, high = side_interval(tails.new, 0.95, 0.95, effective_n(np.bincount(session).tolist()))
        found.sides += low <= of_new <= high
    return found


@pytest.mark.parametrize(("n", "runs"), [(200, 60), (1000, 40), (5000, 16)])
def test_the_intervals_of_p95_cover_the_truth_in_at_least_93_of_100_runs(
    n: int, runs: int, request: pytest.FixtureRequest
) -> None:
    times = request.config.getoption("--times", default=1)
    each = [covered(scenario, n, times * runs) for scenario in SCENARIOS]
    for kind in ("ratios", "gaps", "sides"):
        hits = [getattr(found, kind) for found in each]
        # Of so few runs chance alone may take some more than 7 of 100: `--times 20` leaves it little room.
        assert sum(hits) >= binom.ppf(0.05, len(each) * times * runs, 0.93), (kind, hits)
        assert min(hits) >= binom.ppf(0.01, times * runs, 0.93), (kind, hits)
    assert sum(found.too_low for found in each) <= 0.05 * sum(found.runs for found in each)


def batches_of(old: np.ndarray, new: np.ndarray, session: np.ndarray) -> PairedLatencies:
    batches, alone = PairedLatencies(), len(set(session.tolist())) == len(session)
    batches.add_all([None if alone else str(name) for name in session.tolist()], old.tolist(), new.tolist())
    return batches


def test_an_interval_shrinks_with_the_cases() -> None:
    widths = []
    for n in (500, 2000, 8000):
        low, high = Quantiles(batches_of(*correlated(np.random.default_rng(3), n)).tails(), 0.95, 0.95).ratios()
        widths.append(np.log(high / low))
    assert widths[0] > 1.5 * widths[1] > 2.25 * widths[2]
