"""`replay merge`: the shards of a run, from one store or several, as one run with one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from replay.cli.reporting import Reports
    from replay.engine.merging import Shard
    from replay.store.sqlite import SqliteStore


Experiments = Annotated[
    list[str] | None,
    typer.Option(
        "--experiment", metavar="PATTERN", help="Join runs of experiments whose name is or matches PATTERN; repeatable."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "replay merge --store 1.sqlite --store 2.sqlite --report junit:replay.xml"
    app.command("merge", epilog=f"Example: {example}")(merge)


def merge(
    run: options.RunIds = None,
    store: options.Stores = None,
    into: options.Into = None,
    experiment: Experiments = None,
    report: options.Reports = None,
    env: options.Env = None,
) -> None:
    """Join the shards of a run (--shard i/n --collect) into one run with one verdict.

    Takes the newest shards of each store, or the runs that are named. Shards that overlap, or that rest on something
    else, are refused; where one is missing the run is incomplete. With --experiment, runs of experiments from several
    machines are joined into a new store, which `replay judge` then judges.
    """
    from contextlib import ExitStack

    from replay.cli.reporting import parse_reports
    from replay.cli.shards import require_one_run, shards_in
    from replay.cli.stored import opened_store
    from replay.store.place import default_store

    reports = parse_reports(report or ())
    with ExitStack() as stack:
        # Whatever a file is called: one that is named twice would have its losses counted twice.
        paths = {path.resolve(): path for path in store or [default_store()]}.values()
        stores = [stack.enter_context(opened_store(path)) for path in paths]
        if experiment:
            _join_experiments(stores, experiment, into, given=bool(run or reports))
            return
        shards = shards_in(stores, run or ())
        require_one_run(shards)
        target = into or (stores[0].path if len(stores) == 1 else default_store())
        raise typer.Exit(_merged(target, shards, reports, env))


def _merged(target: Path, shards: list[Shard], reports: Reports, env: str | None) -> int:
    """Join the shards, report, and return the exit code."""
    from replay.cli.progress import Progress
    from replay.cli.reporting import write_and_print
    from replay.cli.shards import record_of, terms_of
    from replay.engine.merging import merged
    from replay.store.claim import at_work
    from replay.store.sqlite import SqliteStore

    record = record_of(shards)
    terms = terms_of(record, env)
    with SqliteStore.open(target) as into, at_work(target):
        with Progress(sum(shard.store.count(shard.record.id) for shard in shards), "merging") as progress:
            finished = merged(into, record, shards, terms, progress.watch)
        write_and_print(reports, finished.summary, into.in_order(record.id), finished.verdict)
    return finished.verdict.exit_code if finished.verdict is not None else 3


def _join_experiments(
    stores: Sequence[SqliteStore], patterns: Sequence[str], into: Path | None, *, given: bool
) -> None:
    """Join runs of experiments in a new store, which is there once it is whole."""
    from replay.cases.writing import appearing
    from replay.cli.experiments import runs_of
    from replay.cli.output import remark
    from replay.cli.progress import Progress
    from replay.engine.joining import joined
    from replay.errors import SettingsError
    from replay.store.sqlite import SqliteStore

    if given:
        raise SettingsError("--experiment joins all runs, and judges none", hint="leave RUN and --report out")
    if into is None or into.exists():
        fact = "--experiment needs a store of its own" if into is None else f"--into {into}: there is a file already"
        hint = "name a new one with --into: who joined twice into one would count losses twice"
        raise SettingsError(fact, hint=hint)
    parts = [(kept, record) for kept in stores for record in runs_of(kept, patterns)]
    with appearing(into) as whole:
        total = sum(kept.count(record.id) for kept, record in parts)
        with SqliteStore.open(whole) as store, Progress(total, "joining") as progress:
            joined(store, parts, lambda _outcome, n=1: progress.tick(n))
    remark(f"{total:,} calls of {len(stores):,} stores are in {into}; `replay judge --store {into}` judges them")
