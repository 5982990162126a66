"""What the runs before this one found, as far as criteria that span days or runs ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from replay.models import Judgement

OTHER_RULES: Final = "other rules"
OTHER_VERSION: Final = "other version"
NOT_JUDGED: Final = "not judged"

Key = tuple[str, str]
"""A criterion without its span, and a day; an empty day is the whole run."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A complete run of the same decision: on which days it has traffic, and how criteria stood on each by itself."""

    id: str
    days: tuple[str, ...] = ()
    standings: Mapping[Key, Judgement] = field(default_factory=dict)
    unfit: str = ""
    """Why nothing of it counts: what it was judged by, or what was put to the test, was something else."""


@dataclass(frozen=True, slots=True)
class Past:
    """The earlier runs, the oldest first, and the name of this one."""

    run: str = ""
    runs: tuple[EarlierRun, ...] = ()
    whole: bool = True
    """This one was asked for every case."""
    unversioned: bool = False
    """Nothing names the version of new, so that nobody knows whether it was the same in all runs."""


NO_PAST: Final = Past()
