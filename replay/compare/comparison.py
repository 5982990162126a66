"""One case compared: status, headers and body of new against old, and against what the golden expects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from replay.compare.base import Node
from replay.compare.headers import MEANINGS, Answered, header_values
from replay.compare.reading import NOTHING, Pair, Reading, read_content
from replay.compare.rules import ActiveRules, RuleBook
from replay.compare.text import describe_bytes, text_change
from replay.compare.walk import EQUAL, Walk
from replay.locations import ROOT, Path, State
from replay.models import MISSING, SIDES, Acceptance, Case, Difference, Measure, Observation, Request, Side

STATUS: Final[Path] = (ROOT, "status")
HEADERS: Final[Path] = (ROOT, "headers")
BODY: Final[Path] = (ROOT, "body")

UNCOMPARED: Final = "default: compared only when a rule names it"
AS_JSON: Final = "default: JSON is compared by value, not by byte"
AS_TEXT: Final = "default: text is compared line by line"
AS_BYTES: Final = "default: other content is compared byte by byte"
SAME_KIND: Final = "default: both bodies are of one kind"

_PARTS: Final = frozenset({"status", "body"})


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found. `flaws` tells, by side, what makes a body no proper document."""

    differences: tuple[Difference, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    measures: tuple[Measure, ...] = ()
    flags: tuple[str, ...] = ()
    flaws: Mapping[Side, str] = field(default_factory=dict)


class Comparison:
    """Compares cases by one rule book. `bases` are the sides' own URLs, to which their links are relative."""

    def __init__(self, book: RuleBook, bases: Mapping[Side, str | None]) -> None:
        self._book = book
        self._bases = bases

    def compare(self, pair: Pair) -> Compared:
        """Compare both answers, and new with what is expected; an answer that is missing is compared with nothing."""
        active = self._book.for_case(lambda selection: selection.holds(pair.case, pair.documents), pair.case.rules)
        walk, expected = Walk(active), Walk(active, against="expect")
        stated = self._stated(pair)
        if answered(pair.old) and answered(pair.new):
            self._compare(walk, pair, stated)
        if stated and pair.new is not None and answered(pair.new):
            self._expect(expected, pair, pair.new)
        return Compared(
            differences=(*_listed(expected), *_listed(walk)),
            accepted=(*walk.accepted.values(), *expected.accepted.values()),
            measures=(*walk.measures, *expected.measures),
            flags=("drifted",) if stated and self._drifted(pair, active) else (),
            flaws=_flaws(pair, active),
        )

    @staticmethod
    def _stated(pair: Pair) -> frozenset[str]:
        """Return the parts that the golden itself states: they are not compared with old."""
        expect = pair.case.expect
        if expect is None:
            return frozenset()
        parts = {part for part in _PARTS if getattr(expect, part) is not None}
        return frozenset(parts | {f"headers.{name.lower()}" for name, _ in expect.headers})

    def _compare(self, walk: Walk, pair: Pair, stated: Collection[str]) -> None:
        old, new = pair.old or Observation(), pair.new or Observation()
        request = pair.case.request
        if "status" not in stated:
            _compare_status(walk, old, new)
        mine = Answered(request, self._bases["old"], old.headers)
        theirs = Answered(request, self._bases["new"], new.headers)
        compare_headers(walk, mine, theirs, skipped={part.removeprefix("headers.") for part in stated})
        if "body" not in stated:
            as_ = walk.rules.reading
            compare_bodies(walk, pair.reading("old", as_), pair.reading("new", as_), same=old.body == new.body)
        _demand_musts(walk)

    def _expect(self, walk: Walk, pair: Pair, actual: Observation) -> None:
        """Hold new's answer against what the golden states; `old` of each difference is what was expected."""
        wanted = _as_observation(pair, actual)
        _compare_stated(walk, wanted, actual, pair.case, self._bases["new"])

    def _drifted(self, pair: Pair, active: ActiveRules) -> bool:
        """Tell whether old departs from what the golden expects of new."""
        if pair.old is None or not answered(pair.old):
            return False
        walk = Walk(active)
        expect = _as_observation(pair, pair.old)
        _compare_stated(walk, pair.old, expect, pair.case, self._bases["old"])
        return bool(walk.differences)


def answered(observation: Observation | None) -> bool:
    """Tell whether there is something to compare: a status, or a function's value."""
    return observation is not None and (observation.status is not None or observation.error is None)


def _as_observation(pair: Pair, actual: Observation) -> Observation:
    expect = pair.case.expect
    if expect is None:
        return Observation()
    named = {name.lower() for name, _ in expect.headers}
    given = tuple((name, value) for name, value in actual.headers if name.lower() == "content-type" not in named)
    return Observation(status=expect.status, headers=(*expect.headers, *given), body=expect.body or b"")


def _compare_stated(walk: Walk, one: Observation, other: Observation, case: Case, base: str | None) -> None:
    """Compare only what the golden states."""
    expect, request = case.expect, case.request
    if expect is None:
        return
    if expect.status is not None:
        _compare_status(walk, one, other)
    only = {name.lower() for name, _ in expect.headers}
    circumstances = [Answered(request, base, _only(it.headers, only)) for it in (one, other)]
    compare_headers(walk, circumstances[0], circumstances[1], skipped=(), named=only)
    if expect.body is not None:
        as_ = walk.rules.reading
        readings = [_read_stated(it, request, as_) for it in (one, other)]
        compare_bodies(walk, readings[0], readings[1], same=one.body == other.body)


def _only(headers: tuple[tuple[str, str], ...], names: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.lower() in names)


def _read_stated(observation: Observation, request: Request, as_: str | None) -> Reading:
    if request.method == "HEAD":
        return NOTHING
    return read_content(observation.body, observation.header("content-type"), as_)


def _compare_status(walk: Walk, old: Observation, new: Observation) -> None:
    if old.status is not None or new.status is not None:
        walk.default_name = "default: statuses are equal"
        pair = [MISSING if it.status is None else it.status for it in (old, new)]
        walk.node(pair[0], pair[1], STATUS, walk.rules.machine.start.key("status"))
        walk.default_name = EQUAL


# ------------------------------------------------------------------------------------------------------------- headers


def compare_headers(
    walk: Walk, old: Answered, new: Answered, *, skipped: Collection[str], named: Collection[str] = ()
) -> None:
    """Compare the headers that a rule or the caller names, and by default those that have a meaning for clients."""
    mine, theirs = header_values(old.headers), header_values(new.headers)
    headers = walk.rules.machine.start.key("headers")
    for name in {**mine, **theirs}:
        if name not in skipped:
            _compare_header(
                walk, name, (mine.get(name), old), (theirs.get(name), new), headers.key(name), name in named
            )


Values = tuple[tuple[str, ...] | None, Answered]


def _compare_header(walk: Walk, name: str, old: Values, new: Values, state: State, named: bool) -> None:  # noqa: FBT001
    at: Path = (HEADERS, name)
    rule = walk.rules.at(state) if state.accepts else None
    raw = [_joined(name, values) for values, _ in (old, new)]
    if rule is not None:
        walk.judge(rule, raw[0], raw[1], at, state)
    elif name not in MEANINGS and not named:
        if old[0] != new[0]:
            walk.accept(at, UNCOMPARED)
    elif name not in MEANINGS:
        if raw[0] != raw[1]:
            walk.differ(at, "header", raw[0], raw[1], rule=f"expected: {name}")
    else:
        _compare_meaning(walk, name, old, new, at, state, raw)


def _compare_meaning(walk: Walk, name: str, old: Values, new: Values, at: Path, state: State, raw: list[Node]) -> None:
    rule = f"default: {name} is compared by meaning"
    meant = [MISSING if values is None else MEANINGS[name](values, where) for values, where in (old, new)]
    if name == "set-cookie" and MISSING not in meant:
        walk.default_name = rule
        walk.node(meant[0], meant[1], at, state)
        walk.default_name = EQUAL
    elif meant[0] != meant[1]:
        shown = [list(it) if name == "set-cookie" and isinstance(it, dict) else text
                 for it, text in zip(meant, raw, strict=True)]  # fmt: skip
        walk.differ(at, "header", shown[0], shown[1], rule=rule)
    elif raw[0] != raw[1]:
        walk.accept(at, rule)


def _joined(name: str, values: tuple[str, ...] | None) -> Node:
    if values is None:
        return MISSING
    # A comma stands inside cookies' dates, so these cannot be joined as other headers are.
    return list(values) if name == "set-cookie" and len(values) > 1 else ", ".join(values)


# --------------------------------------------------------------------------------------------------------------- bodies


def compare_bodies(walk: Walk, old: Reading, new: Reading, *, same: bool) -> None:
    """Compare two bodies as what they are: JSON by value, text by line, other content byte by byte."""
    state = walk.rules.machine.start.key("body")
    before = len(walk.differences)
    try:
        _compare_bodies(walk, old, new, state)
    except RecursionError:
        del walk.differences[before:]
        if not same:
            note = "nested too deeply to be compared value by value"
            walk.differ(BODY, "value", MISSING, MISSING, rule=AS_BYTES, note=note)
    if not same and len(walk.differences) == before and (old.kind, new.kind) == ("json", "json"):
        walk.accept(BODY, AS_JSON)


def _compare_bodies(walk: Walk, old: Reading, new: Reading, state: State) -> None:
    nodes = [MISSING if it.kind == "none" else _shown(it) for it in (old, new)]
    rule = walk.rules.at(state) if state.accepts else None
    if old.kind == new.kind == "none":
        return
    if old.kind == new.kind == "json" or "none" in (old.kind, new.kind) or (rule is not None and old.kind == new.kind):
        walk.node(nodes[0], nodes[1], BODY, state)
    elif rule is not None and rule.spec.ignore:
        walk.judge(rule, nodes[0], nodes[1], BODY, state)
    elif old.kind != new.kind:
        walk.differ(BODY, "type", nodes[0], nodes[1], rule=SAME_KIND, note=f"{old.kind} became {new.kind}")
    elif old.value != new.value:
        _differ_opaque(walk, old, new)


def _differ_opaque(walk: Walk, old: Reading, new: Reading) -> None:
    if old.kind == "text":
        change = text_change(old.value, new.value)
        walk.differ(BODY, "text", change.old, change.new, rule=AS_TEXT, note=change.note)
    else:
        walk.differ(BODY, "value", _shown(old), _shown(new), rule=AS_BYTES)


def _shown(reading: Reading) -> Node:
    return describe_bytes(reading.value) if reading.kind == "bytes" else reading.value


# -------------------------------------------------------------------------------------------------------------- endings


def _flaws(pair: Pair, active: ActiveRules) -> dict[Side, str]:
    found: dict[Side, str] = {}
    for side in SIDES:
        observation = pair.observation(side)
        if observation is None or observation.error is not None:
            continue
        flaws = [it for it in pair.reading(side, active.reading).flaws if it.name not in active.allowed]
        if flaws:
            found[side] = "; ".join(it.message for it in flaws)
    return found


def _demand_musts(walk: Walk) -> None:
    """Tell every intended change that this case had to show and did not."""
    told = {difference.rule for difference in walk.differences}
    for rule in walk.rules.musts:
        if rule.number not in walk.met and rule.name not in told:
            walk.differences.append(
                Difference(
                    rule.spec.at, "missing", MISSING, MISSING, rule.name, note="the intended change was not seen"
                )
            )


def _listed(walk: Walk) -> tuple[Difference, ...]:
    if not walk.unlisted:
        return tuple(walk.differences)
    note = f"and {walk.unlisted} more differences"
    return (*walk.differences, Difference("body", "value", MISSING, MISSING, EQUAL, walk.against, note))
