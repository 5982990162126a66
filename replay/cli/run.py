"""`replay run`: old and new on the same cases, compared and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from replay.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from replay.cli.reporting import Reports
    from replay.engine import Plan
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", epilog="Example: replay run --old http://localhost:8001 --new http://localhost:8002")(run)


def run(
    old: options.Old = None,
    new: options.New = None,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    only: options.Only = None,
    tag: options.Tag = None,
    shard: options.Shard = None,
    limit: options.Limit = None,
    skip_bad: options.SkipBad = False,
    no_check: options.NoCheck = False,
    concurrency: options.Concurrency = None,
    workers: options.Workers = 1,
    rate: options.Rate = None,
    speed: options.Speed = None,
    max_gap: options.MaxGap = None,
    order: options.Order = None,
    warmup: options.Warmup = 0,
    repeat: options.Repeat = None,
    duration: options.Duration = None,
    noise: options.Noise = None,
    writable: options.Writable = None,
    seed: options.Seed = None,
    freeze: options.Freeze = None,
    dry_run: options.DryRun = False,
    resume: options.Resume = False,
    label: options.Label = None,
    gate: options.Gate = None,
    collect: options.Collect = False,
    report: options.Reports = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Replay cases against old and new, compare, and answer GO, NO-GO or INCONCLUSIVE."""
    from replay.cli.dry_run import print_dry_run
    from replay.cli.flags import choice_of, instant_of, writable_side
    from replay.cli.labels import parse_labels
    from replay.cli.pacing import Pacing
    from replay.cli.planning import Flags, make_plan, project_for
    from replay.cli.reporting import parse_reports
    from replay.store.place import default_store

    flags = Flags(
        old=old,
        new=new,
        traffic=tuple(traffic or ()),
        goldens=goldens,
        choice=choice_of(only, tag, shard, limit),
        pacing=Pacing(
            concurrency=concurrency,
            workers=workers,
            rate=rate,
            speed=speed,
            max_gap=max_gap,
            order=order,
            warmup=warmup,
            repeat=repeat,
            duration=duration,
        ),
        noise=noise,
        writable=writable_side(writable),
        labels=parse_labels(label or ()),
        gate=gate,
        collect=collect,
        store=store,
        seed=seed,
        freeze=instant_of(freeze),
        env=env,
        check=not no_check,
        skip_bad=skip_bad,
        sends=not dry_run,
    )
    reports = parse_reports(report or ())
    plan = make_plan(project_for(flags), flags)
    if dry_run:
        print_dry_run(plan)
        return
    raise typer.Exit(_carry_out(plan, store or default_store(), reports, resume=resume))


def _carry_out(plan: Plan, store_file: Path, reports: Reports, *, resume: bool) -> int:
    from replay.cli.output import remark
    from replay.cli.progress import Progress
    from replay.cli.reporting import write_and_print
    from replay.engine import Run
    from replay.store.claim import claimed
    from replay.store.sqlite import SqliteStore

    with SqliteStore.open(store_file, create=not resume) as store:
        if resume:
            plan = plan.resumed(_record_to_resume(store, plan))
        with claimed(store_file, plan.record.id), Progress(plan.total) as progress:
            finished = Run(plan, store, progress.watch, progress.stop).carry_out(resumed=resume)
        results = store.in_order(plan.record.id)
        write_and_print(reports, finished.summary, results, finished.verdict)
    remark(plan.parting())
    for each in finished.left:
        remark(each)
    if finished.signalled is not None:
        return 128 + finished.signalled
    return finished.verdict.exit_code if finished.verdict else 0 if finished.summary.complete else 3


def _record_to_resume(store: SqliteStore, plan: Plan) -> RunRecord:
    """Return the newest run, if it was cut off and nothing that it rests on has changed since."""
    from replay.cli.fingerprint import changed_since
    from replay.cli.stored import sent_runs
    from replay.errors import SettingsError

    record = next(sent_runs(store), None)
    if record is None:
        raise SettingsError("the store holds no run that could go on", hint="begin one without --resume")
    if record.state == "complete":
        raise SettingsError(f"run {record.id} is complete: there is nothing to resume", hint="leave --resume out")
    changed = changed_since(record, plan)
    if changed:
        hint = "put them back, or begin anew without --resume"
        raise SettingsError(f"run {record.id} cannot go on: changed since are {', '.join(changed)}", hint=hint)
    return record
