"""What a capture or a golden holds, in the place of a live side."""

from __future__ import annotations

from typing import Final, Literal

from replay.models import Case, Done, Expectation, Failed, Failure, Observation, TargetSpec
from replay.targets.base import Moment


class RecordedTarget:
    """Answers with the recorded response; for a golden without one, with what it expects. Sends nothing."""

    name: Final = "recorded"
    kind: Literal["recorded"] = "recorded"
    clock_note: Final = ""

    def __init__(self, spec: TargetSpec | None = None, *, concurrency: int = 1) -> None:
        """Take what every target takes; neither changes a recording."""
        del spec, concurrency

    def has(self, case: Case) -> bool:
        """Return whether there is an answer: a case without one is to be skipped and counted, never sent here."""
        return case.recorded is not None or answers(case.expect)

    async def start(self) -> None:
        """Nothing has to be started."""

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:  # noqa: ARG002 - it was recorded at its own moment, and cannot fail
        """Hand on what is recorded, at once; a case without a recording is a failure here, never an empty answer."""
        done(_answer(case))

    def secrets(self) -> frozenset[str]:
        """Nothing was given to a recording."""
        return frozenset()

    async def close(self) -> None:
        """Nothing has to be closed."""


def _answer(case: Case) -> Observation:
    if case.recorded is not None:
        return case.recorded
    if case.expect is not None and answers(case.expect):
        return Observation(status=case.expect.status, headers=case.expect.headers, body=case.expect.body or b"")
    return Observation(error=Failure("protocol", "nothing is recorded for this case"))


def answers(expect: Expectation | None) -> bool:
    """Return whether an expectation says enough to stand for an answer: its status or its body."""
    return expect is not None and (expect.status is not None or expect.body is not None)
