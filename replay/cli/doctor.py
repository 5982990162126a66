"""`replay doctor`: what would spoil a run, found before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replay.cli.sides import Sides
    from replay.config import Project
    from replay.engine.doctor import Finding, Health
    from replay.errors import TargetError
    from replay.reports.page import Line

_INDENT = 21
_MEND = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Example: replay doctor --new http://localhost:8002")(doctor)


def doctor(
    old: options.Old = None,
    new: options.New = None,
    within: Annotated[str, typer.Option(metavar="TIME", help="Wait no longer than TIME for an answer.")] = "5s",
    as_json: options.AsJson = False,
    store: options.Store = None,
    env: options.Env = None,
) -> None:
    """Look for what would spoil a run; the exit code is 3 where something is to mend."""
    from replay.cli.flags import seconds_of
    from replay.cli.output import printing
    from replay.cli.planning import Flags, project_for
    from replay.cli.sides import planned_sides
    from replay.store.place import default_store

    seconds = seconds_of("--within", within)
    project = project_for(Flags(env=env))
    health = _health(project, planned_sides(project, old, new, None), store or default_store(), seconds)
    with printing() as out:
        (_write_json if as_json else _write_page)(out, health)
    raise typer.Exit(0 if health.well else _MEND)


def _health(project: Project, planned: Sides, file: Path, seconds: float) -> Health:
    """Return what is found of this machine and of both sides, those that are commands started for it."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from replay.cli.confiding import Uses, with_secrets
    from replay.cli.masking import redactor_for
    from replay.cli.output import remark
    from replay.cli.side_secrets import given_secrets
    from replay.engine.doctor import check_up
    from replay.engine.doctor.machine import machine
    from replay.engine.standing import standing
    from replay.errors import TargetError

    confidence = with_secrets(Uses(project), planned.specs, sends=True)
    planned = replace(planned, specs=confidence.sides)
    redactor = redactor_for(project, given_secrets(planned.specs) | confidence.values)
    here = (_settings(project), *machine(file, redactor.key))
    clean = redactor.line
    stage = planned.stage(clean, datetime.now(UTC))
    specs = planned.showing(clean)
    try:
        with standing(specs, stage, file, "doctor", tell=remark) as sides:
            return check_up(sides, seconds=seconds, machine=here)
    except TargetError as error:
        others = {side: spec for side, spec in specs.items() if spec.run is None}
        return check_up(others, seconds=seconds, machine=(_not_started(error), *here))


def _settings(project: Project) -> Finding:
    from replay.engine.doctor import Finding

    if project.file is None:
        return Finding("settings", "note", "there are none, so the defaults hold", "`replay init` writes first ones")
    rules, criteria = len(project.settings.compare), sum(map(len, project.settings.gates.values()))
    fact = f"{project.file.name} makes sense; rules: {rules}, criteria: {criteria}"
    if not criteria:
        return Finding("settings", "note", fact, "write `cut_when` before the run; without it a default is judged")
    return Finding("settings", "well", fact)


def _not_started(error: TargetError) -> Finding:
    """Return that a command does not start: what the error says, and the last that the command printed."""
    from replay.engine.doctor import Finding

    fact, *output = error.fact.splitlines()
    printed = [line.strip().removeprefix("|").strip() for line in output]
    own = [line for line in printed if line and not line.startswith(("[replay]", "its output", "the other"))]
    last = list(dict.fromkeys(own))[-2:]
    where = next((line for line in printed if line.startswith("its output")), "")
    told = f"{fact}; it printed: {' | '.join(last)}" if last else fact
    return Finding("start", "mend", told, "; ".join(filter(None, (error.hint, where))), "commands")


# ------------------------------------------------------------------------------------------------------------- writing


def _write_json(out: TextIO, health: Health) -> None:
    import json
    from dataclasses import asdict

    document = {"well": health.well, "findings": [asdict(each) for each in health.findings]}
    out.write(json.dumps(document, indent=2) + "\n")


def _write_page(out: TextIO, health: Health) -> None:
    from replay.reports.page import columns, write_lines

    width = columns(None)
    write_lines(out, _lines(health, width), width)


def _lines(health: Health, width: int) -> Iterator[Line]:
    """Yield the page: how it is, then the machine and each side with what was found there."""
    from replay.inert import printable
    from replay.reports.page import title

    mend, known = health.count("mend"), health.count("note")
    yield _verdict(mend, known), "bold"
    for group in dict.fromkeys(each.side for each in health.findings):
        yield from title(printable(group, width) if group else "Here")
        for each in health.findings:
            if each.side == group:
                yield from _entry(each, width)


def _verdict(mend: int, known: int) -> str:
    notes = f"{known} {'thing' if known == 1 else 'things'} to know" if known else ""
    if not mend:
        return f"All is well, {notes}." if notes else "All is well."
    return f"{mend} {'thing' if mend == 1 else 'things'} to mend" + (f", {notes}." if notes else ".")


def _entry(each: Finding, width: int) -> Iterator[Line]:
    from replay.inert import printable
    from replay.reports.page import wrapped

    style = {"mend": "bold red", "note": "yellow"}.get(each.state, "")
    head = f"  {each.state}  {each.check:<11}"
    yield from wrapped(f"{head}  {printable(each.fact, 500)}", width, style=style, hang=_INDENT)
    if each.remedy:
        yield from wrapped(f"hint: {printable(each.remedy, 500)}", width, " " * _INDENT, hang=6)
