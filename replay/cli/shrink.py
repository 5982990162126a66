"""`replay shrink`: the smallest request that still shows the same cause."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from replay.cli.planning import Flags
    from replay.curation.promote import Promotion
    from replay.curation.shrinking import Shrunk, Size
    from replay.engine import Plan
    from replay.models import Case, Result

Sends = Annotated[
    int, typer.Option("--sends", metavar="N", min=5, help="Send at most N cases, each once to either side.")
]
Write = Annotated[bool, typer.Option("--write", help="Write it into goldens/; it is only printed otherwise.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="Call it NAME, as in checkout/leap-day.")]
Why = Annotated[str | None, typer.Option(metavar="TEXT", help="Say why the case is worth keeping.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("shrink", epilog="Example: replay shrink c-1842 --write")(shrink)


def shrink(
    id: Annotated[str, typer.Argument(metavar="ID", help="A case's id.")],  # noqa: A002 - the glossary's word
    sends: Sends = 200,
    write: Write = False,
    name: Name = None,
    why: Why = None,
    session: options.WithSession = None,
    old: options.Old = None,
    new: options.New = None,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    writable: options.Writable = None,
    seed: options.Seed = None,
    freeze: options.Freeze = None,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Find the smallest request on which new still departs in the same way, and print it as a golden.

    Steps, query, headers and body are tried out on both sides, live, under one instant and seed. Out of sends,
    interrupted or not confirmed, it prints what it has so far, writes nothing and ends with 3, or 130; called again, it
    goes on from there.
    """
    from replay.cases.chosen import Choice
    from replay.cli.flags import instant_of, writable_side
    from replay.cli.planning import Flags
    from replay.cli.promoting import require_golden_name, write_golden
    from replay.store.place import default_store

    if name is not None:
        require_golden_name(name)
    flags = Flags(
        old=old,
        new=new,
        traffic=tuple(traffic or ()),
        goldens=goldens,
        choice=Choice(only=(id,)),
        noise=0,
        writable=writable_side(writable),
        seed=seed,
        freeze=instant_of(freeze),
        env=env,
        sends=True,
    )
    file = store or default_store()
    plan, case = _to_shrink(flags, id, file, session)
    found = _shrunk(plan, case, file, sends)
    _say(case, found)
    promotion = _promotion(plan, found, name, why)
    if write and found.result is not None:
        write_golden(promotion, Path(goldens) if goldens is not None else None)
    else:
        _print(promotion)
    raise typer.Exit(130 if found.interrupted else 0 if found.result is not None else 3)


def _to_shrink(flags: Flags, key: str, store: Path, session: bool | None) -> tuple[Plan, Case]:
    """Return the case of this id, with its session where that is wanted or needed, and the plan to ask the sides by."""
    from dataclasses import replace

    from replay.cases.chosen import Choice
    from replay.cli.planning import make_plan, project_for
    from replay.cli.probes import one_at_a_time, the_case
    from replay.cli.session_steps import with_session

    project = project_for(flags)
    plan = one_at_a_time(make_plan(project, flags))
    everything = replace(flags, choice=Choice())
    case = the_case(plan, key)
    return plan, with_session(plan, lambda: make_plan(project, everything).cases, case, store, wanted=session)


def _shrunk(plan: Plan, case: Case, store: Path, sends: int) -> Shrunk:
    from dataclasses import replace

    from replay.cli.output import remark
    from replay.cli.probes import Memory, fixed
    from replay.cli.progress import Progress
    from replay.curation.shrinking import Shrinker
    from replay.engine.probing import probing

    # A captured case that became a scenario is about its last request; what led to it may depart by itself.
    at_step = case.steps[-1].name if case.steps and case.kind == "traffic" else None
    case = fixed(plan, case)
    with (
        Memory.of(store, plan, case) as memory,
        probing(plan, store, tell=remark) as probe,
        Progress(None, "shrinking") as progress,
    ):
        case = replace(case, freeze=memory.instant)
        probe.require(case)

        def send(asked: Case) -> Result:
            result = probe.results([asked])[0]
            progress.tick()
            return result

        found = Shrinker(case, send, sends=sends, known=memory).shrunk(at_step)
        if found.result is not None or found.refuted:
            memory.forget()
        return found


def _say(case: Case, found: Shrunk) -> None:
    from replay.causes import worded
    from replay.cli.output import say

    at = f", at the step {found.step}" if found.step else ""
    say(f"{case.id}: {worded(found.way)}{at}")
    say(f"before  {_measured(found.before)}")
    say(f"after   {_measured(found.after)}")
    remembered = f", and {found.remembered:,} answers of an earlier try" if found.remembered else ""
    say(f"by {found.sends:,} cases sent{remembered}")
    if found.flaky:
        say("it does not show it each time: everything was asked up to three times")
    if found.why:
        further = "begins anew: what it depends on changes by what is sent" if found.refuted else "goes on from here"
        say(f"not to the end: {found.why}; nothing is written, and `replay shrink` {further}")


def _measured(size: Size) -> str:
    parts = [f"{size.steps} step{'s' if size.steps > 1 else ''}"] if size.steps else []
    return ", ".join([*parts, f"{size.query} in the query", f"{size.headers} headers", f"{size.body:,} bytes of body"])


def _promotion(plan: Plan, found: Shrunk, name: str | None, why: str | None) -> Promotion:
    """Return the golden that the smallest case is, without its secrets."""
    from dataclasses import replace

    from replay.causes import worded
    from replay.cli.probes import promotion_of
    from replay.curation.dependence import plain
    from replay.models import Result

    said = why or f"shrunk from {found.case.id}: {worded(found.way)}"
    # A golden that is a scenario stays one: its rules may speak of its step.
    case = plain(found.case) if found.case.kind == "traffic" else found.case
    if found.result is None:
        return promotion_of(plan, Result(case, "deviation"), why=said, name=name)
    # What is left matters, whatever it is called.
    return promotion_of(plan, replace(found.result, case=case), why=said, name=name, telling=lambda *_: True)


def _print(promotion: Promotion) -> None:
    from replay.cli.output import printing, say
    from replay.cli.promoting import notes_of

    with printing() as out:
        out.write(f"# goldens/{promotion.id}.yaml\n{promotion.text}")
    for note in notes_of(promotion):
        say(note)
