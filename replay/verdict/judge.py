"""The judge of a run: it takes every result in, and answers all criteria together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final, Protocol

from replay.models import Judgement, Result, Verdict, VerdictState
from replay.verdict.base import worst
from replay.verdict.past import NO_PAST, Past
from replay.verdict.samples import COMPARED, Repeats
from replay.verdict.spans import Inquiry

EXIT_CODES: Final[Mapping[VerdictState, int]] = {"GO": 0, "NO-GO": 1, "INCONCLUSIVE": 3}


class Asks(Protocol):
    """A criterion, as the judge sees it."""

    def inquiry(self, begun: date, *, watched: bool = False, looked: bool = False) -> Inquiry:
        """Return what answers it over a run that was `begun` on a day, and over the runs before if it spans any."""


class Judge:
    """Takes every result of a run in and answers the criteria at its end.

    A repeat of the same case adds no evidence, unless it fails where it did not before. `watched`: somebody looks at
    the run while it grows, so that its criteria are judged by bounds which hold at every look; `looked`: somebody did
    so, whether or not it still grows. `begun` is the UTC day on which it was begun; today, unless given.
    """

    def __init__(
        self,
        criteria: Sequence[Asks],
        gate: str | None = None,
        repeats: Repeats | None = None,
        *,
        watched: bool = False,
        looked: bool = False,
        begun: date | None = None,
    ) -> None:
        begun = begun or datetime.now(UTC).date()
        self._inquiries = [criterion.inquiry(begun, watched=watched, looked=looked) for criterion in criteria]
        self._gate = gate
        self._repeats = repeats or Repeats()
        self._compared = False

    def add_all(self, results: Iterable[Result]) -> None:
        """Take results in, in their order."""
        fresh = self._repeats.fresh(results)
        self._compared = self._compared or any(each.outcome in COMPARED for each in fresh)
        for inquiry in self._inquiries:
            inquiry.add_all(fresh)

    def verdict(
        self,
        *,
        complete: bool = True,
        reason: str = "",
        doubts: Sequence[str] = (),
        past: Past = NO_PAST,
        settled: Mapping[str, Judgement] | None = None,
    ) -> Verdict:
        """Answer the gate: NO-GO by any criterion that fails, GO only where all hold.

        A run that is not `complete`, for a stated `reason`, is never GO; nor is one that compared nothing, or one
        that leaves other `doubts`, each a sentence. `past` is what criteria that span several runs rest on,
        `settled` holds answers that are known already, by their sentence.
        """
        doubts = [*self._doubts(complete=complete, reason=reason), *doubts]
        found = [inquiry.over(past) for inquiry in self._inquiries]
        answers = ((settled or {}).get(judgement.sentence, judgement) for judgement, _ in found)
        judgements = tuple(_doubted(judgement, doubts) for judgement in answers) or (_NOTHING_ASKED,)
        state = worst(judgement.state for judgement in judgements)
        # Later runs rest on these: what this run may not call GO, they may not either.
        own = (standing for _, several in found for standing in several)
        standings = tuple(replace(each, judgement=_doubted(each.judgement, doubts)) for each in own)
        return Verdict(state, judgements, self._gate, EXIT_CODES[state], standings=standings)

    def _doubts(self, *, complete: bool, reason: str) -> list[str]:
        doubts = [] if self._compared else ["no case was compared"]
        if not complete:
            doubts.append("the run did not complete" + (f": {reason}" if reason else ""))
        return doubts


_NOTHING_ASKED: Final = Judgement(
    "at least one criterion",
    "INCONCLUSIVE",
    "no criterion was given, so there is nothing that could hold; write `cut_when`",
)


def _doubted(judgement: Judgement, doubts: Sequence[str]) -> Judgement:
    if judgement.state != "GO" or not doubts:
        return judgement
    return replace(judgement, state="INCONCLUSIVE", why="; ".join([judgement.why, *doubts]))
