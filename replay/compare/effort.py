"""How much work one comparison may put into finding out what belongs together: hostile documents are compared too."""

from __future__ import annotations

from typing import Final

MOST_STEPS: Final = 1_000_000
"""Looks at an item or a member while arrays are aligned: about a second, then arrays are compared by position."""
MOST_TRIALS: Final = 10_000
"""How many pairs of unequal items are tried under the rules before the rest counts as missing and extra."""


class Effort:
    """What is left to spend on one case. It counts steps and not time, so that a comparison always ends the same."""

    __slots__ = ("steps", "trials")

    def __init__(self, steps: int = MOST_STEPS, trials: int = MOST_TRIALS) -> None:
        self.steps = steps
        self.trials = trials

    def afford(self, steps: int) -> bool:
        """Spend so many steps, if there are as many left."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True

    def try_pairs(self, count: int) -> bool:
        """Spend so many trials, if there are as many left."""
        if count > self.trials:
            return False
        self.trials -= count
        return True
