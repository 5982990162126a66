"""`replay record`: live traffic, passed on by a proxy or copied by a gateway, becomes captures without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from replay.cli.recording_plan import Asked
    from replay.live.couriers import Tally

_WHICH = "Which exchanges are kept"
_MUCH = "How much, and for how long"
_FAULT = 3
_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "Example: replay record --upstream http://localhost:8001 --listen 127.0.0.1:8090 --sample 5%"
    app.command("record", epilog=example)(record)


def record(
    upstream: Annotated[
        str | None, typer.Option(metavar="URL", help="Pass everything on to URL; to old, where settings name one.")
    ] = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Listen here; port 0 takes any.")] = "127.0.0.1:8090",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Take the copies that a gateway sends: answer at once, pass nothing on.")
    ] = False,
    out: Annotated[
        str, typer.Option(metavar="CAPTURE", help="Write numbered files of this name.")
    ] = "captures/recorded.jsonl.zst",
    sample: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Keep SHARE of it, such as 5%.", rich_help_panel=_WHICH)
    ] = None,
    sticky: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Sample whole users: header:x-user, cookie:sid or body.user.id.",
                     rich_help_panel=_WHICH),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT", help="Keep none of a route, group or expression; repeatable.",
                     rich_help_panel=_WHICH),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Tell sessions apart by header:x-user, cookie:sid or body.user.id.",
                     rich_help_panel=_WHICH),
    ] = None,
    max_body: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Keep nothing with a larger body; 1MB.", rich_help_panel=_WHICH)
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End after TIME; else by Ctrl-C.", rich_help_panel=_MUCH)
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Write SIZE at most, and pass on without keeping.", rich_help_panel=_MUCH),
    ] = None,
    file_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Begin another file after SIZE.", rich_help_panel=_MUCH)
    ] = "64MB",
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="Let in requests for HOST, or '*' for any; repeatable.")
    ] = None,
    env: options.Env = None,
) -> None:  # fmt: skip
    """Record live traffic: pass it on unchanged, and keep it with tokens for what is secret or personal.

    Traffic never waits for what is kept of it. What is not kept is counted, by reason. Ctrl-C ends it in good order.
    """
    from replay.cli.recording_plan import Asked

    asked = Asked(
        upstream=upstream,
        mirror=mirror,
        out=out,
        sample=sample,
        sticky=sticky,
        exclude=tuple(exclude or ()),
        session=session,
        max_body=max_body,
        duration=duration,
        budget=budget,
        file_size=file_size,
        hosts=tuple(allow_host or ()),
    )
    raise typer.Exit(_exit_code(_recorded(asked, listen, env)))


def _recorded(asked: Asked, listen: str, env: str | None) -> Tally:
    """Record what was asked for until somebody ends it; print what begins, and what came of it."""
    from replay.cli.planning import Flags, project_for
    from replay.cli.recording_plan import bound, listen_at, prepared, shown
    from replay.live.recording import record as record_live
    from replay.reports.recorded import Sums, write_begin, write_end

    project = project_for(Flags(env=env))
    with bound(listen) as sock:
        recording, remarks = prepared(asked, project, sock)
        listen_at(sock, listen)
        _say(lambda to: write_begin(to, shown(recording), remarks))
        tally = _watched(lambda watch: record_live(recording, watch))
    sums = Sums(tally.seen, tally.kept, tally.size, tally.files, tally.not_kept, tally.faults)
    _say(lambda to: write_end(to, sums))
    return tally


def _say(write: Callable[[TextIO], None]) -> None:
    from replay.cli.output import printing

    with printing() as out:
        write(out)


def _watched(run: Callable[[Callable[[Tally], None]], Tally]) -> Tally:
    """Carry a recording out, and tell on standard error how it goes: in one line on a terminal, else now and then."""
    from replay.cli.progress import Ticker

    with Ticker() as ticker:
        return run(ticker.watch)


def _exit_code(told: Tally) -> int:
    """Return 0 for what ended as it was meant to; 3 where something was lost that was to be kept."""
    if told.cut:
        return _INTERRUPTED
    return _FAULT if told.lost else 0
