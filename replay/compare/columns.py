"""The columns of two CSV files: told once, and not again in every row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from replay.compare.base import Node
from replay.compare.formats.csv_rows import Rows
from replay.compare.walk import Walk, paired_names
from replay.locations import EVERY, Path, State
from replay.models import MISSING, Json

_ANY: Final = -1
"""An index that no rule names."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns are compared. Those that one side lacks are told, and left out of the rows."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    theirs: Mapping[str, str]
    """New's name of each column that both have, by old's name."""
    ruled: Collection[str]
    """The columns that a rule may speak of, by old's name."""
    alike: bool
    """Both have the same columns at the same places, so that equal cells are equal rows."""
    rows_ruled: bool
    """A rule may speak of whole rows."""

    @property
    def shared(self) -> tuple[str, ...]:
        """Return the columns that both have, by old's names."""
        return tuple(self.theirs)

    @property
    def free(self) -> tuple[str, ...]:
        """Return the columns that no rule speaks of."""
        return tuple(name for name in self.theirs if name not in self.ruled)

    @property
    def decisive(self) -> bool:
        """Tell whether no rule can make two rows equal that differ."""
        return not self.ruled and not self.rows_ruled

    @property
    def plain(self) -> bool:
        """Tell whether the cells as they stand are what is compared."""
        return self.alike and self.decisive

    def places(self, names: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return where these columns stand on both sides."""
        mine, theirs = ({name: n for n, name in enumerate(header)} for header in (self.old, self.new))
        return tuple(mine[name] for name in names), tuple(theirs[self.theirs[name]] for name in names)

    def shown(self, row: Json, *, new: bool) -> Json:
        """Return a row of one side without the columns that only this side has."""
        if new:
            return _without(row, self.new, self.theirs.values())
        return _without(row, self.old, self.theirs.keys())


def _without(row: Json, header: tuple[str, ...], kept: Collection[str]) -> Json:
    if len(header) == len(kept) or not isinstance(row, dict):
        return row
    return {name: cell for name, cell in row.items() if name in kept or name not in header}


def compare_columns(walk: Walk, old: Rows, new: Rows, at: Path, state: State) -> Columns:
    """Tell the columns that one side lacks or has elsewhere, and another delimiter."""
    if old.delimiter != new.delimiter:
        walk.differ(at, "value", old.delimiter, new.delimiter, note="cells are parted by something else")
    rows = state.index(_ANY)
    ruled_rows = bool(rows.accepts or state.tests)
    if old.header is None or new.header is None:
        ruled = rows.deepest >= 0
        return Columns((), (), {}, frozenset(), alike=True, rows_ruled=ruled_rows or ruled)
    mine, theirs = _examples(old), _examples(new)
    theirs_of = dict(_told(walk, (mine, theirs), (at, EVERY), rows))
    order = [list(theirs_of.values()), [name for name in theirs if name in set(theirs_of.values())]]
    if order[0] != order[1] and not old.spec.any_column_order:
        walk.differ(at, "order", list(mine), list(theirs), note="columns stand in another order")
    return Columns(
        old=tuple(mine),
        new=tuple(theirs),
        theirs=theirs_of,
        ruled=frozenset(name for name in theirs_of if ruled_rows or _speaks(rows.key(name))),
        alike=list(theirs_of) == list(mine) and list(theirs_of.values()) == list(theirs),
        rows_ruled=ruled_rows,
    )


def _examples(rows: Rows) -> dict[str, Any]:
    """Return a cell of each column, to show what stands there."""
    first = rows.row(0) if len(rows) else {}
    return {name: first.get(name, "") for name in rows.header or ()}


def _told(walk: Walk, sides: tuple[dict[str, Any], dict[str, Any]], at: Path, rows: State) -> list[tuple[str, str]]:
    """Return the columns that both have; tell the others, by the rules that speak of them."""
    both = []
    renamed = walk.renamed(sides[0], sides[1], at, rows) if walk.rules.renames else {}
    for name, theirs in paired_names(sides[0], sides[1], renamed):
        if name is not None and theirs is not None:
            both.append((name, theirs))
            continue
        mine: Node = sides[0][name] if name is not None else MISSING
        other: Node = sides[1][theirs] if theirs is not None else MISSING
        told = str(name if name is not None else theirs)
        walk.node(mine, other, (at, told), rows.key(told))
    return both


def _speaks(state: State) -> bool:
    return bool(state.accepts) or state.deepest >= 0
