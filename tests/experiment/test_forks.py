"""What a fork waits for: work that must not be torn apart, and not for ever."""

from __future__ import annotations

import os
import threading

import pytest

from replay.experiment.forks import Whole

SECONDS = 10

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there are forks on POSIX only"),
    # That is what this is about, and Python says it since 3.12.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def forked(whole: Whole) -> int:
    """Fork, and return the exit code of the child: 0 where it can do such work of its own."""
    child = os.fork()
    if not child:
        with whole.alone():
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def at_work(whole: Whole, begun: threading.Event, end: threading.Event, did: list[str]) -> None:
    with whole.alone():
        begun.set()
        end.wait(SECONDS)
        did.append("all of it")


def test_a_fork_waits_for_the_end_of_it() -> None:
    whole, begun, end, did = Whole(SECONDS), threading.Event(), threading.Event(), list[str]()
    thread = threading.Thread(target=at_work, args=(whole, begun, end, did))
    thread.start()
    assert begun.wait(SECONDS)
    threading.Timer(0.05, end.set).start()
    assert (forked(whole), did) == (0, ["all of it"])
    thread.join(SECONDS)
    with whole.alone():  # and the parent may go on as well
        pass


def test_a_fork_does_not_wait_for_ever() -> None:
    """A disk that does not answer would otherwise hold up a program that forks."""
    whole, begun, end, did = Whole(0.01), threading.Event(), threading.Event(), list[str]()
    thread = threading.Thread(target=at_work, args=(whole, begun, end, did))
    thread.start()
    assert begun.wait(SECONDS)
    assert (forked(whole), did) == (0, [])
    end.set()
    thread.join(SECONDS)
    with whole.alone():
        assert did == ["all of it"]
