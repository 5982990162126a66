"""`for 7 days`, `for 3 runs`: a criterion that has to hold by itself on each day, or in each run, of so many in a row.

A day is judged by itself and its judgement kept with the run, so that a later run reads what earlier ones found and
walks no results but its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Protocol

from replay.counting import counted
from replay.models import Judgement, Result, Standing, VerdictState
from replay.verdict.base import Metric
from replay.verdict.clauses import Clause, Span
from replay.verdict.cycles import CYCLES, next_of
from replay.verdict.days import MOST_DAYS, by_day
from replay.verdict.past import NOT_JUDGED, OTHER_RULES, OTHER_VERSION, Past
from replay.verdict.wording import level

LOOKS: Final = 365
"""Over so many days, or runs, of watching a span is found by chance no more often than its confidence allows."""
_DAY: Final = timedelta(days=1)
_MARKS: Final = {"GO": "ok", "NO-GO": "fails", "INCONCLUSIVE": "open"}
_NONE: Final = "none"
_UNDECIDED: Final = ("open", _NONE)
_UNVERSIONED: Final = (
    "nothing names the version of new, so a row may go over several: give --label new=VERSION, "
    "or version= to an experiment"
)
_UNFIT: Final = (OTHER_RULES, OTHER_VERSION, NOT_JUDGED)
_TOLD: Final[Mapping[str, str]] = {
    "fails": "it fails",
    "open": "it has too little evidence by itself",
    _NONE: "it has no traffic that was compared",
    OTHER_RULES: "it was judged under other rules",
    OTHER_VERSION: "another version was put to the test",
    NOT_JUDGED: "it was not judged by this criterion",
}
_NAMED: Final = 5

Make = Callable[[bool], Metric]
"""Makes the metric of one day or run; asked whether that is looked at while it grows."""


def confidence_of(span: Span, confidence: float) -> float:
    """Return the confidence with which each day has to hold.

    Whoever waits for one good day sees it sooner or later, though no day is any good. So that a whole year of waiting
    finds a span by chance no more often than one look may: a side at the limit holds on n days in a row, ending on a
    given one, with probability a^n, and 365 a^n must not exceed 1 - confidence. At 95% it does for one and two days.
    """
    return max(confidence, 1 - math.pow((1 - confidence) / LOOKS, 1 / span.count))


@dataclass(frozen=True, slots=True)
class _Step:
    """A day or a run in a row: how the criterion stands there, in a word, and whose word that is."""

    name: str
    mark: str
    judgement: Judgement
    run: str = ""

    @property
    def holds(self) -> bool:
        return self.mark == "ok"

    def part(self) -> Judgement:
        return replace(self.judgement, sentence=self.name, mark=self.mark, parts=())


@dataclass(frozen=True, slots=True)
class Stretch:
    """What has to hold how long: the criterion as reports print it, parsed, its span, and the cycles to be covered."""

    sentence: str
    clause: Clause
    span: Span
    cycles: tuple[str, ...] = ()


class Inquiry(Protocol):
    """Answers one criterion over a run and, as far as it spans any, over the runs before."""

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results of the run in."""

    def over(self, past: Past) -> tuple[Judgement, tuple[Standing, ...]]:
        """Return the answer, and what later runs may want to know of this one."""


class OverRun:
    """Answers a criterion that spans nothing but the run."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.add_all = metric.add_all

    def over(self, past: Past) -> tuple[Judgement, tuple[Standing, ...]]:
        """Return the metric's answer, whatever was before."""
        del past
        return self._metric.judge(), ()


class Spanned:
    """One metric for each day, or for the whole run, and the row that they form with those of earlier runs."""

    def __init__(self, stretch: Stretch, make: Make, begun: date, *, growing: bool = False) -> None:
        """Take how one day is judged; `begun` is the day on which the run was, and `growing` whether it goes on."""
        self._sentence = stretch.sentence
        self._clause = stretch.clause
        self._span = stretch.span
        self._covering = stretch.cycles
        self._make = make
        self._begun = begun
        self._days: dict[date, Metric] = {}
        self._whole = make(growing)
        self._beyond = 0

    @property
    def _by_day(self) -> bool:
        return self._span.unit == "days"

    @property
    def key(self) -> str:
        """Return under which name its days are kept: two spans of one criterion share them."""
        return f"{self._clause.unspanned} with {confidence_of(self._span, self._clause.confidence)!r}"

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results into their days; goldens have none but the run's, and criteria on traffic pass over them."""
        if not self._by_day:
            self._whole.add_all(results)
            return
        asked = self._clause.family == "goldens"
        for recorded, several in by_day([each for each in results if (each.case.kind == "golden") is asked]).items():
            self._into_day(recorded, several)

    def _into_day(self, recorded: date | None, results: Sequence[Result]) -> None:
        day = self._begun if recorded is None else recorded
        if day not in self._days:
            if len(self._days) >= MOST_DAYS:
                self._beyond += len(results)
                return
            # A recorded day that was not over when the run began had not shown all its traffic yet.
            self._days[day] = self._make(recorded is not None and day >= self._begun)
        self._days[day].add_all(results)

    def over(self, past: Past) -> tuple[Judgement, tuple[Standing, ...]]:
        """Return how it stands over this run and the past, and how each day of this run does by itself."""
        own = self._own()
        answer = self._over_days(own, past) if self._by_day else self._over_runs(own[""], past)
        answer = answer if past.whole else _of_part(answer)
        answer = replace(answer, why=f"{answer.why}; {_UNVERSIONED}") if past.unversioned else answer
        return answer, tuple(Standing(self.key, day, replace(found, parts=())) for day, found in own.items())

    def _own(self) -> dict[str, Judgement]:
        if not self._by_day:
            return {"": self._whole.judge()}
        # That any of several days fails must not be chance's doing, as with the parts of one run.
        many = max(1, len(self._days))
        return {day.isoformat(): self._days[day].judge(many) for day in sorted(self._days)}

    # ---------------------------------------------------------------------------------------------------------- days

    def _over_days(self, own: Mapping[str, Judgement], past: Past) -> Judgement:
        steps = {day: _worst(found) for day, found in self._found(own, past).items()}
        if not own:
            return self._answer("INCONCLUSIVE", "no traffic was compared", [])
        fit = {date.fromisoformat(day): step for day, step in steps.items() if step.mark not in _UNFIT}
        # They neither count nor break the row; yesterday does, whether or not it is there.
        going_on = [day for day, step in fit.items() if day >= self._begun and step.mark in _UNDECIDED]
        last = max([*(day for day in fit if day not in going_on), *([self._begun - _DAY] if going_on else [])])
        row = _row(steps, last)
        failing = [_step(day, each, past.run) for day, each in own.items() if each.state == "NO-GO"]
        strip = list(_strip(steps, last, max(self._span.count, len(row)) + 1))
        return self._judged(row, strip, failing, [fit[day] for day in sorted(going_on)])

    def _found(self, own: Mapping[str, Judgement], past: Past) -> dict[str, list[_Step]]:
        found: dict[str, list[_Step]] = {}
        for run in past.runs:
            for day in dict.fromkeys((*run.days, *(day for key, day in run.standings if key == self.key and day))):
                judgement = run.standings.get((self.key, day))
                unfit = run.unfit or ("" if judgement is not None else NOT_JUDGED)
                found.setdefault(day, []).append(_step(day, judgement, run.id, unfit))
        for day, judgement in own.items():
            found.setdefault(day, []).append(_step(day, judgement, past.run))
        return found

    # ---------------------------------------------------------------------------------------------------------- runs

    def _over_runs(self, own: Judgement, past: Past) -> Judgement:
        steps = [_step(each.id, each.standings.get((self.key, "")), each.id, each.unfit) for each in past.runs]
        steps = [replace(each, mark=NOT_JUDGED) if each.mark == _NONE else each for each in steps]
        steps.append(_step(past.run or "this run", own, past.run))
        row: list[_Step] = []
        for each in reversed(steps):
            if not each.holds:
                break
            row.insert(0, each)
        failing = [steps[-1]] if steps[-1].mark == "fails" else []
        return self._judged(row, steps[-max(self._span.count, len(row)) - 1 :], failing)

    # -------------------------------------------------------------------------------------------------------- answer

    def _judged(
        self, row: list[_Step], strip: list[_Step], failing: list[_Step], going_on: Sequence[_Step] = ()
    ) -> Judgement:
        """Return the answer of the row, at which the strip ends; what is `going_on` comes behind both."""
        told = [self._head(row), *self._missing(row), *_under_way(going_on)]
        told += [*_breaks(strip[: len(strip) - len(row)]), *_otherwise(strip), *self._remarks()]
        strip += going_on[:_NAMED]
        if failing:
            first = failing[0]
            return self._answer("NO-GO", f"it fails on {first.name}: {first.judgement.why}", strip, row)
        done = len(row) >= self._span.count and not list(self._uncovered(row)) and not self._beyond
        return self._answer("GO" if done else "INCONCLUSIVE", "; ".join(told), strip, row)

    def _answer(self, state: VerdictState, why: str, strip: Sequence[_Step], row: Sequence[_Step] = ()) -> Judgement:
        n = sum(each.judgement.n or 0.0 for each in row)
        parts = tuple(each.part() for each in strip)
        return Judgement(self._sentence, state, why, float(len(row)), None, n, self._span.unit, parts)

    def _head(self, row: list[_Step]) -> str:
        count, unit = self._span.count, self._span.unit
        when = f": {row[0].name} to {row[-1].name}" if len(row) > 1 else f": {row[0].name}" if row else ""
        runs = len({each.run for each in row})
        when += f" by {counted(runs, 'run')}" if self._by_day and row else ""
        if len(row) > count:
            return f"{counted(len(row), unit[:-1])} in a row hold{when}; {count:,} are asked for"
        return f"{len(row):,} of {counted(count, unit[:-1])} in a row hold{when}"

    def _missing(self, row: list[_Step]) -> Iterator[str]:
        missing = self._span.count - len(row)
        if missing > 0:
            yield f"{counted(missing, f'{self._span.unit[:-1]} more', f'{self._span.unit} more')} would settle it"
        yield from self._uncovered(row)

    def _uncovered(self, row: list[_Step]) -> Iterator[str]:
        """Yield the cycles that the days in a row do not cover."""
        days = [date.fromisoformat(each.name) for each in row] if self._by_day else []
        for cycle in self._covering if self._by_day else ():
            if not any(map(CYCLES[cycle], days)):
                after = days[-1] if days else self._begun - _DAY
                yield f"no {cycle} is among them yet: the next is {next_of(cycle, after)}"

    def _remarks(self) -> Iterator[str]:
        each = confidence_of(self._span, self._clause.confidence)
        if each > self._clause.confidence:
            unit = self._span.unit[:-1]
            yield f"each {unit} has to hold with {level(each)} confidence, so that waiting finds no good one by chance"
        if self._beyond:
            yield f"only {MOST_DAYS:,} days are judged, and {self._beyond:,} cases belong to others: that is never GO"


def _of_part(answer: Judgement) -> Judgement:
    """Return an answer that is no GO, since only a part of the cases was asked for: it may be the part that holds."""
    if answer.state != "GO":
        return answer
    why = f"{answer.why}; but only a part of the cases was asked for, and a {str(answer.unit)[:-1]} counts as a whole"
    return replace(answer, state="INCONCLUSIVE", why=why)


def _step(name: str, judgement: Judgement | None, run: str, unfit: str = "") -> _Step:
    if judgement is None:
        judgement = Judgement(name, "INCONCLUSIVE", "")
        return _Step(name, unfit or _NONE, replace(judgement, why=_TOLD[unfit or _NONE]), run)
    if unfit:
        return _Step(name, unfit, replace(judgement, state="INCONCLUSIVE", why=_TOLD[unfit]), run)
    mark = _NONE if not judgement.n and judgement.state == "INCONCLUSIVE" else _MARKS[judgement.state]
    return _Step(name, mark, judgement, run)


def _worst(found: Sequence[_Step]) -> _Step:
    """Return what a day is that several runs have: what failed once has failed, else the most evidence has the say.

    Of equals it is the first: whoever tries again until it holds has shown nothing. Nothing unfit has a say.
    """
    fit = [each for each in found if each.mark not in _UNFIT]
    failed = [each for each in fit if each.mark == "fails"]
    if failed or not fit:
        return failed[-1] if failed else found[-1]
    return max(fit, key=lambda each: each.judgement.n or 0.0)


def _row(steps: Mapping[str, _Step], last: date) -> list[_Step]:
    """Return the days in a row that hold, of which the last is `last`."""
    row: list[_Step] = []
    day = last
    while (step := steps.get(day.isoformat())) is not None and step.holds:
        row.insert(0, step)
        day -= _DAY
    return row


def _strip(steps: Mapping[str, _Step], last: date, count: int) -> Iterator[_Step]:
    """Yield the last so many days, those without traffic too, from the first one on that anything is known of."""
    begin = max(date.fromisoformat(min(steps)), last - (count - 1) * _DAY)
    for number in range((last - begin).days + 1):
        name = (begin + number * _DAY).isoformat()
        yield steps.get(name) or _step(name, None, "")


def _under_way(going_on: Sequence[_Step]) -> Iterator[str]:
    """Yield which day is not over, and so does not count yet."""
    if going_on:
        more = f", and {len(going_on) - 1:,} later," if len(going_on) > 1 else ""
        yield f"{going_on[0].name}{more} is still under way, and counts once it shows enough"


def _breaks(before: Sequence[_Step]) -> Iterator[str]:
    """Yield why the row is no longer: what stands before it."""
    if before and before[-1].mark in _TOLD:
        yield f"it begins anew after {before[-1].name}: {_TOLD[before[-1].mark]}"


def _otherwise(strip: Sequence[_Step]) -> Iterator[str]:
    """Yield which runs would count once they were judged as this one is."""
    runs = list(dict.fromkeys(each.run for each in strip if each.mark in (OTHER_RULES, NOT_JUDGED)))
    if runs:
        more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
        names = " ".join(runs[:_NAMED])
        yield f"what was judged otherwise counts after `replay judge {names}`{more}"
