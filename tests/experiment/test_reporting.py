"""Calls reach every sink, and nothing of what goes wrong there reaches the caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replay.experiment.calls import Call, Outcome, Setup
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


class Quiet(Kept):
    """A sink that has no use for what agrees."""

    agreeing = False


def test_a_call_that_agrees_is_not_examined_where_no_sink_has_a_use_for_it() -> None:
    examined: list[str] = []
    examiner = Examiner(KEY)

    def examine(call: Call) -> Outcome:
        examined.append(call.relation)
        return examiner.examined(call)

    reporter, quiet, kept = Reporter(lambda: examine), Quiet(), Kept()
    reporter.hand_over(agreeing(DRAFT), [quiet])
    reporter.hand_over(differing(DRAFT), [quiet])
    reporter.hand_over(agreeing(DRAFT), [quiet, kept])
    assert reporter.close(10)
    assert examined == ["differ", "agreed"]
    assert (quiet.names, kept.names) == (["deviation"], ["match"])


def test_a_call_that_agrees_is_examined_where_rules_ask_something_of_equal_values() -> None:
    reporter, quiet = Reporter(lambda: Examiner(KEY).examined), Quiet()
    reporter.hand_over(agreeing(Setup("needs-draft", equal_too=True)), [quiet])
    assert reporter.close(10)
    assert len(quiet.names) == 1
