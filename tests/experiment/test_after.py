"""The other side afterwards: in threads that are bounded and never waited for, stopped by the breaker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.experiment import Breaker, Experiment, flush
from replay.experiment.crew import MOST_THREADS, MOST_WAITING, Crew
from tests.experiment.kept import Kept

SECONDS = 10


class Done:
    """Counts what was done, and waits for so much of it."""

    def __init__(self, number: int = 1) -> None:
        self._left = threading.Semaphore(0)
        self._number = number

    def __call__(self, *_: object) -> None:
        """Count one."""
        self._left.release()

    def wait(self) -> None:
        """Wait for all of it."""
        for _ in range(self._number):
            assert self._left.acquire(timeout=SECONDS)


def skipped(told: Kept) -> list[str]:
    assert flush(SECONDS)
    return [str(each.result.skipped) for each in told.outcomes if each.result.skipped]


def told_of(told: Kept, number: int) -> list[str]:
    """Return how so many calls came out, once all are told."""
    for _ in range(SECONDS * 100):
        assert flush(SECONDS)
        if len(told.outcomes) >= number:
            return told.names
        threading.Event().wait(0.01)
    raise AssertionError(told.names)


def test_the_caller_does_not_wait_for_the_other_side(told: Kept) -> None:
    gate = threading.Event()
    rule = Experiment("rule", lambda: 1, lambda: gate.wait(SECONDS) and 2, mode="after")
    assert rule() == 1
    gate.set()
    assert told_of(told, 1) == ["deviation"]


def test_the_other_side_is_compared_with_what_was_answered_then(told: Kept) -> None:
    gate = threading.Event()

    def later(lines: list[int]) -> list[int]:
        gate.wait(SECONDS)
        return [*lines, 3]

    answer = Experiment("rule", lambda lines: [*lines, 3], later, mode="after")([1])
    answer.clear()
    gate.set()
    assert told_of(told, 1) == ["match"]


def test_it_runs_in_a_thread_that_does_not_keep_the_program(told: Kept) -> None:
    threads: list[threading.Thread] = []
    Experiment("rule", lambda: None, lambda: threads.append(threading.current_thread()), mode="after")()
    assert told_of(told, 1) == ["match"]
    assert [thread.daemon for thread in threads] == [True]
    assert threads[0] is not threading.current_thread()


def test_what_finds_no_room_is_told_and_never_waited_for(told: Kept) -> None:
    gate = threading.Event()
    rule = Experiment("rule", lambda: 1, lambda: gate.wait(SECONDS) and 1, mode="after")
    calls = MOST_THREADS + MOST_WAITING + 10
    assert [rule() for _ in range(calls)] == [1] * calls
    assert len(skipped(told)) >= 10 - MOST_THREADS
    gate.set()
    names = told_of(told, calls)
    assert names.count("skipped") + names.count("match") == calls
    # Chance left them out, so that they only make the sample smaller.
    assert {each.result.flags for each in told.outcomes} == {()}


def test_threads_that_do_not_come_back_are_given_up() -> None:
    never, told = threading.Event(), Done(MOST_THREADS)
    refused: list[str] = []

    def stuck(why_not: str) -> None:
        if why_not:
            told()
        else:
            never.wait(SECONDS)

    crew = Crew(away_ns=1_000_000)
    for _ in range(MOST_THREADS):
        crew.take(stuck)
        crew.take(lambda _: None)
    told.wait()
    crew.take(refused.append)
    never.set()
    assert refused == ["the other side did not come back from earlier calls"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_call_whose_other_side_does_not_come_back_is_told_as_its_error_and_told_once(told: Kept) -> None:
    gate, ended = threading.Event(), threading.Event()

    def stuck() -> int:
        gate.wait(SECONDS)
        ended.set()
        return 1

    rule = Experiment("rule", lambda: 1, stuck, mode="after", budget="1ms")  # away after a second, at the soonest
    assert rule() == 1
    assert told_of(told, 1) == ["new_error"]
    gate.set()
    assert ended.wait(SECONDS)
    assert rule() == 1
    assert told_of(told, 2) == ["new_error", "match"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are forks on POSIX only")
def test_a_fork_begins_with_threads_of_its_own() -> None:
    done = Done()
    crew = Crew()
    crew.take(done)
    done.wait()
    child = os.fork()
    if not child:
        again = threading.Event()
        crew.take(lambda _: again.set())
        os._exit(0 if again.wait(SECONDS) else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are forks on POSIX only")
def test_processes_that_were_forked_without_telling_python_draw_ids_and_run_the_other_side_of_their_own() -> None:
    """As uWSGI forks its workers: nothing that Python has registered for forks is called.

    A process that is forked while another of its threads holds the interpreter's lock, or is about to take it, hangs in
    Python itself. So this one waits until its threads wait for work.
    """
    program = (
        "import ctypes, os, time\n"
        "from replay.experiment.crew import Crew\n"
        "from replay.experiment.drawing import drawn_id\n"
        "import threading\n"
        "crew, done = Crew(), threading.Semaphore(0)\n"
        "job = lambda _: done.release()\n"
        "crew.take(job)\n"
        "done.acquire(timeout=10)\n"
        "while not crew.is_at_rest: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        "child = ctypes.CDLL(None).fork()\n"
        "crew.take(job)\n"
        "came = done.acquire(timeout=10)\n"
        "os.write(1, f'{drawn_id()} {came}\\n'.encode())\n"
        "if not child: os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    drawn = [line.split() for line in done.stdout.splitlines()]
    assert [came for _, came in drawn] == ["True", "True"]
    assert len({id_ for id_, _ in drawn}) == 2


def failing() -> Any:
    raise ValueError


def test_the_breaker_stops_a_side_that_fails_and_says_so(told: Kept) -> None:
    asked: list[int] = []

    def new() -> None:
        asked.append(1)
        raise ValueError

    rule = Experiment("rule", lambda: 1, new, breaker=Breaker(calls=4, rest="1h"))
    assert [rule() for _ in range(10)] == [1] * 10
    assert len(asked) == 4
    assert skipped(told) == ["the other side is stopped for a while: it failed in 4 of 4 calls"]


def test_how_many_calls_were_not_compared_meanwhile_is_told_once_the_other_side_runs_again(told: Kept) -> None:
    asked: list[int] = []

    def new() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError
        return 1

    rule, calls = Experiment("rule", lambda: 1, new, breaker=Breaker(calls=1, rest=0.2)), 0
    while len(asked) < 2 and calls < 100_000_000:
        rule()
        calls += 1
    assert skipped(told)[1:] == [f"the other side is run again: calls not compared meanwhile: {calls - 2:,}"]


def test_the_breaker_lets_one_call_through_after_its_rest() -> None:
    asked: list[int] = []

    def new() -> int:
        asked.append(1)
        if len(asked) < 4:
            raise ValueError
        return 1

    rule = Experiment("rule", lambda: 1, new, breaker=Breaker(calls=2, rest=1e-9), to=[])
    assert [rule() for _ in range(10)] == [1] * 10
    assert len(asked) == 10


@pytest.mark.parametrize(
    "terms",
    [
        {"budget": 1e-9, "breaker": Breaker(calls=4, rest="1h")},
        {"breaker": Breaker(calls=4, rest="1h", cpu=0.0)},
    ],
)
def test_the_breaker_stops_a_side_that_is_slow_or_takes_too_much_cpu(terms: dict[str, Any]) -> None:
    asked: list[int] = []

    def new() -> None:
        asked.append(sum(range(1000)))

    rule = Experiment("rule", lambda: None, new, to=[], **terms)
    for _ in range(10):
        rule()
    assert len(asked) == 4


def test_where_both_sides_fail_alike_the_breaker_stays_closed() -> None:
    asked: list[int] = []

    def both() -> None:
        asked.append(1)
        raise ValueError

    rule = Experiment("rule", both, both, breaker=Breaker(calls=2, rest="1h"), to=[])
    for _ in range(10):
        with pytest.raises(ValueError, match=r"^$"):
            rule()
    assert len(asked) == 20


@pytest.mark.parametrize("make", [lambda: Experiment("rule", budget="soon"), lambda: Experiment("rule", budget=-1)])
def test_a_budget_that_is_no_duration_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(SettingsError, match="is no duration"):
        make()


def test_a_program_that_ends_waits_a_moment_for_the_other_side_and_gives_up_what_never_ends() -> None:
    program = (
        "import sys, threading; from replay import Experiment; from replay.experiment import report_to\n"
        "class Told:\n"
        "    def take(self, outcome): print(outcome.result.outcome, outcome.result.skipped, flush=True)\n"
        "    def lose(self, loss): print(loss)\n"
        "    def flush(self): pass\n"
        "    def close(self): pass\n"
        "    def forked(self): pass\n"
        "report_to(Told())\n"
        "Experiment('quick', lambda: 1, lambda: 2, mode='after')()\n"
        "Experiment('stuck', lambda: 1, lambda: threading.Event().wait(), mode='after')()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    told = ["deviation None", "skipped not compared: the program ended"]
    assert (done.returncode, sorted(done.stdout.splitlines()), done.stderr) == (0, told, "")
