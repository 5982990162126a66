"""How stored cases become goldens: what is brought along, what is refused, and what is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import typer

from replay.cases import read_golden
from replay.causes import worded
from replay.cli.inputs import from_here, goldens_folder, project_of_folders
from replay.curation.changes import Change, Desk
from replay.curation.promote import Promotion, golden_name, promote
from replay.curation.sessions import needs_session
from replay.documents import shown
from replay.errors import InputError, SettingsError
from replay.models import Result, Side
from replay.placeholders import secrets_in
from replay.privacy import TOKEN
from replay.store.base import RunRecord
from replay.store.sqlite import SqliteStore


def promotion_of(
    record: RunRecord,
    result: Result,
    folder: Path,
    *,
    cause: int | None,
    why: str | None = None,
    name: str | None = None,
    expect: Side | None = None,
    before: Sequence[Result] = (),
) -> Promotion:
    """Return the golden that a stored case becomes; `cause` is the place of its cause in the run.

    Raise InputError where it cannot be one.
    """
    require_meant([*before, result])
    clusters = record.summary.clusters if record.summary is not None else ()
    title = "" if cause is None else clusters[cause].title
    title = worded(clusters[cause].ways[0]) if cause is not None and TOKEN.search(title) else title
    made = partial(
        promote,
        result,
        run=record.id,
        run_seed=record.settings["seed"],
        instant=datetime.fromisoformat(record.settings["instant"]),
        day=record.started.date(),
        why=why,
        expect=expect,
        before=before,
        cause=title,
    )
    promotion = made(name=name)
    if name is None and title and _golden_path(folder, promotion.id).exists():
        # Another case of the same cause was promoted before.
        request = result.case.request
        return made(name=golden_name(request.method, request.path, result.case.id))
    return promotion


def require_meant(results: Sequence[Result]) -> None:
    """Raise InputError for a recorded request that holds `{{secret.NAME}}` as text: a golden would send the secret."""
    requests = [(it.case, request) for it in results if it.case.kind == "traffic" for request in it.case.requests]
    named = [(case, name) for case, request in requests for _part, name in secrets_in(request)]
    secrets = project_of_folders().settings.secrets if named else {}
    for case, name in named:
        if name not in secrets or not secrets[name].traffic:
            fact = f"'{case.id}' cannot be promoted: it was recorded with {{{{secret.{shown(name)}}}}} as text"
            hint = f"where you put it there, say in the settings: secrets: {{{shown(name)}: {{traffic: true}}}}"
            raise InputError(f"{fact}, which stands for the secret in a golden", place=case.place or None, hint=hint)


def new_golden(promotion: Promotion, folder: Path) -> Change:
    """Return the change that writes a golden's file. Raise InputError where its name is none, or taken."""
    path = _golden_path(folder, promotion.id)
    if path.exists():
        raise InputError("there is a golden here already", place=str(path), hint="choose another --name")
    read_golden(promotion.text, promotion.id, path)  # what we write, we can read
    return Change(path, None, promotion.text.encode())


def write_golden(promotion: Promotion, folder: Path | None) -> None:
    """Write a golden below a folder, else that of the settings, and say so. Raise InputError where that cannot be."""
    change = new_golden(promotion, goldens_folder(folder))
    Desk().make(change)
    typer.echo(f"{change.name} is written: say in it why the case matters, then commit it.")
    for note in notes_of(promotion):
        typer.echo(note)


def notes_of(promotion: Promotion) -> Iterator[str]:
    """Yield what to know of a golden that stands in no line of it."""
    for secret in promotion.secrets:
        yield f"{{{{secret.{secret}}}}} stands for a secret: say under `secrets:` in replay.yaml where it is."
    for header in promotion.left_out:
        yield f"{header} is left out, since it holds a secret: give it to both sides by `headers:` in replay.yaml."
    if promotion.masked:
        yield f"{promotion.masked} values stand for masked ones: put test data in their place where it matters."


def session_before(kept: SqliteStore, record: RunRecord, result: Result, wanted: bool | None) -> list[Result]:
    """Return what was sent in a case's session before it, in its order; nothing where that is not wanted."""
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


def _golden_path(folder: Path, name: str) -> Path:
    """Return where a golden goes. Raise InputError for a name that no golden can have."""
    require_golden_name(name)
    return from_here(folder / f"{name}.yaml")


def require_golden_name(name: str) -> None:
    """Raise InputError for a name that leaves the folder, or that no file can have."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or not part.isprintable() or len(part) > 100 for part in parts):  # noqa: PLR2004
        raise InputError(f"'{name[:100]}' is no name for a golden", hint="write words and slashes: checkout/leap-day")
