"""`deviation < 0.5%`: (deviating + new's own errors) / (compared + new's own errors), over traffic."""

from __future__ import annotations

from typing import Final

from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Clause
from replay.verdict.shares import Share, Words, by_outcome, percent_limit

_WEIGH: Final = by_outcome(
    {
        "match": (False, False),
        "noise": (False, False),
        "waived": (False, False),
        "deviation": (True, True),
        "new_error": (True, True),
        "old_error": (True, None),
        "both_error": (True, None),
    }
)


def deviation(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `deviation < X%`. Raises CriterionError for any other limit."""
    return Share(clause, percent_limit(clause), _WEIGH, Words("deviating"), terms.bounds)
