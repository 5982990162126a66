"""Exact binomial bounds, the paired bound for two error rates, and how much a sample is really worth.

All bounds are one-sided. Counts and sizes may be real numbers, because sessions shrink a sample to its effective size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95

_TINY: Final = 1e-300
_EPSILON: Final = 1e-15
_MOST_TERMS: Final = 200_000
_MOST_CASES: Final = 10**9


def corrected(confidence: float, parts: int) -> float:
    """Return the confidence that each of so many tests needs, for any of them to be wrong no more often than one may.

    Bonferroni's: whatever hangs together among the parts, the chances of an error add up to no more.
    """
    return 1 - (1 - confidence) / parts


def upper_bound(k: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the Clopper-Pearson upper bound of a rate of which `k` in `n` were seen; 1 where nothing was.

    It is the p at which k or fewer have probability 1 - confidence: the `confidence` quantile of Beta(k + 1, n - k)
    (Clopper and Pearson, Biometrika 26, 1934). Raises ValueError unless 0 <= k <= n and 0 < confidence < 1.
    """
    checked(k, n, confidence)
    if k >= n:
        return 1.0
    if k == 0:
        return -math.expm1(math.log1p(-confidence) / n)
    return beta_quantile(confidence, k + 1, n - k)


def lower_bound(k: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the Clopper-Pearson lower bound of a rate of which `k` in `n` were seen; 0 where nothing was.

    The 1 - confidence quantile of Beta(k, n - k + 1). Raises ValueError as `upper_bound` does.
    """
    checked(k, n, confidence)
    if k == 0:
        return 0.0
    return beta_quantile(1 - confidence, k, n - k + 1)


def is_below(limit: float, k: float, n: float, confidence: float = CONFIDENCE) -> bool:
    """Tell whether the upper bound lies below a limit: to find the bound itself takes ten times as long."""
    checked(k, n, confidence)
    return limit > 1 if k >= n else incomplete_beta(limit, k + 1, n - k) > confidence


def is_above(limit: float, k: float, n: float, confidence: float = CONFIDENCE) -> bool:
    """Tell whether the lower bound lies above a limit."""
    checked(k, n, confidence)
    return limit < 0 if k == 0 else incomplete_beta(limit, k, n - k + 1) < 1 - confidence


def effective_n(sizes: Iterable[float]) -> float:
    """Return (Σm)²/Σm², the number of independent cases that sessions of these sizes are worth; 0 without any."""
    total = squares = 0.0
    for size in sizes:
        total += size
        squares += size * size
    return total * total / squares if squares else 0.0


def cases_needed(k: float, n: float, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return how many further clean, independent cases bring the upper bound below `limit`; None where 10⁹ do not."""
    return fewest(lambda further: upper_bound(k, n + further, confidence) < limit)


def fewest(settles: Callable[[int], bool]) -> int | None:
    """Return the least number that settles it, given that all larger ones do too; None where 10⁹ do not."""
    if settles(0):
        return 0
    high = 1
    while not settles(high):
        if high >= _MOST_CASES:
            return None
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settles(middle) else (middle, high)
    return high


def difference_upper(only_new: float, only_old: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the upper bound of (new's rate - old's rate) over `n` cases that both sides saw; 1 where none was.

    `only_new` and `only_old` are the discordant cases. The bound is Tango's score bound (Statistics in Medicine 17,
    1998, 891-908), never below the exact bound for new's excess alone: the score bound is too eager where hardly
    anything failed (539 clean cases would prove 0.5pp), and with `only_old` = 0 the exact one is what deviation uses.
    """
    checked_pairs(only_new, only_old, n, confidence)
    if n == 0:
        return 1.0
    excess = max(only_new - only_old, 0.0)
    return max(_score_upper(only_new, only_old, n, confidence), upper_bound(excess, n, confidence))


def difference_lower(only_new: float, only_old: float, n: float, confidence: float = CONFIDENCE) -> float:
    """Return the lower bound of (new's rate - old's rate) over `n` cases that both sides saw; -1 where none was.

    The mirror image of Tango's bound, never above the exact lower bound for new's excess alone.
    """
    checked_pairs(only_new, only_old, n, confidence)
    if n == 0:
        return -1.0
    excess = max(only_new - only_old, 0.0)
    return min(-_score_upper(only_old, only_new, n, confidence), lower_bound(excess, n, confidence))


def difference_bounds(
    only_new: float, only_old: float, n: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return both one-sided bounds of (new's rate - old's rate), as careful about old's excess as about new's.

    `difference_upper` and `difference_lower` guard new's excess alone, by the exact bound: errors are what they are
    for. Of two rates of which neither is bad, each bound takes the guard of the side that is in excess.
    """
    more, less = (only_new, only_old, n, confidence), (only_old, only_new, n, confidence)
    low = -difference_upper(*less) if only_old >= only_new else difference_lower(*more)
    high = difference_upper(*more) if only_new >= only_old else -difference_lower(*less)
    return low, high


def _score_upper(only_new: float, only_old: float, n: float, confidence: float) -> float:
    z = NormalDist().inv_cdf(confidence)
    low, high = (only_new - only_old) / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _score(only_new, only_old, n, middle) > -z:
            low = middle
        else:
            high = middle
    return high


def _score(only_new: float, only_old: float, n: float, difference: float) -> float:
    """Return Tango's statistic for a supposed difference; it falls as the difference grows."""
    spread = difference * (1 - difference)
    b = (2 * n - only_new + only_old) * difference - only_new - only_old
    nuisance = (math.sqrt(b * b + 8 * n * only_old * spread) - b) / (4 * n)
    variance = n * (2 * nuisance + spread)
    distance = only_new - only_old - n * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return the x in [0, 1] at which the regularised incomplete beta function is `probability`; a and b above 0."""
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(200):
        excess = incomplete_beta(x, a, b) - probability
        low, high = (low, x) if excess > 0 else (x, high)
        guess = _newton_step(x, excess, a, b)
        following = guess if low < guess < high else (low + high) / 2
        if abs(following - x) <= 4e-16 * x or high - low <= _TINY:
            return following
        x = following
    return x


def _newton_step(x: float, excess: float, a: float, b: float) -> float:
    if not 0 < x < 1:
        return math.nan
    density = math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - log_beta(a, b))
    return x - excess / density if density > _TINY else math.nan


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b): P(B <= x) for B from Beta(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta(a, b))
    # The fraction converges quickly only on this side of the mode; the other side is the mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def log_beta(a: float, b: float) -> float:
    """Return the logarithm of the beta function; a and b above 0."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Evaluate DLMF 8.17.22 by the modified Lentz method."""
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def checked(k: float, n: float, confidence: float) -> None:
    """Raise ValueError unless 0 <= k <= n and 0 < confidence < 1."""
    if not 0 <= k <= n < math.inf:
        raise ValueError(f"{k} of {n} is no count")
    if not 0 < confidence < 1:
        raise ValueError(f"{confidence} is no confidence; it lies between 0 and 1")


def checked_pairs(only_new: float, only_old: float, n: float, confidence: float) -> None:
    """Raise ValueError for what is no count of discordant pairs among `n`, and for no confidence."""
    checked(0, n, confidence)
    # Scaled by an effective n, two counts that fill n may add up to a hair more.
    if only_new < 0 or only_old < 0 or only_new + only_old > n * (1 + 1e-9):
        raise ValueError(f"{only_new} and {only_old} of {n} are no discordant pairs")
