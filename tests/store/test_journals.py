"""Journals: what processes keep until the store takes it in, whole, torn or lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replay.errors import StoreError
from replay.models import Case, Observation, Request, Result
from replay.store import RunRecord, SqliteStore
from replay.store.journal import frame, frames, journal_path, journals
from replay.store.pages import Draft, Packed, Page, Row, drafted

MEGABYTE = 1 << 20
RUN = "run-1"


def result(number: int, size: int = 10) -> Result:
    """Return a result with two bodies of this size, like no other's."""
    old, new = (f"{side} {number} ".encode().ljust(size, b".") for side in ("old", "new"))
    case = Case(f"case-{number}", "traffic", f"file:{number}", Request())
    return Result(case, "match", Observation(200, body=old), Observation(200, body=new))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "store.db") as opened:
        opened.begin(RunRecord(RUN, datetime(2026, 1, 2, tzinfo=UTC)))
        yield opened


def written(store: SqliteStore, index: int, *numbers: int) -> Path:
    """Keep results in a process's journal, a frame each, and return where."""
    journal = store.journal(RUN, index)
    for number in numbers:
        journal.write(RUN, drafted([result(number)]))
    journal.close()
    return journal_path(store.path, RUN, index)


def kept(store: SqliteStore) -> list[str]:
    return [each.case.id for each in store.results(RUN)]


def torn(path: Path, missing: int = 3) -> int:
    """Cut the end off a journal's last frame, and return how many bytes of the frame are left."""
    data = path.read_bytes()
    *_, before, _end = [0, *(end for _, end in frames(path, 0))]
    path.write_bytes(data[:-missing])
    return len(data) - missing - before


# ---------------------------------------------------------------------------------------------------------------- whole


def test_what_a_journal_holds_comes_into_the_store_and_the_journal_goes(store: SqliteStore) -> None:
    written(store, 0, 1, 2)
    written(store, 1, 3)
    assert store.take_in(RUN, ended=True, whole={0, 1}) == {}
    assert kept(store) == ["case-1", "case-2", "case-3"]
    assert journals(store.path, RUN) == []


def test_what_was_taken_in_before_the_end_counts_as_read(store: SqliteStore) -> None:
    written(store, 0, 1, 2)
    assert store.take_in(RUN) == {}
    assert len(journals(store.path, RUN)) == 1
    assert store.take_in(RUN, ended=True, whole={0}) == {}
    assert kept(store) == ["case-1", "case-2"]


def test_a_process_that_had_nothing_to_write_is_whole(store: SqliteStore) -> None:
    written(store, 0)
    assert store.take_in(RUN, ended=True, whole={0}) == {}
    assert journals(store.path, RUN) == []


# ----------------------------------------------------------------------------------------------------------------- torn


def test_the_torn_end_of_a_process_that_was_killed_is_told_and_dropped(store: SqliteStore) -> None:
    path = written(store, 0, 1, 2)
    left = torn(path)
    assert store.take_in(RUN, ended=True) == {path: left}
    assert kept(store) == ["case-1"]
    assert journals(store.path, RUN) == []


@pytest.mark.parametrize("rest", [b"\x01", b"\xff" * 8, b"\xff" * 100], ids=["length cut", "length absurd", "garbage"])
def test_bytes_that_are_no_frame_are_told_as_well(store: SqliteStore, rest: bytes) -> None:
    path = written(store, 0, 1)
    path.write_bytes(path.read_bytes() + rest)
    assert store.take_in(RUN, ended=True) == {path: len(rest)}


def test_a_frame_that_is_still_written_is_read_later(store: SqliteStore) -> None:
    path = written(store, 0, 1, 2)
    whole = path.read_bytes()
    torn(path)
    assert store.take_in(RUN) == {}
    path.write_bytes(whole)
    assert store.take_in(RUN, ended=True, whole={0}) == {}
    assert kept(store) == ["case-1", "case-2"]


def test_a_torn_end_of_a_process_that_had_written_everything_is_an_error_and_stays(store: SqliteStore) -> None:
    path = written(store, 0, 1, 2)
    left = torn(path)
    other, killed = written(store, 1, 3), written(store, 2, 4)
    with pytest.raises(StoreError) as caught:
        store.take_in(RUN, ended=True, whole={0, 1})
    assert caught.value.exit_code == 3
    assert caught.value.place == str(path)
    assert f"the last {left} bytes of the journal cannot be read" in str(caught.value)
    assert "hint: `replay run --resume`" in str(caught.value)
    assert sorted(kept(store)) == ["case-1", "case-3", "case-4"]
    assert (path.exists(), other.exists(), killed.exists()) == (True, False, False)


def test_a_journal_in_which_everything_was_written_must_be_there(store: SqliteStore) -> None:
    written(store, 0, 1).unlink()
    written(store, 1, 2)
    with pytest.raises(StoreError, match="the journal is gone"):
        store.take_in(RUN, ended=True, whole={0, 1})
    assert kept(store) == ["case-2"]


def test_a_run_that_goes_on_drops_what_could_not_be_read(store: SqliteStore) -> None:
    torn(written(store, 0, 1, 2))
    with pytest.raises(StoreError):
        store.take_in(RUN, ended=True, whole={0})
    store.take_in(RUN, ended=True)
    assert (kept(store), journals(store.path, RUN)) == (["case-1"], [])


# ---------------------------------------------------------------------------------------------------------------- large


def test_a_draft_is_full_early_where_bodies_are_large() -> None:
    draft = Draft()
    added = [draft.add(result(number, 3 * MEGABYTE)) for number in range(6)]
    assert added == [False, False, False, False, False, True]


def test_small_bodies_and_bodies_that_were_there_before_do_not_fill_a_draft() -> None:
    draft, same = Draft(), b"." * (8 * MEGABYTE)
    for number in range(99):
        case = Case(f"{number}", "traffic", f"{number}", Request(body=b"%d" % number))
        assert not draft.add(Result(case, "match", Observation(200, body=same), Observation(200, body=same)))


def test_large_bodies_are_divided_among_pages_and_none_is_lost(store: SqliteStore) -> None:
    results = [result(number, 9 * MEGABYTE) for number in range(5)]
    pages = list(drafted(results).pages())
    assert [row.id for page in pages for row in page.rows] == [each.case.id for each in results]
    assert all(sum(map(len, page.outside.values())) <= 64 * MEGABYTE for page in pages)
    journal = store.journal(RUN, 0)
    journal.write(RUN, drafted(results))
    journal.close()
    store.take_in(RUN, ended=True, whole={0})
    assert list(store.results(RUN)) == results


def test_one_result_that_no_frame_can_hold_is_refused_by_name() -> None:
    empty = Packed(b"", 0)
    with pytest.raises(StoreError) as caught:
        frame(Page([Row("file:9", "huge", None, "match")], empty, empty, {b"address": bytes(1 << 30)}))
    assert (caught.value.exit_code, caught.value.place) == (3, "huge")
    assert "the result has 1,024 MB" in str(caught.value)
