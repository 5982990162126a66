"""Somebody at a real terminal: a pseudo-terminal of 80x24, keys typed into it, and what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import Self

_START = """
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(terminal, number)
os.execv(sys.executable, [sys.executable, "-c", "from replay.cli import main; main()", *sys.argv[2:]])
"""
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Keyboard:
    """A command that runs in a terminal of its own, so that Ctrl-C reaches it as it reaches anybody's."""

    def __init__(self, *arguments: str, lines: int = 24) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
        command = [sys.executable, "-c", _START, os.ttyname(slave), *arguments]
        env = {**os.environ, "LINES": str(lines), "TERM": "xterm"}
        nowhere = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, env=env, start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
        self._slave = slave
        self.shown = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)
        os.close(self._master)
        os.close(self._slave)

    def see(self, text: str, *, seconds: float = 30) -> str:
        """Wait until the terminal shows a text behind what was seen before; return all up to it."""
        until = time.monotonic() + seconds
        while (found := self.shown.find(text, self._read)) < 0:
            if not self._more(until):
                raise AssertionError(f"not seen: {text!r} in {self.shown[self._read :]!r}")
        start, self._read = self._read, found + len(text)
        return self.shown[start : self._read]

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def ended(self, *, seconds: float = 30) -> int:
        """Wait for the command to end, and return its exit code."""
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            self._more(min(until, time.monotonic() + 0.1))
        while self._more(time.monotonic() + 0.05):
            pass
        assert "Traceback" not in self.shown
        return self._process.wait(timeout=1)

    def _read_out(self) -> bool:
        return not select.select([self._master], [], [], 0)[0]

    def _more(self, until: float) -> bool:
        """Read what the terminal shows next; tell whether anything came in time."""
        ready: list[int] = []
        while not ready and time.monotonic() < until and (self._process.poll() is None or not self._read_out()):
            ready, _, _ = select.select([self._master], [], [], min(0.1, max(0.0, until - time.monotonic())))
        if not ready:
            return False
        data = os.read(self._master, 65_536).decode("utf-8", "replace")
        self.shown += _CODES.sub("", data).replace("\r\n", "\n")
        return True
