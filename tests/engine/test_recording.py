"""Results on their way into the store: looked at together, in their order, none lost, and few in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from replay.engine.recording import SECONDS, Recorder
from replay.models import Case, Difference, Observation, Request, Result
from replay.store.journal import Journal, frames

RUN: Final = "run-1"


class Flow:
    """Takes note of what a recorder asks of whoever makes results."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def hold(self) -> None:
        """Make no more for now."""

    def go_on(self) -> None:
        """Make results again."""

    def fail(self, error: BaseException) -> None:
        """Make no more."""
        self.errors.append(error)


class Kept:
    """A recorder with a journal, and in which portions it had results looked at."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal"
        self.portions: list[int] = []
        self.flow = Flow()
        self.journal = Journal(self.path)
        self.recorder = Recorder(self.journal, RUN, self._look, self.flow)

    def _look(self, results: Sequence[Result]) -> Sequence[Result]:
        self.portions.append(len(results))
        if any(each.case.id == "broken" for each in results):
            raise RecursionError
        return results

    @property
    def ids(self) -> list[str]:
        """The ids that are in the journal, in order."""
        return [row.id for page, _ in frames(self.path, 0) for row in page.rows]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.journal.close()


def result(name: str, body: bytes = b"{}") -> Result:
    answer = Observation(200, body=body)
    return Result(Case(name, "traffic", f"d:{name}", Request()), "match", answer, answer)


async def later(seconds: float) -> None:
    """Have the loop believe that so much time has passed, and do what is due."""
    loop = asyncio.get_running_loop()
    loop.time = lambda: time.monotonic() + seconds  # type: ignore[method-assign]
    for _ in range(3):
        await asyncio.sleep(0)


def test_every_result_is_kept_in_order_and_looked_at_with_others(kept: Kept) -> None:
    async def act() -> None:
        for number in range(250):
            kept.recorder.add(result(f"c{number}"))
            await asyncio.sleep(0)
        await kept.recorder.close()

    asyncio.run(act())
    assert kept.ids == [f"c{number}" for number in range(250)]
    assert sum(kept.portions) == 250
    assert max(kept.portions) == 20


def test_few_results_with_differences_are_looked_at_in_a_row(kept: Kept) -> None:
    difference = Difference("body.n", "value", 1, 2, "default")

    async def act() -> None:
        for number in range(8):
            kept.recorder.add(replace(result(f"c{number}"), differences=(difference,)))
        await kept.recorder.close()

    asyncio.run(act())
    assert kept.portions[:2] == [4, 4]


def test_large_answers_do_not_wait_for_others(kept: Kept) -> None:
    async def act() -> None:
        for number in range(3):
            kept.recorder.add(result(f"c{number}", bytes(1 << 20)))
        await kept.recorder.close()

    asyncio.run(act())
    assert kept.portions[:3] == [1, 1, 1]


def test_a_few_results_are_kept_after_half_a_second(kept: Kept) -> None:
    async def act() -> None:
        kept.recorder.add(result("c1"))
        assert not kept.portions
        await later(SECONDS)
        assert kept.portions == [1]
        await kept.recorder.close()

    asyncio.run(act())
    assert kept.ids == ["c1"]


def test_what_cannot_be_looked_at_ends_the_run_also_where_it_is_late(kept: Kept) -> None:
    async def act() -> None:
        kept.recorder.add(result("broken"))
        await later(SECONDS)
        assert [type(error) for error in kept.flow.errors] == [RecursionError]
        with pytest.raises(RecursionError):
            await kept.recorder.close()

    asyncio.run(act())
    assert kept.ids == []


def test_what_waits_is_kept_at_once_where_the_process_ends(kept: Kept) -> None:
    async def act() -> None:
        for number in range(30):
            kept.recorder.add(result(f"c{number}"))
        kept.recorder.flush()

    asyncio.run(act())
    assert kept.ids == [f"c{number}" for number in range(30)]
