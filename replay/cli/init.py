"""`replay init`: settings to begin with, and a first golden that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", epilog="Example: replay init --old http://localhost:8001 --new http://localhost:8002")(init)


def init(
    old: Annotated[
        str | None, typer.Option(metavar="X", help="What users depend on: a URL or module:attribute.")
    ] = None,
    new: Annotated[str | None, typer.Option(metavar="X", help="What is to replace it.")] = None,
) -> None:
    """Write a commented replay.yaml and a first golden; `replay run` then says GO."""
    from replay.cli.output import write_new
    from replay.curation.beginning import beginning
    from replay.errors import InputError
    from replay.targets import build_target, parse_target

    if (old is None) != (new is None):
        raise InputError("a comparison has two sides", hint="give both --old and --new, or neither")
    for side in (old, new):
        if side is not None:
            build_target(parse_target(side), concurrency=1)
    files = beginning(old, new)
    for name in files:
        if Path(name).exists():
            raise InputError("this file is here already", place=name, hint="`replay init` overwrites nothing")
    for name, text in files.items():
        write_new(Path(name), text)
        typer.echo(f"wrote {name}")
    typer.echo("Next: replay run")
