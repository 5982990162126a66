"""What every metric of a criterion looks like."""

from __future__ import annotations

from typing import Protocol

from replay.models import Judgement, Result


class Metric(Protocol):
    """Answers one clause over a stream of results, in memory that does not grow with the number of cases."""

    def add(self, result: Result) -> None:
        """Take one result in; whatever is no business of this metric is passed over."""

    def judge(self) -> Judgement:
        """Answer the clause with its evidence so far; may be asked more than once."""
