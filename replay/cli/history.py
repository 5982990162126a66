"""`replay history`: what the runs of a store found, by run and by day."""

from __future__ import annotations

import typer

from replay.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history", epilog="Example: replay history --last 14")(history)


def history(last: options.Last = None, json: options.AsJson = False, store: options.Store = None) -> None:
    """Print deviation, latency and number of cases of each run and day, with the versions; the newest last."""
    from itertools import islice

    from replay.cli.output import printing
    from replay.cli.stored import opened_store, past_run_of
    from replay.errors import InputError
    from replay.reports.history import write_history, write_json_history

    with opened_store(store) as kept:
        runs = [past_run_of(record) for record in islice(kept.runs(), last)][::-1]
        if not runs:
            raise InputError("the store holds no run", place=str(kept.path), hint="`replay run` makes one")
    with printing() as out:
        (write_json_history if json else write_history)(out, runs)
