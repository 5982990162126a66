"""`replay merge`: the shards of a run, from one store or several, as one run with one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from replay.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from replay.cli.reporting import Reports
    from replay.engine.merging import Shard


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "replay merge --store 1.sqlite --store 2.sqlite --report junit:replay.xml"
    app.command("merge", epilog=f"Example: {example}")(merge)


def merge(
    run: options.RunIds = None,
    store: options.Stores = None,
    into: options.Into = None,
    report: options.Reports = None,
    env: options.Env = None,
) -> None:
    """Join the shards of a run (--shard i/n --collect) into one run with one verdict.

    Takes the newest shards of each store, or the runs that are named. Shards that overlap, or that rest on something
    else, are refused; where one is missing the run is incomplete.
    """
    from contextlib import ExitStack

    from replay.cli.reporting import parse_reports
    from replay.cli.shards import require_one_run, shards_in
    from replay.cli.stored import opened_store
    from replay.store.place import default_store

    reports = parse_reports(report or ())
    with ExitStack() as stack:
        stores = [stack.enter_context(opened_store(path)) for path in dict.fromkeys(store or [default_store()])]
        shards = shards_in(stores, run or ())
        require_one_run(shards)
        target = into or (stores[0].path if len(stores) == 1 else default_store())
        raise typer.Exit(_merged(target, shards, reports, env))


def _merged(target: Path, shards: list[Shard], reports: Reports, env: str | None) -> int:
    """Join the shards, report, and return the exit code."""
    from replay.cli.output import Progress
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
