"""`replay promote`: a stored case becomes a golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options
from replay.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from replay.curation.changes import Change
    from replay.curation.promote import Promotion
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
    session: options.WithSession = None,
    traffic: Annotated[
        str | None, typer.Option(metavar="FILE", help="Take it from recorded traffic, as it was recorded.")
    ] = None,
    run: options.FromRun = None,
    store: options.Store = None,
) -> None:
    """Write a stored or recorded case into goldens/, as a file to review and commit."""
    from replay.cli.stored import cases_called, cause_place, opened_store

    side = side_called(expect)
    folder = goldens_folder(goldens)
    if traffic is not None:
        if run is not None or session:
            raise SettingsError("--traffic takes one case, of no run", hint="leave --run and --session out")
        written(_recorded(traffic, id, why=why, name=name, expect=side), folder)
        return
    with opened_store(store) as kept:
        record, found = cases_called(kept, id, run)
        place = cause_place(kept, record, found[0])
        before = session_of(kept, record, found[0], session)
        promotion = promotion_of(record, found[0], folder, cause=place, why=why, name=name, expect=side, before=before)
    written(promotion, folder)


def _recorded(
    pattern: str, wanted: str, *, why: str | None, name: str | None, expect: Literal["old", "new"] | None
) -> Promotion:
    """Return the golden that a recorded case becomes; old's answer is the recorded one. Raise InputError for none."""
    from datetime import UTC, datetime

    from replay.cases import open_traffic
    from replay.cli.inputs import traffic_files
    from replay.curation.promote import promote
    from replay.models import Result

    for path in traffic_files([pattern], Path()):
        for case in open_traffic(path, skip_bad=True):
            if wanted in (case.id, case.correlation_id):
                now = datetime.now(UTC)
                because = why or f"recorded in {path.name}"
                result = Result(case, "skipped", old=case.recorded)
                require_meant([result])
                return promote(result, run="", run_seed=0, instant=now, why=because, name=name, expect=expect)
    raise InputError(f"no recorded case is called '{wanted}'", place=pattern, hint="its id is that of the record")


def promotion_of(
    record: RunRecord,
    result: Result,
    folder: Path,
    *,
    cause: int | None,
    why: str | None = None,
    name: str | None = None,
    expect: Literal["old", "new"] | None = None,
    before: Sequence[Result] = (),
) -> Promotion:
    """Return the golden that a stored case becomes; `cause` is the place of its cause in the run.

    Raise InputError where it cannot be one.
    """
    from datetime import datetime
    from functools import partial

    from replay.causes import worded
    from replay.curation.promote import golden_name, promote
    from replay.privacy import TOKEN

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
    """Raise InputError where somebody who was recorded wrote the name of a secret: a golden fills it in."""
    from replay.cli.inputs import project_of_folders
    from replay.documents import shown
    from replay.placeholders import secrets_in

    requests = [(it.case, request) for it in results if it.case.kind == "traffic" for request in it.case.requests]
    named = [(case, name) for case, request in requests for _part, name in secrets_in(request)]
    secrets = project_of_folders().settings.secrets if named else {}
    for case, name in named:
        if name not in secrets or not secrets[name].traffic:
            fact = f"'{case.id}' cannot be promoted: it was recorded with {{{{secret.{shown(name)}}}}} as text"
            hint = f"where you put it there, say in the settings: secrets: {{{shown(name)}: {{traffic: true}}}}"
            raise InputError(f"{fact}, which stands for the secret in a golden", place=case.place or None, hint=hint)


def promoted(promotion: Promotion, folder: Path) -> Change:
    """Return the file that a golden becomes. Raise InputError where its name is none, or taken."""
    from replay.cases import read_golden
    from replay.curation.changes import Change

    path = _golden_path(folder, promotion.id)
    if path.exists():
        raise InputError("there is a golden here already", place=str(path), hint="choose another --name")
    read_golden(promotion.text, promotion.id, path)  # what we write, we can read
    return Change(path, None, promotion.text.encode())


def written(promotion: Promotion, folder: Path | None) -> None:
    """Write a golden below a folder, else that of the settings, and say so. Raise InputError where that cannot be."""
    from replay.curation.changes import Desk

    change = promoted(promotion, goldens_folder(folder))
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


def side_called(text: str | None) -> Literal["old", "new"] | None:
    """Return a side by its name. Raise SettingsError for another word."""
    if text not in (None, "old", "new"):
        raise SettingsError(f"--expect {text}: there is no such side", hint="write old or new")
    return text  # type: ignore[return-value]


def session_of(kept: SqliteStore, record: RunRecord, result: Result, wanted: bool | None) -> list[Result]:
    """Return what was sent in a case's session before it, in its order; nothing where that is not wanted."""
    from replay.curation.sessions import needs_session

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


def goldens_folder(given: Path | None) -> Path:
    """Return the folder that `replay run` reads goldens from."""
    from replay.cli.inputs import project_of_folders

    if given is not None:
        return given
    project = project_of_folders()
    return project.root / (project.settings.goldens or "goldens")


def _golden_path(folder: Path, name: str) -> Path:
    """Return where a golden goes. Raise InputError for a name that no golden can have."""
    require_golden_name(name)
    path = folder / f"{name}.yaml"
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def require_golden_name(name: str) -> None:
    """Raise InputError for a name that leaves the folder, or that no file can have."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or not part.isprintable() or len(part) > 100 for part in parts):  # noqa: PLR2004
        raise InputError(f"'{name[:100]}' is no name for a golden", hint="write words and slashes: checkout/leap-day")
