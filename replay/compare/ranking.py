"""`rank:` compares two arrays as rankings: which items are among the first, and in which order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from replay.compare.base import Rule
from replay.compare.pairing import Paired, state_of
from replay.compare.values import identity_of, same
from replay.compare.walk import Walk
from replay.errors import SettingsError
from replay.locations import Keyed, Path, Segment, State
from replay.models import RankSpec


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


@dataclass(frozen=True, slots=True)
class Ranked:
    """One item of a ranking: what identifies it, and what orders it (smaller is better); None without a score."""

    key: Hashable
    order: Any
    index: int
    item: Any


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two rankings agree."""

    old: list[Ranked]
    new: list[Ranked]
    common: list[tuple[Ranked, Ranked]]
    overlap: float
    tau: float | None

    @property
    def without_score(self) -> bool:
        """Tell whether some common item has no score to be ordered by."""
        return any(it.order is None for pair in self.common for it in pair)

    @property
    def nothing_to_order(self) -> bool:
        """Tell whether both hold the same items, and neither has an order that could be lost: one, or all in a tie."""
        if self.without_score or Counter(it.key for it in self.old) != Counter(it.key for it in self.new):
            return False
        return all(len({it.order for it in side}) <= 1 for side in (self.old, self.new))

    @property
    def keys(self) -> tuple[list[Any], list[Any]]:
        """Return what identifies the items of old and of new, as differences show it."""
        return [_shown(it.key) for it in self.old], [_shown(it.key) for it in self.new]


def agreement(old: list[Ranked], new: list[Ranked], top: int) -> Agreement:
    """Measure two rankings, which hold no more than `top` items each."""
    theirs = {it.key: it for it in new}
    common = [(it, theirs[it.key]) for it in old if it.key in theirs]
    share = overlap([it.key for it in old], [it.key for it in new], top)
    orders = [(one.order, other.order) for one, other in common]
    scored = all(None not in pair for pair in orders)
    tau = tau_b([mine for mine, _ in orders], [theirs for _, theirs in orders]) if scored else None
    return Agreement(old, new, common, share, tau)


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
        found = agreement(self._ranked(old), self._ranked(new), self._spec.top)
        walk.measure(at, "rank.overlap", found.overlap)
        walk.measure(at, "rank.tau", found.tau)
        walk.measure(at, "rank.common", float(len(found.common)))
        notes = [note for note in (self._too_few(found), self._disordered(found)) if note]
        for note in notes:
            walk.differ(at, "rank", *found.keys, rule=self._rule.name, note=note)
        if not notes and not same(old, new):
            walk.accept(at, self._rule.name)
        for one, other in found.common:
            pair = Paired(self._segment(one), one.index, one.item, other.item)
            below = state_of(state, pair, max(len(old), len(new)))
            walk.later(one.item, other.item, (at, pair.segment), below, self._rule.number)

    def _too_few(self, found: Agreement) -> str:
        least = self._spec.overlap
        if least is None or found.overlap >= least:
            return ""
        return f"overlap {found.overlap:.3g} of the first {self._spec.top} is below {least:g}"

    def _disordered(self, found: Agreement) -> str:
        least = self._spec.tau
        if least is None or (found.tau is not None and found.tau >= least) or found.nothing_to_order:
            return ""
        if found.without_score:
            return f"no tau: an item has no number at {self._spec.score}"
        told = f"tau {found.tau:.3g}" if found.tau is not None else "no tau"
        return f"{told} over {len(found.common)} common items is below {least:g}"

    def _ranked(self, items: list[Any]) -> list[Ranked]:
        """Return the first items; one that stands twice is two items, its first and its second appearance."""
        ranked, seen = [], Counter[Hashable]()
        for index, item in enumerate(items[: self._spec.top]):
            key = self._key(item)
            ranked.append(Ranked((key, seen[key]), self._order(item, index), index, item))
            seen[key] += 1
        return ranked

    def _key(self, item: Any) -> Hashable:
        by = self._spec.by
        return identity_of(item[by] if by is not None and isinstance(item, dict) and by in item else item)

    def _order(self, item: Any, index: int) -> Any:
        if self._spec.score is None:
            return index
        score = item.get(self._spec.score) if isinstance(item, dict) else None
        if isinstance(score, bool) or not isinstance(score, int | Decimal) or score != score:  # noqa: PLR0124 - NaN
            return None
        # Unary minus would round a Decimal.
        return score.copy_negate() if isinstance(score, Decimal) else -score

    def _segment(self, ranked: Ranked) -> Segment:
        by, item = self._spec.by, ranked.item
        if by is None or not isinstance(item, dict) or by not in item or isinstance(item[by], dict | list):
            return ranked.index
        return ranked.index if item[by] != item[by] else Keyed(((by, item[by]),))


def _shown(key: Any) -> Any:
    (kind, value), _appearance = key
    return value if kind not in ("object", "array") else str(value)
