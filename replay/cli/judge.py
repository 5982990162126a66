"""`replay judge`: stored runs judged again, under other rules or criteria, without sending anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.cli.rejudging import Court
    from replay.cli.reporting import Reports
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("judge", epilog='Example: replay judge --criterion "deviation < 1%"')(judge)


def judge(
    run: options.RunIds = None,
    experiment: options.Experiments = None,
    criterion: options.Criteria = None,
    gate: options.Gate = None,
    report: options.Reports = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Judge stored runs again by the rules and criteria of now; send nothing.

    Of several runs each is judged, and all together decide the exit code. What was judged before is kept.
    Runs of experiments are judged while they grow: without RUN, those that are open, and the newest of each decides.
    """
    from datetime import UTC, datetime

    from replay.cli.experiments import ExperimentJudge, judge_experiments
    from replay.cli.rejudging import court_for
    from replay.cli.reporting import parse_reports
    from replay.cli.stored import opened_store

    reports = parse_reports(report or ())
    with opened_store(store) as kept:
        experiments = _experiments(kept, run or (), experiment or ())
        if experiments:
            by = ExperimentJudge(kept, datetime.now(UTC), sentences=criterion or (), gate=gate, env=env)
            raise typer.Exit(judge_experiments(by, kept, experiments, reports, named=bool(run)))
        records = _records(kept, run or [None])
        court = court_for(kept, records, tuple(criterion or ()), gate, env)
        raise typer.Exit(_judged(kept, records, court, reports))


def _experiments(kept: SqliteStore, runs: Sequence[str | None], patterns: Sequence[str]) -> list[RunRecord]:
    """Return the runs of experiments that are meant, none where others are. Raise InputError where both are."""
    from replay.cli.experiments import name_of, runs_of
    from replay.errors import InputError, SettingsError

    if patterns and runs:
        raise SettingsError("--experiment and RUN both say what to judge", hint="leave one of them out")
    if patterns:
        return runs_of(kept, patterns)
    named = {record.id: record for record in (kept.run(run) for run in (runs or [None]))}
    found = [record for record in named.values() if name_of(record)]
    if found and len(found) < len(named):
        other = next(record.id for record in named.values() if not name_of(record))
        fact = f"run {found[0].id} is of an experiment, and run {other} of none"
        raise InputError(fact, hint="judge them one by one: together they are evidence for no one thing")
    return found if runs or not found else runs_of(kept)


def _records(kept: SqliteStore, runs: Sequence[str | None]) -> list[RunRecord]:
    """Return the runs, each once. Raise InputError for those that cannot be judged, or not together."""
    from replay.cli.rejudging import require_alike
    from replay.cli.stored import closed_run

    records = {record.id: record for record in (closed_run(kept, run) for run in runs)}
    require_alike(list(records.values()))
    return list(records.values())


def _judged(kept: SqliteStore, records: Sequence[RunRecord], court: Court, reports: Reports) -> int:
    """Judge the runs, keep what comes of it, report, and return the exit code."""
    from contextlib import ExitStack

    from replay.cli.progress import Progress
    from replay.cli.reporting import write_and_print
    from replay.engine.judging import Together, all_judged_again
    from replay.store.claim import claimed
    from replay.store.rejudging import rejudging

    with ExitStack() as stack:
        for record in records:
            stack.enter_context(claimed(kept.path, record.id))
        views = [stack.enter_context(rejudging(kept, record.id)) for record in records]
        with Progress(sum(kept.count(record.id) for record in records), "judging") as progress:
            runs = all_judged_again(list(zip(views, records, strict=True)), court.terms, progress.watch)
        summary, verdict = court.answer(runs)
        for each in runs:
            each.view.keep(court.judged(each))
        write_and_print(reports, summary, Together(runs), verdict)
    return verdict.exit_code
