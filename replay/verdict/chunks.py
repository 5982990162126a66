"""Streams of results, some at a time: what adds them up takes half the time if it is handed many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from replay.models import Observation, Result

TOGETHER: Final = 100
"""As many as lie on a page of the store."""
_LARGE: Final = 1 << 20
"""With so many bytes of bodies there are fewer: they are in memory together."""


def chunked(results: Iterable[Result]) -> Iterator[list[Result]]:
    """Yield results in their order, at most `TOGETHER`, and with about a megabyte of bodies."""
    chunk: list[Result] = []
    size = 0
    for result in results:
        chunk.append(result)
        size += _size(result.old) + _size(result.new)
        if len(chunk) >= TOGETHER or size >= _LARGE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(observation: Observation | None) -> int:
    if observation is None:
        return 0
    return len(observation.body) + (sum(len(it.seen.body) for it in observation.steps) if observation.steps else 0)
