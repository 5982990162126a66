"""`rank:` compares two arrays as rankings: which items are among the first, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from replay.compare.base import Rule
from replay.compare.figures import ndcg, overlap, rbo, tau_b
from replay.compare.gains import gain_of
from replay.compare.pairing import Paired, state_of
from replay.compare.values import identity_of, same
from replay.compare.walk import Walk
from replay.errors import SettingsError
from replay.locations import Keyed, Path, Segment, State
from replay.models import RankSpec

_NAMED: Final = 3
"""Items of one side alone that a note names."""
LIMITS: Final = ("overlap", "tau", "rbo", "ndcg")


@dataclass(frozen=True, slots=True)
class Ranked:
    """One item of a ranking: what identifies it, and what orders it (smaller is better); None without a score."""

    key: Hashable
    order: Any
    index: int
    item: Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of two rankings, and on how many items it rests; `why` tells why there is no value."""

    name: str
    value: float | None
    items: int
    why: str = ""

    def met_by(self, least: float) -> bool:
        """Tell whether it reaches a limit."""
        return self.value is not None and self.value >= least


@dataclass(frozen=True, slots=True)
class Agreement:
    """The first items of two rankings, side by side."""

    old: list[Ranked]
    new: list[Ranked]
    top: int

    @property
    def common(self) -> list[tuple[Ranked, Ranked]]:
        """Return the items that both have, in old's order."""
        theirs = {it.key: it for it in self.new}
        return [(it, theirs[it.key]) for it in self.old if it.key in theirs]

    @property
    def overlap(self) -> float:
        """Return the share of common items."""
        return overlap([it.key for it in self.old], [it.key for it in self.new], self.top)

    @property
    def tau(self) -> float | None:
        """Return tau-b of the common items; None where they have no order."""
        orders = [(one.order, other.order) for one, other in self.common]
        if any(None in pair for pair in orders):
            return None
        return tau_b([mine for mine, _ in orders], [theirs for _, theirs in orders])

    def rbo(self, p: float) -> float | None:
        """Return the rank-biased overlap; None where an item has no score to be ordered by."""
        if any(it.order is None for it in (*self.old, *self.new)):
            return None
        mine, theirs = ([[it.key for it in tied] for tied in ties(side)] for side in (self.old, self.new))
        return rbo(mine, theirs, p)

    @property
    def nothing_to_order(self) -> bool:
        """Tell whether both hold the same items, and neither has an order that could be lost: one, or all in a tie."""
        if any(it.order is None for pair in self.common for it in pair):
            return False
        if Counter(it.key for it in self.old) != Counter(it.key for it in self.new):
            return False
        return all(len({it.order for it in side}) <= 1 for side in (self.old, self.new))

    @property
    def keys(self) -> tuple[list[Any], list[Any]]:
        """Return what identifies the items of old and of new, as differences show it."""
        return [_shown(it.key) for it in self.old], [_shown(it.key) for it in self.new]

    def one_sided(self) -> str:
        """Return the items that one side alone has, in words; empty where there are none."""
        common = {it.key for it, _ in self.common}
        told = []
        for name, side in (("old", self.old), ("new", self.new)):
            alone = [str(_shown(it.key)) for it in side if it.key not in common]
            more = f" and {len(alone) - _NAMED} more" if len(alone) > _NAMED else ""
            if alone:
                told.append(f"only {name}: {', '.join(alone[:_NAMED])}{more}")
        return "; ".join(told)


def ties(ranked: Sequence[Ranked]) -> list[list[Ranked]]:
    """Return a ranking in its order, best first, with the items of each tie together. Every item has an order."""
    by_order = attrgetter("order")
    return [list(tied) for _, tied in groupby(sorted(ranked, key=by_order), by_order)]


class Rank:
    """Judges the first `top` items of two lists, and leaves their fields to later rules that reach them."""

    def __init__(self, rule: Rule) -> None:
        spec = rule.spec.rank or RankSpec()
        self._limits = {name: getattr(spec, name) for name in LIMITS if getattr(spec, name) is not None}
        if not self._limits:
            raise SettingsError(f"rule at '{rule.spec.at}': rank sets no limit", hint="add overlap: 0.66 or tau: 0.8")
        if spec.ndcg is not None and spec.gain is None:
            hint = "add gain: rating, a field that tells what an item is worth, or gain: module:function"
            raise SettingsError(f"rule at '{rule.spec.at}': ndcg needs to know what an item is worth", hint=hint)
        self._gain = gain_of(spec.gain) if spec.gain is not None else None
        self._rule = rule
        self._spec = spec

    def __call__(self, walk: Walk, old: Any, new: Any, at: Path, state: State) -> None:
        """Measure every figure, and tell each that is below its limit."""
        if not isinstance(old, list) or not isinstance(new, list):
            walk.default(old, new, at, state)
            return
        whole = self._ranked(old), self._ranked(new)
        found = Agreement(whole[0][: self._spec.top], whole[1][: self._spec.top], self._spec.top)
        figures = list(self._figures(found, whole))
        for figure in figures:
            limit, moot = self._limits.get(figure.name), _is_moot(figure, found)
            walk.measure(at, f"rank.{figure.name}", figure.value, items=figure.items, limit=limit, moot=moot)
        walk.measure(at, "rank.common", float(len(found.common)))
        notes = list(self._notes(found, figures))
        for note in notes:
            walk.differ(at, "rank", *found.keys, rule=self._rule.name, note=note)
        if not notes and not same(old, new):
            walk.accept(at, self._rule.name)
        self._fields(walk, found, at, state, max(len(old), len(new)))

    def _fields(self, walk: Walk, found: Agreement, at: Path, state: State, count: int) -> None:
        for one, other in found.common:
            pair = Paired(self._segment(one), one.index, one.item, other.item)
            walk.later(one.item, other.item, (at, pair.segment), state_of(state, pair, count), self._rule.number)

    # -------------------------------------------------------------------------------------------------------- figures

    def _figures(self, found: Agreement, whole: tuple[list[Ranked], list[Ranked]]) -> Iterator[Figure]:
        scored = f"an item has no number at {self._spec.score}"
        unscored = any(it.order is None for pair in found.common for it in pair)
        longer = max(len(found.old), len(found.new))
        yield Figure("overlap", found.overlap, longer)
        yield Figure("tau", found.tau, len(found.common), scored if unscored else "")
        yield Figure("rbo", found.rbo(self._spec.p), longer, scored)
        if self._gain is not None:
            yield from self._gained(found, whole, self._gain)

    def _gained(
        self, found: Agreement, whole: tuple[list[Ranked], list[Ranked]], gain: Callable[[Any], float]
    ) -> Iterator[Figure]:
        """Yield new's nDCG, and old's beside it. What both know is worth what old says: new shall not praise itself."""
        names = ("ndcg", found.new), ("ndcg_old", found.old)
        try:
            worth = {it.key: gain(it.item) for it in (*whole[1], *whole[0])}
        except ValueError as error:
            yield from (Figure(name, None, len(side), str(error)) for name, side in names)
            return
        for name, side in names:
            if any(it.order is None for it in side):
                yield Figure(name, None, len(side), f"an item has no number at {self._spec.score}")
                continue
            gains = [[worth[it.key] for it in tied] for tied in ties(side)]
            yield Figure(name, ndcg(gains, worth.values(), found.top), len(side), "no item is worth anything")

    def _notes(self, found: Agreement, figures: Sequence[Figure]) -> Iterator[str]:
        measured = {figure.name: figure for figure in figures}
        for name, least in self._limits.items():
            figure = measured[name]
            if figure.met_by(least) or _is_moot(figure, found):
                continue
            alone = found.one_sided()
            yield self._told(figure, least, measured) + (f"; {alone}" if alone else "")

    def _told(self, figure: Figure, least: float, measured: dict[str, Figure]) -> str:
        if figure.value is None and figure.why:
            return f"no {figure.name}: {figure.why}"
        value = f"{figure.name} {figure.value:.3g}" if figure.value is not None else f"no {figure.name}"
        over = {
            "overlap": f" of the first {self._spec.top}",
            "tau": f" over {figure.items} common items",
            "rbo": f" of the first {self._spec.top}",
            "ndcg": _beside(measured.get("ndcg_old")),
        }[figure.name]
        return f"{value}{over} is below {least:g}"

    # ---------------------------------------------------------------------------------------------------------- items

    def _ranked(self, items: list[Any]) -> list[Ranked]:
        """Return the items that matter; one that stands twice is two items, its first and its second appearance.

        Those are the first `top`, or all where it counts what there would have been to gain.
        """
        ranked, seen = [], Counter[Hashable]()
        for index, item in enumerate(items if self._gain is not None else items[: self._spec.top]):
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


def _is_moot(figure: Figure, found: Agreement) -> bool:
    """Tell whether there is no figure since there is nothing to measure: no order to be lost, nothing to be gained."""
    if figure.value is not None:
        return False
    if figure.name == "tau":
        return found.nothing_to_order
    return figure.name in ("ndcg", "ndcg_old") and not found.old and not found.new


def _beside(old: Figure | None) -> str:
    return f" (old's own is {old.value:.3g})" if old is not None and old.value is not None else ""


def _shown(key: Any) -> Any:
    (kind, value), _appearance = key
    return value if kind not in ("object", "array") else str(value)
