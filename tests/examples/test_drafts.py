"""The drafts example: a week in which a rewritten rule disagrees once, with the user who had asked for it."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.drafts import traffic, week
from examples.drafts.rules import needs_draft, needs_draft_v2
from replay.experiment import Log, close, report_to
from tests.examples.conftest import Told

EXAMPLE = Path(__file__).parents[2] / "examples" / "drafts"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shutil.copytree(EXAMPLE, tmp_path / "drafts", ignore=shutil.ignore_patterns("captures", ".replay"))
    monkeypatch.chdir(tmp_path / "drafts")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("NEEDS_DRAFT_V2", raising=False)
    yield
    report_to(Log())


def test_the_rewrite_departs_from_the_rule_for_the_one_who_asked_and_for_nobody_else() -> None:
    departing = [pr for _, pr in traffic.week() if needs_draft(pr) != needs_draft_v2(pr)]
    assert departing == [traffic.ASKED]


def test_a_week_of_calls_opens_the_gate_with_its_one_disagreement_logged_charted_and_captured(
    replayed: Callable[..., Told], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.WARNING, "replay.experiment"):
        week.main(1, Path())
    close()  # as the end of a program does, to which week.main is all
    [event] = caplog.records
    assert event.getMessage().startswith("needs-draft: body is true in old and false in new; old was used")
    assert vars(event)["context"] == {"pr": 4217, "user": "octavia"}
    [captured] = Path("captures").iterdir()
    [_, call] = captured.read_text("utf-8").splitlines()
    assert json.loads(json.loads(call)["request"]["text"])["pr"]["author"] == "octavia"

    capsys.readouterr()
    code, _, drift = replayed("drift")
    assert code == 0
    assert "needs-draft: 1 of 6,300 compared calls disagree" in drift
    code, criteria, _ = replayed("judge", "--gate", "flip")
    assert code == 0
    assert criteria == [
        ("holds", "deviation < 1% on needs-draft for 7 days"),
        ("holds", "errors <= old on needs-draft"),
    ]


def test_the_answer_of_the_rule_that_the_flag_names_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report_to()
    assert week.place_of(traffic.ASKED) == "draft"
    monkeypatch.setenv("NEEDS_DRAFT_V2", "true")
    assert week.place_of(traffic.ASKED) == "in place"
    assert caplog.records == []


def test_the_promoted_call_holds_for_the_rewrite_and_not_for_the_old_rule(replayed: Callable[..., Told]) -> None:
    assert replayed("run", "--gate", "pr")[0] == 0
    assert replayed("run", "--gate", "pr", "--new", "rules:needs_draft")[0] == 1
