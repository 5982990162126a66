"""Which cases are under way: bounded, complete, sessions in order, nothing begun after a stop."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.engine.schedule import scheduled
from replay.models import Case, Request


def cases(sessions: list[str | None]) -> list[Case]:
    return [Case(str(n), "traffic", f"d:{n}", Request(), session=name) for n, name in enumerate(sessions)]


class Work:
    """Takes as long for each case as it is told, and keeps what was under way."""

    def __init__(self, delays: list[int]) -> None:
        self._delays = delays
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.most = self._under_way = 0

    async def __call__(self, case: Case) -> str:
        """Work on one case, and return its id."""
        self.begun.append(case.id)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        for _ in range(self._delays[int(case.id) % len(self._delays)]):
            await asyncio.sleep(0)
        self._under_way -= 1
        self.ended.append(case.id)
        return case.id


def carried_out(source: list[Case], work: Work, concurrency: int) -> list[str]:
    async def carry_out() -> list[str]:
        return [each async for each in scheduled(source, work, concurrency=concurrency, stop=asyncio.Event())]

    return asyncio.run(carry_out())


sessions = st.lists(st.sampled_from([None, None, "a", "b", "c"]), max_size=40)
delays = st.lists(st.integers(0, 5), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(sessions=sessions, delays=delays, concurrency=st.integers(1, 9))
def test_every_case_has_one_result_and_no_more_than_asked_for_are_under_way(
    sessions: list[str | None], delays: list[int], concurrency: int
) -> None:
    work = Work(delays)
    found = carried_out(cases(sessions), work, concurrency)
    assert sorted(found, key=int) == [str(n) for n in range(len(sessions))]
    assert work.most <= concurrency


@settings(max_examples=60, deadline=None)
@given(sessions=sessions, delays=delays, concurrency=st.integers(1, 9))
def test_a_case_of_a_session_begins_when_the_one_before_it_has_ended(
    sessions: list[str | None], delays: list[int], concurrency: int
) -> None:
    work = Work(delays)
    source = cases(sessions)
    carried_out(source, work, concurrency)
    by_session: dict[str, list[str]] = defaultdict(list)
    for case in source:
        if case.session is not None:
            by_session[case.session].append(case.id)
    for ids in by_session.values():
        assert [each for each in work.begun if each in ids] == ids
        assert [each for each in work.ended if each in ids] == ids


def test_one_at_a_time_keeps_the_order() -> None:
    work = Work([3, 0, 5, 1])
    assert carried_out(cases([None] * 30), work, 1) == [str(n) for n in range(30)]


def test_no_case_is_taken_from_the_source_before_there_is_room_for_it() -> None:
    taken: list[int] = []

    def source() -> Iterator[Case]:
        for case in cases([None] * 50):
            taken.append(int(case.id))
            yield case

    async def carry_out() -> None:
        yielded = 0
        async for _ in scheduled(source(), Work([2]), concurrency=4, stop=asyncio.Event()):
            yielded += 1
            assert len(taken) <= yielded + 4

    asyncio.run(carry_out())
    assert len(taken) == 50


def test_after_a_stop_nothing_more_is_begun_and_nothing_is_waited_for() -> None:
    stop = asyncio.Event()
    begun: list[str] = []

    async def work(case: Case) -> str:
        begun.append(case.id)
        if case.id == "3":
            stop.set()
        if int(case.id) >= 2:
            await asyncio.Event().wait()  # never answers
        return case.id

    async def carry_out() -> list[str]:
        return [each async for each in scheduled(cases([None] * 50), work, concurrency=4, stop=stop)]

    found = asyncio.run(asyncio.wait_for(carry_out(), timeout=5))
    assert set(found) <= {"0", "1"}
    assert len(begun) < 10


def test_what_work_raises_ends_the_run() -> None:
    async def work(case: Case) -> str:
        if case.id == "5":
            raise LookupError("a programming error")
        return case.id

    async def carry_out() -> list[str]:
        return [each async for each in scheduled(cases([None] * 50), work, concurrency=3, stop=asyncio.Event())]

    with pytest.raises(LookupError):
        asyncio.run(carry_out())
