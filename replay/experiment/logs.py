"""Disagreements on a log of the standard library, one structured event each.

What an event tells stands in its `extra` fields, so that any formatter shows it which does so for libraries' events:
`structlog.stdlib.ProcessorFormatter` with `ExtraAdder` in its `foreign_pre_chain`, `python-json-logger`. The message
alone is a sentence for a plain log. A program's own handlers, levels and filters decide what becomes of it.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from replay.errors import SettingsError
from replay.experiment.calls import DISAGREED, Loss, Outcome
from replay.experiment.troubles import LOGGER, Troubles
from replay.inert import printable

SHORTEST: Final = 16


class Log:
    """Writes one event for each disagreement, at most ten a second and experiment, and how many more there were."""

    agreeing: Final = False

    def __init__(self, logger: str = LOGGER, *, level: int = logging.WARNING, longest: int = 500) -> None:
        """Take the name of the logger, the level of events, and how many characters of a value they show, from 16.

        Raise SettingsError for what is none of these.
        """
        if not isinstance(logger, str):
            raise SettingsError(f"Log: the logger is of type {type(logger).__name__}", hint="give its name")
        if not all(isinstance(number, int) for number in (level, longest)):
            hint = "write Log(level=logging.INFO, longest=2000)"
            raise SettingsError("Log: level and longest are numbers", hint=hint)
        self._logger = logging.getLogger(logger)
        self._level = level
        self._longest = max(longest, SHORTEST)
        self._unlisted: Counter[str] = Counter()
        self._troubles = Troubles(logger, level)

    def take(self, outcome: Outcome) -> None:
        """Write an event where the sides disagreed; what could not be compared is told once a minute and reason."""
        result, name = outcome.result, outcome.experiment
        if result.outcome == "skipped":
            reason = result.skipped or ""
            self._troubles.say(f"{name} {reason}", f"{name}: {reason} (counted as skipped)")
        elif result.outcome not in DISAGREED:
            return
        elif outcome.bare:
            self._unlisted[name] += 1
        elif self._logger.isEnabledFor(self._level):
            self._write(outcome)

    def _write(self, outcome: Outcome) -> None:
        from replay.experiment.telling import fields, sentence  # noqa: PLC0415 - whoever examined has loaded it all

        self._say(outcome.experiment, sentence(outcome), dict(fields(outcome, self._longest)))

    def lose(self, loss: Loss) -> None:
        """Write how many calls were lost, once a minute and reason."""
        told = f"{loss.experiment}: compared calls were lost: {loss.reason}"
        self._troubles.say(f"{loss.experiment} lost {loss.reason}", told, loss.calls)

    def flush(self) -> None:
        """Write how many disagreements had no event of their own."""
        unlisted, self._unlisted = self._unlisted, Counter()
        for experiment, count in unlisted.items():
            extra = {"experiment": experiment, "unlisted": count}
            self._say(experiment, f"old and new disagreed {count:,} more times, too often to list each", extra)

    def _say(self, experiment: str, text: str, extra: dict[str, object]) -> None:
        # The experiment is part of the template: those who gather events by it then have one group an experiment.
        template = f"{printable(experiment, 80).replace('%', '%%')}: %s"
        self._logger.log(self._level, template, text, extra=extra)

    def close(self) -> None:
        """Write what is left to say."""
        self.flush()
        self._troubles.rest()

    def forked(self) -> None:
        """Forget what the parent will say."""
        self._unlisted.clear()
        self._troubles = self._troubles.anew()
