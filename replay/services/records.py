"""What was started is written down, so that what a killed run has left behind is ended at the next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from replay.services import processes
from replay.services.cache import cache_folder
from replay.services.clock import NAME, remove_clock, tidy_up


@dataclass(frozen=True, slots=True)
class Record:
    """One command: the mark that all of its processes carry, itself, and the process that looks after it."""

    token: str
    pid: int
    born: str
    keeper: int
    keeper_born: str

    def write(self) -> None:
        """Write it down, whole or not at all."""
        path = _path(self.token)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)), "utf-8")
        partial.replace(path)

    def erase(self) -> None:
        """Forget it: the command has ended."""
        _path(self.token).unlink(missing_ok=True)

    @property
    def kept(self) -> bool:
        """Tell whether somebody still looks after it, who will end it in time."""
        return processes.alive(self.keeper, self.keeper_born)

    def end(self) -> int:
        """End what is left of the command; return how many processes that were. A stranger's is never touched."""
        ended = processes.end_marked(self.token)
        # Without its first process nothing else tells whose session it is.
        others = [pid for pid in processes.of_session(self.pid) if pid != self.pid] if self._runs() else []
        ended |= {pid for pid in (*others, self.pid) if processes.end(pid, self._runs)}
        for pid in ended:
            tidy_up(pid)
        return len(ended)

    def _runs(self) -> bool:
        return processes.alive(self.pid, self.born)


def clock_folder(token: str) -> Path:
    """Return where the clock of a command is kept."""
    return cache_folder("started", token)


def _path(token: str) -> Path:
    return cache_folder("started") / f"{token}.json"


def records() -> Iterator[Record]:
    """Yield everything that is written down, and remove what cannot be read."""
    for path in sorted(cache_folder("started").glob("*.json")):
        try:
            yield Record(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            with suppress(OSError):
                path.unlink()


def end_leftovers() -> int:
    """End every command that nobody looks after any more; return how many processes that were."""
    ended = 0
    for record in records():
        if not record.kept:
            ended += record.end()
            record.erase()
            remove_clock(clock_folder(record.token) / NAME)
    return ended
