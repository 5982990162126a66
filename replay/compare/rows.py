"""Two CSV files compared by rows: only those that differ are looked at twice."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final, TypeAlias

from replay.compare.base import Node, Rule
from replay.compare.columns import Columns, compare_columns
from replay.compare.formats.csv_rows import MOST_LISTED, Rows
from replay.compare.pairing import MOST_TRIALS, Paired, state_of
from replay.compare.row_pairs import NONE, aligned, partners
from replay.compare.walk import EQUAL, Walk
from replay.locations import Keyed, Path, Segment, State
from replay.models import MISSING

Both: TypeAlias = "tuple[array[int], array[int]]"
AS_ROWS: Final = "default: CSV is compared by rows, in their order"


def compare_rows(walk: Walk, old: Rows, new: Rows, at: Path, state: State) -> None:
    """Compare by the rule that stands on the file itself, else row by row in their order."""
    rule = walk.rules.at(state) if state.accepts else None
    if rule is not None and rule.spec.ignore and state.deepest <= rule.number:
        if old.hashes != new.hashes:
            walk.accept(at, rule.name)
        return
    if _needs_all(walk, rule, state):
        _compare_whole(walk, old, new, at, state)
        return
    verb = _verb(rule)
    before, walk.default_name = walk.default_name, rule.name if rule is not None else AS_ROWS
    columns = compare_columns(walk, old, new, at, state)
    walk.default_name = EQUAL
    _VERBS[verb](_Comparison(walk, old, new, (at, state), columns), rule)
    walk.default_name = before


def _verb(rule: Rule | None) -> str:
    return next((verb for verb in _VERBS if verb and rule is not None and getattr(rule.spec, verb)), "")


def _needs_all(walk: Walk, rule: Rule | None, state: State) -> bool:
    """Tell whether a rule on the file has to see it as one list."""
    if any(number in walk.rules.objecting for number in state.accepts):
        return True
    return rule is not None and not _verb(rule)


def _compare_whole(walk: Walk, old: Rows, new: Rows, at: Path, state: State) -> None:
    if max(len(old), len(new)) > MOST_LISTED:
        note = f"more than {MOST_LISTED:,} rows: too many for a rule on all of them at once"
        walk.differ(at, "value", str(old), str(new), rule=AS_ROWS, note=note)
    else:
        walk.node(old.listed(), new.listed(), at, state)


class _Comparison:
    """Two files under way."""

    def __init__(self, walk: Walk, old: Rows, new: Rows, place: tuple[Path, State], columns: Columns) -> None:
        self.walk = walk
        self.old = old
        self.new = new
        self.at, self.state = place
        self.columns = columns

    @cached_property
    def keys(self) -> Both:
        """Return what stands for each row of both: its cells in the columns that no rule speaks of."""
        if self.columns.plain:
            return self.old.hashes, self.new.hashes
        return self.keyed(self.columns.free, rest=not self.columns.ruled)

    def keyed(self, names: tuple[str, ...], *, rest: bool = False) -> Both:
        """Return what stands for each row where only these columns count; with `rest`, cells beyond the header too."""
        mine, theirs = self.columns.places(names)
        return _keys(self.old, mine, rest=rest), _keys(self.new, theirs, rest=rest)

    def judge(self, mine: int | None, theirs: int | None, segment: Segment) -> None:
        """Compare two rows, one of which may not be there."""
        if mine is not None and theirs is not None and self.equal(mine, theirs):
            return
        if self.columns.decisive and self.walk.full and not self.walk.rules.objecting:
            self.walk.differ_more()  # no rule could make them equal, and nobody reads on
            return
        old, new = self._row(mine, self.old), self._row(theirs, self.new)
        index = mine if mine is not None else theirs or 0
        state = state_of(self.state, Paired(segment, index, old, new), max(len(self.old), len(self.new)))
        self.walk.node(old, new, (self.at, segment), state)

    def fits(self, mine: int, theirs: int) -> bool:
        """Tell whether rules make two rows equal."""
        walk = Walk(self.walk.rules, self.walk.against)
        _Comparison(walk, self.old, self.new, (self.at, self.state), self.columns).judge(mine, theirs, mine)
        return not walk.differences

    def equal(self, mine: int, theirs: int) -> bool:
        """Tell whether two rows need no look."""
        if self.walk.rules.objecting:
            return False
        if self.columns.decisive:
            return self.keys[0][mine] == self.keys[1][theirs]
        return self.columns.alike and self.old.hashes[mine] == self.new.hashes[theirs]

    def _row(self, index: int | None, rows: Rows) -> Node:
        if index is None:
            return MISSING
        return self.columns.shown(rows.row(index), new=rows is self.new)


def _keys(rows: Rows, places: tuple[int, ...], *, rest: bool) -> array[int]:
    """Return what stands for each row; with `rest`, cells beyond the header count too."""
    width = len(rows.header) if rows.header is not None else 0
    return array(
        "q",
        (
            hash((*(cells[n] if n < len(cells) else None for n in places), *(cells[width:] if rest else ())))
            for cells in rows.every()
        ),
    )


# ------------------------------------------------------------------------------------------------------------- verbs


def _in_order(files: _Comparison, rule: Rule | None) -> None:
    """Compare rows in their order; where all that changed is the order, that is one difference."""
    found = aligned(*files.keys)
    if found.moved is not None and None not in found.moved:
        mine, theirs = found.moved
        note = f"rows stand in another order: row {mine} of old is row {theirs} of new; match_by pairs them by a column"
        name = rule.name if rule is not None else AS_ROWS
        shown = files.old.row(mine or 0), files.new.row(min(mine or 0, len(files.new) - 1))
        files.walk.differ(files.at, "order", *shown, rule=name, note=note)
    for mine, theirs in found.pairs:
        files.judge(mine, theirs, mine if mine is not None else theirs or 0)


def _match_by(files: _Comparison, rule: Rule | None) -> None:
    """Compare the rows whose cells in some columns are the same, wherever they stand."""
    by = rule.spec.match_by if rule is not None else None
    names = (by,) if isinstance(by, str) else tuple(by or ())
    lacking = [name for name in names if name not in files.columns.shared]
    if lacking:
        note = f"rows cannot be matched by '{lacking[0]}': not both sides have such a column"
        files.walk.differ(files.at, "validation", str(files.old), str(files.new), rule=AS_ROWS, note=note)
        _in_order(files, rule)
        return
    theirs_of = tuple(files.columns.theirs[name] for name in names)
    found = partners(*files.keyed(names))
    for mine, theirs in enumerate(found.of_old):
        if theirs == NONE or not files.equal(mine, theirs):
            segment = mine if found.repeated_old[mine] else _told(mine, files.old, names, names)
            files.judge(mine, None if theirs == NONE else theirs, segment)
    for theirs in found.alone_in_new():
        segment = theirs if found.repeated_new[theirs] else _told(theirs, files.new, names, theirs_of)
        files.judge(None, theirs, segment)


def _unordered(files: _Comparison, _rule: Rule | None) -> None:
    """Compare files as bags: equal rows first, then those that rules make equal; what is left is missing or extra."""
    found = partners(*(files.keyed(files.columns.shared) if files.columns.ruled else files.keys))
    for mine, theirs in enumerate(found.of_old):
        if theirs != NONE:
            files.judge(mine, theirs, mine)
    left = [index for index, theirs in enumerate(found.of_old) if theirs == NONE]
    alike = dict(_alike(files, left, list(found.alone_in_new()))) if files.columns.ruled else {}
    for mine in left:
        files.judge(mine, alike.get(mine), mine)
    taken = set(alike.values())
    for theirs in found.alone_in_new():
        if theirs not in taken:
            files.judge(None, theirs, theirs)


def _alike(files: _Comparison, old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs that rules make equal, of rows with the same cells in all columns that no rule speaks of."""
    mine, theirs = files.keys
    waiting: dict[int, list[int]] = defaultdict(list)
    for index in new:
        waiting[theirs[index]].append(index)
    for index in old:
        fitting = waiting.get(mine[index], [])
        chosen = next((other for other in fitting[:MOST_TRIALS] if files.fits(index, other)), None)
        if chosen is not None:
            fitting.remove(chosen)
            yield index, chosen


def _told(index: int, rows: Rows, names: tuple[str, ...], own: tuple[str, ...]) -> Segment:
    """Return how a row is told by its key: in old's names of the columns, of which `own` are this side's."""
    row = rows.row(index)
    cells = [row.get(name) for name in own]
    return index if None in cells else Keyed(tuple(zip(names, cells, strict=True)))


_VERBS: Final[Mapping[str, Callable[[_Comparison, Rule | None], None]]] = {
    "match_by": _match_by,
    "unordered": _unordered,
    "strict": _in_order,
    "": _in_order,
}
"""The verbs that stand on a file of any size; with none, rows are compared in their order."""
