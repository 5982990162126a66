"""How answers compare at a glance: deviating cases by category, and all cases by old's and new's status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from replay.models import Category, Observation, Result, StatusCount
from replay.verdict.categories import categories_of

MOST_PAIRS: Final = 1_000
"""Pairs of statuses that are told apart; a service that makes them up costs no more memory."""
OTHER: Final = "other"


class Parity:
    """Counts cases; memory grows with the pairs of statuses alone."""

    def __init__(self) -> None:
        self._categories: Counter[Category] = Counter()
        self._statuses: Counter[tuple[str, str]] = Counter()

    def add_all(self, results: Sequence[Result]) -> None:
        """Take results in. What was not sent, what is waived and what is noise counts for nothing."""
        departing = [each for each in results if each.error is not None or each.outcome == "deviation"]
        self._categories.update([name for each in departing for name in categories_of(each)])
        both = [(each.old, each.new) for each in results]
        pairs = Counter([(_said(old), _said(new)) for old, new in both if old is not None and new is not None])
        for (old, new), cases in pairs.items():
            pair = _answer(old), _answer(new)
            if pair not in self._statuses and len(self._statuses) >= MOST_PAIRS:
                pair = OTHER, OTHER
            self._statuses[pair] += cases

    def categories(self) -> Mapping[str, int]:
        """Return in how many cases new departs from old, or a side fails, in each way; the most frequent first."""
        return dict(self._categories.most_common())

    def statuses(self) -> tuple[StatusCount, ...]:
        """Return how many cases old and new answered with which statuses; none where no side has any."""
        if all(pair == ("value", "value") for pair in self._statuses):
            return ()
        return tuple(StatusCount(old, new, cases) for (old, new), cases in sorted(self._statuses.items()))


def _said(observation: Observation) -> int | str | None:
    return observation.status if observation.error is None else observation.error.kind


def _answer(said: int | str | None) -> str:
    """Return what stands for an answer in the matrix: its status, how it failed, or `value` for a function's."""
    return "value" if said is None else str(said)
