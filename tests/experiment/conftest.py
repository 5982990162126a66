"""Where the outcomes of the experiments of a test go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replay.experiment.listing import Listing
from replay.experiment.reporting import REPORTER
from tests.experiment.kept import Kept


@pytest.fixture(autouse=True, scope="module")
def _said() -> Iterator[None]:
    """Let go of broken sinks while pytest listens: what they still raise would be said at the end of the process."""
    yield
    REPORTER.close(20)


@pytest.fixture
def told() -> Iterator[Kept]:
    """Keep what experiments that name no sinks tell, for the time of a test."""
    before = REPORTER._sinks
    kept = Kept()
    REPORTER.report_to(kept)
    REPORTER._listing = Listing()  # the tests before this one may have had all that is told in a second
    yield kept
    REPORTER.flush(10)
    REPORTER.report_to(*before)
