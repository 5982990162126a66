"""How often new fails: `errors`, `timeouts`, and what is left of them, `availability`; by itself and beside old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from replay.models import ErrorKind, Observation, OutcomeName, Result
from replay.verdict.base import Metric, Terms
from replay.verdict.clauses import Clause
from replay.verdict.pairs import Pair, PairWords, RateBesideOld, margin_beside_old
from replay.verdict.shares import Share, Weight, Words, by_outcome, least_percent, of_skipped, percent_limit

# A failure of old's alone says nothing against new here; one of both sides may hide a failure that is new's own.
_ERRORS: Final = by_outcome(
    {
        "match": (False, False),
        "noise": (False, False),
        "waived": (False, False),
        "deviation": (False, False),
        "old_error": (False, False),
        "new_error": (True, True),
        "both_error": (True, None),
    }
)
_NEITHER: Final = Pair(old=False, new=False)
_PAIRS: Final[Mapping[OutcomeName, Pair]] = {
    "old_error": Pair(old=True, new=False),
    "new_error": Pair(old=False, new=True),
    "both_error": Pair(old=True, new=True, open=True),
}
_ON_BOTH: Final = "failed on both sides"
_NO_EVIDENCE: Final = "failed on both sides: no evidence that new is as good"
_TIMEOUT: Final[ErrorKind] = "timeout"


def errors(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `errors <= old`, `errors <= old + Xpp` or `errors < X%`. Raises CriterionError otherwise."""
    if clause.against_old:
        words = PairWords("failed", _NO_EVIDENCE, "every case failed on both sides")
        return RateBesideOld(clause, margin_beside_old(clause, "<="), _by_error, words, terms.bounds)
    return Share(clause, percent_limit(clause), _ERRORS, Words("failed on new", _ON_BOTH), terms.bounds)


def availability(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `availability >= X%` or `availability >= old - Xpp`. Raises CriterionError otherwise.

    It is the share of cases that new answered without an error.
    """
    if clause.against_old:
        words = PairWords("failed", _NO_EVIDENCE, "every case failed on both sides", good=True)
        return RateBesideOld(clause, margin_beside_old(clause, ">="), _by_error, words, terms.bounds)
    words_of_share = Words("answered by new", _ON_BOTH, good=True)
    return Share(clause, least_percent(clause), _ERRORS, words_of_share, terms.bounds)


def timeouts(clause: Clause, terms: Terms) -> Metric:
    """Return the metric of `timeouts <= X%`, `timeouts <= old` or `<= old + Xpp`. Raises CriterionError otherwise."""
    if clause.against_old:
        open_ones = "gave no answer that could have timed out, or failed on both sides: no evidence that new is as good"
        words = PairWords("timed out", open_ones, "no case was answered by new", "without timeouts")
        return RateBesideOld(clause, margin_beside_old(clause, "<="), _by_timeout, words, terms.bounds)
    doubt = "new failed before an answer could time out, or both sides failed"
    return Share(clause, percent_limit(clause), _timed_out, Words("timed out on new", doubt), terms.bounds)


def _by_error(result: Result) -> Pair:
    return _PAIRS.get(result.outcome, _NEITHER)


def _timed_out(result: Result) -> Weight | None:
    if result.outcome == "skipped":
        return of_skipped(result)
    if _is_timeout(result.new):
        return True, True
    return (True, None) if _tells_nothing(result) else (False, False)


def _by_timeout(result: Result) -> Pair:
    old, new = _is_timeout(result.old), _is_timeout(result.new)
    return Pair(old, new, open=(old and new) or (not new and _tells_nothing(result)))


def _is_timeout(observation: Observation | None) -> bool:
    return observation is not None and observation.error is not None and observation.error.kind == _TIMEOUT


def _tells_nothing(result: Result) -> bool:
    """Tell whether a case says nothing of timeouts: new gave no answer for another reason, or both sides failed."""
    new = result.new
    nothing_came = new is None or (new.error is not None and new.status is None)
    return nothing_came or result.outcome == "both_error"
