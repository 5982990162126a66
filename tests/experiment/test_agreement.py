"""Two answers agree where nothing could tell them apart, and never by chance."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel

from replay.experiment.agreement import MOST_STEPS, agree
from replay.experiment.writing import document_of


@dataclass
class Order:
    """A dataclass."""

    lines: list[int]
    note: str = field(default="", compare=False)


@dataclass(slots=True)
class Slotted:
    """A dataclass without a dictionary."""

    amount: Decimal


class Undeclared(Order):
    """A dataclass that holds more than its fields."""

    def __init__(self, extra: int) -> None:
        super().__init__([])
        self.extra = extra


@dataclass
class Listed(list[int]):
    """A dataclass that is a list as well."""

    name: str = ""


class Text(str):
    """A text that is more than one."""

    __slots__ = ("lang",)


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1
    GREEN = 2


class Model(BaseModel):
    """A pydantic model."""

    model_config = ConfigDict(extra="allow")
    size: int


class Model2(BaseModel):
    """Another one with the same fields."""

    size: int


Root = RootModel[list[int]]


@attrs.define
class Crate:
    """A class of attrs, of which one attribute has no part in its `==`."""

    sku: str
    weight: int = attrs.field(default=1, eq=False)


class Always:
    """Equals anything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Keyed:
    """Has a slot that is no field of what is made of it."""

    __slots__ = ("key",)
    key: int


@dataclass
class Entry(Keyed):
    """A dataclass whose base holds more."""

    name: str = "x"


class Private(BaseModel):
    """A model that keeps something to itself."""

    size: int = 1
    _price: int = PrivateAttr(default=1)


def entry(key: int) -> Entry:
    made = Entry()
    made.key = key
    return made


def noted(note: str) -> Order:
    made = Order([1])
    made.seen_by = note  # type: ignore[attr-defined]
    return made


def priced(price: int) -> Private:
    made = Private()
    made._price = price
    return made


def listed(name: str, *items: int) -> Listed:
    made = Listed(name)
    made.extend(items)
    return made


MAKERS: list[Any] = [
    lambda: [None, True, 1, 1.5, "ä", b"x", 1j, NotImplemented, ...],
    lambda: {"a": [1, {"b": (2, 3)}], "c": {1, 2}, "d": frozenset({"x"})},
    lambda: {1: "one", None: 2},
    lambda: [Decimal("1.10"), Fraction(1, 3), UUID(int=3), range(3), bytearray(b"x")],
    lambda: [date(2024, 2, 29), datetime(2024, 2, 29, tzinfo=UTC), timedelta(1)],
    lambda: [Order([1]), Slotted(Decimal(1)), Point(1, 2), Colour.RED],
    lambda: [Model.model_validate({"size": 1, "more": [2]}), Root([1])],
    lambda: [noted("ada"), entry(1), priced(2)],
    lambda: [Crate("x"), ValueError("x"), FileNotFoundError(2, "none", "a.txt")],
    lambda: [OrderedDict(a=1), defaultdict(list, a=[1]), deque([1])],
]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_made_twice_alike_agrees(make: Any) -> None:
    assert agree(make(), make())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, True),
        (0, False),
        (1, 1.0),
        (0.0, -0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([math.nan], [math.nan]),
        (Decimal("NaN"), Decimal("NaN")),
        (Decimal("Infinity"), Decimal("Infinity")),
        (Decimal("1.0"), Decimal("1.00")),
        ("\ud800", "\ud800"),
        ("a", b"a"),
        ((1, 2), [1, 2]),
        ([1, 2], [1, 2, 3]),
        ({1, 2}, {1, True + 1, 3}),
        ({1}, {True}),
        ({"\ud800"}, {"\ud800"}),
        ({1}, {1.0}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": None}, {"b": None}),
        ({1: 2}, {True: 2}),
        ({"a": 1}, {Text("a"): 1}),
        (Text("a"), Text("a")),
        (Order([1]), Order([2])),
        (Order([1], "x"), Order([1], "y")),
        (Undeclared(1), Undeclared(2)),
        (listed("x", 1), listed("x", 2)),
        (noted("ada"), noted("bob")),
        (noted("ada"), Order([1])),
        (entry(1), entry(2)),
        (entry(1), Entry()),
        (priced(1), priced(2)),
        (Crate("x", 1), Crate("x", 2)),
        (ValueError("x"), ValueError("y")),
        (ImportError("none", name="a"), ImportError("none", name="b")),
        (Colour.RED, Colour.GREEN),
        (Point(1, 2), (1, 2)),
        (Model(size=1), Model2(size=1)),
        (Model.model_validate({"size": 1, "more": 1}), Model.model_validate({"size": 1, "more": 2})),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))),
        (datetime(2024, 1, 1, fold=0, tzinfo=UTC), datetime(2024, 1, 1, fold=1, tzinfo=UTC)),
        (date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),
        (Always(), Always()),
        ([Always()], [Always()]),
        (object(), object()),
        (Path("a"), Path("a")),
        (iter([1]), iter([1])),
        (int, int),
        (OrderedDict(a=1), {"a": 1}),
        ([0] * (MOST_STEPS + 1), [0] * (MOST_STEPS + 1)),
    ],
)
def test_what_may_differ_is_left_to_the_examination(old: Any, new: Any) -> None:
    assert not agree(old, new)


def test_what_holds_itself_is_left_to_the_examination() -> None:
    old: list[Any] = []
    new: list[Any] = []
    old.append(old)
    new.append(new)
    assert not agree(old, new)


def test_a_large_answer_below_the_limit_agrees() -> None:
    assert agree(list(range(MOST_STEPS - 2)), list(range(MOST_STEPS - 2)))


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats()
    | st.sampled_from(["", "a", "\ud800", "é"])
    | st.decimals()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", 1, True]), inner, max_size=3)
        | st.tuples(inner, inner)
        | inner.map(lambda value: Order([value]))
    ),
    max_leaves=8,
)


@given(old=values, new=values)
def test_what_agrees_has_one_document(old: Any, new: Any) -> None:
    if agree(old, new):
        assert document_of(old) == document_of(new)
    if agree(old, old):
        assert b"NaN" not in document_of(old)
        assert b"Infinity" not in document_of(old)
