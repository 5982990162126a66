"""Two bodies compared as what they are: JSON by value, text by line, other content byte by byte."""

from __future__ import annotations

from typing import Final

from replay.compare.base import Node, Rule
from replay.compare.reading import Reading
from replay.compare.text import describe_bytes, text_change
from replay.compare.walk import Walk
from replay.locations import ROOT, Path, State
from replay.models import MISSING

BODY: Final[Path] = (ROOT, "body")

AS_JSON: Final = "default: JSON is compared by value, not by byte"
AS_TEXT: Final = "default: text is compared line by line"
AS_BYTES: Final = "default: other content is compared byte by byte"
SAME_KIND: Final = "default: both bodies are of one kind"


def compare_bodies(walk: Walk, old: Reading, new: Reading, *, same: bool) -> None:
    """Compare two bodies as what they are: JSON by value, text by line, other content byte by byte."""
    state = walk.rules.machine.start.key("body")
    before = len(walk.differences)
    try:
        with walk.under_waiver(state):
            _compare_bodies(walk, old, new, state)
    except RecursionError:
        del walk.differences[before:]
        # Equal bytes are equal; but what rules ask of them was not seen either.
        if not same or state.accepts or state.deepest >= 0:
            note = "nested too deeply to be compared value by value"
            walk.differ(BODY, "value", MISSING, MISSING, rule=AS_BYTES, note=note)
    if not same and len(walk.differences) == before and (old.kind, new.kind) == ("json", "json"):
        walk.accept(BODY, AS_JSON)


def _compare_bodies(walk: Walk, old: Reading, new: Reading, state: State) -> None:
    if old.lines != new.lines and old.kind == new.kind:
        note = "JSON lines became one JSON document" if old.lines else "one JSON document became JSON lines"
        walk.differ(BODY, "type", old.value, new.value, rule=SAME_KIND, note=note)
        return
    nodes = [MISSING if it.kind == "none" else _shown(it) for it in (old, new)]
    rule = walk.rules.at(state) if state.accepts else None
    if old.kind == new.kind == "none" or (old.kind != new.kind and old.is_empty and new.is_empty):
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
    return describe_bytes(reading.value) if reading.kind == "bytes" else reading.value
