"""What the store keeps of experiments: every compared call, of all processes, whatever happens to them."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from replay.errors import StoreError
from replay.experiment.calls import Loss, Setup
from replay.experiment.storing import FULL, MOST_CALLS, Stored
from replay.store.claim import alone
from replay.store.experiments import ExperimentRun, experiment_of
from replay.store.purging import purge_runs
from replay.store.sqlite import SqliteStore
from tests.experiment.outcomes import DRAFT, MONDAY, day_of_outcomes, outcome_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay.sqlite"


def runs_in(path: Path) -> dict[str, ExperimentRun]:
    with SqliteStore.open(path, create=False) as store:
        found = {record.id: experiment_of(record) for record in store.runs()}
    return {name: run for name, run in found.items() if run is not None}


def the_run_in(path: Path) -> tuple[str, ExperimentRun]:
    ((name, run),) = runs_in(path).items()
    return name, run


def outcomes_in(path: Path, run: str) -> Counter[str]:
    with SqliteStore.open(path, create=False) as store:
        return Counter(result.outcome for result in store.results(run))


def test_a_call_that_was_taken_is_found_by_its_id(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of("deviation", id="00000000000000aa", chosen="new"))
    sink.flush()
    with SqliteStore.open(path, create=False) as store:
        (found,) = store.find("needs-draft-00000000000000aa")
    assert (found.outcome, found.flags, found.old and found.old.body) == ("deviation", ("new chosen",), b"true")


def test_a_run_says_whose_it_is_and_what_was_put_to_the_test(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.close()
    kept, run = the_run_in(path)
    assert kept.startswith("needs-draft-20241125-")
    assert run == ExperimentRun("needs-draft", MONDAY.date(), DRAFT.old, DRAFT.new, joined=1, left=1)


def test_each_day_has_a_run_of_its_own(path: Path) -> None:
    sink = Stored(path)
    for days in range(3):
        sink.take(outcome_of(at=MONDAY + timedelta(days=days, hours=23, minutes=59)))
    sink.close()
    assert sorted(run.day.day for run in runs_in(path).values()) == [25, 26, 27]


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, version="v3"),
        replace(DRAFT, rules=({"at": "body", "ignore": True},)),
        replace(DRAFT, equality="a known difference"),
        replace(DRAFT, new="a:b"),
    ],
    ids=["version", "rules", "equality", "function"],
)
def test_evidence_for_one_thing_is_none_for_another(path: Path, other: Setup) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.take(outcome_of(setup=other))
    sink.close()
    assert len(runs_in(path)) == 2


def test_the_file_that_new_stands_in_tells_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "rules_of_a_shop.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    for number in (1, 2):
        module.write_text(f"def needs_draft_v2(): return {number}\n")
        monkeypatch.delitem(sys.modules, "rules_of_a_shop", raising=False)
        __import__("rules_of_a_shop")
        sink = Stored(tmp_path / "s.sqlite")
        sink.take(outcome_of(setup=Setup("needs-draft", new="rules_of_a_shop:needs_draft_v2")))
        sink.close()
    assert len(runs_in(tmp_path / "s.sqlite")) == 2


def test_results_come_back_in_the_order_of_time(path: Path) -> None:
    sink = Stored(path)
    for minute in (2, 0, 1):
        sink.take(outcome_of(at=MONDAY + timedelta(minutes=minute)))
    sink.close()
    kept, _ = the_run_in(path)
    with SqliteStore.open(path) as store:
        assert [result.case.freeze and result.case.freeze.minute for result in store.in_order(kept)] == [0, 1, 2]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "ü", "", "x" * 5000, "a:1", "\x00"])
def test_a_name_of_any_kind_makes_an_id_that_harms_nobody(path: Path, name: str) -> None:
    sink = Stored(path)
    sink.take(outcome_of(setup=replace(DRAFT, name=name)))
    sink.close()
    kept, run = the_run_in(path)
    assert run.name == name
    assert set(kept) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(kept) < 80


# -------------------------------------------------------------------------------------------------- several processes


def _write(path: Path, number: int) -> None:
    sink = Stored(path)
    for outcome in day_of_outcomes(number):
        sink.take(outcome)
        if len(sink._batches) and sink._waiting % 50 == 0:
            sink.flush()
    sink.close()


def test_several_processes_write_to_one_run_at_once(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    # The first one lays the store out, or any of them.
    processes = [context.Process(target=_write, args=(path, 400)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    kept, run = the_run_in(path)
    assert [process.exitcode for process in processes] == [0] * 4
    assert (run.joined, run.left, run.lost) == (4, 4, {})
    assert outcomes_in(path, kept) == {"match": 1600}


def test_a_child_writes_what_it_took_and_nothing_of_its_parent(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of("deviation"))
    child = os.fork()
    if child == 0:
        sink.forked()
        sink.take(outcome_of())
        sink.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    sink.close()
    kept, run = the_run_in(path)
    assert (outcomes_in(path, kept), run.joined) == ({"match": 1, "deviation": 1}, 2)


_WRITER = """
import sys
from tests.experiment.outcomes import outcome_of
from replay.experiment.storing import Stored
sink = Stored(sys.argv[1])
while True:
    for _ in range(20):
        sink.take(outcome_of("deviation"))
    sink.flush()
    print("flushed", flush=True)
"""


def test_a_killed_process_leaves_whole_batches_and_is_known_not_to_have_left(path: Path) -> None:
    for round_ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(1 + round_):
            assert process.stdout.readline() == "flushed\n"
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
    kept, run = the_run_in(path)
    found = outcomes_in(path, kept)
    assert found["deviation"] >= (1 + 2 + 3) * 20
    assert found["deviation"] % 20 == 0
    assert (run.joined, run.left) == (3, 0)


# ------------------------------------------------------------------------------------------------------------- trouble


def test_a_locked_store_is_written_once_it_is_free(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.experiment.storing._PATIENCE", 0.01)
    SqliteStore.open(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sink = Stored(path)
    sink.take(outcome_of())
    sink.flush()
    other.execute("ROLLBACK")
    assert runs_in(path) == {}
    sink.flush()
    kept, run = the_run_in(path)
    assert (outcomes_in(path, kept), run.lost) == ({"match": 1}, {})
    other.close()


def test_what_does_not_fit_into_memory_is_lost_and_the_run_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.experiment.storing.MOST_CALLS", 5)
    sink = Stored(path / "no" / "folder")
    path.write_text("a file where a folder should be")
    for _ in range(8):
        sink.take(outcome_of())
    sink.flush()
    path.unlink()
    sink.flush()
    kept, run = the_run_in(path / "no" / "folder")
    assert outcomes_in(path / "no" / "folder", kept) == {"match": 5}
    assert run.lost == {FULL: 3}


def test_memory_is_bounded_while_the_store_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = Stored(tmp_path / "file" / "s.sqlite")
    for outcome in day_of_outcomes(MOST_CALLS + 10):
        sink.take(outcome)
    assert sink._waiting == MOST_CALLS


def test_a_store_that_is_being_purged_is_written_afterwards(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.flush()
    kept, _ = the_run_in(path)
    sink.take(outcome_of())
    with alone(path):
        sink.flush()
        with SqliteStore.open(path) as store:
            store.begin(replace(store.run(kept), id="another"))
            purge_runs(store, [kept])
    assert outcomes_in(path, "another") == {}
    sink.flush()
    assert outcomes_in(path, kept) == {"match": 1}
    assert outcomes_in(path, "another") == {}


def test_a_purge_finds_nobody_writing_between_two_batches(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.flush()
    with alone(path):
        pass


def test_what_no_store_can_hold_keeps_nothing_else_from_being_written(path: Path) -> None:
    sink = Stored(path)
    odd = outcome_of("deviation")
    unfit = replace(odd.result.differences[0], old=object())
    sink.take(replace(odd, result=replace(odd.result, differences=(unfit,))))
    sink.take(outcome_of())
    sink.flush()
    sink.flush()
    kept, run = the_run_in(path)
    assert outcomes_in(path, kept) == {"match": 1}
    assert list(run.lost.values()) == [1]


def test_a_file_that_is_no_store_stays_as_it_is(path: Path) -> None:
    path.write_bytes(b"somebody's notes" * 20)
    sink = Stored(path)
    sink.take(outcome_of())
    sink.close()
    assert path.read_bytes() == b"somebody's notes" * 20
    with pytest.raises(StoreError):
        SqliteStore.open(path)


# ---------------------------------------------------------------------------------------------------------------- lost


def test_losses_stand_with_the_run_of_their_experiment(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.take(outcome_of(setup=Setup("pricing")))
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=1), "too many", 3))
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=2), "too many", 4))
    sink.close()
    assert {run.name: run.lost for run in runs_in(path).values()} == {"needs-draft": {"too many": 7}, "pricing": {}}


def test_a_loss_counts_once_however_many_objects_describe_the_experiment(path: Path) -> None:
    sink = Stored(path)
    for _ in range(3):
        sink.take(outcome_of(setup=replace(DRAFT)))
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=1), "too many", 3))
    sink.close()
    assert the_run_in(path)[1].lost == {"too many": 3}


def test_losses_after_midnight_may_have_been_of_the_day_before(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.lose(Loss("needs-draft", MONDAY + timedelta(days=1, minutes=1), "too many", 3))
    sink.close()
    assert {run.day.day: run.lost for run in runs_in(path).values()} == {25: {"too many": 3}, 26: {"too many": 3}}


def test_losses_without_any_call_stand_in_a_run_of_their_own(path: Path) -> None:
    sink = Stored(path)
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=1), "it could not be examined", 2))
    sink.close()
    kept, run = the_run_in(path)
    assert (run.lost, outcomes_in(path, kept)) == ({"it could not be examined": 2}, {})


def test_a_loss_counts_once_also_where_one_came_before_any_call(path: Path) -> None:
    sink = Stored(path)
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=1), "too many", 1))
    sink.take(outcome_of())
    sink.lose(Loss("needs-draft", MONDAY + timedelta(hours=2), "too many", 5))
    sink.close()
    assert sorted(run.lost["too many"] for run in runs_in(path).values()) == [1, 5]


def test_reasons_of_losses_are_bounded() -> None:
    run = ExperimentRun("needs-draft", MONDAY.date())
    for number in range(100):
        run = run.with_news({f"reason {number}": 1})
    assert len(run.lost) == 21
    assert sum(run.lost.values()) == 100


def test_a_process_leaves_a_day_once_the_next_one_is_there(path: Path) -> None:
    sink = Stored(path)
    for hours in (1, 25):
        sink.take(outcome_of(at=MONDAY + timedelta(hours=hours)))
        sink.flush()
    sink.flush()
    assert {run.day.day: (run.joined, run.left) for run in runs_in(path).values()} == {25: (1, 1), 26: (1, 0)}


def test_a_full_disk_loses_nothing_that_memory_can_hold(path: Path) -> None:
    sink = Stored(path)
    sink.take(outcome_of())
    sink.flush()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sink.forked()
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 4096, most))
        for outcome in day_of_outcomes(300, deviating=300):
            sink.take(outcome)
        sink.flush()
        waited = sink._waiting
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        sink.close()
        os._exit(0 if waited == 300 else 1)
    assert os.waitpid(child, 0)[1] == 0
    kept, run = the_run_in(path)
    assert (outcomes_in(path, kept), run.lost) == ({"match": 1, "deviation": 300}, {})
