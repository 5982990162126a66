"""What cases are expected to come to, so that criteria can be asked beforehand how many they need."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from replay.models import Case, CaseError, Difference, Failure, Observation, Request, Result
from replay.verdict.base import Metric
from replay.verdict.chunks import TOGETHER, add_up

MOST: Final = 200_000
"""Cases up to which is looked for an answer."""
_DIFFERS: Final = Difference("body", "value", 0, 1, "expected")
_ANSWER: Final = Observation(status=200)
_TOO_LATE: Final = Observation(error=Failure("timeout", "expected"))
_ALIKE: Final = Result(Case("", "traffic", "", Request()), "match")

Departing = Callable[[Result], Result]
"""Makes a result depart in the way that a metric counts."""


def _deviating(result: Result) -> Result:
    return replace(result, outcome="deviation", differences=(_DIFFERS,))


def _failing(result: Result) -> Result:
    return replace(result, outcome="new_error", error=CaseError("new", "status"))


def _timing_out(result: Result) -> Result:
    return replace(result, outcome="new_error", error=CaseError("new", "timeout"), new=_TOO_LATE)


DEPARTING: Final[Mapping[str, Departing]] = {
    "goldens": _deviating,
    "deviation": _deviating,
    "errors": _failing,
    "timeouts": _timing_out,
    "availability": _failing,
}
"""How a case counts against the metrics that rest on counts. What others need is only told by what is measured."""

_OLD_TOO: Final = frozenset({"errors"})
"""Families that compare both sides: old is expected to fail as often as new, at other cases."""


@dataclass(slots=True)
class Expectation:
    """Makes results as they are expected: of all cases in a row, a share departs, rounded up; goldens never do."""

    family: str
    rate: float
    _seen: int = field(default=0, init=False)

    def result(self, case: Result) -> Result:
        """Return what the next case comes to."""
        if case.case.kind == "golden":
            return replace(case, outcome="match", skipped=None)
        index, self._seen = self._seen, self._seen + 1
        alike = replace(case, outcome="match", skipped=None, old=_ANSWER, new=_ANSWER)
        if self._departs(index):
            return DEPARTING[self.family](alike)
        if self.family in _OLD_TOO and index and self._departs(index - 1):
            return replace(alike, outcome="old_error", error=CaseError("old", "status"))
        return alike

    @property
    def next_departs(self) -> bool:
        """Tell whether the next case does."""
        return self._departs(self._seen)

    def _departs(self, index: int) -> bool:
        return math.ceil((index + 1) * self.rate) > math.ceil(index * self.rate)


def needed(make: Callable[[], Metric], family: str, rate: float) -> int | None:
    """Return how many independent cases have to come as expected until a metric holds, the fewest.

    None where `MOST` are not enough.
    """
    low, metric, expected = 0, make(), Expectation(family, rate)
    waiting: list[Result] = []
    for count in range(1, MOST + 1):
        waiting.append(expected.result(_ALIKE))
        # What holds at all holds before the next case departs.
        asked = count & (count - 1) == 0 or expected.next_departs
        if asked or len(waiting) >= TOGETHER:
            metric.add_all(waiting)
            waiting.clear()
        if asked:
            if metric.judge().state == "GO":
                return _fewest(make, family, rate, (low, count))
            low = count
    return None


def _fewest(make: Callable[[], Metric], family: str, rate: float, between: tuple[int, int]) -> int:
    """Return the fewest cases after the first number, and up to the second one, for which a metric holds."""
    low, high = between
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _holds(make, family, rate, middle) else (middle, high)
    return high


def _holds(make: Callable[[], Metric], family: str, rate: float, count: int) -> bool:
    metric, expected = make(), Expectation(family, rate)
    add_up((expected.result(_ALIKE) for _ in range(count)), metric)
    return metric.judge().state == "GO"
