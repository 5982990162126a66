"""What is said of troubles again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from replay.experiment.troubles import Troubles


class Interrupting(str):
    """Has something else done while it is looked up, as a signal's handler or a finaliser would."""

    __slots__ = ("meanwhile",)
    meanwhile: Callable[[], None]

    def __hash__(self) -> int:
        self.meanwhile()
        return str.__hash__(self)


def test_a_trouble_in_the_middle_of_another_one_is_said_as_well(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    kind = Interrupting("outer")
    kind.meanwhile = lambda: troubles.say("inner", "the inner one")
    thread = threading.Thread(target=troubles.say, args=(kind, "the outer one"), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert sorted({record.getMessage().partition(" (")[0] for record in caplog.records}) == [
        "the inner one",
        "the outer one",
    ]
