"""Flags that stand elsewhere: what they say is a boolean, or an error."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.experiment import Experiment, flush
from replay.experiment.flags import Flag, FlagError, environment, openfeature
from tests.experiment.kept import Kept


@pytest.mark.parametrize(
    ("word", "new"),
    [
        ("1", True),
        ("TRUE", True),
        (" yes ", True),
        ("On", True),
        ("0", False),
        ("off", False),
        ("No", False),
        ("", False),
    ],
)
def test_a_variable_is_read_by_strict_words(monkeypatch: pytest.MonkeyPatch, word: str, *, new: bool) -> None:
    monkeypatch.setenv("DRAFT_V2", word)
    assert environment("DRAFT_V2")("any", argument=1) is new


def test_a_variable_is_read_again_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = environment("DRAFT_V2")
    monkeypatch.delenv("DRAFT_V2", raising=False)
    before = flag()
    monkeypatch.setenv("DRAFT_V2", "on")
    assert (before, flag()) == (False, True)


@pytest.mark.parametrize("word", ["2", "y", "enabled", "tru", "\x1b[2J"])
def test_any_other_word_is_no_flag(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("DRAFT_V2", word)
    with pytest.raises(FlagError, match=r"DRAFT_V2 holds .* none of 1, true, yes, on, 0, false, no, off") as caught:
        environment("DRAFT_V2")()
    assert str(caught.value).isprintable()


def provided(answer: Any) -> Flag:
    """Return a flag of a real client, whose provider answers so."""
    api = pytest.importorskip("openfeature.api")
    memory = pytest.importorskip("openfeature.provider.in_memory_provider")
    flag = memory.InMemoryFlag("given", {"given": answer})
    api.set_provider(memory.InMemoryProvider({"draft-v2": flag}), "tests")
    return openfeature("draft-v2", domain="tests")


@pytest.mark.parametrize("answer", [True, False])
def test_a_flag_of_openfeature_is_what_its_provider_says(*, answer: bool) -> None:
    assert provided(answer)("a call's argument") is answer


def test_a_flag_of_openfeature_that_is_no_boolean_is_an_error() -> None:
    with pytest.raises(FlagError, match="draft-v2"):
        provided("yes")()


def test_a_flag_that_the_provider_does_not_know_is_the_default() -> None:
    api = pytest.importorskip("openfeature.api")
    memory = pytest.importorskip("openfeature.provider.in_memory_provider")
    api.set_provider(memory.InMemoryProvider({}), "tests")
    assert [openfeature("gone", default=default, domain="tests")() for default in (True, False)] == [True, False]


def test_a_provider_is_told_who_the_call_is_about() -> None:
    api = pytest.importorskip("openfeature.api")
    memory = pytest.importorskip("openfeature.provider.in_memory_provider")
    asked: list[Any] = []

    def evaluated(flag: Any, about: Any) -> Any:
        asked.append((about.targeting_key, dict(about.attributes)))
        details = pytest.importorskip("openfeature.flag_evaluation").FlagResolutionDetails
        return details(flag.variants["given"])

    flags = {"draft-v2": memory.InMemoryFlag("given", {"given": True}, context_evaluator=evaluated)}
    api.set_provider(memory.InMemoryProvider(flags), "tests")
    flag = openfeature("draft-v2", domain="tests", context=lambda pr: {"targeting_key": pr["author"], "repo": "shop"})
    assert flag({"author": "alice"}) is True
    assert asked == [("alice", {"repo": "shop"})]


def test_a_provider_that_fails_is_an_error_whatever_the_default_says() -> None:
    api = pytest.importorskip("openfeature.api")
    memory = pytest.importorskip("openfeature.provider.in_memory_provider")

    def evaluated(_flag: Any, _about: Any) -> Any:
        raise ConnectionError("the provider is gone")

    flags = {"draft-v2": memory.InMemoryFlag("given", {"given": True}, context_evaluator=evaluated)}
    api.set_provider(memory.InMemoryProvider(flags), "tests")
    with pytest.raises(FlagError, match="the provider is gone"):
        openfeature("draft-v2", default=True, domain="tests")()


def test_a_flag_that_fails_on_several_lines_is_told_on_one(told: Kept) -> None:
    def flag() -> bool:
        raise FlagError("the provider is gone\nand says more\r\nof it", hint="ask for it")

    assert Experiment("rule", lambda: 1, lambda: 1, use_new=flag)() == 1
    assert flush(20)
    (reason,) = [each.result.skipped for each in told.outcomes if each.result.skipped]
    assert reason == "`use_new` raised FlagError: the provider is gone and says more of it hint: ask for it"


def test_without_the_sdk_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openfeature.api", None)
    with pytest.raises(SettingsError, match=r"replay-cutover\[openfeature\]"):
        openfeature("draft-v2")
