"""`replay plan`: how many cases the criteria need, and how many there are, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from replay.models import Summary
    from replay.verdict import Criterion

Expect = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Expect that so many depart, such as 0.1%; as in the last run otherwise."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", epilog="Example: replay plan --expect 0.1%")(plan)


def plan(
    expect: Expect = None,
    old: options.Old = None,
    new: options.New = None,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    only: options.Only = None,
    tag: options.Tag = None,
    shard: options.Shard = None,
    limit: options.Limit = None,
    skip_bad: options.SkipBad = False,
    writable: options.Writable = None,
    gate: options.Gate = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Tell how many cases each criterion needs, beside how many are selected; send nothing.

    Exit code 0 where they are enough, if everything goes as expected, and 3 where they are not.
    """
    from replay.cli.flags import choice_of, writable_side
    from replay.cli.output import printing
    from replay.cli.planning import Flags, make_plan, project_for
    from replay.engine.forecast import forecasts
    from replay.reports.forecast import is_enough, write_forecast

    flags = Flags(
        old=old,
        new=new,
        traffic=tuple(traffic or ()),
        goldens=goldens,
        choice=choice_of(only, tag, shard, limit),
        writable=writable_side(writable),
        gate=gate,
        env=env,
        skip_bad=skip_bad,
    )
    rate_of, source = _rates(expect, store)
    made = make_plan(project_for(flags), flags)
    selection, found = forecasts(made, rate_of)
    with printing() as out:
        write_forecast(out, selection, found, source)
    raise typer.Exit(0 if is_enough(found) else 3)


def _rates(expect: str | None, store: Path | None) -> tuple[Callable[[Criterion], float], str]:
    """Return which share is expected to depart of each criterion, and where that comes from, in words."""
    from replay.cli.flags import share_of
    from replay.cli.stored import sent_runs
    from replay.store.place import default_store
    from replay.store.sqlite import SqliteStore

    if expect is not None:
        rate = float(share_of("--expect", expect, "the cases", "0.1%, or 0%", may_be_all=False))
        return lambda _criterion: rate, "as given by --expect"
    path = store or default_store()
    if path.exists():
        with SqliteStore.open(path, create=False) as kept:
            last = next((record for record in sent_runs(kept) if record.state == "complete"), None)
        if last is not None and last.summary is not None:
            summary = last.summary
            return lambda criterion: departed(summary, criterion.clause.family), f"as in run {last.id}"
    return lambda _criterion: 0.0, "that nothing departs, since there is no run yet to learn from"


def departed(summary: Summary, family: str) -> float:
    """Return which share of a run's cases departed in the way that a criterion of this family counts."""
    own = sum(cases for name, cases in summary.errors.items() if name.startswith("new "))
    counts = summary.counts
    counted: Mapping[str, tuple[int, int]] = {
        "deviation": (counts.deviating + own, counts.compared + own),
        "errors": (own, counts.loaded - counts.skipped),
        "availability": (own, counts.loaded - counts.skipped),
        "timeouts": (summary.errors.get("new timeout", 0), counts.loaded - counts.skipped),
    }
    some, of = counted.get(family, (0, 0))
    return some / of if of else 0.0
