"""How far two rankings agree: overlap, tau-b, rank-biased overlap and discounted gain, each from its definition."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import Any, Final

Ties = Sequence[Sequence[Hashable]]
"""A ranking, best first: each entry holds the items that share a place, mostly one."""

_DIGITS: Final = 12
"""Sums of powers miss 1 by a few units in the last place; two equal rankings agree by 1 and not by almost 1."""


def overlap(old: Sequence[Hashable], new: Sequence[Hashable], top: int) -> float:
    """Return the share of the first `top` items that both lists have, 0 to 1; two empty lists agree.

    Lists shorter than `top` are measured by the longer of the two. An item that stands twice counts twice.
    """
    size = max(len(old[:top]), len(new[:top]))
    return 1.0 if size == 0 else (Counter(old[:top]) & Counter(new[:top])).total() / size


def tau_b(xs: Sequence[Any], ys: Sequence[Any]) -> float | None:
    """Return Kendall's tau-b of paired ranks or scores, -1 to 1; None where either side has no order at all.

    Concordant minus discordant pairs, over the geometric mean of the pairs not tied in x and not tied in y
    (M. G. Kendall, The treatment of ties in ranking problems, Biometrika 33, 1945). Takes time in n squared.
    """
    balance = untied_x = untied_y = 0
    for (x1, y1), (x2, y2) in combinations(zip(xs, ys, strict=True), 2):
        by_x, by_y = (x1 > x2) - (x1 < x2), (y1 > y2) - (y1 < y2)
        balance += by_x * by_y
        untied_x += by_x * by_x
        untied_y += by_y * by_y
    return balance / math.sqrt(untied_x * untied_y) if untied_x and untied_y else None


def rbo(one: Ties, other: Ties, p: float) -> float:
    """Return the extrapolated rank-biased overlap RBO_ext, 0 to 1; `p` in (0, 1) is how far a reader reads on.

    W. Webber, A. Moffat, J. Zobel, A similarity measure for indefinite rankings, ACM TOIS 28(4), 2010, equation 32,
    for lists of any two lengths. As there, items in a tie all stand at its first place, and two lists agree at a depth
    by twice the common items over all items seen. With p = 0.9 the first ten places carry 86% of the weight. No item
    may stand twice in one list. Two empty lists agree; an empty one agrees with no other.
    """
    shorter, longer = sorted((sum(map(len, one)), sum(map(len, other))))
    if shorter == 0:
        return float(longer == 0)
    agreements = depth_agreements(one, other)
    seen = (1 - p) / p * sum(agreed * p**depth for depth, agreed in enumerate(agreements, 1))
    return min(1.0, round(seen + agreements[-1] * p**longer, _DIGITS))


def depth_agreements(one: Ties, other: Ties) -> list[float]:
    """Return how far two lists, none of them empty, agree at each depth down to the longer one's end.

    Beyond the shorter one's end it is taken to go on as it agreed there.
    """
    shorter, longer = sorted((sum(map(len, one)), sum(map(len, other))))
    entering = _by_first_place(one), _by_first_place(other)
    mine, theirs = set[Hashable](), set[Hashable]()
    agreements, at_end = [], 0.0
    for depth in range(1, longer + 1):
        mine.update(entering[0].get(depth, ()))
        theirs.update(entering[1].get(depth, ()))
        common = len(mine & theirs)
        if depth <= shorter:
            agreed = 2 * common / (len(mine) + len(theirs))
            at_end = shorter * agreed
        else:
            agreed = (common + at_end * (depth - shorter) / shorter) / depth
        agreements.append(agreed)
    return agreements


def _by_first_place(ranking: Ties) -> dict[int, Sequence[Hashable]]:
    places, place = {}, 1
    for tied in ranking:
        places[place] = tied
        place += len(tied)
    return places


def ndcg(gains: Sequence[Sequence[float]], known: Iterable[float], top: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first `top` places, 0 to 1; None where nothing has any.

    `gains` are the ranking's, best place first, those in a tie together; `known` are those of all items that there
    are. A gain counts 1 / log2(place + 1) of itself (K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of
    IR techniques, ACM TOIS 20(4), 2002), each of a tie the mean of it (F. McSherry, M. Najork, ECIR 2008).
    """
    ideal = _discounted(sorted(known, reverse=True)[:top])
    levelled = [sum(tied) / len(tied) for tied in gains for _ in tied]
    return min(1.0, round(_discounted(levelled[:top]) / ideal, _DIGITS)) if ideal > 0 else None


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))
