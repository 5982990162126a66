"""Runs of experiments from the stores of several machines, brought together: what is one run, becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from replay.engine.plan import Watch
from replay.models import Result
from replay.store.base import RunRecord
from replay.store.experiments import ExperimentRun, whose, with_experiment
from replay.store.sqlite import SqliteStore

_BATCH: Final = 500


def joined(into: SqliteStore, parts: Sequence[tuple[SqliteStore, RunRecord]], watch: Watch) -> None:
    """Copy runs of experiments into a new store; those of one day, of the same functions, rules and version are one.

    Their results and their losses add up. None of them is judged yet: what was lost on one machine, and what deviated,
    counts for the whole.
    """
    for store, record in parts:
        fresh = _unjudged(record)
        batch: list[Result] = []
        # As many as there are by now; what is lost meanwhile counts, as it may have come before one of these.
        for result in islice(store.results(record.id), store.count(record.id)):
            batch.append(result)
            watch(result.outcome)
            if len(batch) >= _BATCH:
                into.join(fresh, batch, _unchanged)
                batch = []
        into.join(fresh, batch, partial(_with_losses, of=whose(store.run(record.id))))


def _unjudged(record: RunRecord) -> RunRecord:
    fresh = replace(record, state="running", summary=None, verdict=None, before=(), criteria={}, criteria_hash="")
    run = replace(whose(record), lost={}, joined=0, left=0, judged=None)
    return with_experiment(replace(fresh, gate=None), run)


def _with_losses(before: RunRecord, of: ExperimentRun) -> RunRecord:
    return with_experiment(before, whose(before).with_news(of.lost, joined=of.joined, left=of.left))


def _unchanged(before: RunRecord) -> RunRecord:
    return before
