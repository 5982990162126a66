"""`p95 <= old + 10%`, `p95 <= old + 20ms`: new is hardly slower, on the same cases; `p95 <= 300ms`: new is fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from replay.models import Judgement, Result, Unit, VerdictState
from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Amount, Clause
from replay.verdict.quantiles import FEWEST_BATCHES, Interval, Quantiles
from replay.verdict.shares import Share, ShareLimit, Weight, Words, worth
from replay.verdict.sketch import Sketch
from replay.verdict.statistics import corrected, lower_bound, upper_bound
from replay.verdict.tails import NEIGHBOURS, NEVER, Tails, latency_at
from replay.verdict.timings import Timings, latency_of, new_failed, opened
from replay.verdict.wording import cases, level, milliseconds, percent, relative, rounded_up, signed_ms

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
BEYOND: Final = 10
"""How many cases have to lie beyond a quantile, and short of it, for anything to be said of it beside old."""
_MILLISECONDS: Final = {"ms": 1, "s": 1000}
_HUNDRED: Final = 100
_MOST: Final = 10**9


def latency(clause: Clause, _terms: Terms) -> Metric:
    """Return the metric of `p95 <= old + 10%`, `<= old + 20ms` or `<= 300ms`. Raises CriterionError otherwise."""
    if clause.operator not in ("<", "<="):
        hint = f"write {clause.family} <= old + 10%"
        raise clause.fault(clause.operator_token, "a latency takes an upper limit", hint)
    return LatencyBesideOld(clause, _margin(clause)) if clause.against_old else LatencyAtMost(clause, _limit(clause))


@dataclass(frozen=True, slots=True)
class Margin:
    """How far new may be above old: a ratio of 1.1, or so many milliseconds."""

    limit: float
    unit: Unit
    text: str
    value: Callable[[Quantiles], float]
    interval: Callable[[Quantiles], Interval]
    shown: Callable[[float], str]


def _margin(clause: Clause) -> Margin:
    amount = clause.amount
    example = f"write {clause.family} <= old + 10%, or old + 20ms"
    if amount is None or amount.unit == "%":
        limit = float(1 + (amount.number if amount else Decimal(0)) / _HUNDRED)
        if limit <= 0 and amount is not None:
            raise clause.fault(amount.token, "nothing is as fast as that", example)
        return Margin(limit, "ratio", _beside(amount), lambda it: it.ratio, Quantiles.ratios, relative)
    limit = _in_ms(clause, amount, example)
    return Margin(limit, "ms", _beside(amount), lambda it: it.difference, Quantiles.differences, signed_ms)


def _beside(amount: Amount | None) -> str:
    if amount is None:
        return "old"
    return f"old {'-' if amount.number < 0 else '+'} {abs(amount.number)}{amount.unit}"


def _limit(clause: Clause) -> float:
    example = f"write {clause.family} <= 300ms, or {clause.family} <= old + 10%"
    if clause.amount is None:
        raise clause.fault(clause.bound, "a latency needs a limit", example)
    limit = _in_ms(clause, clause.amount, example)
    if limit <= 0:
        raise clause.fault(clause.amount.token, "nothing is as fast as that", example)
    return limit


def _in_ms(clause: Clause, amount: Amount, example: str) -> float:
    if amount.unit not in _MILLISECONDS:
        raise clause.fault(amount.token, f"'{amount.text}' is no time", example)
    return float(amount.number * _MILLISECONDS[amount.unit])


class LatencyBesideOld:
    """Not slower than old by the margin, on the same cases, with intervals out of batches of whole sessions.

    GO needs the whole interval on the right side, also if every case that new failed were the slowest of all.
    """

    def __init__(self, clause: Clause, margin: Margin) -> None:
        self._clause = clause
        self._margin = margin
        self._p = QUANTILES[clause.family]
        self._timings = Timings()

    def add_all(self, results: Sequence[Result]) -> None:
        """Take cases of the traffic in; goldens are judged apart."""
        self._timings.add_all(results)

    def judge(self, parts: int = 1) -> Judgement:
        """Return new's quantile over old's, or the milliseconds between them, with its interval."""
        sizes = self._timings.judged.sizes
        remarks = [*self._timings.remarks(), *worth(sizes.total, sizes.effective())]
        tails = self._timings.tails()
        if why := self._too_few(tails):
            told = "; ".join([why, *remarks])
            return Judgement(self._clause.text, "INCONCLUSIVE", told, n=sizes.effective(), unit=self._margin.unit)
        found = Quantiles(tails, self._p, self._clause.confidence)
        value, interval = self._margin.value(found), self._interval(tails, found, parts)
        state = self._state(*interval)
        reason = self._reason(state, value, interval, parts)
        doubts = self._doubts(latency_at(tails.old.quantile(0.5)))
        if doubts and (state == "GO" or self._timings.recorded):
            state = "INCONCLUSIVE"
        told = "; ".join([self._head(found, value), reason, *doubts, *remarks])
        n, unit = sizes.effective(), self._margin.unit
        return Judgement(self._clause.text, state, told, value=value, interval=interval, n=n, unit=unit)

    def _too_few(self, tails: Tails) -> str:
        """Return why the evidence does not reach for any figure; empty where it does."""
        sizes = self._timings.judged.sizes
        if not sizes.total:
            return "no case of the traffic has a latency on both sides"
        least = max(FEWEST_BATCHES * NEIGHBOURS, BEYOND / min(self._p, 1 - self._p) - 1e-9)
        needed = math.ceil(least - sizes.effective())
        if needed > 0:
            few = f"{cases(sizes.total)}, and {BEYOND} have to lie beyond {self._clause.family}"
            return f"{few}: {cases(needed)} more would show something"
        if tails.batches < FEWEST_BATCHES:
            return "nearly all cases are of a few sessions, which hang together: more sessions would show something"
        return ""

    def _interval(self, tails: Tails, found: Quantiles, parts: int) -> Interval:
        confidence = self._clause.confidence
        low, high = self._margin.interval(found)
        if self._timings.failed:
            strict = Quantiles(self._timings.tails(strict=True), self._p, confidence)
            high = max(high, self._margin.interval(strict)[1])
        if parts > 1:
            surer = Quantiles(tails, self._p, corrected(confidence, parts))
            low = self._margin.interval(surer)[0]
        return low, high

    def _state(self, low: float, high: float) -> VerdictState:
        limit = self._margin.limit
        if high < limit or (high == limit and self._clause.operator == "<="):
            return "GO"
        return "NO-GO" if low > limit else "INCONCLUSIVE"

    def _head(self, found: Quantiles, value: float) -> str:
        old, new = map(milliseconds, found.sides)
        return f"{self._clause.family} of new is {new} and of old {old} ({self._margin.shown(value)})"

    def _reason(self, state: VerdictState, value: float, interval: Interval, parts: int) -> str:
        low, high = map(self._margin.shown, interval)
        if state == "GO":
            return f"with {level(self._clause.confidence)} confidence at most {high}, within {self._margin.text}"
        if state == "NO-GO":
            sure = level(corrected(self._clause.confidence, parts))
            return f"with {sure} confidence at least {low}, beyond {self._margin.text}"
        bounds = f"the bounds {low} and {high} enclose {self._margin.text}"
        return f"{bounds}; {self._further(value, interval)}"

    def _further(self, value: float, interval: Interval) -> str:
        """Return how many cases more would settle it, if the figure stays: an interval shrinks like a root."""
        scale = _log if self._margin.unit == "ratio" else float
        at, aim, low, high = map(scale, (value, self._margin.limit, *interval))
        width = high - at if at < aim else at - low
        if not math.isfinite(width) or not math.isfinite(at):
            return "more cases would show more"
        short = (width / (aim - at)) ** 2 - 1 if at != aim else math.inf
        further = max(1.0, self._timings.judged.sizes.total * short)
        if further > _MOST:
            return "no number of cases would settle it"
        return f"if it stays so, about {cases(rounded_up(further))} more would settle it"

    def _doubts(self, median: float) -> list[str]:
        late, doubts = self._timings.late_ms, []
        if self._timings.recorded:
            told = "old's latencies were recorded elsewhere, so they prove nothing about new"
            doubts.append(f"{told}: give a live old, or write {self._clause.family} <= 300ms")
        if late is not None and late > median:
            told = f"a twentieth of the cases was begun more than {milliseconds(late)} late"
            doubts.append(f"{told}: the sides were not asked as planned, so this is never GO")
        return doubts


def _ms_of(result: Result) -> float | None:
    """Return new's latency; None where there is none, or new failed in another way than by being late."""
    return None if new_failed(result) else latency_of(result.new)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


class LatencyAtMost:
    """A quantile of new's against a limit: at most so large a share of cases takes longer, by exact bounds.

    What new failed is the slowest of all for GO, and no evidence for NO-GO.
    """

    def __init__(self, clause: Clause, limit: float) -> None:
        self._clause = clause
        self._limit = limit
        self._p = QUANTILES[clause.family]
        self._shares = {False: self._slower(), True: self._slower()}
        """By whether a connection was opened, like what follows."""
        self._latencies = {False: Sketch(), True: Sketch()}
        self._never = {False: 0, True: 0}

    def _slower(self) -> Share:
        amount = self._clause.amount.text if self._clause.amount is not None else ""
        words = Words(f"slower than {amount}", "new failed")
        limit = ShareLimit(1 - self._p, inclusive=True, text=percent(1 - self._p))
        return Share(self._clause, limit, self._weigh, words)

    def _weigh(self, result: Result) -> Weight | None:
        if result.outcome == "skipped":
            return None
        if new_failed(result):
            return True, None
        ms = latency_of(result.new)
        if ms is None:
            return None
        slower = ms > self._limit or (ms == self._limit and self._clause.operator == "<")
        return slower, slower

    def add_all(self, results: Sequence[Result]) -> None:
        """Take cases of the traffic in; goldens are judged apart."""
        told = [(each, _ms_of(each)) for each in results if each.case.kind != "golden"]
        untimed = [each for each, ms in told if ms is None]
        for is_opening, share in self._shares.items():
            timed = [(each, ms) for each, ms in told if ms is not None and opened(each.new) is is_opening]
            came = [ms for _, ms in timed if ms != NEVER]
            share.add_all([*untimed, *(each for each, _ in timed)])
            self._latencies[is_opening].add_all(came)
            self._never[is_opening] += len(timed) - len(came)

    def judge(self, parts: int = 1) -> Judgement:
        """Return the quantile in milliseconds, with bounds by rank; whether it is met says the share that is slower."""
        opened_all = self._latencies[True].n > self._latencies[False].n
        judged = self._shares[opened_all].judge(parts)
        if not self._latencies[opened_all].n or judged.n is None or judged.n < 1:
            return replace(judged, value=None, interval=None, unit="ms")
        value = self._quantile(self._p, opened_all=opened_all)
        why = f"{self._clause.family} of new is {milliseconds(value)}; {judged.why}"
        if left_out := self._latencies[not opened_all].n:
            why += f"; left out: {cases(left_out)} that {'used an open' if opened_all else 'opened a'} connection"
        interval = self._bounds(judged, opened_all=opened_all)
        return replace(judged, why=why, value=value, interval=interval, unit="ms")

    def _quantile(self, p: float, *, opened_all: bool) -> float:
        """Return a quantile over all answers, of which those that never came are the slowest."""
        came, never = self._latencies[opened_all], self._never[opened_all]
        among_came = p * (came.n + never) / came.n
        return came.quantile(max(0.0, among_came)) if among_came <= 1 else NEVER

    def _bounds(self, judged: Judgement, *, opened_all: bool) -> Interval:
        n = judged.n or 1.0
        beyond = n * (1 - self._p)
        least, most = upper_bound(beyond, n, self._clause.confidence), lower_bound(beyond, n, self._clause.confidence)
        low, high = (self._quantile(1 - share, opened_all=opened_all) for share in (least, most))
        # The sketch is half a percent wide; what is decided is decided by exact counts.
        if judged.state == "GO":
            return min(low, self._limit), min(high, self._limit)
        return (max(low, self._limit), max(high, self._limit)) if judged.state == "NO-GO" else (low, high)
