"""Which cases are under way: bounded, complete, sessions in order, nothing begun after a stop or before its moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.engine.pacing import Planned, Steady
from replay.engine.schedule import GRACE, Schedule
from replay.models import Case, Failed, Lateness, Request
from replay.wire.clock import now_ns

Done = Callable[[str], None]
SLOW_NS = 50_000_000


def cases(sessions: list[str | None]) -> list[Case]:
    return [Case(str(n), "traffic", f"d:{n}", Request(), session=name) for n, name in enumerate(sessions)]


class Work:
    """Takes as many turns of the loop for each case as it is told, and keeps what was under way."""

    def __init__(self, delays: list[int]) -> None:
        self._delays = delays
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.late: list[float | None] = []
        self.most = self._under_way = 0

    def begin(self, case: Case, lateness: Lateness | None, done: Done, failed: Failed) -> None:
        """Work on one case, whose result is its id."""
        del failed
        self.begun.append(case.id)
        self.late.append(None if lateness is None else lateness.late_ms)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        self._go_on(self._delays[int(case.id) % len(self._delays)], case.id, done)

    def _go_on(self, turns: int, name: str, done: Done) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._go_on, turns - 1, name, done)
            return
        self._under_way -= 1
        self.ended.append(name)
        done(name)


def carried_out(source: Iterable[Case], work: Work, concurrency: int) -> list[str]:
    return planned_out(map(Planned, source), work, concurrency)


def planned_out(planned: Iterable[Planned], work: Work, concurrency: int) -> list[str]:
    found: list[str] = []

    async def carry_out() -> None:
        await Schedule(planned, work.begin, found.append, concurrency=concurrency).run()

    asyncio.run(asyncio.wait_for(carry_out(), timeout=20))
    return found


def steadily(rate: float, sessions: list[str | None]) -> Iterator[Planned]:
    moment = Steady(rate).moments()
    return (Planned(case, moment(case)) for case in cases(sessions))


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
    work = Work([2])

    def source() -> Iterator[Case]:
        for case in cases([None] * 50):
            taken.append(int(case.id))
            assert len(taken) <= len(work.ended) + 4
            yield case

    assert len(carried_out(source(), work, 4)) == 50


def test_a_session_whose_case_is_under_way_does_not_keep_the_others_waiting() -> None:
    # The first case of the session never ends before all others have: they must not be behind it.
    work = Work([60, 0, 0, 0, 0, 0, 0, 0])
    carried_out(cases(["a", "a", "a", "a", None, "b", "b", None]), work, 2)
    assert work.ended.index("7") < work.ended.index("1")


def test_cases_that_end_together_make_room_for_others_only_then() -> None:
    begun: list[str] = []
    ends: list[Callable[[], None]] = []
    found: list[str] = []

    def begin(case: Case, lateness: Lateness | None, done: Done, failed: Failed) -> None:
        del lateness, failed
        begun.append(case.id)
        ends.append(lambda: done(case.id))

    async def carry_out() -> None:
        schedule = Schedule(map(Planned, cases([None] * 7)), begin, found.append, concurrency=3)
        running = asyncio.ensure_future(schedule.run())
        await asyncio.sleep(0)

        def end_all() -> bool:
            waiting, seen = ends[:], len(begun)
            ends.clear()
            for end in waiting:
                end()
            assert len(begun) == seen
            return True

        while not running.done():
            schedule.after(end_all)
            assert len(begun) == min(7, len(found) + 3)
            await asyncio.sleep(0)
        await running

    asyncio.run(asyncio.wait_for(carry_out(), timeout=20))
    assert sorted(found) == sorted(begun) == [str(n) for n in range(7)]


def test_cases_that_were_taken_when_everything_is_held_begin_in_their_order_when_it_goes_on() -> None:
    begun: list[str] = []

    async def carry_out() -> list[str]:
        found: list[str] = []

        def begin(case: Case, lateness: Lateness | None, done: Done, failed: Failed) -> None:
            del lateness, failed
            begun.append(case.id)
            done(case.id)

        def finished(result: str) -> None:
            found.append(result)
            if result in ("2", "9"):
                schedule.hold()

        schedule = Schedule(map(Planned, cases([None] * 20)), begin, finished, concurrency=8)
        running = asyncio.ensure_future(schedule.run())
        await asyncio.sleep(0)
        assert begun == ["0", "1", "2"]
        schedule.go_on()
        assert begun[-1] == "9"
        schedule.go_on()
        await asyncio.wait_for(running, timeout=20)
        return found

    assert asyncio.run(carry_out()) == begun == [str(n) for n in range(20)]


def test_many_cases_that_end_at_once_neither_nest_nor_keep_the_loop_to_themselves() -> None:
    turns = 0

    async def carry_out() -> int:
        found: list[str] = []
        schedule = Schedule(map(Planned, cases([None] * 5000)), Work([0]).begin, found.append, concurrency=1)

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.ensure_future(count())
        await schedule.run()
        counting.cancel()
        return len(found)

    assert asyncio.run(carry_out()) == 5000
    assert turns > 10


def stopped_after(third: Callable[[Schedule[str], Failed], None]) -> tuple[list[str], list[str]]:
    """Carry fifty cases out, of which only the first two ever end; call `third` when the third is begun."""
    begun: list[str] = []
    found: list[str] = []

    async def carry_out() -> None:
        schedule: Schedule[str]

        def begin(case: Case, _late: Lateness | None, done: Done, failed: Failed) -> None:
            begun.append(case.id)
            if case.id == "3":
                third(schedule, failed)
            if int(case.id) < 2:
                done(case.id)

        schedule = Schedule(map(Planned, cases([None] * 50)), begin, found.append, concurrency=4)
        await schedule.run()

    try:
        asyncio.run(asyncio.wait_for(carry_out(), timeout=GRACE + 5))
    finally:
        assert begun == ["0", "1", "2", "3"]
    return begun, found


def test_after_a_stop_nothing_more_is_begun_and_what_hangs_is_not_waited_for() -> None:
    _, found = stopped_after(lambda schedule, _failed: schedule.stop())
    assert found == ["0", "1"]


def test_what_a_case_raises_ends_the_run_and_comes_out_of_it() -> None:
    with pytest.raises(LookupError, match="a mistake"):
        stopped_after(lambda _schedule, failed: failed(LookupError("a mistake")))


def test_what_beginning_a_case_raises_comes_out_too() -> None:
    def begin(case: Case, _late: Lateness | None, done: Done, _failed: Failed) -> None:
        if case.id == "5":
            raise LookupError("a mistake")
        done(case.id)

    found: list[str] = []

    async def carry_out() -> None:
        await Schedule(map(Planned, cases([None] * 50)), begin, found.append, concurrency=3).run()

    with pytest.raises(LookupError, match="a mistake"):
        asyncio.run(carry_out())
    assert found == ["0", "1", "2", "3", "4"]


def test_while_it_is_held_nothing_begins_and_afterwards_everything_does() -> None:
    async def carry_out() -> tuple[list[str], list[str]]:
        work, found = Work([0]), list[str]()
        schedule = Schedule(map(Planned, cases([None] * 20)), work.begin, found.append, concurrency=2)
        schedule.hold()
        running = asyncio.ensure_future(schedule.run())
        await asyncio.sleep(0.01)
        held = list(work.begun)
        schedule.go_on()
        await running
        return held, found

    held, found = asyncio.run(asyncio.wait_for(carry_out(), timeout=10))
    assert held == []
    assert len(found) == 20


def test_no_case_begins_before_its_moment_and_its_lateness_is_told() -> None:
    work = Work([0])
    planned_out(steadily(100, [None] * 5), work, 10)
    assert work.begun == ["0", "1", "2", "3", "4"]
    assert all(late is not None and late >= 0 for late in work.late)


def test_without_a_timetable_no_case_is_late() -> None:
    work = Work([1])
    carried_out(cases([None] * 3), work, 2)
    assert work.late == [None, None, None]


def test_waiting_for_the_case_before_in_its_session_is_no_lateness() -> None:
    work = Work([4000, 0])
    planned_out(steadily(100_000, ["a", "a"]), work, 10)
    first, second = work.late
    assert second is not None
    assert first is not None
    assert second < 5


def test_a_case_that_waited_for_its_session_does_not_bend_the_rates() -> None:
    async def carry_out() -> tuple[int, int, int]:
        work = Work([3000, 0, 0, 0])
        schedule = Schedule(steadily(1000, ["a", "a", None, None]), work.begin, list[str]().append, concurrency=4)
        await schedule.run()
        return schedule.begun, schedule.planned_ns, schedule.spent_ns

    begun, planned, spent = asyncio.run(carry_out())
    assert (begun, planned) == (4, 3_000_000)
    assert spent >= planned


def test_no_case_begins_whose_moment_lies_beyond_the_end() -> None:
    async def carry_out() -> tuple[list[str], Case | None]:
        work = Work([0])
        schedule = Schedule(steadily(10, [None] * 50), work.begin, list[str]().append, concurrency=4, seconds=0.25)
        await schedule.run()
        return work.begun, schedule.cut

    begun, cut = asyncio.run(asyncio.wait_for(carry_out(), timeout=5))
    assert begun == ["0", "1", "2"]
    assert cut is not None
    assert cut.id == "3"


def test_reading_the_first_case_makes_none_late() -> None:
    def slowly() -> Iterator[Planned]:
        begun = now_ns()
        while now_ns() - begun < SLOW_NS:
            pass
        yield Planned(cases([None])[0], 0)

    work = Work([0])
    planned_out(slowly(), work, concurrency=1)
    [late] = work.late
    assert late is not None
    assert late < SLOW_NS / 1e6
