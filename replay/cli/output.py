"""What commands print: results on standard output, everything about them on standard error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from replay.errors import ReplayError, RunError


def stdout() -> TextIO:
    """Return standard output, which prints what its encoding cannot spell as escapes instead of breaking off."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


@contextmanager
def printing() -> Iterator[TextIO]:
    """Give standard output. A reader that goes away has seen enough; raise RunError where writing fails otherwise."""
    try:
        yield stdout()
        sys.stdout.flush()
    except BrokenPipeError:
        close_quietly()
    except OSError as error:
        close_quietly()
        raise RunError(f"standard output cannot be written: {error.strerror}") from None


def complain(error: ReplayError) -> None:
    """Print an error as place, fact and remedy."""
    from replay.inert import printable

    lines = [printable(line) for line in str(error).splitlines()]
    tell("\n".join(["error: " + lines[0], *lines[1:]]) + "\n")


def say(text: str) -> None:
    """Tell something about the results on standard error, each line harmless."""
    from replay.inert import printable

    tell("".join(f"{printable(line)}\n" for line in text.splitlines()))


def remark(text: str) -> None:
    """Print a remark on what was done; nothing where there is none."""
    if text:
        tell(f"replay: {text}\n")


def tell(text: str) -> None:
    """Write a text to standard error as it is; that nobody may be listening there any more changes no verdict."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def close_quietly() -> None:
    """Let nobody flush into a pipe whose reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
