"""How many cases each criterion needs, and how many there are: asked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from replay.engine.plan import Plan
from replay.engine.sides import Parties, asked, parties, refusal
from replay.models import Case, Judgement, Result
from replay.verdict import Criterion
from replay.verdict.chunks import add_up
from replay.verdict.expecting import DEPARTING, MOST, Expectation, needed
from replay.verdict.past import Past
from replay.verdict.samples import Sizes
from replay.verdict.spans import confidence_of

Standing = Literal["enough", "too few", "not told"]
_WHY_NOT_TOLD: Final = "it rests on what is measured, so that nothing tells beforehand how many cases it needs"
_WHY_NO_PARTS: Final = "answers tell into which parts cases fall, so that nothing tells beforehand how many each has"
_LIST: Final = "goldens"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a criterion needs, and what it would come to if everything went as expected.

    `needs` are independent cases, for each part or day by itself where it is judged so; None is no number, or none that
    can be told.
    """

    sentence: str
    standing: Standing
    rate: float
    needs: int | None
    why: str
    each: str = ""
    """Of what each one needs so many: a part, a day; empty for all together."""


@dataclass(slots=True)
class Selection:
    """The cases that would be sent, and how many would not."""

    goldens: int = 0
    skipped: int = 0
    traffic: Sizes = field(default_factory=Sizes)

    def add(self, case: Case, *, sent: bool) -> None:
        """Count one case."""
        if not sent:
            self.skipped += 1
        elif case.kind == "golden":
            self.goldens += 1
        else:
            self.traffic.add(case.session)


class _Asked:
    """One criterion, over the cases that were selected, as they are expected to come."""

    def __init__(self, criterion: Criterion, rate: float, plan: Plan) -> None:
        self.criterion = criterion
        self._groups = [group for group in plan.referee.grouping.groups if group.name in criterion.groups]
        self.rate = rate
        self._why_not_told = self._what_only_answers_tell()
        self.told = not self._why_not_told
        self._inquiry = criterion.inquiry(plan.record.started.date())
        self._past = Past(whole=not plan.record.narrowed)
        self._expected = Expectation(criterion.clause.family, rate)

    def add_all(self, results: Iterable[Result]) -> None:
        """Take cases in; one that would not be sent is skipped."""
        if self.told:
            self._inquiry.add_all([each if each.skipped else self._expected.result(each) for each in results])

    def forecast(self) -> Forecast:
        """Return what the criterion would come to."""
        sentence = self.criterion.sentence
        if not self.told:
            return Forecast(sentence, "not told", self.rate, None, self._why_not_told)
        judgement, _ = self._inquiry.over(self._past)
        needs = self._needs()
        standing: Standing = "enough" if judgement.state == "GO" else "too few"
        why = "; ".join(self._why(judgement, needs))
        return Forecast(sentence, standing, self.rate, needs, why, self._each())

    def _what_only_answers_tell(self) -> str:
        if self.criterion.clause.family not in DEPARTING:
            return _WHY_NOT_TOLD
        divided = {group.name for group in self._groups if group.is_divided_by_answers}
        return _WHY_NO_PARTS if self.criterion.clause.per in divided else ""

    def _needs(self) -> int | None:
        if self.criterion.clause.family == _LIST:
            return None
        clause = self.criterion.clause
        sure = clause.confidence if clause.span is None else confidence_of(clause.span, clause.confidence)
        bare = replace(clause, scope=None, per=None, span=None, confidence=sure)
        return needed(replace(self.criterion, clause=bare).metric, clause.family, self.rate)

    def _each(self) -> str:
        clause = self.criterion.clause
        part = "part" if clause.per is not None else ""
        span = f"of {clause.span.count} {clause.span.unit} in a row" if clause.span is not None else ""
        return " ".join(filter(None, (part, span)))

    def _why(self, judgement: Judgement, needs: int | None) -> Iterator[str]:
        if self.criterion.clause.family == _LIST:
            yield "goldens are a list, and no sample: there has to be one, and each has to pass"
        elif needs is None:
            yield f"at this rate not even {MOST:,} cases would show it"
        elif judgement.state != "GO":
            yield f"these would come to: {judgement.why}"
        if self.criterion.clause.span is not None:
            yield "earlier runs of the store are not looked at"
        for group in self._groups:
            if group.selection.where is not None and group.selection.where.asks_answer:
                yield f"which cases are in {group.name} is told by their answers: all that may be are counted"


def forecasts(plan: Plan, rate_of: Callable[[Criterion], float]) -> tuple[Selection, Sequence[Forecast]]:
    """Ask every criterion over the selected cases, and send none of them."""
    selection, sides = Selection(), parties(plan.sides, concurrency=1)
    criteria = [_Asked(criterion, rate_of(criterion), plan) for criterion in plan.criteria]
    add_up(_foreseen(plan, sides, selection), *criteria)
    return selection, [each.forecast() for each in criteria]


def _foreseen(plan: Plan, sides: Parties, selection: Selection) -> Iterator[Result]:
    """Yield each case as one that is not sent yet: with its groups, and with a reason where it never will be."""
    for case in plan.cases:
        reason = refusal(case, asked(case.kind, sides))
        selection.add(case, sent=reason is None)
        yield replace(plan.referee.skipped(case, reason or ""), skipped=reason)
