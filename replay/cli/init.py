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
    """Write a commented replay.yaml and a first golden, ready for `replay run`."""
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
        _write_new(Path(name), text)
        typer.echo(f"wrote {name}")
    typer.echo("Next: replay run")


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, with the folders above it. Raise InputError where that cannot be."""
    from replay.errors import InputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise InputError("there is a file here already", place=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=str(path)) from None
