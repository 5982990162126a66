"""One KPI over a stream of results: both sides' figures over the same cases, and every answer that has none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, Protocol

from replay.models import SIDES, Figure, Json, Kpi, KpiSpec, Result, Side
from replay.verdict.batches import Batches, Interval, Question, batch_of
from replay.verdict.paired_quantiles import PairedQuantiles
from replay.verdict.paired_shares import Bad, PairedShares
from replay.verdict.samples import Repeats, Sample, Sizes
from replay.verdict.statistics import CONFIDENCE, upper_bound

MOST_REASONS: Final = 20
"""Reasons of one KPI that are told apart; functions raise many, and a run may hold a million."""
_OTHER: Final = "other reasons"
_OTHERWISE: Final = "both: it was defined otherwise when the case was sent"
_UNTOLD: Final = "it failed when the case was sent"
_EXACT: Final = Context(prec=120)
"""Sums are of decimals, and keep 120 digits: what a double rounds, and loses against large sums, is money."""


class Pairs(Protocol):
    """Pairs of figures of one kind, and what can be said of them."""

    @property
    def sizes(self) -> Sizes:
        """Return the sessions of the pairs that tell something."""

    def add(self, batch: int, session: str | None, old: Json, new: Json) -> None:
        """Take in the figures of one case; None is a side that failed."""

    def figures(self) -> tuple[Json, Json]:
        """Return old's figure and new's over the same cases; None where there is none."""

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        """Return what is asked with its bounds, as it would be with `growth` times the sessions."""

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        """Return the bound at the bad end where those that failed are counted at their worst."""


class _Held:
    """A share, or how many it is of."""

    def __init__(self, *, counted: bool) -> None:
        self._pairs = PairedShares()
        self._counted = counted

    @property
    def sizes(self) -> Sizes:
        return self._pairs.sizes

    def add(self, batch: int, session: str | None, old: Json, new: Json) -> None:
        self._pairs.add(batch, session, old=old, new=new)

    def figures(self) -> tuple[Json, Json]:
        old, new = self._pairs.held
        if self._counted or not self._pairs.n:
            return (old, new) if self._pairs.n else (None, None)
        return old / self._pairs.n, new / self._pairs.n

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        return self._pairs.interval(question, confidence, growth).times(self._unit(question))

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        return self._pairs.bound(question, bad, confidence, growth) * self._unit(question)

    def _unit(self, question: Question) -> float:
        return float(self._pairs.n) if self._counted and question != "ratio" else 1.0


class _Failing:
    """Pairs of which one side failed, and how much they may hide: a figure as far off as any that was seen, or 0."""

    def __init__(self) -> None:
        self._tried = Sample()
        self._sent = Sample()
        self._least = self._most = 0.0

    def add(self, session: str | None, old: Json, new: Json) -> bool:
        """Take in a case; return whether both sides have a figure."""
        self._sent.add(session, bad=old is None or new is None)
        if old is not None or new is not None:
            self._tried.add(session, bad=old is None or new is None)
        for figure in (old, new):
            if figure is not None:
                self._least, self._most = min(self._least, float(figure)), max(self._most, float(figure))
        return old is not None and new is not None

    @property
    def reach(self) -> float:
        return self._most - self._least

    def share(self, question: Question, confidence: float, growth: float) -> float:
        """Return the upper bound of the share that fails; 0 where none was seen to.

        What both failed tells nothing of their difference; of new alone it may hide the worst.
        """
        sample = self._sent if question == "new" else self._tried
        if not sample.bad:
            return 0.0
        worth = sample.sizes.effective() * growth
        return upper_bound(sample.bad / sample.n * worth, worth, confidence)


class _Summed:
    """A sum, or a mean."""

    def __init__(self, *, summed: bool) -> None:
        self._pairs = Batches()
        self._failing = _Failing()
        self._sums = [Decimal(0), Decimal(0)]
        self._summed = summed

    @property
    def sizes(self) -> Sizes:
        return self._pairs.sizes

    def add(self, batch: int, session: str | None, old: Json, new: Json) -> None:
        if self._failing.add(session, old, new):
            self._pairs.add(batch, session, float(old), float(new))
            for place, figure in enumerate((old, new)):
                self._sums[place] = _EXACT.add(self._sums[place], Decimal(figure))

    def figures(self) -> tuple[Json, Json]:
        if not self._pairs.n:
            return None, None
        old, new = self._sums if self._summed else [float(Fraction(it) / self._pairs.n) for it in self._sums]
        return old, new

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        return self._pairs.interval(question, confidence, growth).times(self._unit(question))

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        fair = self._pairs.interval(question, confidence, growth)
        doubt = self._failing.share(question, confidence, growth) * self._failing.reach
        if question == "ratio" and doubt:
            old = float(self._sums[0]) / self._pairs.n if self._pairs.n else 0.0
            doubt = doubt / old if old > 0 else math.inf
        return (fair.low - doubt if bad == "low" else fair.high + doubt) * self._unit(question)

    def _unit(self, question: Question) -> float:
        return float(max(self._pairs.n, 1)) if self._summed and question != "ratio" else 1.0


class _Ordered:
    """A quantile."""

    def __init__(self, q: float) -> None:
        self._pairs = PairedQuantiles(q)
        self._failing = _Failing()

    @property
    def sizes(self) -> Sizes:
        return self._pairs.sizes

    def add(self, batch: int, session: str | None, old: Json, new: Json) -> None:
        if self._failing.add(session, old, new):
            self._pairs.add(batch, session, float(old), float(new))

    def figures(self) -> tuple[Json, Json]:
        return self._pairs.quantiles() if self._pairs.n else (None, None)

    def interval(self, question: Question, confidence: float, growth: float = 1.0) -> Interval:
        return self._pairs.interval(question, confidence, growth)

    def bound(self, question: Question, bad: Bad, confidence: float, growth: float = 1.0) -> float:
        fair = self._pairs.interval(question, confidence, growth)
        share = self._failing.share(question, confidence, growth)
        doubt = self._pairs.worst(question, share) if share else 0.0
        return fair.low - doubt if bad == "low" else fair.high + doubt


def pairs_of(spec: KpiSpec) -> Pairs:
    """Return what a KPI's figures are gathered in."""
    if spec.quantile is not None:
        return _Ordered(spec.quantile.q)
    if spec.holds:
        return _Held(counted=spec.kind == "count")
    return _Summed(summed=spec.kind == "sum")


def _failed(result: Result, side: Side) -> bool:
    return result.error is not None and result.error.side in (side, "both")


class Account:
    """Every case that a KPI speaks of: its figures, or why there are none."""

    def __init__(self, name: str, spec: KpiSpec) -> None:
        self.name = name
        self.spec = spec
        self._definition = spec.definition
        self.pairs = pairs_of(spec)
        self.failed: Counter[str] = Counter()
        """Cases by who failed: old, new or both."""
        self.faults: Counter[str] = Counter()
        """Answers that came and have no figure, by side and reason."""
        self.examples: dict[str, str] = {}
        """For each reason the id of the first case."""

    @property
    def n(self) -> int:
        """Return how many cases tell something."""
        return self.pairs.sizes.total

    def add(self, result: Result) -> None:
        """Take in what a result tells of this KPI, if anything."""
        for figure in result.figures:
            if figure.kpi == self.name:
                self._add(result, figure)

    def _add(self, result: Result, figure: Figure) -> None:
        if result.error is not None:
            self.failed[result.error.side] += 1
        told = {side: None if _failed(result, side) else figure.of(side) for side in SIDES}
        faults = [self._fault(side, figure) for side in SIDES if told[side] is None and not _failed(result, side)]
        if not faults and figure.definition != self._definition:
            faults = [_OTHERWISE]
        for fault in faults:
            reason = fault if fault in self.faults or len(self.faults) < MOST_REASONS else _OTHER
            self.faults[reason] += 1
            self.examples.setdefault(reason, result.case.id)
        if not faults:
            self.pairs.add(batch_of(result), result.case.session, told["old"], told["new"])

    @staticmethod
    def _fault(side: Side, figure: Figure) -> str:
        return f"{side}: {figure.fault(side) or _UNTOLD}"

    def kpi(self) -> Kpi:
        """Return what reports print."""
        old, new = self.pairs.figures()
        told = Kpi(
            self.name,
            self.spec.kind,
            self.spec.of,
            self.n,
            failed=dict(self.failed),
            faults=dict(self.faults),
            examples=dict(self.examples),
        )
        if old is None or new is None:
            return told
        found = self.pairs.interval("difference", CONFIDENCE)
        apart = _EXACT.subtract(new, old) if isinstance(new, Decimal) else new - old
        return replace(told, old=old, new=new, difference=apart, interval=(found.low, found.high))


class Accounts:
    """All KPIs of a run, for its summary; a case that is repeated adds nothing."""

    def __init__(self, specs: Mapping[str, KpiSpec] | None = None, repeats: Repeats | None = None) -> None:
        self._accounts = [Account(name, spec) for name, spec in (specs or {}).items()]
        self._repeats = repeats or Repeats()

    def add_all(self, results: Iterable[Result]) -> None:
        """Take results in."""
        for result in self._repeats.fresh([each for each in results if each.figures]):
            for account in self._accounts:
                account.add(result)

    def kpis(self) -> tuple[Kpi, ...]:
        """Return what is known of each at the end."""
        return tuple(account.kpi() for account in self._accounts)
