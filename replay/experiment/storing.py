"""The sink that keeps every compared call in the store, where `replay judge`, `report` and `drift` find it.

Calls of all processes go into one run an experiment and day. A batch is one transaction: whoever is killed leaves all
of it or nothing. A store that is locked, full or being purged is tried again with what comes later; what does not fit
into memory meanwhile is lost, and the run says so as soon as it can be written, so that its verdict is never GO.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from replay.errors import ReplayError
from replay.experiment.calls import Loss, Outcome, Setup
from replay.experiment.forks import Whole
from replay.experiment.joint_runs import joint_run, prints_of, slug
from replay.experiment.troubles import Troubles, told
from replay.models import Result
from replay.store.base import RunRecord
from replay.store.claim import at_work
from replay.store.experiments import CHOSEN, GRACE, experiment_of, with_experiment
from replay.store.pages import pages_of
from replay.store.place import default_store
from replay.store.sqlite import SqliteStore

MOST_CALLS: Final = 10_000
MOST_BYTES: Final = 32 * 2**20
FULL: Final = "the store could not be written for too long"
UNFIT: Final = "the store has no form for it"
_BATCH: Final = 1_000
_PATIENCE: Final = 1.0
"""Seconds that other writers are waited for: meanwhile calls wait before this sink."""
_MOST_SETUPS: Final = 200

_WRITING: Final = Whole()
"""While any store is open: a connection must never be carried over a fork."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """What is known of an experiment, and its runs by their days. The setup is kept, so that its id stays its own."""

    setup: Setup
    prints: dict[str, str]
    slug: str
    runs: dict[date, RunRecord] = field(default_factory=dict)


def _origin(setup: Setup) -> _Origin:
    return _Origin(setup, prints_of(setup), slug(setup.name))


@dataclass(slots=True)
class Batch:
    """What waits to be written to one run."""

    record: RunRecord
    results: list[Result] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    joined: bool = False
    """Whether this process has told the run that it writes there."""
    leaving: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to write."""
        return not (self.results or self.lost or self.leaving)

    def amended(self, record: RunRecord) -> RunRecord:
        """Return the record of the run with what this process has to say about it."""
        before = experiment_of(record)
        if before is None or not (self.lost or self.leaving or not self.joined):
            return record
        return with_experiment(record, before.with_news(self.lost, joined=not self.joined, left=self.leaving))

    def sift(self) -> int:
        """Give up what no store can hold, as it would keep all the rest from being written; return how many."""
        fit = [result for result in self.results if _is_storable(result)]
        unfit = len(self.results) - len(fit)
        self.results = fit
        self.lost.update({UNFIT: unfit} if unfit else {})
        return unfit


class Stored:
    """Keeps the outcomes of all compared calls. Belongs to one thread at a time."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Take the file, which need not be there yet: that of the tool in this folder, unless one is named."""
        self._path = Path(path if path is not None else os.environ.get("REPLAY_STORE") or default_store()).absolute()
        self._begin()

    def _begin(self) -> None:
        self._batches: dict[str, Batch] = {}
        self._origins: dict[int, _Origin] = {}
        self._uncalled: dict[str, _Origin] = {}
        """Experiments of which only losses are known, by their names."""
        self._waiting = self._bytes = 0
        self.unwritten = False
        """Whether the store could not be written the last time."""
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._troubles = Troubles()

    def forked(self) -> None:
        """Forget what waits: it belongs to the process that this one was forked from."""
        self._begin()

    # ------------------------------------------------------------------------------------------------------ taking in

    def take(self, outcome: Outcome) -> None:
        """Take one outcome in; it is written with those around it, at the latest by the next flush."""
        origin = self._origin_of(outcome.setup or Setup(outcome.experiment))
        batch = self._batch(origin, outcome.at)
        result = kept_form(outcome, origin.slug)
        size = _size(result)
        if self._waiting >= MOST_CALLS or self._bytes + size > MOST_BYTES:
            batch.lost[FULL] += 1
            self._troubles.say("lost", f"{self._path}: {FULL}: calls are lost, and the verdict will say so")
            return
        batch.results.append(result)
        self._waiting += 1
        self._bytes += size
        self._newest = max(self._newest, outcome.at)
        if self._waiting >= _BATCH and not self.unwritten:
            self.flush()

    def lose(self, loss: Loss) -> None:
        """Take note of calls that are in no run, so that no verdict on one that they may belong to is GO.

        Of what was lost only the experiment's name is known. Where no call of it came yet, it stands in a run of its
        own, which holds nothing else and speaks for all of that day.
        """
        origins = [it for it in self._origins.values() if it.setup.name == loss.experiment]
        origins = origins or [self._uncalled_one(loss.experiment)]
        # What is noticed after midnight may have been a call of before.
        batches = [self._batch(it, at) for it in origins for at in (loss.at, loss.at - GRACE)]
        for batch in {it.record.id: it for it in batches}.values():
            batch.lost[loss.reason] += loss.calls

    def _origin_of(self, setup: Setup) -> _Origin:
        origin = self._origins.get(id(setup))
        if origin is None:
            if len(self._origins) >= _MOST_SETUPS:
                self._origins.clear()
            origin = self._origins[id(setup)] = _origin(setup)
        return origin

    def _uncalled_one(self, experiment: str) -> _Origin:
        if len(self._uncalled) >= _MOST_SETUPS:
            self._uncalled.clear()
        return self._uncalled.setdefault(experiment, _origin(Setup(experiment)))

    def _batch(self, origin: _Origin, at: datetime) -> Batch:
        day = at.astimezone(UTC).date()
        if day not in origin.runs:
            origin.runs[day] = joint_run(origin.setup, origin.prints, at)
        record = origin.runs[day]
        batch = self._batches.get(record.id)
        return batch or self._batches.setdefault(record.id, Batch(record))

    # -------------------------------------------------------------------------------------------------------- writing

    def flush(self) -> None:
        """Write all that waits; what cannot be written stays, and is tried again with what comes later."""
        self._leave(batch for batch in self._batches.values() if self._is_past(batch))
        self._write()

    def close(self) -> None:
        """Write all that waits, and tell the runs that this process has written everything."""
        self._leave(self._batches.values())
        self._write()
        if self._waiting:
            self._troubles.say("closed", f"{self._path}: {self._waiting:,} calls could not be written before the end")

    @staticmethod
    def _leave(batches: Iterable[Batch]) -> None:
        for batch in batches:
            batch.leaving = batch.joined or not batch.is_empty

    def _is_past(self, batch: Batch) -> bool:
        run = experiment_of(batch.record)
        return run is not None and run.is_over(self._newest)

    def _write(self) -> None:
        due = [batch for batch in self._batches.values() if not batch.is_empty]
        if not due:
            return
        try:
            with _WRITING.alone(), at_work(self._path), SqliteStore.open(self._path, patience=_PATIENCE) as store:
                for batch in due:
                    store.join(batch.record, batch.results, batch.amended)
                    self._written(batch)
        except (ReplayError, OSError) as error:
            self.unwritten = True
            self._troubles.say("unwritten", f"{told(error)}: {self._waiting:,} calls wait to be written")
        except Exception as error:
            if not sum([batch.sift() for batch in due]):
                raise
            self._troubles.say("unfit", f"calls are lost, since {UNFIT}: {told(error)}")
        else:
            self.unwritten = False
        self._count()

    def _written(self, batch: Batch) -> None:
        batch.results, batch.lost = [], Counter()
        batch.joined = True
        if batch.leaving:
            del self._batches[batch.record.id]

    def _count(self) -> None:
        self._waiting = sum(len(batch.results) for batch in self._batches.values())
        self._bytes = sum(_size(result) for batch in self._batches.values() for result in batch.results)


def kept_form(outcome: Outcome, name: str) -> Result:
    """Return a result as the store is to have it: in the order of time, and with whose answer was used."""
    result = outcome.result
    identity = f"{name}:{(outcome.at - _EPOCH) // _MILLISECOND}-{result.case.id.rpartition('-')[2]}"
    case = replace(result.case, identity=identity)
    return replace(result, case=case, flags=(*result.flags, CHOSEN[outcome.chosen]))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def _size(result: Result) -> int:
    """Return how many bytes the bodies of a result take; what else there is, is bounded by the number of calls."""
    bodies = (result.case.request.body, result.old and result.old.body, result.new and result.new.body)
    return sum(len(body) for body in bodies if body)


def _is_storable(result: Result) -> bool:
    try:
        return len(list(pages_of([result]))) > 0
    except Exception:  # noqa: BLE001 - whatever it is that the store stumbles over
        return False
