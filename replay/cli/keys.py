"""A terminal at which single keys are typed: none of them is lost, and each mode is given back."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Final, Self

from replay.cli.output import stdout
from replay.reports.page import Line, columns, write_lines

_PIECE = 64
_ESCAPE = "\x1b"
_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[ -~])?")
"""What one key sends that no letter stands for, such as an arrow, or a letter with Alt."""
_END = "\x04"


class GaveUpError(Exception):
    """The curator does not go on with what was begun."""


class Terminal:
    """Where keys are typed and pages shown. As long as it is entered, keys come at once and are not echoed."""

    def __init__(self) -> None:
        self._ahead = ""
        self._modes: list[Any] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._by_keys())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def key(self) -> str:
        """Return the next key. Ctrl-C raises KeyboardInterrupt; the end of input raises GaveUpError."""
        if not self._ahead:
            # What was typed fast comes at once; what begins with an escape is one key that means nothing here.
            self._ahead = _SEQUENCE.sub(_ESCAPE, _typed())
        key, self._ahead = self._ahead[0], self._ahead[1:]
        return key

    def ask(self, question: str, default: str = "") -> str:
        """Return the line that is typed, or what is proposed. Raise GaveUpError at the end of input."""
        with self._by_lines():
            # Once it is asked, the terminal is ready: what ends a line or the input is a key like others until then.
            self.write(f"{question} [{default}]: " if default else f"{question}: ")
            line = self._line()
        if not line:
            self.write("\n")
            raise GaveUpError
        return line.strip() or default

    def _line(self) -> str:
        """Return the next line, with its end, as far as it was typed before it was asked for; empty at the end."""
        begun, end, rest = self._ahead.partition("\n")
        if begun.startswith(_END):
            self._ahead = self._ahead[1:]
            return ""
        # What else was typed is no text: nobody can edit it any more.
        begun, self._ahead = (begun if begun.isprintable() else ""), rest
        self.write(begun + end)
        return begun + (end or sys.stdin.readline())

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        write_lines(stdout(), lines, columns(None))
        sys.stdout.flush()

    def write(self, text: str) -> None:
        """Print a text as it is."""
        stdout().write(text)
        sys.stdout.flush()

    @contextmanager
    def _by_keys(self) -> Iterator[None]:
        """Have keys handed over one by one. Waiting input is kept, which `tty.setcbreak` would throw away."""
        try:
            import termios
        except ImportError:  # Windows, whose console needs no mode for it
            yield
            return
        handle = sys.stdin.fileno()
        self._modes = termios.tcgetattr(handle)
        changed = [*self._modes]
        changed[3] &= ~(termios.ECHO | termios.ICANON)
        try:
            termios.tcsetattr(handle, termios.TCSADRAIN, changed)
            yield
        finally:
            termios.tcsetattr(handle, termios.TCSADRAIN, self._modes)

    @contextmanager
    def _by_lines(self) -> Iterator[None]:
        """Have lines handed over, which can be edited while they are typed."""
        if self._modes is None:
            yield
            return
        import termios

        handle = sys.stdin.fileno()
        by_keys = termios.tcgetattr(handle)
        try:
            termios.tcsetattr(handle, termios.TCSADRAIN, self._modes)
            yield
        finally:
            termios.tcsetattr(handle, termios.TCSADRAIN, by_keys)


def _typed() -> str:
    """Return what is typed next, at least one key."""
    if os.name == "nt":
        import typer

        return str(typer.getchar())
    try:
        data = os.read(sys.stdin.fileno(), _PIECE)
    except OSError:  # the terminal is gone
        data = b""
    if not data:
        raise GaveUpError
    return data.decode("utf-8", "replace")
