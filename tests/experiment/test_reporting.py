"""Calls reach every sink, and nothing of what goes wrong there reaches the caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replay.experiment.calls import Setup
from replay.experiment.examining import Examiner
from replay.experiment.reporting import Reporter
from replay.privacy import MaskKey
from tests.experiment.kept import Kept, agreeing, differing

DRAFT = Setup("needs-draft")
KEY = MaskKey(b"a key of these tests", made=False)


@pytest.fixture
def reporter() -> Iterator[Reporter]:
    made = Reporter(lambda: Examiner(KEY).examined)
    yield made
    assert made.close(10)


def test_what_agrees_and_what_differs_reaches_the_sink(reporter: Reporter) -> None:
    sink = Kept()
    for handed in (agreeing(DRAFT), differing(DRAFT)):
        reporter.hand_over(handed, [sink])
    assert reporter.flush(10)
    assert sink.names == ["match", "deviation"]
