"""What the store keeps of a run that experiments make: whose it is, and what was lost of it.

One run holds what all processes of a program saw of one experiment on one UTC day, as long as functions, rules and
version stay the same. It stands in the record's settings, so that a store holds runs of every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from replay.errors import StoreError
from replay.models import SIDES, Side
from replay.store.base import RunRecord

SETTING: Final = "experiment"
CHOSEN: Final[Mapping[Side, str]] = {"old": "old chosen", "new": "new chosen"}
"""The flag of a result that tells whose answer the program used."""
GRACE: Final = timedelta(minutes=5)
"""How long after its day a run may still get results: calls that were under way, and clocks that differ."""
MOST_REASONS: Final = 20
OTHERWISE: Final = "for other reasons"


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """Whose a run is. `old` and `new` say where the functions stand."""

    name: str
    day: date
    old: str = ""
    new: str = ""
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many compared calls are not in it, by why."""
    joined: int = 0
    """How many processes wrote to it."""
    left: int = 0
    """How many of them said that they had written everything."""
    judged: datetime | None = None
    """When it was judged last."""

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing more may come: its day is over, and a little more."""
        return now >= datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(days=1) + GRACE

    def with_news(self, lost: Mapping[str, int], *, joined: int = 0, left: int = 0) -> ExperimentRun:
        """Return it with further losses, and with processes that came or went."""
        sums = dict(self.lost)
        for reason, calls in lost.items():
            known = reason if reason in sums or len(sums) < MOST_REASONS else OTHERWISE
            sums[known] = sums.get(known, 0) + calls
        return replace(self, lost=sums, joined=self.joined + joined, left=self.left + left)


def experiment_of(record: RunRecord) -> ExperimentRun | None:
    """Return whose a run is; None where no experiment made it. Raise StoreError for what is kept in another form."""
    kept: Mapping[str, Any] | None = record.settings.get(SETTING)
    if kept is None:
        return None
    try:
        judged = kept["judged"]
        parts = {name: kept[name] for name in ("name", "old", "new", "lost", "joined", "left")}
        instant = judged and datetime.fromisoformat(judged)
        return ExperimentRun(**parts, day=date.fromisoformat(kept["day"]), judged=instant)
    except (KeyError, TypeError, ValueError) as error:
        fact = f"run {record.id} of an experiment was kept by another version of replay"
        raise StoreError(fact, hint="read it with the version that the program has") from error


def whose(record: RunRecord) -> ExperimentRun:
    """Return whose a run is. Raise ValueError where no experiment made it."""
    run = experiment_of(record)
    if run is None:
        raise ValueError(f"run {record.id} is of no experiment")
    return run


def with_experiment(record: RunRecord, it: ExperimentRun) -> RunRecord:
    """Return a record that says so."""
    kept = {
        "name": it.name,
        "day": it.day.isoformat(),
        "old": it.old,
        "new": it.new,
        "lost": dict(it.lost),
        "joined": it.joined,
        "left": it.left,
        "judged": it.judged and it.judged.isoformat(),
    }
    return replace(record, settings={**record.settings, SETTING: kept})


def chosen_in(flags: tuple[str, ...]) -> Side | None:
    """Return whose answer the program used, as a result's flags tell; None where they do not."""
    return next((side for side in SIDES if CHOSEN[side] in flags), None)
