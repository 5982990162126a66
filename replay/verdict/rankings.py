"""`rank.overlap >= 0.66`: the mean over all ranked lists; `share of rank.tau >= 90%`: how many keep their limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from replay.models import Measure, Result
from replay.routes import route_of
from replay.verdict.base import Metric, Terms
from replay.verdict.batches import Batches, Interval, Question, batch_of
from replay.verdict.clauses import Clause, nearest, unmoving
from replay.verdict.figure_metric import FigureMetric
from replay.verdict.kpi_limits import FigureLimit
from replay.verdict.paired_shares import Bad
from replay.verdict.samples import Sizes
from replay.verdict.statistics import lower_bound, upper_bound
from replay.verdict.wording import amount, percent

LOWEST: Final[Mapping[str, float]] = {"overlap": 0.0, "tau": -1.0, "rbo": 0.0, "ndcg": 0.0}
"""The measures of a ranking, and the least that each can be; the most is 1."""
MOST_ROUTES: Final = 1_000
_HUNDRED: Final = 100


def rank(clause: Clause, _terms: Terms) -> Metric:
    """Return the metric of `rank.MEASURE >= N`, or of `share of` it. Raises CriterionError for anything else."""
    if clause.name not in LOWEST:
        fact = f"a ranking has no '{unmoving(clause.name)}'"
        raise clause.fault(clause.subject, fact, nearest(clause.name, LOWEST))
    if clause.operator not in (">=", ">"):
        hint = f"write {clause.subject.text} >= {'90%' if clause.share_of else '0.66'}"
        raise clause.fault(clause.operator_token or clause.last, "how far rankings agree has a lower limit", hint)
    return FigureMetric(clause, _limit(clause), Kept(clause.name) if clause.share_of else Agreed(clause.name))


def _limit(clause: Clause) -> FigureLimit:
    strict = clause.operator == ">"
    if clause.against_old:
        return _beside_old(clause, strict=strict)
    number = _number(clause)
    lowest = 0.0 if clause.share_of else LOWEST[clause.name]
    if clause.amount is None or not lowest < number < 1:
        hint = f"write a limit above {lowest:g} and below 1"
        raise clause.fault(clause.bound, "no sample can prove this", hint)
    return FigureLimit("new", "low", number, strict, clause.amount.text)


def _beside_old(clause: Clause, *, strict: bool) -> FigureLimit:
    if clause.name != "ndcg" or clause.share_of:
        fact = f"'{clause.subject.text}' compares new with old already"
        raise clause.fault(clause.bound, fact, f"write {clause.subject.text} >= {'90%' if clause.share_of else '0.66'}")
    if clause.amount is None or clause.amount.unit == "%":
        hint = "write rank.ndcg >= old - 0.02"
        raise clause.fault(clause.bound, "a margin is missing, in units of the measure", hint)
    sign = "-" if clause.amount.number < 0 else "+"
    text = f"old {sign} {abs(clause.amount.number)}{clause.amount.unit}"
    return FigureLimit("difference", "low", _number(clause), strict, text)


def _number(clause: Clause) -> float:
    if clause.amount is None or clause.amount.unit not in ("", "%", "pp"):
        raise clause.fault(clause.bound, "this is no limit for a ranking", f"write {clause.subject.text} >= 0.66")
    return float(clause.amount.number / (_HUNDRED if clause.amount.unit else Decimal(1)))


class Lists:
    """The ranked lists of one measure, and the cases of which one could be expected that have none to be measured.

    Whoever fails, or answers without the list, must not drop out of the mean: for GO such a case is a list that
    agrees in nothing. Which cases should have had one is told by their route: others on it have.
    """

    def __init__(self, name: str) -> None:
        self._name = f"rank.{name}"
        self._ranked: set[str] = set()
        self._bare: Counter[str] = Counter()
        self.unmeasured = 0
        """Lists that cannot be measured, though there is something to be: no item in common, no score, no gain."""
        self.tried = Sizes()

    def of(self, result: Result) -> Iterator[tuple[Measure, str | None]]:
        """Yield each list that is measured with its session; several of one case depend on each other."""
        route = self._route(result)
        found = [each for each in result.measures if each.name == self._name]
        if found:
            self._ranked.add(route)
        elif result.outcome in ("deviation", "new_error", "old_error", "both_error"):
            self._bare[route] += 1
        several = result.case.origin if len(found) > 1 else None
        session = result.case.session if result.case.session is not None else several
        for measure in found:
            if measure.moot:
                continue
            self.tried.add(session)
            if measure.value is None:
                self.unmeasured += 1
            else:
                yield measure, session

    def _route(self, result: Result) -> str:
        route = route_of(result.case.request)
        known = route in self._ranked or route in self._bare
        return route if known or len(self._ranked) + len(self._bare) < MOST_ROUTES else ""

    @property
    def lost(self) -> int:
        """Return how many cases have no list where others on their route have."""
        return sum(self._bare[route] for route in self._ranked)

    def hidden(self, confidence: float, growth: float) -> float:
        """Return the upper bound of the share of lists that may agree in nothing; 0 where there is none."""
        without, total = self.unmeasured + self.lost, self.tried.total + self.lost
        if not without:
            return 0.0
        n = (self.tried.effective() + self.lost) * growth
        return upper_bound(without / total * n, n, confidence)

    def remarks(self) -> Iterator[str]:
        """Yield what is counted at its worst."""
        if self.unmeasured:
            lists = "1 list" if self.unmeasured == 1 else f"{self.unmeasured:,} lists"
            yield f"counted at their worst: {lists} with nothing to measure"
        if self.lost:
            lost = "1 case" if self.lost == 1 else f"{self.lost:,} cases"
            yield f"counted at their worst: {lost} without a list, where others on the route have one"


class Agreed:
    """The mean of a measure over all lists; of nDCG also old's own."""

    nothing = "no ranked list was measured: does a rule with `rank` ask for it?"
    is_share = False
    rules_out_go = ""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lists = Lists(name)
        self._figures = Batches()

    def add(self, result: Result) -> None:
        """Take in the lists of a case."""
        for measure, session in self._lists.of(result):
            old = self._old(result, measure)
            self._figures.add(batch_of(result), session, old, measure.value or 0.0)

    def _old(self, result: Result, measure: Measure) -> float:
        beside = f"{measure.name}_old"
        found = (each.value for each in result.measures if each.name == beside and each.at == measure.at)
        return next(found, None) or 0.0

    @property
    def sizes(self) -> Sizes:
        """Return the sessions of the lists."""
        return self._figures.sizes

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked with its two-sided interval, within what the measure can be."""
        found = self._figures.interval(question, confidence, growth)
        lowest = LOWEST[self._name] if question == "new" else -1.0
        return Interval(found.value, max(found.low, lowest), min(found.high, 1.0))

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        """Return the lower bound where what has no figure agrees in nothing."""
        found = self.interval(question, confidence, growth)
        hidden = self._lists.hidden(confidence, growth)
        worst = LOWEST[self._name] if question == "new" else -1.0
        return found.low - hidden * (found.low - worst) if bad == "low" else found.high

    def head(self) -> str:
        """Return the mean, and over how many lists."""
        new = self._figures.interval("new", 0.5).value
        apart = self._figures.interval("difference", 0.5).value
        lists = "1 list" if self._figures.n == 1 else f"{self._figures.n:,} lists"
        beside = f"old {amount(new - apart)}, new {amount(new)}" if self._name == "ndcg" else f"mean {amount(new)}"
        return f"{beside} over {lists}"

    def remarks(self) -> list[str]:
        """Return what is counted at its worst."""
        return list(self._lists.remarks())


class Kept:
    """The share of lists in which a measure reaches the limit that their own rule sets for it."""

    nothing = "no ranked list was measured: does a rule with `rank` ask for it?"
    is_share = True

    def __init__(self, name: str) -> None:
        self._name = name
        self._lists = Lists(name)
        self._kept = 0
        self._unlimited = 0
        self.sizes = Sizes()

    def add(self, result: Result) -> None:
        """Take in the lists of a case."""
        for measure, session in self._lists.of(result):
            if measure.limit is None:
                self._unlimited += 1
                continue
            self.sizes.add(session)
            self._kept += measure.value is not None and measure.value >= measure.limit

    @property
    def rules_out_go(self) -> str:
        """Return that some rule sets no limit; nothing where each one does."""
        told = f"{self._unlimited:,} lists are under a rule that sets no limit for {self._name}"
        return f"{told}: that rules out GO" if self._unlimited else ""

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:  # noqa: ARG002
        """Return the share with its exact one-sided bounds."""
        return self._share(self.sizes.total, self.sizes.effective() * growth, confidence)

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:  # noqa: ARG002
        """Return the lower bound where what has no figure does not keep the limit."""
        without = self._lists.unmeasured + self._lists.lost
        return self._share(self.sizes.total + without, (self.sizes.effective() + without) * growth, confidence).low

    def _share(self, total: int, n: float, confidence: float) -> Interval:
        share = self._kept / total
        return Interval(share, lower_bound(share * n, n, confidence), upper_bound(share * n, n, confidence))

    def head(self) -> str:
        """Return how many lists keep the limit."""
        kept = f"{self._kept:,} of {self.sizes.total:,} lists"
        return f"{self._name} keeps its rule's limit in {kept} ({percent(self._kept / self.sizes.total)})"

    def remarks(self) -> list[str]:
        """Return what is counted at its worst."""
        return list(self._lists.remarks())
