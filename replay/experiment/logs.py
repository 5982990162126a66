"""Disagreements on the log `replay.experiment`, one event each."""

from __future__ import annotations

from replay.experiment.calls import Loss, Outcome


class Log:
    """Writes one event for each disagreement."""

    def take(self, outcome: Outcome) -> None:
        """Write an event where the sides disagreed."""

    def lose(self, loss: Loss) -> None:
        """Write how many calls were lost."""

    def flush(self) -> None:
        """Do nothing: each event is written at once."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def forked(self) -> None:
        """Do nothing: nothing is open."""
