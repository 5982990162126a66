"""Bounds that hold at every look: for samples that somebody watches while they grow.

An exact bound is right for a sample whose size was settled before it was seen. Whoever looks again and again, and stops
once he likes what he sees, is fooled by it sooner or later. These bounds may be looked at after every case.

For a supposed rate p0, the likelihood of what was seen under a mixture of rates beyond p0, divided by that under p0, is
on average at most 1 however the sample grows, if p0 is no overstatement (Ville, 1939): it ever reaches 1 / a with
probability a at most. So a p0 at which it has reached that is ruled out for good (Robbins, Annals of Mathematical
Statistics 41, 1970, 1397-1409; Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49, 2021, 1055-1080). The
mixture is a beta distribution with mean p0, cut off at p0, which makes the bounds one-sided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from replay.verdict.statistics import (
    CONFIDENCE,
    checked,
    checked_pairs,
    difference_lower,
    difference_upper,
    incomplete_beta,
    log_beta,
    lower_bound,
    upper_bound,
)

OfRate = Callable[[float, float, float], float]
"""From (k, n, confidence) to a one-sided bound."""
OfPairs = Callable[[float, float, float, float], float]
"""From (only new, only old, n, confidence) to a one-sided bound."""

_SHAPE: Final = 0.5
"""The first parameter of the beta distribution: below 1, rates near 0 weigh most, which is what clean samples show."""
_NEAREST: Final = 1e-9
"""How near to 0 and to 1 bounds are looked for."""
_STEPS: Final = 48


def watched_upper_bound(k: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the upper bound of a rate of which `k` in `n` were seen so far; 1 where nothing was.

    Over all looks at a growing sample, it is ever below the rate with probability 1 - confidence at most. Raises
    ValueError unless 0 <= k <= n and 0 < confidence < 1.
    """
    checked(k, n, confidence)
    enough = -math.log1p(-confidence)
    return _edge(lambda p: _evidence_below(p, k, n) < enough, k / n if n else 1.0, 1.0)


def watched_lower_bound(k: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the lower bound, likewise; 0 where nothing was seen."""
    checked(k, n, confidence)
    enough = -math.log1p(-confidence)
    return _edge(lambda p: _evidence_above(p, k, n) < enough, k / n if n else 0.0, 0.0)


def watched_difference_upper(only_new: float, only_old: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the upper bound of (new's rate - old's rate) over `n` cases that both sides saw so far.

    The bounds of both kinds of discordant cases, each with half of the error, and never tighter than the paired bound
    of a sample whose size is settled.
    """
    checked_pairs(only_new, only_old, n, confidence)
    return max(_apart(only_new, only_old, n, confidence), difference_upper(only_new, only_old, n, confidence))


def watched_difference_lower(only_new: float, only_old: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the lower bound of (new's rate - old's rate), likewise."""
    checked_pairs(only_new, only_old, n, confidence)
    return min(-_apart(only_old, only_new, n, confidence), difference_lower(only_new, only_old, n, confidence))


def _apart(more: float, less: float, n: float, confidence: float) -> float:
    each = (1 + confidence) / 2
    return watched_upper_bound(min(more, n), n, each) - watched_lower_bound(min(less, n), n, each)


def _edge(holds: Callable[[float], bool], inner: float, outer: float) -> float:
    """Return the rate between `inner`, which cannot be ruled out, and `outer` from which on all are."""
    inside, outside = inner, outer
    if holds(_within(outer)):
        return outer
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(_within(middle)) else (inside, middle)
    return outside


def _within(rate: float) -> float:
    return min(max(rate, _NEAREST), 1 - _NEAREST)


def _evidence_below(p0: float, k: float, n: float) -> float:
    """Return the logarithm of how much better rates below `p0` explain what was seen."""
    a, b = _SHAPE, _SHAPE * (1 - p0) / p0
    seen, supposed = incomplete_beta(p0, a + k, b + n - k), incomplete_beta(p0, a, b)
    return _log_ratio(p0, k, n, seen, supposed)


def _evidence_above(p0: float, k: float, n: float) -> float:
    """Return the logarithm of how much better rates above `p0` explain what was seen."""
    a, b = _SHAPE, _SHAPE * (1 - p0) / p0
    seen, supposed = incomplete_beta(1 - p0, b + n - k, a + k), incomplete_beta(1 - p0, b, a)
    return _log_ratio(p0, k, n, seen, supposed)


def _log_ratio(p0: float, k: float, n: float, seen: float, supposed: float) -> float:
    if seen <= 0 or supposed <= 0:  # Too little to be told from nothing: no evidence.
        return -math.inf
    a, b = _SHAPE, _SHAPE * (1 - p0) / p0
    mixed = log_beta(a + k, b + n - k) - log_beta(a, b) + math.log(seen / supposed)
    return mixed - k * math.log(p0) - (n - k) * math.log1p(-p0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """By which bounds rates are judged."""

    upper: OfRate
    lower: OfRate
    difference_upper: OfPairs
    difference_lower: OfPairs
    watched: bool


EXACT: Final = Bounds(upper_bound, lower_bound, difference_upper, difference_lower, watched=False)
"""For a sample whose size was settled before anybody looked."""

WATCHED: Final = Bounds(
    watched_upper_bound, watched_lower_bound, watched_difference_upper, watched_difference_lower, watched=True
)
"""For a sample that is looked at while it grows."""
