"""What commands look up in the store: runs, cases by their ids, their causes, and whether goldens are still as sent."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from replay.causes import DEPARTING, Naming
from replay.errors import InputError
from replay.inert import unescaped
from replay.models import Case, Result
from replay.privacy import TOKEN
from replay.reports.causes import named
from replay.reports.history import PastRun
from replay.store.base import RunRecord
from replay.store.experiments import experiment_of
from replay.store.place import default_store
from replay.store.sqlite import SqliteStore


def opened_store(given: Path | None) -> SqliteStore:
    """Open the store that runs in this folder write to. Raise InputError where there is none yet."""
    path = given or default_store()
    if not path.exists():
        raise InputError("there is no store yet", place=str(path), hint="`replay run` makes one")
    return SqliteStore.open(path, create=False)


def closed_run(kept: SqliteStore, run: str | None) -> RunRecord:
    """Return a run that has come to its end. Raise InputError for one that was killed, or is under way."""
    record = kept.run(run)
    if record.summary is None:
        experiment = experiment_of(record)
        if experiment is not None:
            hint = f"`replay judge --experiment {shlex.quote(experiment.name)}` does, while it grows too"
            raise InputError(f"run {record.id} was never judged", hint=hint)
        raise InputError(f"run {record.id} was never closed", hint="`replay run --resume` goes on with it")
    return record


def sent_runs(kept: SqliteStore) -> Iterator[RunRecord]:
    """Yield the runs that this tool has sent, the newest first: none of those that experiments make."""
    return (record for record in kept.runs() if experiment_of(record) is None)


def cases_called(kept: SqliteStore, key: str, run: str | None) -> tuple[RunRecord, list[Result]]:
    """Return the newest run that has a case of this id or correlation id, or the one named, and its results of it.

    Raise InputError where there is none.
    """
    for record in [kept.run(run)] if run else kept.runs():
        # Reports print what cannot be seen in an id as escapes, and that is what people copy.
        if found := kept.find(key, record.id) or kept.find(unescaped(key), record.id):
            return record, found
    raise InputError(f"no stored case is called '{key}'", hint="`replay report` lists the cases that deviate")


def cause_of(kept: SqliteStore, record: RunRecord, result: Result) -> str:
    """Return the cause that a case belongs to in its run, in words; empty for one that did not depart."""
    place = cause_place(kept, record, result)
    return "" if place is None or record.summary is None else f"cause {named(place, record.summary.clusters)}"


def cause_place(kept: SqliteStore, record: RunRecord, result: Result) -> int | None:
    """Return the place of a case's cause among those of its run; None for one that did not depart."""
    clusters = () if record.summary is None else record.summary.clusters
    naming = Naming(clusters)
    place = naming.place(result)
    if place is not None and result.case.session is not None and any(each.followers for each in clusters):
        # Only what came before it in its session tells whether it stands for itself.
        stream, naming = kept.results(record.id, DEPARTING, bodies=False), Naming(clusters)
        places = ((each.case.identity, naming.place(each)) for each in stream)
        return next((found for identity, found in places if identity == result.case.identity), place)
    return place


def same_request(stored: Case, now: Case) -> bool:
    """Tell whether a golden is what was sent; where something was masked, by methods and paths alone."""
    if stored.requests == now.requests:
        return True
    one, other = ([(it.method, it.path) for it in case.requests] for case in (stored, now))
    return one == other and TOKEN.search(repr(stored.requests)) is not None


def is_as_sent(stored: Case, now: Case) -> bool:
    """Tell whether a golden asks for the same, and is judged the same, as when it was sent."""
    said = ("rules", "expect", "freeze", "seed")
    masked = TOKEN.search(repr(stored.expect)) is not None
    judged = all(getattr(stored, name) == getattr(now, name) for name in said if name != "expect" or not masked)
    return judged and same_request(stored, now)


def versions_of(record: RunRecord) -> str:
    """Return what was put to the test in a run, and under which seed."""
    summary = record.summary
    told = [record.fingerprint.get(name, "") for name in ("old", "new", "code old", "code new", "seed")]
    told += [f"{record.labels}"] + ([summary.old.version, summary.new.version] if summary is not None else [])
    return "\n".join(told)


def past_run_of(record: RunRecord) -> PastRun:
    """Return a run as its history tells it."""
    standing = "collected" if record.collect and record.verdict is None else record.state
    judged = record.state == "complete" and record.verdict is not None
    verdict = record.verdict.state if judged and record.verdict is not None else standing
    return PastRun(record.id, record.started, verdict, record.narrowed, record.summary)
