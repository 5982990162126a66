"""Intervals of key figures hold what they promise: simulated runs whose truth is known, under fixed seeds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from statistics import NormalDist

import pytest

from replay.verdict.batches import BATCHES, Batches, Question
from replay.verdict.paired_quantiles import PairedQuantiles
from replay.verdict.statistics import difference_bounds

Pair = tuple[int, float, float]
"""A session, and both sides' figures."""
Draw = Callable[[random.Random], Iterator[Pair]]


def amounts(n: int) -> Draw:
    """Return skewed amounts that new changes by some percent, and by nothing on average."""

    def draw(luck: random.Random) -> Iterator[Pair]:
        for session in range(n):
            old = luck.lognormvariate(0, 1)
            yield session, old, old * (1 + luck.gauss(0, 0.1))

    return draw


def lost(n: int) -> Draw:
    """Return equal amounts, of which new loses one in a hundred: few cases that carry all of the difference."""

    def draw(luck: random.Random) -> Iterator[Pair]:
        for session in range(n):
            yield session, 10.0, 0.0 if luck.random() < 0.01 else 10.0

    return draw


def sessions(n: int) -> Draw:
    """Return sessions of one to nine cases that share most of what they are."""

    def draw(luck: random.Random) -> Iterator[Pair]:
        for session in range(n):
            level, shift = luck.gauss(0, 0.8), luck.gauss(0, 0.05)
            for _ in range(luck.randint(1, 9)):
                old = math.exp(level + luck.gauss(0, 0.3))
                yield session, old, old * (1 + shift + luck.gauss(0, 0.02))

    return draw


def apart(n: int) -> Draw:
    """Return sides that have nothing to do with each other."""

    def draw(luck: random.Random) -> Iterator[Pair]:
        for session in range(n):
            yield session, luck.lognormvariate(0, 0.5), luck.lognormvariate(0, 0.5)

    return draw


def covered(
    pairs: Callable[[], Batches | PairedQuantiles], draw: Draw, question: Question, truth: float, runs: int
) -> float:
    """Return in which share of the runs the interval holds the truth."""
    luck, held = random.Random(20_260_101), 0  # noqa: S311 - luck that can be had again
    for _ in range(runs):
        found = pairs()
        places: dict[int, int] = {}
        for session, old, new in draw(luck):
            batch = places.setdefault(session, luck.randrange(BATCHES))
            found.add(batch, str(session), old, new)
        interval = found.interval(question, 0.95)
        held += interval.low <= truth <= interval.high
    return held / runs


MEAN = math.exp(0.5)


@pytest.mark.parametrize(
    ("draw", "question", "truth"),
    [
        (amounts(100), "ratio", 0.0),
        (amounts(1_000), "new", MEAN),
        (lost(400), "ratio", -0.01),
        (lost(1_500), "ratio", -0.01),
        (sessions(60), "ratio", 0.0),
        (sessions(150), "difference", 0.0),
        (apart(300), "ratio", 0.0),
    ],
)
def test_the_interval_of_a_mean_holds_the_truth_in_93_of_100_runs(draw: Draw, question: Question, truth: float) -> None:
    assert covered(Batches, draw, question, truth, 200) >= 0.93


Z90 = NormalDist().inv_cdf(0.9)


@pytest.mark.parametrize(
    ("draw", "q", "question", "truth"),
    [
        (apart(400), 0.5, "ratio", 0.0),
        (apart(400), 0.9, "difference", 0.0),
        (apart(400), 0.9, "new", math.exp(0.5 * Z90)),
        (sessions(120), 0.5, "new", math.nan),
    ],
)
def test_the_interval_of_a_quantile_holds_the_truth_in_93_of_100_runs(
    draw: Draw, q: float, question: Question, truth: float
) -> None:
    if math.isnan(truth):
        truth = 1.0  # the median of what is symmetric on its logarithm
    assert covered(lambda: PairedQuantiles(q), draw, question, truth, 150) >= 0.93


@pytest.mark.parametrize(("only_old", "only_new"), [(0.005, 0.0), (0.006, 0.001), (0.03, 0.025)])
@pytest.mark.parametrize("n", [300, 600, 2_000])
def test_a_share_that_is_just_at_its_margin_is_go_in_one_run_of_twenty_at_most(
    only_old: float, only_new: float, n: int
) -> None:
    luck, bounds = random.Random(7), cache(lambda less, more: difference_bounds(more, less, n))  # noqa: S311
    go = 0
    for _ in range(2_000):
        less = binomial(luck, n, only_old)
        go += bounds(less, binomial(luck, n - less, only_new / (1 - only_old)))[0] >= -0.005
    assert go <= 131


def binomial(luck: random.Random, n: int, p: float) -> int:
    """Return how many of n trials succeed, by the gaps between them."""
    found, place = 0, 0
    while p > 0:
        place += int(math.log(1 - luck.random()) / math.log1p(-p)) + 1
        if place > n:
            break
        found += 1
    return found
