"""Code that is not one function, arguments that are watched, and disagreements that are raised in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.experiment import Experiment, MismatchError, flush
from tests.experiment.kept import Kept


def fail() -> object:
    raise IndexError


def names(told: Kept) -> list[str]:
    assert flush(10)
    return told.names


def test_a_trial_answers_with_the_chosen_block(told: Kept) -> None:
    rule = Experiment[..., Any]("rule", use_new=lambda size: size > 3)
    answers = []
    for size in (1, 5):
        with rule.trial(size=size) as trial:
            trial.old(lambda: "old")
            trial.new(lambda: "new")
        answers.append(trial.answer())
    assert answers == ["old", "new"]
    assert names(told) == ["deviation", "deviation"]
    assert [each.context for each in told.outcomes] == [{"size": 1}, {"size": 5}]


def test_a_trial_may_be_awaited(told: Kept) -> None:
    async def play() -> Any:
        with Experiment[..., Any]("rule").trial() as trial:

            @trial.old
            async def before() -> int:
                return 1

            @trial.new
            async def after() -> int:
                return 1

        return await trial.answered()

    assert asyncio.run(play()) == 1
    assert names(told) == ["match"]


def test_a_block_that_fails_fails_as_it_would_alone(told: Kept) -> None:
    trial = Experiment[..., Any]("rule").trial()
    trial.old(fail)
    trial.new(lambda: 1)
    with pytest.raises(IndexError):
        trial.answer()
    assert names(told) == ["old_error"]


def test_a_trial_that_lacks_a_block_says_so() -> None:
    trial = Experiment[..., Any]("rule").trial()
    trial.old(lambda: 1)
    with pytest.raises(SettingsError, match="lacks new"):
        trial.answer()


def test_a_side_that_changes_watched_arguments_is_reported(told: Kept) -> None:
    rule = Experiment("rule", len, lambda lines: lines.clear() or 0, watch=True)
    for _ in range(12):
        rule([])
    rule([1, 2])
    assert names(told)[:12] == ["match"] * 12
    assert told.names[12] in {"deviation", "skipped"}


def test_watched_arguments_are_not_copied(told: Kept) -> None:
    seen: list[int] = []
    rule = Experiment("rule", lambda lines: seen.append(id(lines)), lambda lines: seen.append(id(lines)), watch=True)
    rule([1])
    assert len(set(seen)) == 1
    assert names(told) == ["match"]


@pytest.mark.parametrize(
    ("old", "new", "told_so"),
    [
        (lambda: 1, lambda: 2, "deviation: body is 1 in old and 2 in new"),
        (lambda: 1, fail, "new error: new failed"),
        (lambda: 1, lambda: iter(()), "skipped: new returned a tuple_iterator"),
    ],
)
def test_a_disagreement_is_raised_where_a_test_asks_for_it(
    old: Callable[[], object], new: Callable[[], object], told_so: str
) -> None:
    with pytest.raises(MismatchError, match=told_so):
        Experiment("rule", old, new, raise_on_mismatch=True, to=[])()


def test_what_agrees_by_the_rules_is_not_raised() -> None:
    rules = [{"at": "body", "within": 1, "why": "rounding"}]
    assert Experiment("rule", lambda: 1, lambda: 2, compare=rules, raise_on_mismatch=True, to=[])() == 1


@pytest.mark.parametrize("terms", [{"watch": True}, {"raise_on_mismatch": True}])
def test_what_takes_both_sides_here_and_now_is_refused_afterwards(terms: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="inline"):
        Experiment("rule", len, len, mode="after", **terms)
