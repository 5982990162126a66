"""Whether a side still answers; one that does not is named, with the last case that it answered, and left alone."""

from __future__ import annotations

from typing import Final

from replay.models import Case, ErrorKind, Observation, Side

UNREACHABLE: Final[frozenset[ErrorKind]] = frozenset({"refused", "dns", "tls", "timeout", "closed", "reset", "crashed"})
SILENCE: Final = 3
"""How many cases in a row must find nobody there before it is worth a sentence: one may be bad luck."""
PATIENCE: Final = 20
"""How many cases in a row may find nobody there before the run stops asking."""


class Pulse:
    """Follows one side over a run."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.last_answer: str | None = None
        self._silent = 0

    def feel(self, case: Case, observation: Observation) -> None:
        """Take one observation in."""
        if observation.error is not None and observation.error.kind in UNREACHABLE:
            self._silent += 1
        else:
            self._silent = 0
            self.last_answer = case.id

    @property
    def silent(self) -> bool:
        """Tell whether the last answer is the last one for good, as far as anyone can tell."""
        return self._silent >= SILENCE

    @property
    def gone(self) -> bool:
        """Tell whether it is no use to go on asking."""
        return self._silent >= PATIENCE

    @property
    def story(self) -> str:
        """Return in words when it fell silent."""
        after = f"after case {self.last_answer}" if self.last_answer else "from the first case on"
        return f"{self.side} gave no answer any more {after}"
