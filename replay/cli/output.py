"""What commands print: results on standard output, everything about them on standard error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Self, TextIO

from replay.errors import InputError, ReplayError, RunError

if TYPE_CHECKING:
    from replay.live.couriers import Told
    from replay.models import OutcomeName

_EVERY_SECONDS = 10.0
_EVERY_FRAME = 0.1


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
    _say("\n".join(["error: " + lines[0], *lines[1:]]) + "\n")


def say(text: str) -> None:
    """Tell something about the results on standard error, each line harmless."""
    from replay.inert import printable

    _say("".join(f"{printable(line)}\n" for line in text.splitlines()))


def remark(text: str) -> None:
    """Print a remark on what was done; nothing where there is none."""
    if text:
        _say(f"replay: {text}\n")


def _say(text: str) -> None:
    """Write to standard error; nobody may be listening there any more, which changes no verdict."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def close_quietly() -> None:
    """Let nobody flush into a pipe whose reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def report_file(path: Path) -> Iterator[TextIO]:
    """Open a report's file, which appears only when it is whole. Raise RunError where it cannot be written."""
    whole = path.resolve()
    # A device or a pipe (/dev/stdout) takes what it is given; to put a file in its place would destroy it.
    partial = whole.with_name(whole.name + ".partial") if _is_replaceable(whole) else whole
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as out:
            yield out
        if partial != whole:
            partial.replace(whole)
    except OSError as error:
        raise RunError(f"the report cannot be written: {error.strerror}", place=str(path)) from None


def require_writable(path: Path) -> None:
    """Raise InputError, before anything is sent, where a report could not be written later."""
    if path.is_dir():
        raise InputError("a report cannot be written over a folder", place=str(path), hint="name a file")
    if not path.parent.is_dir():
        raise InputError("the folder for this report is not there", place=str(path), hint=f"mkdir -p {path.parent}")
    if _is_replaceable(path):
        try:
            with NamedTemporaryFile(dir=path.resolve().parent, prefix=".replay-"):
                pass
        except OSError as error:
            raise InputError(f"a report cannot be written here: {error.strerror}", place=str(path)) from None


def _is_replaceable(path: Path) -> bool:
    return path.is_file() or not path.exists()


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, with the folders above it. Raise InputError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise InputError("there is a file here already", place=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=str(path)) from None


class Progress:
    """Tells how far a run has come: a line that moves on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int | None, doing: str = "replaying", *, judging: bool = True) -> None:
        import time

        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._now = time.monotonic
        self._said = self._now()
        self._total, self._done, self._bad = total, 0, 0
        self._doing, self._judging = doing, judging
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=self._console, transient=True) if self._console.is_terminal else None
        self._task = self._bar.add_task(doing, total=total) if self._bar else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the moving line off, and give the cursor back."""
        if self._bar:
            self._bar.stop()

    def watch(self, outcome: OutcomeName, n: int = 1) -> None:
        """Count so many results with this outcome."""
        self._done += n
        if outcome not in ("match", "skipped"):
            self._bad += n
        if self._now() - self._said >= self._every:
            self._said = self._now()
            self._tell()

    @property
    def _every(self) -> float:
        return _EVERY_SECONDS if self._bar is None else _EVERY_FRAME

    def _tell(self) -> None:
        if self._bar is not None and self._task is not None:
            described = f"{self._doing}, {self._bad:,} not alike" if self._bad else self._doing
            # It draws from a thread, which must not be there yet when the processes of a run are forked.
            self._bar.start()
            self._bar.update(self._task, completed=self._done, description=described)
            return
        of = f" of {self._total:,}" if self._total is not None else ""
        found = f", {self._bad:,} not alike" if self._judging else ""
        _say(f"replay: {self._done:,}{of} cases{found}\n")


class Ticker:
    """Tells how a recording goes: a line that is written over on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        import time

        from rich.console import Console

        self._now = time.monotonic
        self._begun = self._said = self._now()
        self._before = (self._begun, 0)
        self._console = Console(stderr=True)
        self._status = self._console.status("recording") if self._console.is_terminal else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._status is not None:
            self._status.stop()

    def watch(self, told: Told) -> None:
        """Take note of how far it has come."""
        now, (then, seen) = self._now(), self._before
        self._before = (now, told.seen)
        line = f"{told.seen:,} seen, {told.kept:,} kept, {(told.seen - seen) / max(now - then, 0.001):,.0f}/s"
        line += f", {told.waiting:,} still to be kept" if told.waiting else ""
        if self._status is not None:
            # It draws from a thread, which must not be there yet when the process that keeps is forked.
            self._status.start()
            self._status.update(f"recording: {line}, {told.connections:,} connections")
        elif now - self._said >= _EVERY_SECONDS:
            self._said = now
            _say(f"replay: {line}\n")
