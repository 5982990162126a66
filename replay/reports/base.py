"""What every report looks like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TextIO

from replay.models import Result, Summary, Verdict


class Report(Protocol):
    """Turns a run into text. `results` can be iterated more than once, streams, and holds no secret any more."""

    def write(self, out: TextIO, summary: Summary, results: Iterable[Result], verdict: Verdict) -> None:
        """Write the whole report to `out`, which is UTF-8."""
