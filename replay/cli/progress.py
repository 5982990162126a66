"""How far a command has come, told on standard error: a moving line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from replay.cli.output import tell

if TYPE_CHECKING:
    from replay.live.couriers import Tally
    from replay.models import OutcomeName

_EVERY_SECONDS = 10.0
_EVERY_FRAME = 0.1


class Progress:
    """Counts cases of so many, if that is known; where any are judged, also those that are not alike."""

    def __init__(self, total: int | None, doing: str = "replaying") -> None:
        import time

        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._now = time.monotonic
        self._said = self._now()
        self._total, self._done, self._bad = total, 0, 0
        self._doing, self._judged = doing, False
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
        self._judged = True
        if outcome not in ("match", "skipped"):
            self._bad += n
        self.tick(n)

    def tick(self, n: int = 1) -> None:
        """Count so many cases of which nothing is judged."""
        self._done += n
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
        found = f", {self._bad:,} not alike" if self._judged else ""
        tell(f"replay: {self._done:,}{of} cases{found}\n")


class Ticker:
    """Tells what a recording has seen and kept, and how fast."""

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

    def watch(self, told: Tally) -> None:
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
            tell(f"replay: {line}\n")
