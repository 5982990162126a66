"""`replay promote`: a stored case becomes a golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from typing import Literal

    from replay.curation import Promotion
    from replay.models import Result
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("promote", epilog="Example: replay promote c-1842 --why 'INC-1042: charged twice'")(promote)


def promote(
    id: options.CaseId,  # noqa: A002 - the glossary's word
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Say why the case is worth keeping.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Call it NAME, as in checkout/leap-day.")] = None,
    expect: Annotated[
        str | None, typer.Option(metavar="SIDE", help="Expect from now on what old or new answered.")
    ] = None,
    goldens: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="REPLAY_GOLDENS", help="Write below DIR.")
    ] = None,
    session: Annotated[
        bool | None,
        typer.Option("--session/--alone", help="Bring what led to it in its session; by itself, where it uses that."),
    ] = None,
    run: options.FromRun = None,
    store: options.Store = None,
) -> None:
    """Write a stored case into goldens/, as a file to review and commit."""
    from replay.cli.stored import opened_store

    with opened_store(store) as kept:
        promotion = _promotion(kept, id, run, name, why, _side(expect), session)
    written(promotion, goldens)


def written(promotion: Promotion, folder: Path | None) -> None:
    """Write a golden below a folder, else that of the settings, and say so. Raise InputError where that cannot be."""
    from replay.cases import read_golden
    from replay.cli.output import write_new

    path = _golden_path(_folder(folder), promotion.id)
    read_golden(promotion.text, promotion.id, path)  # what we write, we can read
    write_new(path, promotion.text)
    typer.echo(f"{path} is written: say in it why the case matters, then commit it.")
    for secret in promotion.secrets:
        typer.echo(f"{{{{secret.{secret}}}}} stands for a secret: say under `secrets:` in replay.yaml where it is.")
    for header in promotion.left_out:
        typer.echo(
            f"{header} is left out, since it holds a secret: give it to both sides by `headers:` in replay.yaml."
        )


def _side(text: str | None) -> Literal["old", "new"] | None:
    from replay.errors import SettingsError

    if text not in (None, "old", "new"):
        raise SettingsError(f"--expect {text}: there is no such side", hint="write old or new")
    return text  # type: ignore[return-value]


def _promotion(
    kept: SqliteStore,
    key: str,
    run: str | None,
    name: str | None,
    why: str | None,
    expect: Literal["old", "new"] | None,
    session: bool | None,
) -> Promotion:
    from datetime import datetime

    from replay.cli.stored import cases_called
    from replay.curation import promote as promotion_of

    record, found = cases_called(kept, key, run)
    return promotion_of(
        found[0],
        run=record.id,
        run_seed=record.settings["seed"],
        instant=datetime.fromisoformat(record.settings["instant"]),
        name=name,
        why=why,
        expect=expect,
        before=_before(kept, record, found[0], session),
    )


def _before(kept: SqliteStore, record: RunRecord, result: Result, wanted: bool | None) -> list[Result]:
    """Return what was sent in a case's session before it, in its order; nothing where that is not wanted."""
    from replay.curation import needs_session
    from replay.errors import SettingsError

    case = result.case
    if wanted is False or (wanted is None and not needs_session(case)):
        return []
    if case.session is None:
        raise SettingsError(f"--session: '{case.id}' has no session", hint="leave it out")
    earlier: list[str] = []
    for each in kept.in_order(record.id):
        if (each.case.session, each.case.turn) != (case.session, case.turn):
            continue
        if each.case.identity == case.identity:
            break
        earlier += [each.case.identity] if each.outcome != "skipped" else []
    several = (kept.find(identity, record.id) for identity in earlier)
    return [next(it for it in found if it.case.turn == case.turn) for found in several]


def _folder(given: Path | None) -> Path:
    """Return the folder that `replay run` reads goldens from."""
    from replay.cli.inputs import project_of_folders

    if given is not None:
        return given
    project = project_of_folders()
    return project.root / (project.settings.goldens or "goldens")


def _golden_path(folder: Path, name: str) -> Path:
    """Return where a golden goes. Raise InputError for a name that leaves the folder, and for one that is taken."""
    from replay.errors import InputError

    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or not part.isprintable() or len(part) > 100 for part in parts):  # noqa: PLR2004
        raise InputError(f"'{name[:100]}' is no name for a golden", hint="write words and slashes: checkout/leap-day")
    path = folder.joinpath(*parts[:-1], f"{parts[-1]}.yaml")
    if path.exists():
        raise InputError("there is a golden here already", place=str(path), hint="choose another --name")
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
