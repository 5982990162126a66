"""`replay drift`: how often old and new of an experiment disagreed, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from replay.models import DriftUnit

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[EXPERIMENT]...", help="Experiments whose name is or matches this; all otherwise."),
]
By = Annotated[
    str | None, typer.Option(metavar="UNIT", help="One line an hour or a day; by hour where it is three days at most.")
]
Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Leave out what is older: 2026-10-31, an instant, or 7d.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drift", epilog="Example: replay drift needs-draft --by day --since 30d")(drift)


def drift(
    experiment: Names = None,
    by: By = None,
    since: Since = None,
    json: options.AsJson = False,
    store: options.Store = None,
) -> None:
    """Chart the share of disagreeing calls of experiments over time, with whose answer was used."""
    from replay.cli.experiments import runs_of
    from replay.cli.flags import past_instant
    from replay.cli.output import printing
    from replay.cli.progress import Progress
    from replay.cli.stored import opened_store
    from replay.engine.drifting import drifts
    from replay.reports.drift import write_drifts, write_json_drifts

    unit = _unit(by)
    begin = None if since is None else past_instant(since, "--since")
    with opened_store(store) as kept:
        records = runs_of(kept, experiment or ())
        with Progress(None, "reading") as progress:
            found = drifts(kept, records, unit, begin, progress.tick)
    with printing() as out:
        if json:
            write_json_drifts(out, found)
        elif found:
            write_drifts(out, found)
        else:
            out.write("no call is stored since then\n")


def _unit(text: str | None) -> DriftUnit | None:
    from replay.errors import SettingsError

    if text not in (None, "hour", "day"):
        raise SettingsError(f"--by {text}: there is no such unit", hint="write hour or day")
    return text  # type: ignore[return-value]
