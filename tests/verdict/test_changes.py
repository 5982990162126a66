"""What was written after the first case was sent is told, sentence by sentence."""

from __future__ import annotations

import pytest

from replay.models import Basis, Change
from replay.verdict.changes import changes


def changed(before: list[str], after: list[str]) -> list[tuple[str | None, str | None]]:
    return [(each.before, each.after) for each in changes(Basis(tuple(before)), Basis(tuple(after)))]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["deviation < 0.5%"], ["deviation < 0.5%"], []),
        (["deviation < 0.5%"], ["deviation < 2%"], [("deviation < 0.5%", "deviation < 2%")]),
        (["goldens pass", "errors <= old"], ["errors <= old", "goldens pass"], []),
        (["goldens pass", "errors <= old"], ["errors <= old"], [("goldens pass", None)]),
        (["goldens pass"], ["goldens pass", "deviation < 1%"], [(None, "deviation < 1%")]),
        (["goldens pass"], ["deviation < 1%"], [("goldens pass", None), (None, "deviation < 1%")]),
        (
            ["p95 <= old on GET /a", "p95 <= old on GET /b"],
            ["p95 <= old + 20% on GET /b", "p95 <= old on GET /a"],
            [("p95 <= old on GET /b", "p95 <= old + 20% on GET /b")],
        ),
    ],
)
def test_each_sentence_that_changed_is_told(
    before: list[str], after: list[str], expected: list[tuple[str | None, str | None]]
) -> None:
    assert changed(before, after) == expected


def test_other_rules_are_told_without_their_text() -> None:
    assert changes(Basis(("goldens pass",), rules="a"), Basis(("goldens pass",), rules="b")) == (Change("rules"),)


def test_another_gate_with_the_same_sentences_changes_nothing() -> None:
    assert changes(Basis(("goldens pass",), "pr"), Basis(("goldens pass",), "main")) == ()
