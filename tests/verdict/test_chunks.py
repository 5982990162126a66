"""Streams taken some at a time: all of them, in their order, and never too much at once."""

from __future__ import annotations

import pytest

from replay.models import Case, Observation, Played, Request, Result
from replay.verdict.chunks import TOGETHER, chunked


def results(count: int, answer: Observation | None = None) -> list[Result]:
    return [Result(Case(f"c{n}", "traffic", f"d:{n}", Request()), "match", answer, answer) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, TOGETHER, 2 * TOGETHER + 1])
def test_a_stream_is_taken_whole_and_in_its_order(count: int) -> None:
    stream = results(count)
    chunks = list(chunked(iter(stream)))
    assert [each for chunk in chunks for each in chunk] == stream
    assert [len(chunk) for chunk in chunks[:-1]] == [TOGETHER] * (len(chunks) - 1)
    assert all(chunks)


HALF = Observation(200, body=bytes(1 << 19))


@pytest.mark.parametrize("answer", [HALF, Observation(200, steps=(Played("pay", HALF),))], ids=["case", "scenario"])
def test_of_large_bodies_there_are_few_in_memory(answer: Observation) -> None:
    assert [len(chunk) for chunk in chunked(results(3, answer))] == [1, 1, 1]
