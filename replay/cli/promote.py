"""`replay promote`: a stored case becomes a golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli import options

if TYPE_CHECKING:
    from replay.curation.promote import Promotion
    from replay.models import Side


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
    from replay.cli.flags import expected_side
    from replay.cli.inputs import goldens_folder
    from replay.cli.promoting import promotion_of, session_before, write_golden
    from replay.cli.stored import cases_called, cause_place, opened_store
    from replay.errors import SettingsError

    side = expected_side(expect)
    folder = goldens_folder(goldens)
    if traffic is not None:
        if run is not None or session:
            raise SettingsError("--traffic takes one case, of no run", hint="leave --run and --session out")
        write_golden(_recorded(traffic, id, why=why, name=name, expect=side), folder)
        return
    with opened_store(store) as kept:
        record, found = cases_called(kept, id, run)
        place = cause_place(kept, record, found[0])
        before = session_before(kept, record, found[0], session)
        promotion = promotion_of(record, found[0], folder, cause=place, why=why, name=name, expect=side, before=before)
    write_golden(promotion, folder)


def _recorded(pattern: str, wanted: str, *, why: str | None, name: str | None, expect: Side | None) -> Promotion:
    """Return the golden that a recorded case becomes; old's answer is the recorded one. Raise InputError for none."""
    from datetime import UTC, datetime

    from replay.cases import open_traffic
    from replay.cli.inputs import traffic_files
    from replay.cli.promoting import require_meant
    from replay.curation.promote import promote
    from replay.errors import InputError
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
