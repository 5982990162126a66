"""The command line: one file per command, wiring and exit codes. Commands import their rooms when they run."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from replay import __version__
from replay.cli import (
    approve,
    clean,
    coverage,
    doctor,
    drift,
    foreign,
    goldens,
    history,
    importing,
    init,
    judge,
    mask,
    merge,
    noise,
    plan,
    promote,
    purge,
    record,
    report,
    review,
    rules,
    run,
    show,
    shrink,
    suggest,
    vary,
)
from replay.errors import InputError, ReplayError

app = typer.Typer(
    name="replay",
    help="Run old and new side by side on the same inputs, and cut over on evidence.",
    epilog="Exit codes: 0 GO, 1 NO-GO, 2 bad input, 3 INCONCLUSIVE or not completed, 130 interrupted, 143 terminated.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    run,
    plan,
    record,
    importing,
    show,
    report,
    judge,
    merge,
    history,
    drift,
    noise,
    promote,
    shrink,
    vary,
    coverage,
    suggest,
    review,
    approve,
    goldens,
    mask,
    rules,
    doctor,
    init,
    clean,
    purge,
)

for module in COMMANDS:
    module.register(app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"replay {__version__}")
        raise typer.Exit


# Eager: else it would be refused for want of a command.
_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def _options(version: _Version = False) -> None:
    """Take the options that stand before a command."""


@contextmanager
def _unwinding() -> Iterator[None]:
    """Have SIGTERM end a command as Ctrl-C does, so that nothing half made is left; who ignores it goes on doing so."""
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main() -> None:
    """Run the command line; every expected failure is one message on standard error and an exit code."""
    try:
        with _unwinding():
            app(prog_name="replay")
    except ReplayError as error:
        from replay.cli.output import complain

        complain(error)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        # What could not be understood was said by now; the remedy is left to say.
        if ended.code == InputError.exit_code and (meant := foreign.familiar(sys.argv[1:])):
            from replay.cli.output import tell

            tell(f"  hint: {meant}\n")
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        from replay.cli.output import complain

        # Files and folders that vanish, no room, no handles: the machine's fault, and no reason for a traceback.
        place = str(error.filename) if error.filename is not None else None
        complain(ReplayError(error.strerror or str(error), place=place))
        sys.exit(ReplayError.exit_code)
