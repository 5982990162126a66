"""The sink that writes disagreeing calls as captured cases, so that they can be replayed against both functions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from replay.cases.writing import CaptureLimits, CaptureWriter
from replay.errors import SettingsError
from replay.experiment.calls import Loss, Outcome
from replay.experiment.troubles import Troubles
from replay.models import Case
from replay.models.quantities import parse_size

DISAGREEING: Final = frozenset({"deviation", "new_error", "old_error"})
"""Calls at which both failed have nothing that a golden could hold fast."""
FILE_SECONDS: Final = 24 * 60 * 60.0
BARE: Final = "too many disagreements: no arguments were kept"


class Captured:
    """Writes disagreeing calls to captures, which are numbered: `drafts-0001.jsonl.zst`. Belongs to one thread.

    The first such call begins a file of this process's own. What was masked on the way stays masked.
    """

    agreeing: Final = False

    def __init__(self, path: str | Path, *, file_size: str = "64MB", budget: str = "256MB") -> None:
        """Take how the files are called; the suffix (.gz, .zst) says how they are packed.

        A file that would get larger than `file_size`, or is a day old, is followed by another one. One process writes
        no more than its `budget`, and counts what comes after. Raise SettingsError for sizes that make no sense.
        """
        self._path = Path(path).absolute()
        size, whole = _size("file_size", file_size), _size("budget", budget)
        self._limits = CaptureLimits(file_bytes=size, file_seconds=FILE_SECONDS, budget=whole)
        self._begin()

    def _begin(self) -> None:
        self._writer: CaptureWriter | None = None
        self._left_out: Counter[str] = Counter()
        self._told = 0
        self._troubles = Troubles()

    def forked(self) -> None:
        """Begin files of this process's own; those that are open are of the one that it was forked from."""
        self._begin()

    def take(self, outcome: Outcome) -> None:
        """Write a call that disagrees, by the next flush. Raise InputError where no file can be made."""
        result = outcome.result
        if result.outcome not in DISAGREEING:
            return
        if outcome.bare or outcome.unreplayable or result.case.request.body is None:
            self._left_out[outcome.unreplayable or BARE] += 1
            return
        if self._writer is None:
            self._writer = CaptureWriter(self._path, _masked_already, limits=self._limits)
        self._writer.add(result.case)

    def lose(self, loss: Loss) -> None:
        """Do nothing: nobody takes a capture for all there was."""

    @property
    def left_out(self) -> dict[str, int]:
        """Return how many disagreeing calls are in no file, by why."""
        return dict(self._left_out + Counter(self._writer.account.lost if self._writer is not None else {}))

    def flush(self) -> None:
        """Bring all that was taken to the disk; say it where some of it could not be."""
        if self._writer is not None:
            self._writer.flush()
        self._tell()

    def close(self) -> None:
        """End the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            self._left_out.update(writer.account.lost)
        self._tell()

    def _tell(self) -> None:
        left_out = self.left_out
        further, self._told = sum(left_out.values()) - self._told, sum(left_out.values())
        if further > 0:
            reasons = "; ".join(f"{number:,}: {reason}" for reason, number in left_out.items())
            self._troubles.say("left out", f"{self._path}: disagreeing calls are in no capture: {reasons}", further)


def _masked_already(case: Case) -> Case:
    return case


def _size(what: str, given: str) -> int:
    try:
        return parse_size(str(given))
    except ValueError as error:
        raise SettingsError(str(error), place=f"Captured: {what}") from None
