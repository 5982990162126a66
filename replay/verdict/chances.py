"""How probable what was seen is if both sides behave alike: small exact tests, for claims that rest on few cases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import NormalDist
from typing import Final

Trials = tuple[int, float]
"""So many independent trials, each of which succeeds with this probability."""

MOST_EXACT: Final = 2_000
"""Trials beyond which the sum is as good as normal: at a tail of 1% it is off by less than a tenth of it."""
_CLEARLY_ALIKE: Final = 0.1


def at_least(successes: int, groups: Iterable[Trials]) -> float:
    """Return the probability of so many successes or more, over all trials of all groups.

    Exact up to `MOST_EXACT` trials whose end is open (the Poisson binomial distribution, by convolution), by the
    normal distribution with continuity correction beyond.
    """
    groups = [(n, min(1.0, p)) for n, p in groups if n and p > 0]
    needed = successes - sum(n for n, p in groups if p == 1)
    open_ones = [(n, p) for n, p in groups if p < 1]
    if needed <= 0:
        return 1.0
    if needed > sum(n for n, _ in open_ones):
        return 0.0
    if sum(n for n, _ in open_ones) > MOST_EXACT:
        return _normal_tail(needed, open_ones)
    return min(1.0, math.fsum(_distribution(open_ones)[needed:]))


def _distribution(groups: Iterable[Trials]) -> list[float]:
    """Return the probability of 0, 1, 2, ... successes."""
    whole = [1.0]
    for n, p in groups:
        part = [_binomial(k, n, p) for k in range(n + 1)]
        summed = [0.0] * (len(whole) + n)
        for i, one in enumerate(whole):
            for k, other in enumerate(part):
                summed[i + k] += one * other
        whole = summed
    return whole


def _binomial(k: int, n: int, p: float) -> float:
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))


def _normal_tail(successes: int, groups: Sequence[Trials]) -> float:
    mean = math.fsum(n * p for n, p in groups)
    spread = math.sqrt(math.fsum(n * p * (1 - p) for n, p in groups))
    return 1 - NormalDist(mean, spread).cdf(successes - 0.5)


def same_distribution(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the p-value of the two-sided two-sample Kolmogorov-Smirnov test; 1 where a sample is empty.

    Exact, by counting the orders of both samples in which their distributions part as far (Gnedenko and Korolyuk,
    1951); with ties it errs to the side of calling them alike. What is clearly alike is told by the limit
    distribution, which costs nothing.
    """
    n, m = len(one), len(other)
    if not n or not m:
        return 1.0
    distance = _distance(one, other)
    limit = _limit_tail(distance / (n * m), n, m)
    return limit if limit > _CLEARLY_ALIKE else 1 - _stays_within(distance, n, m)


def _distance(one: Sequence[float], other: Sequence[float]) -> int:
    """Return the largest distance of the two empirical distributions, times n m."""
    n, m = len(one), len(other)
    steps = sorted([(value, m) for value in one] + [(value, -n) for value in other])
    height, farthest = 0, 0
    for _, same in groupby(steps, key=lambda step: step[0]):
        height += sum(step for _, step in same)
        farthest = max(farthest, abs(height))
    return farthest


def _stays_within(distance: int, n: int, m: int) -> float:
    """Return the probability that a random order of n and m things never parts their counts by `distance` / (n m).

    The last of i and j things is one of the i with probability i / (i + j), whatever came before.
    """
    row = [0.0] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            if abs(i * m - j * n) >= distance:
                row[j] = 0.0
            elif i + j:
                row[j] = (row[j] * i + (row[j - 1] * j if j else 0.0)) / (i + j)
            else:
                row[j] = 1.0
    return row[m]


def _limit_tail(distance: float, n: int, m: int) -> float:
    """Return Kolmogorov's limit of the p-value, with Stephens's correction (JRSS B 32, 1970)."""
    root = math.sqrt(n * m / (n + m))
    reach = (root + 0.12 + 0.11 / root) * distance
    if reach < 0.2:  # noqa: PLR2004 - below, the series alternates for long, about 1
        return 1.0
    return min(1.0, 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 101)))
