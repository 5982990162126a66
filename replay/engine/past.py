"""The earlier runs of a store that have a say in how long criteria have held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from replay.models import Judgement, Side, Summary, Verdict
from replay.store.base import RunRecord
from replay.store.experiments import experiment_of
from replay.verdict import Criterion
from replay.verdict.past import OTHER_RULES, OTHER_VERSION, EarlierRun, Key, Past


def past_of(runs: Iterable[RunRecord], record: RunRecord, summary: Summary) -> Past:
    """Return what the runs that began before this one found.

    Complete runs of the same decision count that were not narrowed, and put the same version of new to the test
    beside the same old one. What was judged by other rules than this one is told, and does not count.
    """
    earlier = [run for run in runs if run.started < record.started and _whole(run) and _one_decision(run, record)]
    earlier.sort(key=lambda run: run.started)
    found = tuple(_earlier(run, record, summary) for run in earlier)
    # A URL stays what it is when something else is deployed behind it.
    unversioned = not summary.new.version and ("://" in summary.new.target or summary.experiment is not None)
    return Past(record.id, found, not record.narrowed, unversioned)


def past_for(criteria: Iterable[Criterion], runs: Iterable[RunRecord], record: RunRecord, summary: Summary) -> Past:
    """Return the past that criteria rest on; where none spans anything, no run is read. As `past_of` otherwise."""
    return past_of(runs, record, summary) if any(each.clause.span for each in criteria) else Past(record.id)


def _whole(run: RunRecord) -> bool:
    return run.state == "complete" and run.verdict is not None and not run.narrowed


def _one_decision(run: RunRecord, record: RunRecord) -> bool:
    name, other = (whose and whose.name for whose in (experiment_of(run), experiment_of(record)))
    return name == other and run.settings.get("decision") == record.settings.get("decision")


def _earlier(run: RunRecord, record: RunRecord, summary: Summary) -> EarlierRun:
    days = () if run.summary is None else tuple(day.day for day in run.summary.days)
    standings = {} if run.verdict is None else _standings(run.verdict)
    alike = run.summary is not None and _alike(run, run.summary, record, summary)
    same_rules = run.fingerprint.get("rules") == record.fingerprint.get("rules")
    unfit = "" if alike and same_rules else OTHER_RULES if alike else OTHER_VERSION
    return EarlierRun(run.id, days, standings, unfit)


def _standings(verdict: Verdict) -> Mapping[Key, Judgement]:
    return {(each.criterion, each.day): each.judgement for each in verdict.standings}


def _alike(run: RunRecord, of_run: Summary, record: RunRecord, of_record: Summary) -> bool:
    """Tell whether two runs put the same to the test. Old may change its version, as long as it is the same service."""
    if _version(run, of_run, "new") != _version(record, of_record, "new"):
        return False
    both_labelled = "old" in run.labels and "old" in record.labels
    return both_labelled or run.fingerprint.get("old") == record.fingerprint.get("old")


def _version(record: RunRecord, summary: Summary, side: Side) -> tuple[str | None, ...]:
    """Return what identifies the version of a side: its label, else all that is known of it."""
    if label := record.labels.get(side):
        return (label,)
    info = summary.new if side == "new" else summary.old
    # Of a command, and of the commit of its files, the digest knows nothing: they are told by what was started.
    return info.version, info.target, record.fingerprint.get(side), record.fingerprint.get(f"code of {side}")
