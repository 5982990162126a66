"""What a command prints, kept line by line: without secrets, for its owner alone, and never more than so much."""

from __future__ import annotations

import fcntl
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from replay.services.cache import Removed

LARGEST: Final = 2 * 2**20
"""Once a log is larger than this, its first half is dropped."""
LONGEST_LINE: Final = 8 * 2**10
LOGS_KEPT: Final = 20
"""How many logs lie beside one store; the oldest go first."""
_LAST_LINES: Final = 12
_LAST_WORD: Final = re.compile(rb"\S+\Z")
_LAST_BYTES: Final = 16 * 2**10
_DROPPED: Final = "... the lines before this one were dropped\n"


def log_path(store: Path, run: str, side: str) -> Path:
    """Return where the output of a side in a run is kept: beside the store."""
    return store.with_name(f"{store.name}-{run}.{side}.log")


def logs(store: Path) -> Iterator[Path]:
    """Yield the logs beside a store, in the order of their runs."""
    yield from sorted(path for path in store.parent.glob("*.log") if path.name.startswith(f"{store.name}-"))


def make_room(store: Path) -> None:
    """Remove the oldest logs beside a store, so that there is room for those of one more run."""
    for path in list(logs(store))[: -(LOGS_KEPT - 2)]:
        _remove(path)


def remove_logs(store: Path) -> Removed:
    """Remove the logs beside a store, save those that a command still writes."""
    return sum(map(_remove, logs(store)), Removed())


def _remove(path: Path) -> Removed:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:
        return Removed(held=1)
    return Removed(1, size)


class Log:
    """Takes output as it comes. A disk that takes no more loses the log, and nothing else."""

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        self.path = path
        self._redact = redact
        self._rest = b""
        self._skipping = False
        """The line under way was too long: what is left of it is dropped."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "a+", encoding="utf-8", errors="replace")
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # held by whoever writes it, so that nobody removes it meanwhile
        self._make_room()

    def _make_room(self) -> None:
        """Halve a log that was begun earlier if it is long, lest that be done while its end is still looked at."""
        with suppress(OSError):
            if self.size > LARGEST // 2:
                self._halve()

    @property
    def size(self) -> int:
        """Return how many bytes are in its file."""
        return os.fstat(self._file.fileno()).st_size

    def fileno(self) -> int:
        """Return the descriptor of its file."""
        return self._file.fileno()

    def add(self, output: bytes) -> list[str]:
        """Take output in; return its whole lines as they came, secrets and all."""
        *lines, rest = (self._rest + output).split(b"\n")
        if self._skipping:
            self._skipping, lines, rest = not lines, lines[1:], rest if lines else b""
        if len(rest) > LONGEST_LINE:
            # Its last word may be the beginning of a secret that nobody would know by its beginning alone.
            lines, rest, self._skipping = [*lines, _LAST_WORD.sub(b"", rest) + b"..."], b"", True
        self._rest = rest
        told = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        self._write(told)
        return told

    def note(self, text: str) -> None:
        """Add a line of our own, after what was printed before."""
        self._end_line()
        self._write([f"[replay] {text}"])

    def _write(self, lines: list[str]) -> None:
        with suppress(OSError):
            self._file.write("".join(self._redact(line)[:LONGEST_LINE] + "\n" for line in lines))
            self._file.flush()
            if self._file.tell() > LARGEST:
                self._halve()

    def _halve(self) -> None:
        self._file.seek(max(0, self.size - LARGEST // 2))
        kept = self._file.read().partition("\n")[2]
        self._file.truncate(0)
        self._file.write(_DROPPED + kept)
        self._file.flush()

    def _end_line(self) -> None:
        if self._rest:
            self.add(b"\n")

    def close(self) -> None:
        """Write what is left of a last line."""
        self._end_line()
        with suppress(OSError):
            self._file.close()


def last_lines(path: Path, since: int = 0) -> list[str]:
    """Return the last lines of a log that hold anything, of those that were written since it had so many bytes."""
    with suppress(OSError), path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        # One that was halved meanwhile is shorter than it was.
        file.seek(max(since if since <= end else 0, end - _LAST_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
        return list(deque((line for line in lines if line.strip()), maxlen=_LAST_LINES))
    return []
