"""Stored runs judged again: each by itself, and several together; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from replay.engine.closing import Tally
from replay.engine.noise import judge_noise
from replay.engine.past import past_for
from replay.engine.plan import Watch
from replay.engine.rejudging import Rejudge
from replay.engine.summary import kept_of, skipped_of, unseen_changes, with_sums
from replay.engine.versions import changed_version
from replay.models import Intake, Judgement, KpiSpec, Result, Summary, Verdict
from replay.store.base import RunRecord
from replay.store.rejudging import Rejudged
from replay.verdict import Criterion, Judge
from replay.verdict.chunks import add_up
from replay.verdict.kpi_account import Accounts
from replay.verdict.samples import AcrossRuns

BATCH: Final = 100
INTERRUPTED: Final = "it was interrupted"


@dataclass(frozen=True, slots=True)
class Terms:
    """By what stored results are judged."""

    criteria: Sequence[Criterion]
    gate: str | None = None
    kpis: Mapping[str, KpiSpec] = field(default_factory=dict)
    musts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What makes a verdict by these terms worth less."""


@dataclass(frozen=True, slots=True)
class NewTerms(Terms):
    """The same where answers may be judged otherwise than in the run.

    Where `anew` is false, every one would be judged as it was, so that none is compared and only criteria are asked.
    """

    rejudge: Rejudge = field(kw_only=True)
    rules: str = field(default="", kw_only=True)
    """The digest of the rules."""
    anew: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """A run, what came of it under the new terms, and where its new results are to be read."""

    record: RunRecord
    summary: Summary
    verdict: Verdict
    view: Rejudged


def all_judged_again(runs: Sequence[tuple[Rejudged, RunRecord]], terms: NewTerms, watch: Watch) -> list[Judged]:
    """Judge runs again, and return them in their order; those that were begun earlier are judged before the others."""
    found: dict[str, Judged] = {}
    for view, record in sorted(runs, key=lambda run: run[1].started):
        found[record.id] = judged_again(view, record, terms, watch, tuple(found.values()))
    return [found[record.id] for _, record in runs]


def judged_again(
    view: Rejudged, record: RunRecord, terms: NewTerms, watch: Watch, before: Sequence[Judged] = ()
) -> Judged:
    """Judge a run again. Its new results are in the view; nothing is kept before the view is.

    `before` are earlier runs that were judged likewise and not kept yet: criteria that span several rest on those.
    """
    if record.summary is None:
        raise ValueError(f"run {record.id} was never closed")
    summary, kept_before = record.summary, terms.rejudge.kept
    reason = "" if summary.complete else summary.ended_because or INTERRUPTED
    sums = Tally(kpis=Accounts(terms.kpis))
    judge = Judge(terms.criteria, terms.gate, watched=bool(reason), begun=record.started.date())
    results = _rejudged(view, record.id, terms, watch)
    if summary.noise is not None:
        for _ in results:
            pass
        summary = replace(summary, noise=judge_noise(view, record.id, summary.noise.times))
        results = iter(view.results(record.id, bodies=False))
    add_up(results, sums, judge)
    unseen = unseen_changes(terms.musts, sums)
    versions = (*changed_version("old", summary.old.versions), *changed_version("new", summary.new.versions))
    warnings = (
        *terms.warnings,
        *record.warnings,
        *sums.warnings(),
        *sums.unjudged(terms.criteria),
        *versions,
        *unseen,
        *_left(terms.rejudge.kept - kept_before),
    )
    summary = replace(_summary(summary, sums, reason), warnings=warnings)
    summary = with_sums(summary, sums, partial(kept_of, view, record.id))
    past = past_for(terms.criteria, _latest(view.runs(), before, terms), _under(record, terms), summary)
    doubts = unseen if record.saw_all else ()
    return Judged(record, summary, judge.verdict(complete=not reason, reason=reason, doubts=doubts, past=past), view)


def _latest(runs: Iterable[RunRecord], before: Sequence[Judged], terms: NewTerms) -> Iterator[RunRecord]:
    """Yield each run as it will be kept."""
    anew = {each.record.id: each for each in before}
    for run in runs:
        each = anew.get(run.id)
        yield run if each is None else replace(_under(run, terms), summary=each.summary, verdict=each.verdict)


def _under(record: RunRecord, terms: NewTerms) -> RunRecord:
    return replace(record, fingerprint=dict(record.fingerprint) | {"rules": terms.rules})


def _rejudged(view: Rejudged, run: str, terms: NewTerms, watch: Watch) -> Iterator[Result]:
    """Yield every result as it is judged now, and add those that change to the view."""
    changed: list[Result] = []
    for result in view.results(run, bodies=terms.anew):
        after = terms.rejudge.judged(result) if terms.anew else _as_of_today(view, run, terms, result)
        if after is not result:
            changed.append(after)
        if len(changed) >= BATCH:
            view.add(run, changed)
            changed = []
        watch(after.outcome)
        yield after
    if changed:
        view.add(run, changed)


def _as_of_today(view: Rejudged, run: str, terms: NewTerms, result: Result) -> Result:
    """Return a result without bodies as it is, unless its golden brings a waiver, which may have expired."""
    if not any(rule.waive for rule in result.case.rules):
        return result
    whole = kept_of(view, run, result.case.identity)
    after = whole and terms.rejudge.judged(whole)
    return result if after is None or after is whole else after


def _left(kept: int) -> Iterator[str]:
    if kept:
        cases = f"{kept:,} case{' was' if kept == 1 else 's were'}"
        yield f"{cases} left as the run judged them: secrets are tokens in the store, and a rule would look at one"


def _summary(summary: Summary, sums: Tally, reason: str) -> Summary:
    """Return the summary of a run with its new sums; what was not sent then still is not."""
    not_sent = summary.counts.loaded - sums.counts().loaded
    return replace(summary, counts=sums.counts(not_sent), skipped=skipped_of(sums, reason, not_sent))


# ------------------------------------------------------------------------------------------------------------- together


def judged_together(runs: Sequence[Judged], terms: Terms) -> tuple[Summary, Verdict]:
    """Return one answer to all runs together, of which each was judged by these terms.

    A case that several runs have counts once, as the first of them has it; unless it fails where it did not before.
    Whoever adds runs until they suffice has looked at a sample while it grew, so that is how they are judged. Criteria
    that span days or runs are answered as in the newest run, whose past the others are.
    """
    sums = Tally(kpis=Accounts(terms.kpis, AcrossRuns()))
    judge = Judge(terms.criteria, terms.gate, AcrossRuns(), watched=True)
    add_up(Together(runs), sums, judge)
    reason = "; ".join(_reasons(runs))
    first = runs[0].summary
    summary = replace(
        _summary(_added(runs), sums, reason),
        run=", ".join(each.record.id for each in runs),
        started=min(each.summary.started for each in runs),
        finished=datetime.now(UTC),
        complete=not reason,
        ended_because=reason,
        intake=tuple(_intakes(runs)),
        warnings=tuple(dict.fromkeys(warning for each in runs for warning in each.summary.warnings)),
        pacing=None,
        noise=None if len({it.summary.noise for it in runs}) > 1 else first.noise,
        warmed=sum(each.summary.warmed for each in runs),
    )
    summary = with_sums(summary, sums, _kept_of_any(runs))
    doubts = unseen_changes(terms.musts, sums) if all(each.record.saw_all for each in runs) else ()
    return summary, judge.verdict(complete=not reason, reason=reason, doubts=doubts, settled=_spanning(runs, terms))


def _spanning(runs: Sequence[Judged], terms: Terms) -> Mapping[str, Judgement]:
    """Return how the newest run answers the criteria that span more than it, by their sentences."""
    spanning = {criterion.sentence for criterion in terms.criteria if criterion.clause.span}
    newest = max(runs, key=lambda each: each.record.started)
    return {each.sentence: each for each in newest.verdict.criteria if each.sentence in spanning}


class Together:
    """The results of several runs without bodies, one run after the other, anew at every iteration."""

    def __init__(self, runs: Sequence[Judged]) -> None:
        self._runs = runs

    def __iter__(self) -> Iterator[Result]:
        return (result for each in self._runs for result in each.view.results(each.record.id, bodies=False))


def _added(runs: Sequence[Judged]) -> Summary:
    first = runs[0].summary
    loaded = sum(each.summary.counts.loaded for each in runs)
    return replace(first, counts=replace(first.counts, loaded=loaded))


def _reasons(runs: Sequence[Judged]) -> Iterator[str]:
    for each in runs:
        if not each.summary.complete:
            yield f"run {each.record.id}: {each.summary.ended_because or INTERRUPTED}"


def _intakes(runs: Sequence[Judged]) -> Iterable[Intake]:
    """Return the account of each file once, though several runs may have read it."""
    seen: dict[tuple[str, int, tuple[tuple[str, int], ...]], Intake] = {}
    for each in runs:
        for intake in each.summary.intake:
            seen.setdefault((intake.file, intake.loaded, tuple(intake.skipped.items())), intake)
    return seen.values()


def _kept_of_any(runs: Sequence[Judged]) -> Callable[[str], Result | None]:
    def kept(identity: str) -> Result | None:
        found = (kept_of(each.view, each.record.id, identity) for each in runs)
        return next((result for result in found if result is not None), None)

    return kept
