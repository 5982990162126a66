"""Signals that arrive while the other side runs are the program's; whatever the other side raises by itself is not."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType, SimpleNamespace

import pytest

from replay.experiment import Experiment


class TimeIsUpError(BaseException):
    """What a server raises in a worker that takes too long."""


def ring(number: int, frame: FrameType | None) -> None:
    raise TimeIsUpError(number, frame is None)


@pytest.fixture
def _ringing() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, ring)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    # What is started in the background may have been told to ignore the keyboard.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def once(number: int, frame: FrameType | None) -> None:
    """Raise, and be no handler any more."""
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    raise TimeIsUpError(number, frame is None)


def of_any(*_given: object) -> None:
    raise TimeIsUpError


class Bell:
    """A handler that is no function."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Be the handler."""
        raise TimeIsUpError(number, frame is None)

    def ring(self, number: int, frame: FrameType | None) -> None:
        """Be the handler as a method."""
        raise TimeIsUpError(number, frame is None)


def interrupted() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)


def rung() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(5)


def raising() -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_while_the_other_side_runs_reaches_the_program() -> None:
    with pytest.raises(KeyboardInterrupt):
        Experiment("rule", lambda: None, interrupted, to=[])()


@pytest.mark.usefixtures("_ringing")
def test_what_a_signal_handler_raises_reaches_the_program() -> None:
    with pytest.raises(TimeIsUpError):
        Experiment("rule", lambda: None, rung, to=[])()


@pytest.mark.usefixtures("_ringing")
@pytest.mark.parametrize("handler", [once, of_any, Bell(), Bell().ring, partial(ring), lambda *_: ring(1, None)])
def test_it_does_so_whatever_the_handler_is(handler: Callable[[int, FrameType | None], None]) -> None:
    signal.signal(signal.SIGUSR1, handler)
    with pytest.raises(TimeIsUpError):
        Experiment("rule", lambda: None, rung, to=[])()


@pytest.mark.usefixtures("_ringing")
def test_a_handler_that_the_other_side_calls_by_itself_raises_for_that_side_alone() -> None:
    assert Experiment("rule", lambda: 1, lambda: ring(signal.SIGUSR1, None), to=[])() == 1


@pytest.mark.usefixtures("_ringing")
def test_an_interrupt_that_the_other_side_raises_by_itself_does_not() -> None:
    assert Experiment("rule", lambda: 1, raising, to=[])() == 1


def test_the_end_of_the_callers_greenlet_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class GreenletExit(BaseException):
        """What `kill` has raised where a greenlet is."""

    def killed() -> None:
        raise GreenletExit

    assert Experiment("rule", lambda: 1, killed, to=[])() == 1
    monkeypatch.setitem(sys.modules, "greenlet", SimpleNamespace(GreenletExit=GreenletExit))
    with pytest.raises(GreenletExit):
        Experiment("rule", lambda: 1, killed, to=[])()
