"""The closing pass: one walk over what was stored, for everything that only the end can know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from replay.causes import DEPARTING, Causes
from replay.compare.sight import BODY_UNSEEN
from replay.engine.days import Days, quantiles
from replay.engine.latency import LatencyFigures
from replay.engine.parity import Parity
from replay.engine.spreads import Spreads
from replay.models import (
    SIDES,
    CaseKind,
    Counts,
    Difference,
    Lateness,
    Observation,
    OutcomeName,
    Quantiles,
    Result,
    Side,
    Spread,
)
from replay.verdict import Criterion
from replay.verdict.chunks import add_up
from replay.verdict.kpi_account import Accounts
from replay.verdict.sketch import Sketch

_KINDS: Final[Mapping[CaseKind, tuple[str, str]]] = {
    "golden": ("goldens", "goldens pass"),
    "traffic": ("cases of the traffic", "deviation < 0.5%"),
}
"""What cases of a kind are called, and a criterion that asks about them."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Tally:
    """Sums over a stream of results, in memory that does not grow with it (save eight bytes a rank measure)."""

    outcomes: Counter[OutcomeName] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    waived: Counter[str] = field(default_factory=Counter)
    causes: Causes = field(default_factory=Causes)
    parity: Parity = field(default_factory=Parity)
    days: Days = field(default_factory=Days)
    kpis: Accounts = field(default_factory=Accounts)
    timings: LatencyFigures = field(default_factory=LatencyFigures)
    _latency: dict[Side, Sketch] = field(default_factory=lambda: {side: Sketch() for side in SIDES})
    _planned: dict[Side, Sketch] = field(default_factory=lambda: {side: Sketch() for side in SIDES})
    _late: Sketch = field(default_factory=Sketch)
    _measures: Spreads = field(default_factory=Spreads)
    _unfrozen: Counter[Side] = field(default_factory=Counter)
    _answers: Counter[Side] = field(default_factory=Counter)
    _again: Counter[Side] = field(default_factory=Counter)
    _refused: int = 0
    _redirected: int = 0
    _unseen: int = 0
    _converged: int = 0
    _judged: set[str] = field(default_factory=set)
    _departing: Counter[CaseKind] = field(default_factory=Counter)

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results in, in their order; a hundred at once take half as long as one by one."""
        self._add_outcomes(results)
        self._add_matches([each for each in results if each.outcome == "match"])
        self._add_differences([each.differences for each in results if each.differences])
        self.parity.add_all(results)
        self.kpis.add_all(results)
        self.days.add_all(results)
        self.timings.add_all(results)
        for result in [each for each in results if each.outcome in DEPARTING]:
            self.causes.add(result)
            self._departing[result.case.kind] += 1
        for measure in [measure for each in results for measure in each.measures]:
            self._measures.add(measure)
        self._add_answers("old", [each.old for each in results if each.old is not None])
        self._add_answers("new", [each.new for each in results if each.new is not None])
        self._add_late([each for each in results if each.lateness is not None])

    def _add_outcomes(self, results: Sequence[Result]) -> None:
        self.outcomes.update([each.outcome for each in results])
        self.skipped.update([each.skipped for each in results if each.skipped is not None])
        errors = [each.error for each in results if each.error is not None]
        self.errors.update([f"{error.side} {error.kind}" for error in errors])
        accepted = [{acceptance.rule for acceptance in each.accepted} for each in results if each.accepted]
        self.accepted.update(chain.from_iterable(accepted))

    def _add_matches(self, results: Sequence[Result]) -> None:
        self._refused += sum([_refused(each.old) and _refused(each.new) for each in results])
        self._redirected += sum([_redirected(each.old) and _redirected(each.new) for each in results])
        self._unseen += sum([BODY_UNSEEN in each.flags for each in results])

    def _add_differences(self, found: Iterable[Sequence[Difference]]) -> None:
        for differences in found:
            self.waived.update({difference.waived for difference in differences if difference.waived})
            self._judged.update([difference.rule for difference in differences])
            self._converged += any(each.converged for each in differences)

    def _add_answers(self, side: Side, observations: Sequence[Observation]) -> None:
        self._latency[side].add_all(_latencies(observations))
        answers = [each for each in observations if each.status is not None or each.error is None]
        self._answers[side] += len(answers)
        self._unfrozen[side] += len(answers) - [each.clock_frozen for each in answers].count(True)
        self._again[side] += sum([each.error is None for each in answers if each.retries])

    def _add_late(self, results: Iterable[Result]) -> None:
        for result in results:
            if (lateness := result.lateness) is not None:
                self._late.add_all([lateness.late_ms])
                self._planned["old"].add_all(_since_planned(result.old, lateness))
                self._planned["new"].add_all(_since_planned(result.new, lateness))

    def unseen(self, rules: Iterable[str]) -> list[str]:
        """Return which of these rules, by name, neither accepted nor judged anything in any case."""
        return [rule for rule in rules if rule not in self.accepted and rule not in self._judged]

    def warnings(self) -> tuple[str, ...]:
        """Return what the figures alone would not tell."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        if skipped := self.outcomes["skipped"]:
            why = "; ".join(self.skipped)
            of = f"{skipped:,} of {self.outcomes.total():,} cases"
            yield f"{of} were skipped, and the verdict knows nothing of them: {why}"
        matched = self.outcomes["match"]
        if matched and self._refused * 2 >= matched:
            share = f"{self._refused:,} of {matched:,} matching cases were answered with 4xx by both sides"
            yield f"{share}: are the base URLs, the credentials and the data what the traffic was made for?"
        if matched and self._redirected * 2 >= matched:
            share = f"{self._redirected:,} of {matched:,} matching cases were answered with 3xx by both sides"
            yield f"{share}, and no redirect is followed: is it a login that they lead to, or another address?"
        for side, cases in [(side, self._again[side]) for side in SIDES if self._again[side]]:
            asked = f"{side} answered {cases:,} of {self._answers[side]:,} cases only when it was asked again"
            yield f"{asked}: whoever calls it without retries sees these refused"
        if self.days.unlisted:
            yield f"{self.days.unlisted:,} cases belong to further days, which are not listed by themselves"
        if self._converged:
            gone = (
                f"{self._converged:,} of {self.outcomes.total():,} cases differed where they did not when asked again"
            )
            yield f"{gone}: who reads right after writing sees that; what converged is listed, and counts as noise"
        if self._unseen * 2 > matched:
            of = f"{self._unseen:,} of {matched:,} matching cases"
            yield f"of {of} rules ignore the whole body: see `replay rules check`"

    def unjudged(self, criteria: Iterable[Criterion]) -> Iterator[str]:
        """Yield of which cases some depart although no criterion asks about them: a GO says nothing of those."""
        asked: set[CaseKind] = {"golden" if it.clause.family == "goldens" else "traffic" for it in criteria}
        for kind, cases in self._departing.items():
            if asked and kind not in asked:
                of, remedy = _KINDS[kind]
                fact = f"no criterion asks about the {of}, and some deviate or fail ({cases:,})"
                yield f"{fact}: add, for example, `{remedy}` to `cut_when`"

    def counts(self, not_sent: int = 0) -> Counts:
        """Return the sum that every report prints; `not_sent` are selected cases that the run never came to."""
        found = self.outcomes
        matched, deviating, noise, waived = found["match"], found["deviation"], found["noise"], found["waived"]
        errored = found["new_error"] + found["old_error"] + found["both_error"]
        compared = matched + deviating + noise + waived
        skipped = found["skipped"] + not_sent
        return Counts(
            loaded=compared + errored + skipped,
            compared=compared,
            matched=matched,
            deviating=deviating,
            noise=noise,
            waived=waived,
            errored=errored,
            skipped=skipped,
        )

    def frozen(self, side: Side) -> bool:
        """Tell whether every answer of a side said that it was given at its case's instant."""
        return self._answers[side] > 0 and self._unfrozen[side] == 0

    def strays(self, side: Side) -> tuple[int, int]:
        """Return how many answers of a side were not at their case's instant, as far as they say, and of how many."""
        return self._unfrozen[side], self._answers[side]

    def latency(self) -> Mapping[Side, Quantiles]:
        """Return each side's latencies, in milliseconds, over its whole answers."""
        return {side: quantiles(sketch) for side, sketch in self._latency.items() if sketch.n}

    def planned_latency(self) -> Mapping[Side, Quantiles]:
        """Return each side's latencies from the moment that was planned; empty where nothing was."""
        return {side: quantiles(sketch) for side, sketch in self._planned.items() if sketch.n}

    def lateness(self) -> Quantiles | None:
        """Return how much later than planned cases were begun, in milliseconds; None where nothing was planned."""
        return quantiles(self._late) if self._late.n else None

    def answered(self, side: Side) -> bool:
        """Tell whether a side gave any answer."""
        return self._answers[side] > 0

    def measures(self) -> Mapping[str, Spread]:
        """Return how each measure is distributed."""
        return self._measures.spreads()


def _refused(answer: Observation | None) -> bool:
    """Tell whether a side refused a case: a match of two says little about what they do when they accept."""
    return answer is not None and answer.status is not None and 400 <= answer.status < 500  # noqa: PLR2004


def _redirected(answer: Observation | None) -> bool:
    """Tell whether a side sent its caller elsewhere: what stands there nobody has compared."""
    return answer is not None and answer.status in _REDIRECTS


def _latencies(observations: Sequence[Observation]) -> list[float]:
    """Return the latencies of whole answers; of a scenario those of its exchanges, since it waits between them."""
    seen = [each for each in observations if not each.steps]
    seen += [played.seen for each in observations if each.steps for played in each.steps]
    timings = [each.timing for each in seen if each.error is None]
    return [timing.latency_ms for timing in timings if timing is not None]


def _since_planned(observation: Observation | None, lateness: Lateness) -> Sequence[float]:
    """Return a whole answer's latency from the planned moment on, if it has one: no omission is coordinated away."""
    if observation is None or observation.steps or observation.timing is None or observation.error is not None:
        return ()
    timing = observation.timing
    return (lateness.behind_ms + timing.queued_ms + (timing.connect_ms or 0.0) + timing.latency_ms,)


def tally(results: Iterable[Result]) -> Tally:
    """Sum up a stream."""
    sums = Tally()
    add_up(results, sums)
    return sums
