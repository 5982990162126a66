"""One case compared: status, headers and body of new against old, and against what the golden expects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, date, datetime
from typing import Final

from replay.compare.agreement import agreement, unread
from replay.compare.bodies import compare_bodies
from replay.compare.compared import Compared
from replay.compare.formats import NOTHING, Reading
from replay.compare.header_walk import HEADERS, UNCOMPARED, compare_headers
from replay.compare.headers import Answered
from replay.compare.problems import categorised
from replay.compare.reading import How, Pair, read_content
from replay.compare.remembered import Remembered
from replay.compare.rules import ActiveRules, RuleBook
from replay.compare.scenario import together
from replay.compare.sight import BODY_UNSEEN
from replay.compare.walk import EQUAL, Walk
from replay.locations import ROOT, Path
from replay.models import MISSING, SIDES, Case, Difference, Observation, Request, Side

STATUS: Final[Path] = (ROOT, "status")

_PARTS: Final = frozenset({"status", "body"})


class Comparison:
    """Compares cases by one rule book. `bases` are the sides' own URLs, to which their links are relative.

    Waivers are held against `today`, the day (UTC) on which the run began; None is now.
    """

    def __init__(self, book: RuleBook, bases: Mapping[Side, str | None], today: date | None = None) -> None:
        self._book = book
        self._bases = bases
        self._today = today or datetime.now(UTC).date()
        self._nothing = Compared()
        self._remembered = Remembered()

    def on(self, day: date) -> Comparison:
        """Return the same comparison for a run that began on another day."""
        return Comparison(self._book, self._bases, day)

    def with_itself(self, side: Side) -> Comparison:
        """Return a comparison for two answers of one side, whose links are relative to one and the same URL."""
        twin = copy(self)
        twin._bases, twin._remembered = dict.fromkeys(SIDES, self._bases[side]), Remembered()  # noqa: SLF001 - its own twin
        return twin

    def minted(self, case: Case, path: Sequence[str | int]) -> bool | None:
        """Tell whether a rule says that what a recorded answer holds at a place is minted; None where none does."""
        recorded = Pair(case, case.recorded, None)
        return self._book.minted(lambda selection: selection.holds(case, recorded.documents), path)

    def compare(self, pair: Pair) -> Compared:
        """Compare both answers, and new with what is expected; an answer that is missing is compared with nothing.

        A scenario is compared step by step. What each side named itself, as far as the case knows, is put into old's
        words beforehand.
        """
        if pair.case.steps or pair.case.bound:
            return together(self._compared, pair)
        if (plain := self._plain(pair)) is not None:
            return plain
        old, new = pair.old, pair.new
        if old is None or new is None or not self._hangs_on_both_alone(pair.case, old, new):
            return self._thoroughly(pair)
        return self._remembered(old, new, lambda: self._thoroughly(pair))

    def _compared(self, pair: Pair) -> Compared:
        plain = self._plain(pair)
        return self._thoroughly(pair) if plain is None else plain

    def _hangs_on_both_alone(self, case: Case, old: Observation, new: Observation) -> bool:
        """Tell whether nothing of a case but its answers has a part in what is found of them."""
        return (
            case.expect is None
            and not case.rules
            and case.request.method != "HEAD"
            and old.error is None
            and new.error is None
            and self._book.judges_all_alike
            and unread(old.headers, new.headers) is not None
        )

    def _thoroughly(self, pair: Pair) -> Compared:
        active = self._book.for_case(lambda selection: selection.holds(pair.case, pair.documents), pair.case.rules)
        stated = _stated(pair.case)
        walk, expected = Walk(active, today=self._today), Walk(active, against="expect", today=self._today)
        walk.names = pair.names
        if pair.new is not None and answered(pair.new):
            if pair.old is not None and answered(pair.old):
                self._compare(walk, active, pair, stated)
            if stated:
                expected = self._expect(active, pair, pair.new)
        return Compared(
            differences=(*expected.listed(), *walk.listed()),
            accepted=(*walk.accepted.values(), *expected.accepted.values()),
            measures=(*walk.measures, *expected.measures),
            flags=tuple(self._flags(active, pair, stated)),
            flaws=_flaws(pair, active),
            how=active.how,
            minted=tuple(walk.names.found),
            evidence=active.sight.anything(pair, stated),
        )

    def _plain(self, pair: Pair) -> Compared | None:
        """Return what is found where both sides answered alike and nobody asks for more; None for any other case."""
        if pair.case.expect is not None or pair.case.rules or not self._book.lets_equals_pass:
            return None
        accepted = agreement(pair, headers_ruled=self._book.speaks_of_headers)
        if accepted is None:
            return None
        return Compared(accepted=accepted) if accepted else self._nothing

    def _compare(self, walk: Walk, active: ActiveRules, pair: Pair, stated: Collection[str]) -> None:
        old, new = pair.old or Observation(), pair.new or Observation()
        if "status" not in stated:
            _compare_status(walk, old, new)
        self._compare_headers(walk, pair, stated)
        if "body" not in stated:
            how = active.how
            compare_bodies(walk, pair.reading("old", how), pair.reading("new", how), how, same=old.body == new.body)
        walk.differences[:] = categorised(walk.differences, old, new)
        _demand_musts(walk, active, stated)

    def _compare_headers(self, walk: Walk, pair: Pair, stated: Collection[str]) -> None:
        old, new = [answer.headers if answer is not None else () for answer in (pair.old, pair.new)]
        if not (stated or pair.case.rules or self._book.speaks_of_headers):
            differing = unread(old, new)
            if differing is not None:
                for name in differing:
                    walk.accept((HEADERS, name), UNCOMPARED)
                return
        mine = Answered(pair.case.request, self._bases["old"], old)
        theirs = Answered(pair.case.request, self._bases["new"], new)
        compare_headers(walk, mine, theirs, skipped={part.partition(".")[2] for part in stated})

    def _expect(self, active: ActiveRules, pair: Pair, actual: Observation) -> Walk:
        """Hold new's answer against what the golden states; `old` of each difference is what was expected."""
        walk = Walk(active, against="expect", today=self._today)
        wanted = _as_observation(pair, actual)
        _compare_stated(walk, active, (wanted, actual), (pair.case, self._bases["new"]))
        walk.differences[:] = categorised(walk.differences, wanted, actual)
        return walk

    def _flags(self, active: ActiveRules, pair: Pair, stated: Collection[str]) -> Iterator[str]:
        if stated and self._drifted(active, pair):
            yield "drifted"
        if active.sight.hides_body(pair):
            yield BODY_UNSEEN

    def _drifted(self, active: ActiveRules, pair: Pair) -> bool:
        """Tell whether old departs from what the golden expects of new."""
        if pair.old is None or not answered(pair.old):
            return False
        walk = Walk(active.untraced)
        _compare_stated(walk, active, (pair.old, _as_observation(pair, pair.old)), (pair.case, self._bases["old"]))
        return bool(walk.differences)


def _stated(case: Case) -> frozenset[str]:
    """Return the parts that the golden itself states: they are not compared with old."""
    expect = case.expect
    if expect is None:
        return frozenset()
    parts = {part for part in _PARTS if getattr(expect, part) is not None}
    return frozenset(parts | {f"headers.{name.lower()}" for name, _ in expect.headers})


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


def _compare_stated(
    walk: Walk, active: ActiveRules, sides: tuple[Observation, Observation], where: tuple[Case, str | None]
) -> None:
    """Compare only what the golden states."""
    (case, base), (one, other) = where, sides
    expect, request = case.expect, case.request
    if expect is None:
        return
    if expect.status is not None:
        _compare_status(walk, one, other)
    only = {name.lower() for name, _ in expect.headers}
    mine, theirs = (Answered(request, base, _only(it.headers, only)) for it in sides)
    compare_headers(walk, mine, theirs, named=only)
    if expect.body is not None:
        old, new = (_read_stated(it, request, active.how) for it in sides)
        compare_bodies(walk, old, new, active.how, same=one.body == other.body)


def _only(headers: tuple[tuple[str, str], ...], names: Collection[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.lower() in names)


def _read_stated(observation: Observation, request: Request, how: How) -> Reading:
    if request.method == "HEAD":
        return NOTHING
    return read_content(observation.body, observation.header("content-type"), how)


def _compare_status(walk: Walk, old: Observation, new: Observation) -> None:
    if old.status is not None or new.status is not None:
        walk.default_name = "default: statuses are equal"
        pair = [MISSING if it.status is None else it.status for it in (old, new)]
        walk.node(pair[0], pair[1], STATUS, walk.rules.machine.start.key("status"))
        walk.default_name = EQUAL


# -------------------------------------------------------------------------------------------------------------- endings


def _flaws(pair: Pair, active: ActiveRules) -> dict[Side, str]:
    found: dict[Side, str] = {}
    for side in SIDES:
        observation = pair.observation(side)
        if observation is None or observation.error is not None:
            continue
        flaws = [it for it in pair.reading(side, active.how).flaws if it.name not in active.allowed]
        if flaws:
            found[side] = "; ".join(it.message for it in flaws)
    return found


def _demand_musts(walk: Walk, active: ActiveRules, stated: Collection[str]) -> None:
    """Tell every intended change that this case had to show and did not; what the golden states is judged by that."""
    told = {difference.rule for difference in walk.differences}
    for rule in active.musts:
        if rule.number not in walk.met and rule.name not in told and active.root(rule) not in stated:
            walk.differences.append(
                Difference(
                    rule.spec.at, "missing", MISSING, MISSING, rule.name, note="the intended change was not seen"
                )
            )
