"""Who is told of the compared calls of all experiments, beside the sinks that each has: what tests are watched by.

By itself this loads nothing: pytest has to know it in every run, and few have an experiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from replay.experiment.calls import Sink

WATCHERS: Final[list[Sink]] = []
