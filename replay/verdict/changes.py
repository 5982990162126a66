"""What a verdict rests on that was written after the first case was sent."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from replay.models import Basis, Change


def changes(begun: Basis, now: Basis) -> tuple[Change, ...]:
    """Return what is judged by `now` and was otherwise when the run was begun: criteria in order, then the rules.

    A criterion that was taken out and one of the same subject that was added are one that was changed.
    """
    rules = (Change("rules"),) if begun.rules != now.rules else ()
    return (*_criteria(list(begun.criteria), list(now.criteria)), *rules)


def _criteria(before: list[str], after: list[str]) -> Iterator[Change]:
    added = [sentence for sentence in after if sentence not in before]
    for sentence in before:
        if sentence in after:
            continue
        successor = _successor(sentence, added)
        if successor is not None:
            added.remove(successor)
        yield Change("criterion", sentence, successor)
    yield from (Change("criterion", None, sentence) for sentence in added)


def _successor(sentence: str, added: list[str]) -> str | None:
    """Return which of the new sentences stands in the place of one that is gone: the most alike on its subject."""
    candidates = [each for each in added if _subject(each) == _subject(sentence)]
    return max(candidates, key=lambda each: SequenceMatcher(None, sentence, each).ratio(), default=None)


def _subject(sentence: str) -> str:
    return sentence.partition(" ")[0]
