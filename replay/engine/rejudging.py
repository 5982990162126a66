"""One stored case judged again under the present rules, without sending anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from replay.compare import Pair
from replay.compare.scenario import at_step, steps_of
from replay.compare.tracing import Trace
from replay.engine.again import Learner
from replay.engine.further import learned_again
from replay.engine.grouping import Grouping, Told
from replay.engine.kpis import PreparedKpi
from replay.engine.masked import UNTELLABLE
from replay.engine.outcome import Referee
from replay.engine.recheck import carried
from replay.engine.tokens import Marked, judged_otherwise, marked, may_be_read, vanished
from replay.expressions import Expression, parse_expression
from replay.models import SIDES, Figure, Membership, Result, Side

_UNTOLD: Final = "it asks about a secret, which is a token in the store"


@dataclass(frozen=True, slots=True)
class Watched:
    """The same rules twice: quick, and watched while they judge. `expressions` are all that rules and settings ask."""

    referee: Referee
    traced: Referee
    trace: Callable[[], Trace]
    expressions: Sequence[Expression] = ()


class Rejudge:
    """Judges stored results again. Bodies have to be there.

    A case that was not sent stays as it is. So does one of which a rule, other than for equality, would look at a
    token, or of which a difference is gone without a rule that speaks for it: `kept` counts those.
    """

    def __init__(
        self,
        rules: Watched,
        redact: Callable[[Result], Result],
        grouping: Grouping | None = None,
        *,
        same_rules: bool,
    ) -> None:
        """Take the rules, what takes secrets out, and the groups to find anew; None leaves them as they are stored."""
        self._rules = rules
        self._grouping = grouping
        self._learner = Learner(rules.referee)
        self._redact = redact
        self._same_rules = same_rules
        self.kept = 0

    def judged(self, result: Result) -> Result:
        """Return a result as the present rules have it; the same object where that is what is stored."""
        found = marked(result)
        after = self._compared(result, found) if result.new is not None else result
        if self._grouping is not None:
            after = replace(after, groups=tuple(self._memberships(self._grouping, after, found)))
        return self._settled(result, carried(result, after))

    def _compared(self, result: Result, found: Marked) -> Result:
        fresh = None if _is_untellable(result) else self._fresh(result, found)
        if fresh is None:
            self.kept += 1
            return result
        again = result.again
        if again is not None and not self._same_rules:
            again = learned_again(self._learner, result, trusted=not found.answers)
        return replace(_beside(result, fresh), again=again, figures=tuple(self._figures(result, fresh, found)))

    def _figures(self, result: Result, fresh: Result, found: Marked) -> Iterator[Figure]:
        """Yield the figures of the KPIs of now: as the run found them in the clear, else by what is stored."""
        known = {(it.kpi, it.definition): it for it in result.figures}
        found_now = {(it.kpi, it.definition): it for it in fresh.figures}
        pair = Pair(result.case, result.old, result.new)
        for kpi in self._rules.referee.kpis.prepared if result.case.kind == "traffic" else ():
            key = kpi.name, kpi.definition
            if key in known:
                yield known[key]
            elif found and _may_read(kpi, found, pair):
                yield Figure(*key, old_fault=_UNTOLD, new_fault=_UNTOLD)
            elif key in found_now:
                yield found_now[key]

    def _memberships(self, grouping: Grouping, result: Result, found: Marked) -> Iterator[Membership]:
        """Yield the groups of a case. Where a group would ask for a token, the case may belong, and so it does."""
        pair = Pair(result.case, result.old, result.new)
        told = Told(pair, _failed(result))
        for group in grouping.groups:
            where = group.selection.where
            blind = bool(found) and where is not None and may_be_read(found, [where], pair)
            membership = (group.widened if blind else group).membership(told)
            if membership is not None:
                yield membership

    def _settled(self, before: Result, after: Result) -> Result:
        """Return what is to be stored: without secrets that settings brought in, and the same object if it is that."""
        if after == before:
            return before
        after = self._redact(after)
        return before if after == before else after

    def _fresh(self, result: Result, whole: Marked) -> Result | None:
        """Judge a case; None where tokens may have a part in it. A scenario is looked at step by step."""
        if result.new is None:
            return None
        scenario = bool(result.case.steps)
        parts = [(part, marked(part)) for part in steps_of(result)] if scenario else [(result, whole)]
        if any(
            found and may_be_read(found, self._asked(part), Pair(part.case, part.old, part.new))
            for part, found in parts
        ):
            return None
        fresh = self._rules.referee.result(result.case, result.old, result.new)
        if not any(found.answers for _, found in parts):
            return fresh
        ruled = [self._ruled(part, found) for part, found in parts]
        if None in ruled:
            return None
        places = [at for each in ruled for at in each or ()]
        return None if vanished(result.differences, fresh.differences, places) else fresh

    def _ruled(self, part: Result, found: Marked) -> list[str] | None:
        """Return where rules judge a case, or a step, that holds tokens; None where one asks more than equality."""
        if part.new is None:
            return []
        fresh, trace = self._rules.traced.result(part.case, part.old, part.new), self._rules.trace()
        if judged_otherwise(found, trace) or (found.bodies and _unreadable(fresh) != _unreadable(part)):
            return None
        step = part.case.step
        return [at_step(step, it.at) if step else it.at for it in trace.rulings]

    def _asked(self, result: Result) -> Sequence[Expression]:
        own = [parse_expression(rule.where) for rule in result.case.rules if rule.where]
        return [*self._rules.expressions, *own] if own else self._rules.expressions


def _beside(stored: Result, fresh: Result) -> Result:
    """Return a fresh result with what judging does not tell: how the case was sent, and what was found in the clear."""
    return replace(
        stored,
        outcome=fresh.outcome,
        differences=fresh.differences,
        accepted=fresh.accepted,
        measures=fresh.measures,
        flags=fresh.flags,
        error=fresh.error,
        skipped=fresh.skipped,
    )


def _may_read(kpi: PreparedKpi, found: Marked, pair: Pair) -> bool:
    """Tell whether a KPI may look at a token; a team's own function looks at whatever it likes."""
    return kpi.expressions is None or may_be_read(found, kpi.expressions, pair)


def _failed(result: Result) -> Sequence[Side]:
    if result.error is None:
        return ()
    return SIDES if result.error.side == "both" else (result.error.side,)


def _is_untellable(result: Result) -> bool:
    """Tell whether the run could not compare what was masked with another key: nothing has changed about that."""
    return result.error is not None and result.error.message in UNTELLABLE


def _unreadable(result: Result) -> bool:
    return result.error is not None and result.error.kind == "decode"
