"""Finding the shards of one run, and making sure that they are."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from replay import __version__
from replay.cli.caveats import PART, judging_warnings
from replay.cli.fingerprint import PRIVATE, SHARD, rules_digest
from replay.config import load_project
from replay.engine.judging import Terms
from replay.engine.merging import Shard
from replay.errors import InputError
from replay.store.base import RunRecord
from replay.store.sqlite import SqliteStore
from replay.verdict import parse_criteria

_SHARD_FLAG: Final = re.compile(r" ?--shard \d+/\d+")
_OF_ONE_MACHINE: Final = frozenset({PRIVATE, SHARD})
"""What the digests of shards may differ in: their part, and secrets, which are salted by the run."""


_ONE_RUN: Final = timedelta(hours=12)
"""Shards that nobody named are of one run if they were begun within it: those of another night are not."""


def shards_in(stores: Sequence[SqliteStore], runs: Sequence[str]) -> list[Shard]:
    """Return the runs that are named, or the newest shards of each store. Raise InputError for what is no shard."""
    found = [_named(stores, run) for run in runs] if runs else _latest([it for each in stores for it in _newest(each)])
    once = {(shard.store.path, shard.record.id): shard for shard in found}
    return sorted(once.values(), key=lambda shard: shard.index)


def _latest(found: Sequence[Shard]) -> list[Shard]:
    """Return the shards without those of an earlier run, such as a cache brings: without them a part is missing."""
    last = max(shard.record.started for shard in found)
    return [shard for shard in found if last - shard.record.started <= _ONE_RUN]


def _named(stores: Sequence[SqliteStore], run: str) -> Shard:
    faults: list[InputError] = []
    for store in stores:
        try:
            return _shard(store, store.run(run))
        except InputError as error:
            faults.append(error)
    # Where one store has the run and cannot give it, that is what the user wants to know.
    raise next((fault for fault in faults if not fault.fact.startswith("there is no run")), faults[0])


def _newest(store: SqliteStore) -> Iterator[Shard]:
    """Yield the newest run of a store and those before it, as long as they are other shards of as many."""
    seen: set[int] = set()
    count = 0
    for record in store.runs():
        if not record.fingerprint:  # a merge that was killed: it rests on nothing
            continue
        if seen and (record.shard is None or record.summary is None):
            return
        shard = _shard(store, record)
        if shard.index in seen or (seen and shard.count != count):
            return
        seen.add(shard.index)
        count = shard.count
        yield shard
    if not seen:
        raise InputError("the store holds no run", place=str(store.path), hint="`replay run` makes one")


def _shard(store: SqliteStore, record: RunRecord) -> Shard:
    if record.summary is None:
        fact = f"run {record.id} was never closed"
        raise InputError(fact, place=str(store.path), hint="`replay run --resume` goes on with it, where it was begun")
    if record.shard is None:
        hint = "shards are made by --shard i/n --collect; `replay judge RUN RUN` judges whole runs together"
        raise InputError(f"run {record.id} is no shard", place=str(store.path), hint=hint)
    index, _, count = record.shard.partition("/")
    return Shard(store, record, record.summary, int(index), int(count))


def require_one_run(shards: Sequence[Shard]) -> None:
    """Raise InputError for shards that overlap, or that rest on anything different: it is named."""
    first = shards[0]
    seen: dict[int, Shard] = {}
    for shard in shards:
        if shard.count != first.count:
            raise _unlike(first, shard, ["how many shards there are"])
        if (twin := seen.setdefault(shard.index, shard)) is not shard:
            raise InputError(f"{shard.place} and run {twin.record.id} are the same part", hint="name one of them")
        mine, theirs = _rests_on(first.record), _rests_on(shard.record)
        unlike = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
        if unlike:
            raise _unlike(first, shard, unlike)


def _rests_on(record: RunRecord) -> Mapping[str, object]:
    """Return everything that shards of one run have in common, by its name."""
    digests = {name: digest for name, digest in record.fingerprint.items() if name not in _OF_ONE_MACHINE}
    begun = record.begun_under
    before = {"criteria it began with": begun.criteria, "rules it began with": begun.rules}
    return digests | {"gate": record.gate, "version of replay": record.version} | before


def _unlike(one: Shard, other: Shard, names: Sequence[str]) -> InputError:
    fact = f"{one.place} and {other.place} are not of one run: they differ in {', '.join(names)}"
    return InputError(fact, hint="carry the shards out on the same inputs and settings; their runs can be named")


def record_of(shards: Sequence[Shard]) -> RunRecord:
    """Return the record under which shards become one run: what they share, and no part any more."""
    first = shards[0].record
    started = min(shard.record.started for shard in shards)
    warnings = dict.fromkeys(warning for shard in shards for warning in shard.record.warnings)
    narrowed = _SHARD_FLAG.sub("", first.narrowed).strip()
    of_part = (f"{PART} {narrowed}: the verdict speaks of no other case",) if narrowed else ()
    return RunRecord(
        id=f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        started=started,
        fingerprint={**first.fingerprint, SHARD: ""},
        criteria=first.criteria,
        criteria_hash=first.criteria_hash,
        gate=first.gate,
        narrowed=narrowed,
        settings=first.settings,
        version=__version__,
        labels=first.labels,
        warnings=(*of_part, *(warning for warning in warnings if not warning.startswith(PART))),
        musts=first.musts,
        whole=first.whole,
        before=first.before,
    )


def terms_of(record: RunRecord, env: str | None) -> Terms:
    """Return by what the shards were to be judged. The settings only tell what names in it mean."""
    project = load_project(Path.cwd(), environment=os.environ, env=env or record.settings.get("env"))
    criteria = parse_criteria(record.basis.criteria, project.settings.terms)
    same = rules_digest(project.settings) == record.fingerprint.get("rules")
    told = tuple(judging_warnings(project.settings, criteria, record.started.date())) if same else ()
    other = "" if same else "the settings have other rules by now; the shards were judged by those that they began with"
    warnings = (*told, *filter(None, (other,)))
    return Terms(criteria, record.gate, project.settings.kpis, record.musts, warnings)
