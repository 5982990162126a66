"""Which differences are noise: judged once everything is stored, and written back, so that all who read agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from replay.engine.evidence import Asked, Evidence, Place, asked
from replay.engine.outcome import outcome_of
from replay.engine.parts import Part, parts_of
from replay.models import Difference, Noise, NoiseRate, OutcomeName, Result

BATCH: Final = 100
SHOWN_RATES: Final = 50
TRY: Final = 10
"""How many further answers are suggested where there were too few."""
BUT: Final = "old differs from itself here too, but "
_UNRANGED: Final = frozenset({"order", "rank"})
"""Kinds of difference that speak of no value that could be out of range."""
_REOPENED: Final[tuple[OutcomeName, ...]] = ("deviation", "noise", "waived")


class Results(Protocol):
    """What is asked of a store."""

    def results(
        self, run: str, outcomes: Sequence[OutcomeName] | None = None, *, bodies: bool = True
    ) -> Iterable[Result]:
        """Return the run's results, anew at every iteration."""

    def add(self, run: str, results: Sequence[Result]) -> None:
        """Keep results; one of an identity that is there already replaces it."""


def judge_noise(store: Results, run: str, times: int) -> Noise:
    """Judge all stored results of a run, and store those that change.

    May be done again, also with more results than before: what was judged is judged anew.
    """
    sums, evidence = _Sums(), Evidence()
    for result in store.results(run, bodies=False):
        sums.add(result)
        evidence.add(result)
    judge = NoiseJudge(evidence)
    _rewrite(store, run, judge.judged)
    rates = list(judge.rates())
    return Noise(
        times=times,
        cases=sums.cases,
        askings=sums.askings,
        failed=sums.failed,
        unsafe=sums.unsafe,
        rates=tuple(rates[:SHOWN_RATES]),
        unlisted=max(0, len(rates) - SHOWN_RATES),
    )


@dataclass(slots=True)
class _Sums:
    """How often old was asked again at all."""

    cases: int = 0
    askings: int = 0
    failed: int = 0
    unsafe: int = 0

    def add(self, result: Result) -> None:
        again = result.again
        if again is None:
            self.unsafe += result.old is not None
            return
        self.cases += 1
        self.askings += len(again.answers) + again.failed
        self.failed += again.failed


def _rewrite(store: Results, run: str, judged: Callable[[Result], Result]) -> None:
    changed: list[Result] = []
    for result in store.results(run, _REOPENED):
        if (after := judged(result)) is not result:
            changed.append(after)
        if len(changed) >= BATCH:
            store.add(run, changed)
            changed = []
    if changed:
        store.add(run, changed)


class NoiseJudge:
    """Judges differences by the evidence of all cases."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._refused: dict[tuple[str, str], str] = {}

    def judged(self, result: Result) -> Result:
        """Return a result with its noise marked and its outcome named accordingly; the same object if that is as it is.

        An error keeps its name: what else differs there is nobody's noise.
        """
        if result.again is None or result.outcome not in _REOPENED:
            return result
        found = asked(result)
        differences = tuple(self._judged(each, found) for each in result.differences)
        outcome = outcome_of(differences)
        if differences == result.differences and outcome == result.outcome:
            return result
        return replace(result, differences=differences, outcome=outcome)

    def _judged(self, difference: Difference, found: Asked | None) -> Difference:
        note = difference.note.partition(BUT)[0].removesuffix("; ")
        bare = replace(difference, noise="", note=note)
        parts = parts_of(bare)
        if found is None or not parts:
            return bare
        told = [self._told(part, bare, found) for part in parts]
        but = next((why for noisy, why in told if not noisy), None)
        if but is None:
            return replace(bare, noise=told[0][1])
        return replace(bare, note="; ".join(filter(None, (note, but and BUT + but))))

    def _told(self, part: Part, difference: Difference, found: Asked) -> tuple[bool, str]:
        """Return whether a part is noise, with the evidence; else why it is none, if old is noisy here at all."""
        place = self._evidence.places.get((found.route, part.place))
        times = found.differing(part.place)
        if place is None or not place.old_differs:
            return False, ""
        here = found.values((part.place, part.spot))
        if not here and not place.anywhere:
            return False, "not at this case" if times == 0 else "not at this item"
        seen = part.new in here
        but = _objection(place, part, seen=seen) or ("" if seen else _out_of_range(place, part, difference))
        if but:
            self._refused.setdefault((found.route, part.place), but)
            return False, but
        if here:
            return True, f"old differs from itself here in {times} of {len(found.again)} further answers"
        askings = self._evidence.askings[found.route]
        return True, f"old differs from itself here in {place.old_differs:,} of {askings:,} answers of {found.route}"

    def rates(self) -> Iterator[NoiseRate]:
        """Yield how noisy each place is, the noisiest first; to be asked once everything is judged."""
        for route, at, place in self._evidence.noisy():
            yield NoiseRate(
                route=route,
                at=at,
                old_differs=place.old_differs,
                old_asked=self._evidence.askings[route],
                new_differs=place.new_differs,
                new_asked=self._evidence.cases[route],
                refused=self._refused.get((route, at), ""),
            )


def _objection(place: Place, part: Part, *, seen: bool) -> str:
    """Return what the counts say against noise; empty where they say nothing."""
    if place.more_often:
        return "new differs from it more often"
    if place.says_too_often(part.new):
        return "new says this more often"
    # Without cases enough, a new that is always wrong would look the same: unless old says this value itself, or as
    # good as never says the same twice.
    if seen or place.never_the_same or place.could_tell:
        return ""
    return (
        f"in {place.old_differs} of {place.asked_where_any} further answers, too few to tell; --noise {TRY} asks more"
    )


def _out_of_range(place: Place, part: Part, difference: Difference) -> str:
    return "" if difference.kind in _UNRANGED else place.figures.objection(part.new)
