"""Whether a side still answers; one that does not is named, with the last case that it answered, and left alone."""

from __future__ import annotations

from typing import Final

from replay.models import UNREACHABLE, Case, Observation, Side

SILENCE: Final = 3
"""How many cases in a row must find nobody there before it is worth a sentence: one may be bad luck."""
SERVER_ERROR: Final = 500
PATIENCE: Final = 20
"""How many cases in a row may find nobody there before the run stops asking."""


class Pulse:
    """Follows one side over a run; `stop_after` is how many failures, in a row or not, it may have in all."""

    def __init__(self, side: Side, stop_after: int | None = None) -> None:
        self.side = side
        self.last_answer: str | None = None
        self._stop_after = stop_after
        self._silent = 0
        self._failures = 0

    def feel(self, case: Case, observation: Observation) -> None:
        """Take one observation in."""
        error = observation.error
        if error is not None and error.kind in UNREACHABLE:
            self._silent += 1
        else:
            self._silent = 0
            self.last_answer = case.id
        status = observation.status
        self._failures += error is not None or (status is not None and status >= SERVER_ERROR)

    @property
    def silent(self) -> bool:
        """Tell whether the last answer is the last one for good, as far as anyone can tell."""
        return self._silent >= SILENCE

    @property
    def gone(self) -> bool:
        """Tell whether it is no use to go on asking."""
        return self._silent >= PATIENCE or self._spent

    @property
    def _spent(self) -> bool:
        return self._stop_after is not None and self._failures >= self._stop_after

    @property
    def story(self) -> str:
        """Return in words why it is left alone."""
        if self._spent:
            return f"{self.side} failed {self._failures} times, and is to be left alone after {self._stop_after}"
        after = f"after case {self.last_answer}" if self.last_answer else "from the first case on"
        return f"{self.side} gave no answer any more {after}"
