"""Disagreeing calls as captures: of each process its own, bounded, and read like any other."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from replay.cases import CaptureFile
from replay.errors import InputError, SettingsError
from replay.experiment.calls import Outcome
from replay.experiment.capturing import BARE, Captured
from replay.models import Case
from tests.experiment.outcomes import outcome_of


def cases_in(path: Path) -> list[Case]:
    return list(CaptureFile(path))


def test_disagreeing_calls_alone_are_captured_with_their_arguments(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "drafts.jsonl.zst")
    for name in ("match", "deviation", "skipped", "new_error", "waived", "both_error", "old_error"):
        sink.take(outcome_of(name))
    sink.close()
    found = cases_in(tmp_path / "drafts-0001.jsonl.zst")
    assert [(case.request.method, case.request.path, case.request.body) for case in found] == [
        ("POST", "/needs-draft", b'{"size": 3}')
    ] * 3


def test_a_captured_call_keeps_its_id_and_its_instant(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "drafts.jsonl")
    outcome = outcome_of("deviation")
    sink.take(outcome)
    sink.close()
    (case,) = cases_in(tmp_path / "drafts-0001.jsonl")
    assert (case.id, case.freeze) == (outcome.result.case.id, outcome.at)


def test_no_file_is_made_before_a_call_disagrees(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "captures" / "drafts.jsonl")
    sink.take(outcome_of("match"))
    sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "outcome",
    [
        replace(outcome_of("deviation"), bare=True),
        replace(outcome_of("deviation"), unreplayable="some arguments have a name, and others none"),
    ],
    ids=["bare", "unreplayable"],
)
def test_what_cannot_be_replayed_is_counted(tmp_path: Path, outcome: Outcome) -> None:
    sink = Captured(tmp_path / "drafts.jsonl")
    sink.take(outcome)
    sink.close()
    assert sink.left_out == {outcome.unreplayable or BARE: 1}
    assert list(tmp_path.iterdir()) == []


def test_what_is_over_the_budget_is_counted(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "drafts.jsonl", budget="1KB")
    for _ in range(30):
        sink.take(outcome_of("deviation"))
        sink.flush()
    sink.close()
    kept = len(cases_in(tmp_path / "drafts-0001.jsonl"))
    assert (0 < kept < 30, sink.left_out) == (True, {"over the budget": 30 - kept})


def test_a_file_that_is_full_is_followed_by_another_one(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "drafts.jsonl", file_size="1KB")
    for _ in range(30):
        sink.take(outcome_of("deviation"))
        sink.flush()
    sink.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert sum(len(cases_in(path)) for path in files) == 30


def test_a_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    sink = Captured(tmp_path / "drafts.jsonl")
    sink.take(outcome_of("deviation"))
    child = os.fork()
    if child == 0:
        sink.forked()
        sink.take(outcome_of("new_error"))
        sink.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    sink.close()
    assert [len(cases_in(path)) for path in sorted(tmp_path.iterdir())] == [1, 1]


def test_what_was_flushed_outlives_the_process(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        sink = Captured(tmp_path / "drafts.jsonl.zst")
        sink.take(outcome_of("deviation"))
        sink.flush()
        sink.take(outcome_of("deviation"))
        os._exit(9)
    os.waitpid(child, 0)
    assert len(cases_in(tmp_path / "drafts-0001.jsonl.zst")) == 1


def test_a_folder_that_cannot_be_made_is_told_by_the_first_disagreement(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("a file")
    sink = Captured(tmp_path / "captures" / "drafts.jsonl")
    sink.take(outcome_of("match"))
    with pytest.raises(InputError):
        sink.take(outcome_of("deviation"))


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="is no size"):
        Captured("drafts.jsonl", budget="plenty")
