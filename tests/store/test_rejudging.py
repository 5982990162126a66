"""A run judged again in its store: all of it or nothing, and what was judged before is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replay.errors import StoreError
from replay.models import Case, Observation, OutcomeName, Request, Result, Verdict
from replay.store import RunRecord, SqliteStore
from replay.store.rejudging import rejudging

RECORD = RunRecord("run-1", datetime(2026, 1, 2, tzinfo=UTC), "complete", criteria={"": ("goldens pass",)})
NO_GO = replace(RECORD, verdict=Verdict("NO-GO", ()))


def result(number: int, outcome: OutcomeName = "match", body: bytes = b"{}") -> Result:
    case = Case(f"case-{number}", "traffic", f"file:{number}", Request())
    return Result(case, outcome, Observation(200, body=body), Observation(200, body=body))


def outcomes(store: SqliteStore, run: str = "run-1") -> list[str]:
    return [each.outcome for each in store.results(run)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "store.db") as opened:
        opened.begin(RECORD)
        opened.add("run-1", [result(number) for number in range(250)])
        yield opened


def test_new_results_are_seen_in_the_view_alone_until_they_are_kept(store: SqliteStore) -> None:
    with rejudging(store, "run-1") as view:
        view.add("run-1", [result(3, "deviation"), result(200, "deviation", b"x" * 5_000)])
        assert [each.case.id for each in view.results("run-1", {"deviation"})] == ["case-3", "case-200"]
        assert len(list(view.results("run-1", {"match"}))) == 248
        assert [each.outcome for each in view.find("case-200", "run-1")] == ["deviation"]
        assert set(outcomes(store)) == {"match"}
        view.keep(NO_GO)
        assert outcomes(view) == outcomes(store)
    assert [n for n, each in enumerate(store.results("run-1")) if each.outcome == "deviation"] == [3, 200]
    assert list(store.results("run-1", {"deviation"}))[1] == result(200, "deviation", b"x" * 5_000)
    assert store.run("run-1").verdict == NO_GO.verdict
    assert store.find("case-3", "run-1")[0].outcome == "deviation"


def test_a_result_may_be_judged_twice_in_one_view(store: SqliteStore) -> None:
    with rejudging(store, "run-1") as view:
        view.add("run-1", [result(3, "deviation")])
        view.add("run-1", [result(3, "noise")])
        view.keep(NO_GO)
    assert outcomes(store)[3] == "noise"


def test_what_was_not_kept_leaves_no_trace(store: SqliteStore) -> None:
    with rejudging(store, "run-1") as view:
        view.add("run-1", [result(3, "deviation")])
    assert set(outcomes(store)) == {"match"}
    assert store.earlier("run-1") == []
    assert rows(store, "judged") == rows(store, "judgements") == 0


def test_a_judgement_whose_process_died_is_forgotten_by_the_next(store: SqliteStore) -> None:
    begun = rejudging(store, "run-1")
    begun.__enter__().add("run-1", [result(3, "deviation")])  # and never ended, as after kill -9
    with SqliteStore.open(store.path, create=False) as again, rejudging(again, "run-1") as view:
        assert set(outcomes(view)) == {"match"}
        assert rows(store, "judged") == 0


def test_what_was_judged_before_is_kept_each_time(store: SqliteStore) -> None:
    for verdict in ("NO-GO", "GO"):
        with rejudging(store, "run-1") as view:
            view.add("run-1", [result(3, "deviation" if verdict == "NO-GO" else "match")])
            view.keep(replace(store.run("run-1"), verdict=Verdict(verdict, ())))
    assert [each.verdict for each in store.earlier("run-1")] == [None, NO_GO.verdict]
    assert rows(store, "judged") == 2
    assert outcomes(store)[3] == "match"


def test_one_run_judged_again_changes_no_other(store: SqliteStore) -> None:
    store.begin(replace(RECORD, id="run-2"))
    store.add("run-2", [result(3)])
    with rejudging(store, "run-1") as view:
        view.add("run-1", [result(3, "deviation")])
        view.keep(NO_GO)
    assert outcomes(store, "run-2") == ["match"]
    assert store.run("run-2").verdict is None
    assert store.earlier("run-2") == []


def test_a_run_that_is_not_there_cannot_be_judged(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="there is no run"), rejudging(store, "run-9"):
        pass


def rows(store: SqliteStore, table: str) -> int:
    with sqlite3.connect(store.path) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    connection.close()
    return int(found[0])
