"""Runs and results in the SQLite store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from replay.errors import InputError, StoreError
from replay.models import Case, Counts, Observation, OutcomeName, Request, Result, SideInfo, Summary, Verdict
from replay.store import RunRecord, SqliteStore

START = datetime(2026, 1, 2, tzinfo=UTC)


def record(name: str = "run-1", hours: int = 0) -> RunRecord:
    return RunRecord(name, START + timedelta(hours=hours))


def result(number: int, outcome: OutcomeName = "match", *, body: bytes = b"{}", correlation_id: str = "") -> Result:
    case = Case(f"case-{number}", "traffic", f"file:{number}", Request(), correlation_id=correlation_id)
    return Result(case, outcome, Observation(200, body=body), Observation(200, body=body))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "store.db") as opened:
        opened.begin(record())
        yield opened


def test_results_come_back_in_the_order_of_their_arrival(store: SqliteStore) -> None:
    results = [result(number) for number in (3, 1, 2)]
    store.add("run-1", results[:2])
    store.add("run-1", results[2:])
    assert list(store.results("run-1")) == results


def test_results_can_be_iterated_again_and_across_pages(store: SqliteStore) -> None:
    store.add("run-1", [result(number) for number in range(1_201)])
    view = store.results("run-1")
    assert [len(list(view)), len(list(view))] == [1_201, 1_201]


def test_without_bodies_everything_else_is_read(store: SqliteStore) -> None:
    stored = [result(1, body=b"small"), result(2, "deviation", body=b"large" * 2_000)]
    store.add("run-1", stored)
    side = Observation(200)
    assert list(store.results("run-1", bodies=False)) == [replace(each, old=side, new=side) for each in stored]
    assert list(store.results("run-1", {"deviation"}, bodies=False)) == [replace(stored[1], old=side, new=side)]


def test_results_that_were_replaced_come_in_their_old_order(store: SqliteStore) -> None:
    store.add("run-1", [result(number) for number in range(250)])
    store.add("run-1", [result(number, "noise", body=b"n") for number in range(0, 250, 7)])
    expected = [result(n, "noise", body=b"n") if n % 7 == 0 else result(n) for n in range(250)]
    assert list(store.results("run-1")) == expected


def test_results_added_while_somebody_reads_disturb_nobody(store: SqliteStore) -> None:
    store.add("run-1", [result(0), result(1)])
    for seen in store.results("run-1"):
        store.add("run-1", [replace(seen, outcome="noise")])
    assert [(each.case.id, each.outcome) for each in store.results("run-1")] == [
        ("case-0", "noise"),
        ("case-1", "noise"),
    ]


def test_a_second_result_of_one_case_replaces_the_first_in_its_place(store: SqliteStore) -> None:
    store.add("run-1", [result(1), result(2)])
    store.add("run-1", [result(1, "deviation")])
    assert [each.outcome for each in store.results("run-1")] == ["deviation", "match"]


def test_one_case_may_have_a_result_in_each_run(store: SqliteStore) -> None:
    store.begin(record("run-2"))
    store.add("run-1", [result(1)])
    store.add("run-2", [result(1, "deviation")])
    assert [each.outcome for each in store.results("run-1")] == ["match"]
    assert [each.outcome for each in store.results("run-2")] == ["deviation"]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [({"deviation"}, [1]), ({"match", "noise"}, [0, 2]), ({"waived"}, []), (set(), []), (None, [0, 1, 2])],
)
def test_results_can_be_narrowed_to_outcomes(
    store: SqliteStore, outcomes: set[OutcomeName] | None, expected: list[int]
) -> None:
    store.add("run-1", [result(0), result(1, "deviation"), result(2, "noise")])
    assert [int(each.case.id[5:]) for each in store.results("run-1", outcomes)] == expected


def test_equal_bodies_are_kept_once_and_compressed(store: SqliteStore, tmp_path: Path) -> None:
    body = b"[" + b"1234567890," * 10_000 + b"0]"
    store.add("run-1", [result(number, body=body) for number in range(20)])
    store.add("run-1", [result(21, body=body)])
    with sqlite3.connect(tmp_path / "store.db") as connection:
        rows = connection.execute("SELECT size, length(data) FROM bodies").fetchall()
    connection.close()
    assert [size for size, _ in rows] == [len(body)]
    assert rows[0][1] < 1_000
    assert {each.new.body for each in store.results("run-1") if each.new} == {body}


def test_a_body_that_looks_compressed_comes_back_as_it_is(store: SqliteStore) -> None:
    body = b"\x28\xb5\x2f\xfd" + b"\x00" * 10
    store.add("run-1", [result(1, body=body)])
    assert [each.new and each.new.body for each in store.results("run-1")] == [body]


def test_a_batch_with_an_unstorable_result_is_kept_not_at_all(store: SqliteStore) -> None:
    broken = replace(result(2), flags=(object(),))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.add("run-1", [result(1, body=b"only here"), broken])
    assert list(store.results("run-1")) == []
    store.add("run-1", [result(1, body=b"only here")])
    assert [each.new and each.new.body for each in store.results("run-1")] == [b"only here"]


def test_done_tells_which_cases_have_a_result_in_this_run(store: SqliteStore) -> None:
    store.begin(record("run-2"))
    store.add("run-1", [result(1)])
    assert store.done("run-1", "file:1")
    assert not store.done("run-1", "file:2")
    assert not store.done("run-2", "file:1")


@pytest.mark.parametrize("key", ["case-1", "req-77", "file:1"])
def test_a_result_is_found_by_id_correlation_id_and_identity(store: SqliteStore, key: str) -> None:
    wanted = result(1, correlation_id="req-77")
    store.add("run-1", [result(0), wanted, result(2)])
    assert store.find(key) == [wanted]


def test_nothing_is_found_by_a_part_or_a_pattern(store: SqliteStore) -> None:
    store.add("run-1", [result(1)])
    assert [store.find(key) for key in ("case", "case-_", "%", "", "CASE-1")] == [[], [], [], [], []]


def test_retries_share_a_correlation_id_and_are_all_found(store: SqliteStore) -> None:
    store.add("run-1", [result(1, correlation_id="req"), result(2, correlation_id="req")])
    assert [each.case.id for each in store.find("req")] == ["case-1", "case-2"]


def test_the_newest_run_is_found_first_and_a_run_can_be_named(store: SqliteStore) -> None:
    store.begin(record("run-2"))
    store.add("run-1", [result(1)])
    store.add("run-2", [result(1, "deviation")])
    assert [each.outcome for each in store.find("case-1")] == ["deviation", "match"]
    assert [each.outcome for each in store.find("case-1", run="run-1")] == ["match"]


def test_an_id_with_a_lone_surrogate_is_stored_and_found(store: SqliteStore) -> None:
    odd = replace(result(1), case=Case("a\ud800", "traffic", "b\udfff", Request(), session="\ud800"))
    store.add("run-1", [odd])
    assert store.find("a\ud800") == [odd]
    assert store.done("run-1", "b\udfff")


def test_a_finished_run_holds_its_summary_and_verdict(store: SqliteStore) -> None:
    side = SideInfo("recorded", "recorded")
    summary = Summary("run-1", START, START, complete=True, old=side, new=side, counts=Counts(1, 1, 1))
    store.finish("run-1", "complete", summary, Verdict("GO", (), exit_code=0))
    assert store.run("run-1") == replace(
        record(), state="complete", summary=summary, verdict=Verdict("GO", (), exit_code=0)
    )


def test_a_resumed_run_is_marked_as_running_again(store: SqliteStore) -> None:
    store.finish("run-1", "interrupted", None, None)
    store.mark("run-1", "running")
    assert store.run().state == "running"


def test_runs_are_listed_newest_first(store: SqliteStore) -> None:
    store.begin(record("run-2", 1))
    assert [each.id for each in store.runs()] == ["run-2", "run-1"]
    assert store.run().id == "run-2"


def test_a_run_is_named_by_an_unambiguous_beginning(store: SqliteStore) -> None:
    store.begin(record("other"))
    store.begin(record("run-12"))
    assert store.run("oth").id == "other"
    assert store.run("run-1").id == "run-1"
    with pytest.raises(InputError, match="several runs"):
        store.run("run")


def test_an_unknown_run_is_bad_input_and_names_the_newest(store: SqliteStore) -> None:
    with pytest.raises(InputError, match="no run 'x'") as caught:
        store.run("x")
    assert caught.value.hint == "the newest are run-1"
    assert caught.value.exit_code == 2


def test_a_pattern_names_no_run(store: SqliteStore) -> None:
    for pattern in ("%", "_un", "run*"):
        with pytest.raises(InputError):
            store.run(pattern)


def test_an_empty_store_has_no_newest_run(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "s.db") as store, pytest.raises(InputError, match="holds no run"):
        store.run()


def test_a_run_id_is_taken_once(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="already"):
        store.begin(record())


def test_results_for_no_run_are_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="no run nope"):
        store.add("nope", [result(1)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pages SET data = CAST('x{' AS BLOB)",
        "UPDATE pages SET data = CAST('x{' AS BLOB), size = 2",
        "UPDATE pages SET bodies_size = 3",
        "UPDATE pages SET bodies = x'', bodies_size = 0",
        "UPDATE results SET slot = 7",
        "UPDATE results SET page = 7",
        "DELETE FROM pages",
    ],
)
def test_a_damaged_row_is_told_and_not_skipped(store: SqliteStore, tmp_path: Path, statement: str) -> None:
    store.add("run-1", [result(1)])
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(StoreError, match="cannot be read"):
        list(store.results("run-1"))


def test_a_missing_body_is_told_and_not_taken_for_an_empty_one(store: SqliteStore, tmp_path: Path) -> None:
    store.add("run-1", [result(1, body=b"long" * 2_000)])
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DELETE FROM bodies")
    connection.close()
    with pytest.raises(StoreError, match="is not in the store"):
        list(store.results("run-1"))


def test_two_stores_on_one_file_write_at_once(tmp_path: Path) -> None:
    def fill(name: str) -> None:
        with SqliteStore.open(tmp_path / "shared.db") as store:
            store.begin(record(name))
            for number in range(60):
                store.add(name, [result(number, body=b"same for all")])

    threads = [threading.Thread(target=fill, args=(f"run-{letter}",)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with SqliteStore.open(tmp_path / "shared.db") as store:
        assert [len(list(store.results(f"run-{letter}"))) for letter in "abcd"] == [60] * 4


def test_one_store_may_be_written_and_read_from_several_threads(store: SqliteStore) -> None:
    errors: list[Exception] = []

    def work(start: int) -> None:
        try:
            for number in range(start, start + 30):
                store.add("run-1", [result(number)])
                assert store.done("run-1", f"file:{number}")
        except Exception as error:  # noqa: BLE001 - carried to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(store.results("run-1"))) == 90
