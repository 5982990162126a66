"""What no document tells of an answer: where two answers part in that alone, they are no match."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field, PrivateAttr

from replay.experiment import Experiment, Known, flush
from replay.experiment.calls import Outcome
from replay.experiment.listing import A_SECOND
from tests.experiment.kept import Kept

NAIVE = datetime.fromisoformat("2024-10-27T02:30:00")
MODES: list[Literal["inline", "after"]] = ["inline", "after"]


@dataclass
class Order:
    """A dataclass."""

    lines: list[float]

    @cached_property
    def total(self) -> float:
        """Return what is made of the others."""
        return sum(self.lines)


class Paid(Order):
    """Holds more than its fields, and is no dataclass itself."""

    def __init__(self, lines: list[float], by: object) -> None:
        super().__init__(lines)
        self.by = by


class Model(BaseModel):
    """A model."""

    size: float
    token: str = Field(default="", exclude=True)
    _price: int = PrivateAttr(default=1)


class Page:
    """Is gone through as its items, and knows how many there are in all."""

    def __init__(self, items: list[float], in_all: int) -> None:
        self._items, self.in_all = items, in_all

    def __iter__(self) -> Any:
        return iter(self._items)


class Rows(list[float]):
    """A list that knows more."""

    more = 0


class Hidden(str):
    """A text that shows nothing of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "***"


class ManyError(Exception):
    """Holds others, and itself among them, as Django's error of validation does."""

    def __init__(self, *codes: int) -> None:
        super().__init__("refused")
        self.errors = [RefusedError(code) for code in codes]
        self.all = [self]


class RefusedError(Exception):
    """Says the same whatever its code."""

    def __init__(self, code: Any) -> None:
        super().__init__("refused")
        self.code = code


class SlottedError(Exception):
    """Keeps its code in a slot."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        super().__init__("refused")
        self.code = code


class SilentError(Exception):
    """Says nothing of what it was given."""

    def __str__(self) -> str:
        return "refused"


def priced(size: float, price: int) -> Model:
    made = Model(size=size)
    made._price = price
    return made


def rows(more: int, *items: float) -> Rows:
    made = Rows(items)
    made.more = more
    return made


def cached(*lines: float) -> Order:
    made = Order(list(lines))
    assert made.total == sum(lines)
    return made


def reversed_members() -> dict[str, Paid]:
    return {"b": Paid([1], "bob"), "a": Paid([1.0], "ada")}


def raising(make: Callable[[], BaseException]) -> Callable[[], Any]:
    def side() -> Any:
        raise make()

    return side


def told_of(told: Kept, old: Callable[[], Any], new: Callable[[], Any], **terms: Any) -> Outcome:
    """Return what is told of one call."""
    terms = {"raises": (Exception,), **terms}
    with suppress(Exception):  # what the chosen side raised is not what this is about
        Experiment("rule", old, new, **terms)()
    for _ in range(1000):
        assert flush(20)
        if told.outcomes:
            break
        threading.Event().wait(0.01)
    (outcome,) = told.outcomes
    return outcome


def named(told: Kept, old: Callable[[], Any], new: Callable[[], Any], **terms: Any) -> str:
    return told_of(told, old, new, **terms).result.outcome


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: RefusedError(3), lambda: RefusedError(4)),
        (lambda: SlottedError(3), lambda: SlottedError(4)),
        (lambda: SilentError(3), lambda: SilentError(4)),
        (lambda: ImportError("none", name="a"), lambda: ImportError("none", name="b")),
        (lambda: ImportError("none", path="a"), lambda: ImportError("none", path="b")),
        (lambda: SilentError("x" * 3000 + "a"), lambda: SilentError("x" * 3000 + "b")),
        (lambda: ValueError("x" * 3000 + "a"), lambda: ValueError("x" * 3000 + "b")),
    ],
    ids=["attribute", "slot", "argument", "name", "path", "long argument", "long message"],
)
@pytest.mark.parametrize("flooded", [False, True])
def test_exceptions_that_say_the_same_and_hold_something_else_deviate(
    told: Kept, old: Callable[[], BaseException], new: Callable[[], BaseException], *, flooded: bool
) -> None:
    rule = Experiment("rule", raising(old), raising(new), raises=(Exception,))
    calls = A_SECOND * 3 if flooded else 1
    for _ in range(calls):
        with pytest.raises(type(old())):
            rule()
    assert flush(20)
    assert told.names == ["deviation"] * calls


@pytest.mark.parametrize("mode", MODES)
def test_what_an_exception_holds_is_told_by_its_name_alone(told: Kept, mode: Literal["inline", "after"]) -> None:
    sides = raising(lambda: RefusedError("alice")), raising(lambda: RefusedError("bob"))
    result = told_of(told, *sides, mode=mode).result
    assert (result.outcome, [each.note for each in result.differences]) == (
        "deviation",
        ["RefusedError.code is another one, which no document tells"],
    )


def test_exceptions_of_which_nobody_can_tell_whether_they_are_the_same_are_no_match(told: Kept) -> None:
    result = told_of(told, *(raising(lambda: RefusedError(object())) for _ in range(2))).result
    assert (result.outcome, result.skipped) == (
        "skipped",
        "nobody can tell whether RefusedError.code is the same, which no document tells",
    )


@pytest.mark.parametrize(("codes", "outcome"), [((1, 2), "match"), ((1, 3), "skipped")])
def test_exceptions_that_hold_others_are_the_same_where_those_are(
    told: Kept, codes: tuple[int, int], outcome: str
) -> None:
    assert named(told, raising(lambda: ManyError(1, 2)), raising(lambda: ManyError(*codes))) == outcome


def chained(first: type[Exception]) -> Callable[[], Any]:
    def side() -> Any:
        try:
            raising(first)()
        except first as error:
            raise KeyError("x") from error

    return side


def test_what_an_exception_was_raised_from_is_no_part_of_the_answer(told: Kept) -> None:
    assert named(told, chained(ValueError), chained(TypeError)) == "match"


def test_notes_are_part_of_the_answer(told: Kept) -> None:
    def noted(text: str) -> Callable[[], Any]:
        def make() -> BaseException:
            error = KeyError("x")
            error.__notes__ = [text]
            return error

        return raising(make)

    assert named(told, noted("a"), noted("b")) == "skipped"


def test_a_known_difference_of_exceptions_is_known(told: Kept) -> None:
    known = [Known(lambda old, new: (old.code, new.code) == (3, 4), why="asked for")]
    assert named(told, raising(lambda: RefusedError(3)), raising(lambda: RefusedError(4)), known=known) == "match"


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        (lambda: Paid([1], "ada"), lambda: Paid([1], "bob"), "deviation"),
        (lambda: [{"x": Paid([1], "ada")}], lambda: [{"x": Paid([1.0], "bob")}], "deviation"),
        (lambda: Paid([1], object()), lambda: Paid([1], object()), "skipped"),
        (lambda: Paid([1], "ada"), lambda: Order([1]), "skipped"),
        (lambda: priced(1, 1), lambda: priced(1, 2), "deviation"),
        (lambda: Model(size=1, token="a"), lambda: Model(size=1, token="b"), "deviation"),
        (lambda: rows(1, 1), lambda: rows(2, 1), "deviation"),
        (lambda: Page([1], 10), lambda: Page([1], 20), "deviation"),
        (lambda: Hidden("a"), lambda: Hidden("b"), "deviation"),
        (lambda: np.zeros((0, 3)), lambda: np.zeros((0, 2)), "deviation"),
        (lambda: NAIVE, lambda: NAIVE.replace(fold=1), "skipped"),
        (lambda: time(2, 30), lambda: time(2, 30, fold=1), "skipped"),
        (lambda: Hidden("a"), lambda: Hidden("a"), "match"),
        (lambda: np.zeros((0, 3)), lambda: np.zeros((0, 3)), "match"),
        (lambda: np.zeros(0), list, "match"),
        (lambda: {"a": Paid([1], "ada"), "b": Paid([1], "bob")}, reversed_members, "match"),
        (lambda: Order([1]), lambda: Order([1.0]), "match"),
        (lambda: cached(1), lambda: Order([1]), "match"),
        (lambda: [Paid([1], "ada"), 1], lambda: [Paid([1.0], "ada"), 1.0], "match"),
        (lambda: Page([1], 10), lambda: Page([1], 10), "match"),
        (lambda: priced(1, 2), lambda: priced(1, 2), "match"),
        (lambda: (1, 2), lambda: [1, 2.0], "match"),
    ],
)
def test_values_of_one_document_that_hold_something_else_are_no_match(
    told: Kept, old: Callable[[], Any], new: Callable[[], Any], outcome: str
) -> None:
    assert named(told, old, new) == outcome


def test_what_cannot_even_be_looked_at_is_no_match(told: Kept) -> None:
    class Hiding(Order):
        """Says something of its attributes the first time alone."""

        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise SystemExit

    assert named(told, lambda: Hiding([1]), lambda: Hiding([1])) != "match"


def test_where_the_program_compares_by_itself_it_has_the_last_word(told: Kept) -> None:
    assert named(told, lambda: Paid([1], "ada"), lambda: Paid([1], "bob"), equal=lambda *_: True) == "match"


def test_the_value_of_what_no_document_tells_is_told_nowhere(told: Kept) -> None:
    outcome = told_of(told, lambda: Model(size=1, token="hunter2"), lambda: Model(size=1, token="swordfish"))
    assert "hunter2" not in repr(outcome)
    assert [each.note for each in outcome.result.differences] == ["Model.token is another one, which no document tells"]
