"""Runs of experiments judged: as often as wanted while their day lasts, and once more when it is over.

Agreeing calls hold no bodies, so that nothing is compared anew: what became of each call stays as the program found
it, and criteria are asked in one pass. Since anybody may look at any time, the bounds hold at every look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from urllib.parse import quote

from replay.compare import Pair
from replay.counting import counted
from replay.engine.closing import Tally
from replay.engine.grouping import Grouping
from replay.engine.past import past_for
from replay.engine.plan import Watch
from replay.engine.summary import kept_of, skipped_of, with_sums
from replay.models import UNPROVEN, Basis, Case, Experiment, Request, Result, Side, SideInfo, Summary, Verdict
from replay.store.base import RunRecord, RunState
from replay.store.experiments import ExperimentRun, chosen_in, experiment_of, whose, with_experiment
from replay.store.sqlite import SqliteStore
from replay.verdict import Criterion, Judge
from replay.verdict.changes import changes
from replay.verdict.chunks import chunked
from replay.verdict.kpi_account import Accounts

_BLOCK = "a block of code"


@dataclass(frozen=True, slots=True)
class Inquest:
    """By what the runs of experiments are judged, and when."""

    criteria: Sequence[Criterion]
    now: datetime
    grouping: Grouping
    gate: str | None = None
    owner: str | None = None
    criteria_hash: str = ""
    env: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what has to hold."""
        return tuple(criterion.sentence for criterion in self.criteria)


def is_open(store: SqliteStore, record: RunRecord) -> bool:
    """Tell whether a run of an experiment may stand otherwise by now than when it was judged last."""
    run, summary = experiment_of(record), record.summary
    if run is None:
        return False
    if summary is None or summary.experiment is None or run.judged is None or not run.is_over(run.judged):
        return True
    # Calls that were under way at midnight, and clocks that differ by more than was allowed for.
    return summary.counts.loaded != store.count(record.id) or summary.experiment.lost != _lost(store, record, run)


def judged_experiment(store: SqliteStore, record: RunRecord, inquest: Inquest, watch: Watch) -> RunRecord:
    """Judge a run of an experiment by what it holds by now, keep what comes of it, and return its record."""
    run = whose(record)
    over = run.is_over(inquest.now)
    begun = run.day + timedelta(days=1) if over else run.day
    sums, chosen = Tally(kpis=Accounts({})), Counter[Side]()
    judge = Judge(inquest.criteria, inquest.gate, watched=not over, looked=True, begun=begun)
    # As many as there are by now: who writes meanwhile may be quicker than this.
    for chunk in chunked(islice(store.results(record.id, bodies=False), store.count(record.id))):
        grouped = [_grouped(each, inquest.grouping) for each in chunk]
        sums.add_all(grouped)
        judge.add_all(grouped)
        chosen.update(filter(None, [chosen_in(each.flags) for each in chunk]))
        for each in chunk:
            watch(each.outcome)
    # What was lost meanwhile is counted, what came meanwhile is not: it is judged the next time.
    record = store.run(record.id)
    run = replace(whose(record), lost=_lost(store, record, whose(record)))
    judge.add_all([_grouped(each, inquest.grouping) for each in _untold(run, over=over)])
    experiment = Experiment(run.name, over, dict(chosen), run.lost)
    summary = _summary(record, run, experiment, sums, inquest)
    summary = with_sums(summary, sums, partial(kept_of, store, record.id))
    past = past_for(inquest.criteria, store.runs(), record, summary)
    verdict = judge.verdict(complete=summary.complete, reason=summary.ended_because, past=past)
    return store.amend(record.id, partial(_amended, summary=summary, verdict=verdict, inquest=inquest))


def _grouped(result: Result, grouping: Grouping) -> Result:
    if not grouping.groups:
        return result
    return replace(result, groups=grouping.memberships(Pair(result.case, None, None)))


def _lost(store: SqliteStore, record: RunRecord, run: ExperimentRun) -> Mapping[str, int]:
    """Return what was lost of a run, and of its experiment on that day where nobody knows of which run."""
    lost = Counter(run.lost)
    for other in store.runs():
        beside = experiment_of(other)
        if beside is None or other.id == record.id or (beside.name, beside.day) != (run.name, run.day):
            continue
        if beside.lost and not store.count(other.id):
            lost.update(beside.lost)
    return dict(lost)


def _summary(record: RunRecord, run: ExperimentRun, experiment: Experiment, sums: Tally, inquest: Inquest) -> Summary:
    calls = sum(run.lost.values())
    reason = "; ".join(f"lost {counted(number, 'call')}: {why}" for why, number in run.lost.items()) if calls else ""
    return Summary(
        run=record.id,
        started=record.started,
        finished=inquest.now if experiment.over else None,
        complete=not calls,
        ended_because=reason,
        old=_side(record, "old", run.old),
        new=_side(record, "new", run.new),
        counts=sums.counts(),
        decision=record.settings.get("decision"),
        owner=inquest.owner,
        skipped=skipped_of(sums, "", 0),
        warnings=(*inquest.warnings, *sums.warnings(), *_unsaid(run, experiment)),
        experiment=experiment,
    )


def _side(record: RunRecord, side: Side, place: str) -> SideInfo:
    code = record.fingerprint.get(f"code of {side}", "")
    version = record.labels.get(side) or (f"file {code[:7]}" if code else "")
    return SideInfo(place or _BLOCK, "not frozen", "it ran in the program", version=version)


def _untold(run: ExperimentRun, *, over: bool) -> Iterator[Result]:
    """Yield one call for each process that ended without a word: it may be the one by which new ended it."""
    for place in range(_gone(run) if over else 0):
        request = Request("POST", "/" + quote(run.name, safe=""))
        name = f"{run.name}-ended-{place}"
        case = Case(id=name, kind="traffic", identity=name, request=request, tags=(run.name,))
        yield Result(case, "skipped", None, None, skipped="its process ended without a word", flags=(UNPROVEN,))


def _gone(run: ExperimentRun) -> int:
    return max(run.joined - run.left, 0)


def _unsaid(run: ExperimentRun, experiment: Experiment) -> Iterator[str]:
    gone = _gone(run)
    if experiment.over and gone:
        of = f"{gone:,} of {run.joined:,} processes did not say that they had written all"
        missing = "of those that were killed, the last second or so is not in this run"
        yield f"{of}: {missing}, and each counts against GO as a call that nobody could judge"


def _amended(record: RunRecord, *, summary: Summary, verdict: Verdict, inquest: Inquest) -> RunRecord:
    """Return the record of a run as it is now, with what came of judging it."""
    run = whose(record)
    was_judged = record.verdict is not None
    now = Basis(inquest.sentences, inquest.gate, record.fingerprint.get("rules", ""))
    same = (record.basis.criteria, record.basis.gate) == (now.criteria, now.gate)
    told = changes(record.begun_under, now) if was_judged else ()
    over = summary.experiment is not None and summary.experiment.over
    state: RunState = "running" if not over else "complete" if summary.complete else "incomplete"
    amended = replace(
        record,
        state=state,
        criteria={inquest.gate or "": inquest.sentences},
        criteria_hash=inquest.criteria_hash,
        gate=inquest.gate,
        fingerprint={**record.fingerprint, "criteria": inquest.criteria_hash},
        settings={**record.settings, "env": inquest.env},
        summary=summary,
        verdict=replace(verdict, changes=told),
        before=(*record.before, record.basis) if was_judged and not same else record.before,
    )
    return with_experiment(amended, replace(run, judged=inquest.now))
