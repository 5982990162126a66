"""Streams of results, some at a time: what adds them up takes half the time if it is handed many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from replay.models import Observation, Result

TOGETHER: Final = 100
"""As many as lie on a page of the store."""
_LARGE: Final = 1 << 20
"""With so many bytes of bodies there are fewer: they are in memory together."""


class Takes(Protocol):
    """What adds results up."""

    def add_all(self, results: list[Result]) -> None:
        """Take results in, in their order."""


def add_up(results: Iterable[Result], *sums: Takes) -> None:
    """Hand a stream of results to whatever adds them up."""
    for chunk in chunked(results):
        for each in sums:
            each.add_all(chunk)


def chunked(results: Iterable[Result]) -> Iterator[list[Result]]:
    """Yield results in their order, at most `TOGETHER`, and with about a megabyte of bodies."""
    chunk: list[Result] = []
    size = 0
    for result in results:
        chunk.append(result)
        size += size_of(result)
        if len(chunk) >= TOGETHER or size >= _LARGE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def size_of(result: Result) -> int:
    """Return how many bytes of bodies a result holds."""
    return _size(result.old) + _size(result.new)


def _size(observation: Observation | None) -> int:
    if observation is None:
        return 0
    return len(observation.body) + (sum(len(it.seen.body) for it in observation.steps) if observation.steps else 0)
