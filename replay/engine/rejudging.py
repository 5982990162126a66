"""One stored case judged again under the present rules, without sending anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from replay.compare import Pair
from replay.compare.tracing import Trace
from replay.engine.again import Learner
from replay.engine.further import learned_again
from replay.engine.grouping import Grouping, Told
from replay.engine.outcome import Referee
from replay.engine.tokens import Marked, judged_otherwise, marked, may_be_read, vanished
from replay.expressions import Expression, parse_expression
from replay.models import SIDES, Membership, Result, Side


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
        return self._settled(result, after)

    def _compared(self, result: Result, found: Marked) -> Result:
        fresh = self._fresh(result, found)
        if fresh is None:
            self.kept += 1
            return result
        again = result.again
        if again is not None and not self._same_rules:
            again = learned_again(self._learner, result, trusted=not found.answers)
        return replace(_beside(result, fresh), again=again)

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

    def _fresh(self, result: Result, found: Marked) -> Result | None:
        """Judge a case; None where tokens may have a part in it."""
        if result.new is None:
            return None
        if found and may_be_read(found, self._asked(result), Pair(result.case, result.old, result.new)):
            return None
        if not found.answers:
            return self._rules.referee.result(result.case, result.old, result.new)
        fresh = self._rules.traced.result(result.case, result.old, result.new)
        trace = self._rules.trace()
        if judged_otherwise(found, trace) or (found.bodies and _unreadable(fresh) != _unreadable(result)):
            return None
        return None if vanished(result.differences, fresh.differences, trace.rulings) else fresh

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


def _failed(result: Result) -> Sequence[Side]:
    if result.error is None:
        return ()
    return SIDES if result.error.side == "both" else (result.error.side,)


def _unreadable(result: Result) -> bool:
    return result.error is not None and result.error.kind == "decode"
