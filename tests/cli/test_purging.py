"""`replay purge`: what is past its retention is gone, from the file too; what is not stays whole."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from replay.store import SqliteStore
from replay.store.claim import alone, at_work
from tests.cli.conftest import Desk

STORE = Path(".replay/runs.sqlite")
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=60)
OLD, YOUNG, BOTH = "only-the-old-run-holds-this", "only-the-young-run-holds-this", "both-hold-this"
SETTINGS = "old: echo:same\nnew: echo:same\nseed: 1\n"


def bulk(text: str) -> str:
    """Return a text so long that it lies outside its page, once in the store for all runs; no two look alike."""
    return text + random.Random(text).randbytes(10_000).hex()  # noqa: S311 - any will do, the same each time


def ran(desk: Desk, *texts: str, aged: bool = False) -> str:
    """Run cases with these texts, each small and in a large body; return the run's id, begun long ago if so wanted."""
    desk.write("echo.py", "def same(text):\n    return {'text': text}\n")
    desk.write("replay.yaml", SETTINGS)
    bodies = [*texts, *map(bulk, texts)]
    records = [{"id": f"c-{n}", "request": {"method": "POST", "json": {"text": it}}} for n, it in enumerate(bodies)]
    desk.capture("now.jsonl", records)
    assert desk.cli("run", "--traffic", "now.jsonl").code == 3
    with SqliteStore.open(STORE) as store:
        record = store.run()
        if aged:
            store.keep_record(replace(record, started=LONG_AGO))
    return record.id


def raw() -> bytes:
    """Return every byte of the store, and of what lies beside it."""
    return b"".join(path.read_bytes() for path in sorted(STORE.parent.iterdir()) if path.is_file())


def counts() -> dict[str, int]:
    """Return how many rows each table holds."""
    with closing(sqlite3.connect(STORE)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608 - ours


def two_runs(desk: Desk) -> tuple[str, str]:
    """Carry out an old run and a young one that have some bodies in common."""
    return ran(desk, OLD, BOTH, aged=True), ran(desk, YOUNG, BOTH)


# ----------------------------------------------------------------------------------------------------------------- runs


def test_an_old_run_is_deleted_and_a_young_one_stays_whole(desk: Desk) -> None:
    old, young = two_runs(desk)
    before = desk.cli("report", young).out
    earliest = datetime.now(UTC)
    ended = desk.cli("purge", "--before", "30d")
    latest = datetime.now(UTC)
    assert ended.code == 0, ended.err
    told = re.search(r"Older than (\S+)", ended.out)
    # The command looks at the clock by itself, and at midnight that is another day than before it.
    assert told is not None
    assert told[1] in {f"{instant - timedelta(days=30):%Y-%m-%d}" for instant in (earliest, latest)}
    assert f"run {old}, complete, 4 results" in ended.out
    assert "1 run with 4 results deleted" in ended.out
    assert desk.cli("report", young).out == before
    assert "there is no run" in desk.cli("report", old).err
    with SqliteStore.open(STORE) as store:
        found = [json.loads(result.new.body)["text"] for result in store.results(young) if result.new is not None]
    assert sorted(found) == sorted([YOUNG, BOTH, bulk(YOUNG), bulk(BOTH)])


def test_nothing_of_it_can_be_read_from_the_file_any_more(desk: Desk) -> None:
    """Pages are packed, so that what is searched for is what a page or a body looks like in the file."""
    ran(desk, OLD, BOTH, aged=True)
    with closing(sqlite3.connect(STORE)) as database:
        pages = database.execute("SELECT data, bodies FROM pages").fetchall()
        bodies = [data for (data,) in database.execute("SELECT data FROM bodies ORDER BY size")]
    assert len(bodies) >= 2
    ran(desk, YOUNG)
    pieces = [piece[at : at + 200] for row in pages for piece in (*row, *bodies) for at in range(0, len(piece), 997)]
    pieces = [piece for piece in pieces if len(piece) >= 16]
    assert pieces
    assert all(piece in raw() for piece in pieces[:1])
    assert desk.cli("purge", "--before", "30d").code == 0
    content = raw()
    assert [piece for piece in pieces if piece in content] == []


def test_what_it_was_judged_by_before_goes_with_it(desk: Desk) -> None:
    old, _ = two_runs(desk)
    assert desk.cli("judge", old).code == 3
    assert counts()["judgements"] == 1
    assert desk.cli("purge", "--before", "30d").code == 0
    young_only = counts()
    assert (young_only["runs"], young_only["results"], young_only["judgements"], young_only["judged"]) == (1, 4, 0, 0)


def test_journals_and_logs_of_it_go_as_well(desk: Desk) -> None:
    old, young = two_runs(desk)
    beside = [
        STORE.with_name(f"{STORE.name}-{run}.{kind}") for run in (old, young) for kind in ("0.journal", "old.log")
    ]
    for path in beside:
        path.touch()
    assert desk.cli("purge", "--before", "30d").code == 0
    assert [path.exists() for path in beside] == [False, False, True, True]


def test_a_run_that_was_cut_off_can_be_deleted(desk: Desk) -> None:
    run = ran(desk, OLD, aged=True)
    with SqliteStore.open(STORE) as store:
        store.mark(run, "running")
    assert "1 run with 2 results deleted" in desk.cli("purge", "--before", "30d").out


def test_a_dry_run_says_the_same_and_deletes_nothing(desk: Desk) -> None:
    two_runs(desk)
    before = counts()
    ended = desk.cli("purge", "--before", "30d", "--dry-run")
    assert ended.code == 0
    assert "1 run with 4 results would be deleted" in ended.out
    assert counts() == before


def test_nothing_is_deleted_while_a_run_is_going_on(desk: Desk) -> None:
    two_runs(desk)
    desk.capture("old.jsonl", [{"request": {}, "at": LONG_AGO.isoformat()}])
    before = counts()
    with at_work(STORE):
        ended = desk.cli("purge", "--before", "30d", "old.jsonl")
    assert ended.code == 2
    assert "a run is going on in this folder" in ended.err
    assert (counts(), Path("old.jsonl").exists()) == (before, True)


def test_no_run_begins_while_it_goes_on(desk: Desk) -> None:
    ran(desk, OLD)
    with alone(STORE):
        ended = desk.cli("run", "--traffic", "now.jsonl")
    assert ended.code == 2
    assert "the store is being purged" in ended.err


def test_room_that_an_earlier_purge_left_is_given_back(desk: Desk) -> None:
    ran(desk, OLD, *(f"{n}-{OLD}" for n in range(20)))
    with closing(sqlite3.connect(STORE)) as database, database:
        database.execute("DELETE FROM bodies")
    assert desk.cli("purge", "--before", "30d").code == 0
    with closing(sqlite3.connect(STORE)) as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_file_that_somebody_reads_is_said_not_to_be_written_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    two_runs(desk)
    monkeypatch.setattr("replay.store.file._BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(STORE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        ended = desk.cli("purge", "--before", "30d")
    assert ended.code == 3
    assert "the runs are deleted, and the file could not be written anew without them" in ended.err
    assert counts()["runs"] == 1


def test_days_of_a_criterion_that_are_lost_are_said(desk: Desk) -> None:
    desk.project("cut_when: [deviation < 50% for 2 days]\n", goldens=0)
    days = (LONG_AGO, LONG_AGO + timedelta(days=1))
    records = [
        {"request": {"method": "POST", "json": {"n": 1}}, "at": day.isoformat()} for day in days for _ in range(9)
    ]
    desk.capture("old.jsonl", [{"id": f"c-{n}", **record} for n, record in enumerate(records)])
    desk.cli("run", "--traffic", "old.jsonl")
    ended = desk.cli("purge", "--before", "0s")
    assert "note: 1 run of these stood for days of criteria" in ended.out


def test_without_a_store_there_is_no_run_to_delete(desk: Desk) -> None:
    ended = desk.cli("purge", "--before", "30d")
    assert (ended.code, Path(".replay").exists()) == (0, False)
    assert "0 runs with 0 results deleted" in ended.out
    assert desk.cli("purge", "--before", "30d", "--store", "none.sqlite").code == 2


@pytest.mark.parametrize("before", ["2999-01-01", "soon", "30", "", "30d ago", "-1d", "99999999d"])
def test_what_is_no_time_or_yet_to_come_is_refused(desk: Desk, before: str) -> None:
    ran(desk, OLD)
    ended = desk.cli("purge", f"--before={before}")
    assert (ended.code, counts()["runs"]) == (2, 1)
    assert "--before" in ended.err


# ------------------------------------------------------------------------------------------------------------- captures


def capture(desk: Desk, name: str, *ages: int | None) -> Path:
    """Write a capture with a record for each of these ages in days; None tells none."""
    times = [{} if age is None else {"at": (NOW - timedelta(days=age)).isoformat()} for age in ages]
    return desk.capture(name, [{"request": {"path": f"/{n}"}, **at} for n, at in enumerate(times)])


def test_captures_of_the_settings_go_once_all_their_records_are_older(desk: Desk) -> None:
    desk.write("replay.yaml", "new: http://127.0.0.1:9\ntraffic: [captures/*.jsonl, none.jsonl]\n")
    gone, young = capture(desk, "captures/a.jsonl", 40, 50), capture(desk, "captures/b.jsonl", 1, 2)
    other = capture(desk, "other.jsonl", 40)
    ended = desk.cli("purge", "--before", "30d")
    assert ended.code == 0
    assert [path.exists() for path in (gone, young, other)] == [False, True, True]
    assert f"captures/a.jsonl, 2 records, the newest of {NOW - timedelta(days=40):%Y-%m-%d}" in ended.out
    assert "1 capture with 2 records deleted" in ended.out


@pytest.mark.parametrize(
    ("ages", "told"),
    [
        ((40, 1), "holds 1 older records beside 1 newer"),
        ((40, None), "holds 1 older records beside 1 without a time"),
        ((None,), "tells no time of 1 records of 1"),
    ],
)
def test_one_that_holds_others_too_stays_and_the_exit_code_says_so(
    desk: Desk, ages: tuple[int | None, ...], told: str
) -> None:
    path = capture(desk, "c.jsonl", *ages)
    ended = desk.cli("purge", "--before", "30d", "c.jsonl")
    assert (ended.code, path.exists()) == (3, True)
    assert f"stays: c.jsonl {told}" in ended.out


def test_a_record_that_cannot_be_read_may_be_young(desk: Desk) -> None:
    path = capture(desk, "c.jsonl", 40)
    path.write_text(path.read_text() + "{broken\n")
    ended = desk.cli("purge", "--before", "30d", "c.jsonl")
    assert (ended.code, path.exists()) == (3, True)


def test_only_what_is_named_is_looked_at_once_anything_is(desk: Desk) -> None:
    desk.write("replay.yaml", "new: http://127.0.0.1:9\ntraffic: a.jsonl\n")
    kept, gone = capture(desk, "a.jsonl", 40), capture(desk, "b.jsonl", 40)
    assert desk.cli("purge", "--before", "30d", "b.jsonl").code == 0
    assert (kept.exists(), gone.exists()) == (True, False)


def test_what_lies_elsewhere_is_left_alone_unless_it_is_named(desk: Desk, tmp_path: Path) -> None:
    outside = capture(desk, str(tmp_path.with_name(f"{tmp_path.name}-elsewhere.jsonl")), 40)
    Path("link.jsonl").symlink_to(outside)
    desk.write("replay.yaml", f"new: http://127.0.0.1:9\ntraffic: ['{outside}', link.jsonl]\n")
    assert desk.cli("purge", "--before", "30d").code == 0
    assert outside.exists()
    assert "link.jsonl: the file is a link, and no capture" in desk.cli("purge", "--before", "30d", "link.jsonl").err
    assert desk.cli("purge", "--before", "30d", str(outside)).code == 0
    assert not outside.exists()


def test_a_recording_of_another_tool_stays_and_is_said_where_it_is_older(desk: Desk) -> None:
    desk.write("replay.yaml", "new: http://127.0.0.1:9\ntraffic: access.log\n")
    line = '127.0.0.1 - - [{} +0000] "GET /a HTTP/1.1" 200 2 "-" "-"\n'
    desk.write("access.log", line.format(f"{NOW - timedelta(days=1):%d/%b/%Y:%H:%M:%S}"))
    assert desk.cli("purge", "--before", "30d").code == 0
    desk.write("access.log", line.format(f"{LONG_AGO:%d/%b/%Y:%H:%M:%S}"))
    ended = desk.cli("purge", "--before", "30d")
    assert (ended.code, Path("access.log").exists()) == (3, True)
    assert "stays: access.log is of another kind (access log), and holds 1 older records of 1" in ended.out
    assert desk.cli("purge", "--before", "30d", "access.log").code == 2


def test_nothing_is_deleted_where_a_named_file_is_not_there(desk: Desk) -> None:
    ran(desk, OLD, aged=True)
    path = capture(desk, "a.jsonl", 40)
    ended = desk.cli("purge", "--before", "30d", "a.jsonl", "b.jsonl")
    assert (ended.code, path.exists(), counts()["runs"]) == (2, True, 1)
