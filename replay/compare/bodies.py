"""Two bodies compared as what they are: JSON by value, CSV by rows, text by line, other content byte by byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from replay.compare.base import Node, Rule
from replay.compare.formats import Reading
from replay.compare.formats.markup import Order, conflicting
from replay.compare.reading import How
from replay.compare.rows import compare_rows
from replay.compare.text import describe_bytes, text_change
from replay.compare.walk import Walk
from replay.locations import ROOT, Path, State, print_location, segments
from replay.models import MISSING, Difference

BODY: Final[Path] = (ROOT, "body")

AS_JSON: Final = "default: JSON is compared by value, not by byte"
AS_TEXT: Final = "default: text is compared line by line"
AS_BYTES: Final = "default: other content is compared byte by byte"
_OF_VALUES: Final = frozenset({"value", "missing", "extra"})
SAME_KIND: Final = "default: both bodies are of one kind"


def compare_bodies(walk: Walk, old: Reading, new: Reading, how: How, *, same: bool) -> None:
    """Compare two bodies as what they were read as; what differs in its bytes alone is accepted, and said so."""
    state = walk.rules.machine.start.key("body")
    before, unlisted = len(walk.differences), walk.unlisted
    try:
        with walk.under_waiver(state):
            _compare_bodies(walk, old, new, state)
    except RecursionError:
        del walk.differences[before:]
        # Equal bytes are equal; but what rules ask of them was not seen either.
        if not same or state.accepts or state.deepest >= 0:
            note = "nested too deeply to be compared value by value"
            walk.differ(BODY, "value", MISSING, MISSING, rule=AS_BYTES, note=note)
    walk.differences[before:] = _in_order(walk.differences[before:])
    if same:
        return
    if old.kind == new.kind == "json":
        _differ_one_sided(walk, old, new)
    if (len(walk.differences), walk.unlisted) == (before, unlisted) and old.kind == new.kind in ("json", "rows"):
        walk.accept(BODY, how.rule or AS_JSON)
    _accept_unwrapped(walk, old, new)


def _in_order(differences: list[Difference]) -> list[Difference]:
    """Tell the order of elements as such, and only of those that both sides have."""
    return [told for it in differences if (told := _as_order(it)) is not None]


def _as_order(it: Difference) -> Difference | None:
    if it.kind not in _OF_VALUES or not (isinstance(it.old, Order) or isinstance(it.new, Order)):
        return it
    if not conflicting(it.old, it.new):
        return None
    return replace(it, kind="order", old=str(it.old), new=str(it.new), note="elements stand in another order")


def _accept_unwrapped(walk: Walk, old: Reading, new: Reading) -> None:
    """Say which rules made texts equal that are not, by reading them as something else."""
    theirs = {it.at: it.mark for it in new.unwrapped}
    for it in old.unwrapped:
        place = print_location(it.at)
        if theirs.get(it.at, it.mark) != it.mark and not any(_within(d.at, place) for d in walk.differences):
            walk.accept(it.at, it.rule)


def _differ_one_sided(walk: Walk, old: Reading, new: Reading) -> None:
    """Tell a text that a rule reads as something else where the other side has no such text, but what it would hold.

    Read, the two may be equal; whoever reads the text meets none.
    """
    mine, theirs = ({print_location(it.at): it for it in reading.unwrapped} for reading in (old, new))
    for place in sorted(mine.keys() ^ theirs.keys()):
        it = mine.get(place) or theirs[place]
        pair = _at(old.value, it.at), _at(new.value, it.at)
        if MISSING not in pair and not any(_within(d.at, place) for d in walk.differences):
            side = "old" if place in mine else "new"
            note = f"only {side} has a text here that is read as something else"
            walk.differ(it.at, "type", *pair, rule=it.rule, note=note)


def _at(value: Node, at: Path) -> Node:
    """Return what stands at a place of a body; MISSING where nothing does."""
    for segment in segments(at)[1:]:
        if isinstance(value, dict):
            value = value.get(segment, MISSING)
        elif isinstance(value, list) and isinstance(segment, int) and segment < len(value):
            value = value[segment]
        else:
            return MISSING
    return value


def _within(at: str, above: str) -> bool:
    return at == above or (at.startswith(above) and at[len(above)] in ".[")


def _compare_bodies(walk: Walk, old: Reading, new: Reading, state: State) -> None:
    if old.lines != new.lines and old.kind == new.kind:
        note = "JSON lines became one JSON document" if old.lines else "one JSON document became JSON lines"
        walk.differ(BODY, "type", old.value, new.value, rule=SAME_KIND, note=note)
        return
    nodes = [MISSING if it.kind == "none" else _shown(it) for it in (old, new)]
    rule = walk.rules.at(state) if state.accepts else None
    if old.kind == new.kind == "none" or (old.kind != new.kind and old.is_empty and new.is_empty):
        return
    if old.kind == new.kind == "rows":
        compare_rows(walk, old.value, new.value, BODY, state)
        return
    if "none" in (old.kind, new.kind) or old.kind == new.kind == "json" or _judges(rule, alike=old.kind == new.kind):
        walk.vouch(old.without_booleans, new.without_booleans)
        walk.node(nodes[0], nodes[1], BODY, state)
        return
    walk.rules.check_schemas(walk, nodes[0], nodes[1], BODY, state)
    if old.kind != new.kind:
        walk.differ(BODY, "type", nodes[0], nodes[1], rule=SAME_KIND, note=f"{old.kind} became {new.kind}")
    elif old.value != new.value:
        _differ_opaque(walk, old, new)


def _judges(rule: Rule | None, *, alike: bool) -> bool:
    return rule is not None and (alike or bool(rule.spec.ignore))


def _differ_opaque(walk: Walk, old: Reading, new: Reading) -> None:
    if old.kind == "text":
        change = text_change(old.value, new.value)
        walk.differ(BODY, "text", change.old, change.new, rule=AS_TEXT, note=change.note)
    else:
        walk.differ(BODY, "value", _shown(old), _shown(new), rule=AS_BYTES)


def _shown(reading: Reading) -> Node:
    if reading.kind == "bytes":
        return describe_bytes(reading.value)
    return str(reading.value) if reading.kind == "rows" else reading.value
