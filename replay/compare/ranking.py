"""`rank:` compares two arrays as rankings: which items are among the first, and in which order."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from replay.compare.base import Rule
from replay.compare.pairing import Paired, state_of
from replay.compare.values import identity_of
from replay.compare.walk import Walk
from replay.errors import SettingsError
from replay.locations import Keyed, Path, Segment, State
from replay.models import RankSpec


def overlap(old: Sequence[Hashable], new: Sequence[Hashable], top: int) -> float:
    """Return the share of the first `top` items that both lists have, 0 to 1; two empty lists agree.

    Lists shorter than `top` are measured by the longer of the two.
    """
    size = max(len(old[:top]), len(new[:top]))
    return 1.0 if size == 0 else len(set(old[:top]) & set(new[:top])) / size


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


@dataclass(frozen=True, slots=True)
class Ranked:
    """One item of a ranking: what identifies it, and what orders it (smaller is better)."""

    key: Hashable
    order: Any
    index: int
    item: Any


class Rank:
    """Judges overlap and order of the first `top` items, and leaves their fields to later rules that reach them."""

    def __init__(self, rule: Rule) -> None:
        spec = rule.spec.rank or RankSpec()
        if spec.overlap is None and spec.tau is None:
            raise SettingsError(f"rule at '{rule.spec.at}': rank sets no limit", hint="add overlap: 0.66 or tau: 0.8")
        self._rule = rule
        self._spec = spec

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Measure both figures, and tell each that is below its limit."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        mine, theirs = self._ranked(old), self._ranked(new)
        share = overlap([it.key for it in mine], [it.key for it in theirs], self._spec.top)
        common = _common(mine, theirs)
        tau = tau_b([it.order for it, _ in common], [it.order for _, it in common])
        walk.measure(at, "rank.overlap", share)
        walk.measure(at, "rank.tau", tau)
        walk.measure(at, "rank.common", float(len(common)))
        self._judge(walk, at, mine, theirs, share, tau, len(common))
        if old != new:
            walk.accept(at, self._rule.name)
        for one, other in common:
            pair = Paired(self._segment(one), one.index, one.item, other.item)
            below = state_of(state, pair, max(len(old), len(new)))
            walk.explicit(one.item, other.item, (at, pair.segment), below, self._rule.number)

    def _judge(
        self, walk: Walk, at: Path, old: list[Ranked], new: list[Ranked], share: float, tau: float | None, common: int
    ) -> None:
        spec, shown = self._spec, ([it.key for it in old], [it.key for it in new])
        told = [[_shown(key) for key in keys] for keys in shown]
        if spec.overlap is not None and share < spec.overlap:
            note = f"overlap {share:.3g} of the first {spec.top} is below {spec.overlap:g}"
            walk.differ(at, "rank", told[0], told[1], rule=self._rule.name, note=note)
        if spec.tau is None or (tau is not None and tau >= spec.tau) or _nothing_to_order(old, new):
            return
        found = f"tau {tau:.3g}" if tau is not None else "no tau"
        note = f"{found} over {common} common items is below {spec.tau:g}"
        walk.differ(at, "rank", told[0], told[1], rule=self._rule.name, note=note)

    def _ranked(self, items: list[Any]) -> list[Ranked]:
        return [
            Ranked(self._key(item), self._order(item, index), index, item)
            for index, item in enumerate(items[: self._spec.top])
        ]

    def _key(self, item: Any) -> Hashable:
        by = self._spec.by
        return identity_of(item[by] if by is not None and isinstance(item, dict) and by in item else item)

    def _order(self, item: Any, index: int) -> Any:
        score = item.get(self._spec.score) if self._spec.score is not None and isinstance(item, dict) else None
        if isinstance(score, int | Decimal) and not isinstance(score, bool):
            return -score
        return index

    def _segment(self, ranked: Ranked) -> Segment:
        by = self._spec.by
        if by is None or not isinstance(ranked.item, dict) or isinstance(ranked.item.get(by), dict | list):
            return ranked.index
        return Keyed(((by, ranked.item.get(by)),))


def _common(old: list[Ranked], new: list[Ranked]) -> list[tuple[Ranked, Ranked]]:
    theirs = {it.key: it for it in reversed(new)}
    return [(it, theirs[it.key]) for it in {it.key: it for it in reversed(old)}.values() if it.key in theirs]


def _nothing_to_order(old: list[Ranked], new: list[Ranked]) -> bool:
    """With one item or all in a tie on both sides there is no order to be kept, and none that could be lost."""
    return all(len({it.order for it in side}) < 2 for side in (old, new))  # noqa: PLR2004  (two make an order)


def _shown(key: Any) -> Any:
    return key[1] if key[0] not in ("object", "array") else str(key[1])
