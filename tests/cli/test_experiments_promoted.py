"""From a call that disagreed in a program to a golden that holds it fast: red, fixed, green."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay import Experiment
from replay.cases import CaptureFile
from replay.experiment import Captured, Stored, flush
from replay.store import SqliteStore

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

RULES = """
from dataclasses import dataclass


@dataclass
class PullRequest:
    id: int
    author: str
    files: int


def needs_draft(pr: PullRequest) -> bool:
    return pr.files > 20


def needs_draft_v2(pr: PullRequest) -> bool:
    return {condition}
"""
STORE = Path("replay.sqlite")


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Write the module of a program, with a new rule that has a slip, and import it."""
    Path("draft_rules.py").write_text(RULES.replace("{condition}", "pr.files > 20 or pr.author == 'ada'"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("draft_rules")
    del sys.modules["draft_rules"]


def shadow(rules: Any, sink: Stored | Captured) -> None:
    """Run both rules over what the program sees, and tell what came of it."""
    draft = Experiment("needs-draft", rules.needs_draft, rules.needs_draft_v2, to=(sink,))
    for number in range(30):
        pr = rules.PullRequest(number, "ada" if number == 17 else "bob", number)
        assert draft(pr) == rules.needs_draft(pr)
    assert flush()


def the_call() -> str:
    """Return the id of the one call that is stored as deviating."""
    with SqliteStore.open(STORE) as kept:
        (record,) = kept.runs()
        (found,) = kept.results(record.id, ["deviation"])
    return found.case.id


def test_a_disagreement_becomes_a_golden_that_is_red_until_new_is_fixed(desk: Desk, rules: Any) -> None:
    shadow(rules, Stored(STORE))
    Path("replay.yaml").write_text("old: draft_rules:needs_draft\nnew: draft_rules:needs_draft_v2\n")
    call, why = the_call(), "ada asked for no drafts"
    told = desk.cli("judge", "--store", str(STORE))
    assert f"replay promote {call}" in told.out

    assert desk.cli("promote", call, "--store", str(STORE), "--expect", "old", "--why", why).code == 0
    (golden,) = Path("goldens").rglob("*.yaml")
    assert "pr:" in golden.read_text()

    red = desk.cli("run")
    assert (red.code, "goldens pass" in red.out.splitlines()[1]) == (1, True)
    Path("draft_rules.py").write_text(RULES.replace("{condition}", "20 < pr.files"))
    green = desk.cli("run")
    assert (green.code, green.out.splitlines()[0]) == (0, "GO")


def test_a_captured_disagreement_is_replayed_against_both_functions_and_promoted(desk: Desk, rules: Any) -> None:
    shadow(rules, Captured("captures/drafts.jsonl.zst"))
    sides = ("--old", "draft_rules:needs_draft", "--new", "draft_rules:needs_draft_v2")
    red = desk.cli("run", "--traffic", "captures/drafts-0001.jsonl.zst", *sides)
    assert (red.code, "compared 1 = matched 0 + deviating 1" in red.out) == (1, True)
    (case,) = CaptureFile("captures/drafts-0001.jsonl.zst")
    assert desk.cli("promote", case.id, "--expect", "old").code == 0
    Path("draft_rules.py").write_text(RULES.replace("{condition}", "20 < pr.files"))
    green = desk.cli("run", "--goldens", "goldens", *sides)
    assert (green.code, green.out.splitlines()[0]) == (0, "GO")


def test_a_captured_disagreement_is_promoted_as_it_was_captured(desk: Desk, rules: Any) -> None:
    shadow(rules, Captured("captures/drafts.jsonl.zst"))
    (case,) = CaptureFile("captures/drafts-0001.jsonl.zst")
    ended = desk.cli("promote", case.id, "--traffic", "captures/drafts-*.jsonl.zst")
    assert ended.code == 0
    sides = ("--old", "draft_rules:needs_draft", "--new", "draft_rules:needs_draft_v2")
    assert "recorded in drafts-0001.jsonl.zst" in next(Path("goldens").rglob("*.yaml")).read_text()
    assert desk.cli("run", "--goldens", "goldens", *sides).code == 1
    Path("draft_rules.py").write_text(RULES.replace("{condition}", "20 < pr.files"))
    assert desk.cli("run", "--goldens", "goldens", *sides).code == 0


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (("nothing",), "no recorded case is called 'nothing'"),
        (("{id}", "--run", "a"), "--traffic takes one case, of no run"),
        (("{id}", "--expect", "old"), "old gave no answer that could be expected"),
    ],
)
def test_what_cannot_be_promoted_from_a_capture_is_refused(
    desk: Desk, rules: Any, arguments: tuple[str, ...], fact: str
) -> None:
    shadow(rules, Captured("captures/drafts.jsonl.zst"))
    (case,) = CaptureFile("captures/drafts-0001.jsonl.zst")
    typed = [each.format(id=case.id) for each in arguments]
    ended = desk.cli("promote", *typed, "--traffic", "captures/drafts-0001.jsonl.zst")
    assert (ended.code, fact in ended.err) == (2, True)


def test_a_review_offers_goldens_and_no_rules_which_stand_in_the_program(desk: Desk, rules: Any) -> None:
    shadow(rules, Stored(STORE))
    store = ("--store", str(STORE))
    desk.cli("judge", *store)
    assert "makes sense: --promote\n" in desk.cli("review", "--cause", "1", *store).out
    refused = desk.cli("review", "--cause", "1", "--ignore", *store)
    assert (refused.code, "compare=[...]" in refused.err) == (2, True)
    assert desk.cli("review", "--cause", "1", "--promote", "--yes", *store).code == 0
    assert len(list(Path("goldens").rglob("*.yaml"))) == 1


def test_a_stored_disagreement_is_shown_in_full(desk: Desk, rules: Any) -> None:
    shadow(rules, Stored(STORE))
    shown = desk.cli("show", the_call(), "--store", str(STORE))
    assert shown.code == 0
    assert all(text in shown.out for text in ("ada", "old chosen", "false", "true"))
