"""How a function's arguments and its value cross the border: JSON in, JSON out, no digit lost."""

import collections
import dataclasses
import enum
import json
import math
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.targets.worker import JsonWriter, NotJsonError, TooLargeError, annotations_of, coerce, dumped, kind_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Colour(enum.Enum):
    """An enum that is found by value and by name."""

    RED = "red"
    DEEP = 2


@dataclasses.dataclass
class Line:
    """A dataclass."""

    sku: str
    price: Decimal
    due: date | None = None


class Table:
    """As a table of pandas: whoever goes through it gets the names of its columns."""

    def __iter__(self) -> Iterator[str]:
        return iter(["price"])

    def to_numpy(self) -> object:
        """Return what a table without names would be."""
        return np.array([1])


class Series(Table):
    """As a column of pandas: its values as a list lack its name and its index."""

    def tolist(self) -> list[int]:
        """Return the values alone."""
        return [1]


class Query(dict[str, list[str]]):
    """As Django's and Werkzeug's: it has several values a name, and shows the last of them."""

    def getlist(self, name: str) -> list[str]:
        """Return all values of a name."""
        return dict.__getitem__(self, name)

    def items(self) -> Any:
        """Return the last value of each name."""
        return [(name, values[-1]) for name, values in dict.items(self)]


class Headers(Mapping[str, str]):
    """As Starlette's: a name comes as often as it has values."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        return dict(self._pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def getlist(self, name: str) -> list[str]:
        """Return all values of a name."""
        return [value for one, value in self._pairs if one == name]


class Members(dict[str, int]):
    """Its members are its attributes, so that it raises KeyError where others raise AttributeError."""

    __getattr__ = dict.__getitem__


class Row(Sequence[int]):
    """As a row of SQLAlchemy, in which two columns may have one name."""

    _fields = ("a", "a")

    def __getitem__(self, place: Any) -> Any:
        return (1, 2)[place]

    def __len__(self) -> int:
        return 2

    def _asdict(self) -> dict[str, int]:
        return {"a": 1}


@attrs.define
class Crate:
    """A class of attrs."""

    sku: str
    _weight: int = 2


def sqlite_row(query: str) -> sqlite3.Row:
    """Return the one row that a query has."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    with closing(connection):
        row: sqlite3.Row = connection.execute(query).fetchone()
        return row


class Point(NamedTuple):
    """A named tuple."""

    x: float
    y: Decimal


@given(JSON)
def test_what_a_function_returns_comes_back(value: Any) -> None:
    assert json.loads(dumped(value)) == value


@given(JSON)
def test_an_argument_without_annotation_is_what_json_says(value: Any) -> None:
    parsed = json.loads(json.dumps(value), parse_float=Decimal)
    assert repr(coerce(parsed, Any)) == repr(json.loads(json.dumps(value)))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_spelling_both_ways(value: Decimal) -> None:
    read = json.loads(dumped(value), parse_float=Decimal)
    assert str(coerce(read, Decimal)) == str(value) or (value == 0 and coerce(read, Decimal) == 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("9.90"), "9.90"),
        (2**70, str(2**70)),
        (math.nan, "NaN"),
        (Decimal("NaN"), "NaN"),
        (-math.inf, "-Infinity"),
        (Colour.RED, '"red"'),
        (datetime(2024, 2, 29, 1, tzinfo=UTC), '"2024-02-29T01:00:00+00:00"'),
        (timedelta(minutes=1.5), "90.0"),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Path("a/b"), '"a/b"'),
        (b"\xff", '{"base64": "/w=="}'),
        (Line("a", Decimal("1.10")), '{"sku": "a", "price": 1.10, "due": null}'),
        (Point(1.0, Decimal(2)), '{"x": 1.0, "y": 2}'),
        ({"b", "a"}, '["a", "b"]'),
        ((one for one in (1, 2)), "[1, 2]"),
        (collections.OrderedDict({1: 4, None: 2, Colour.RED: 3}), '{"1": 4, "null": 2, "red": 3}'),
        (np.float32(0.5), "0.5"),
        (np.arange(3), "[0, 1, 2]"),
        (np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]), '[{"a": 1, "b": 2}]'),
        (np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")])[0], '{"a": 1, "b": 2}'),
        (np.array([1, 2], dtype="m8[s]"), "[1.0, 2.0]"),
        (np.array([1, 2], dtype="m8[ns]"), "[1E-9, 2E-9]"),
        (np.timedelta64(10**18, "s"), "1000000000000000000"),
        (np.timedelta64(3, "Y"), '{"timedelta64[Y]": 3}'),
        (np.datetime64("2024-02-29T01:00:00", "s"), '"2024-02-29T01:00:00"'),
        (np.datetime64("2024-02-29T01:00:00", "ns"), '"2024-02-29T01:00:00"'),
        (np.datetime64("2024-02-29T01:00:00.5", "ns"), '"2024-02-29T01:00:00.500000"'),
        (np.datetime64("2024-02-29T01:00:00.000000001", "ns"), '"2024-02-29T01:00:00.000000001"'),
        (np.datetime64("NaT"), "null"),
        (timedelta(days=100_000, microseconds=1), "8640000000.000001000"),
        (timedelta(days=-999_999_999, microseconds=1), "-86399999913599.999999000"),
        (timedelta(seconds=0.1), "0.1"),
        (Query(a=["1", "2"], b=["3"]), '{"a": ["1", "2"], "b": "3"}'),
        (Headers(("a", "1"), ("b", "3"), ("a", "2")), '{"a": ["1", "2"], "b": "3"}'),
        (Row(), '[["a", 1], ["a", 2]]'),
        (sqlite_row("select 1 a, 2 b"), '{"a": 1, "b": 2}'),
        (sqlite_row("select 1 a, 2 a"), '[["a", 1], ["a", 2]]'),
        (Crate("x"), '{"sku": "x", "_weight": 2}'),
        (collections.deque([1]), "[1]"),
        (range(2), "[0, 1]"),
        ({1: 2}.items(), "[[1, 2]]"),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_how_a_value_is_written(value: Any, text: str) -> None:
    assert dumped(value).decode() == text


def test_a_dictionary_whose_members_are_its_attributes_is_an_object() -> None:
    assert dumped(Members(a=1)) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "type object at"),
        ({"a": [1, 2j]}, r"type complex at .*\.a\[1\]"),
        ({(1, 2): 3}, "a key of type tuple"),
        ([Line], "class Line"),
        ({"rows": Table()}, r"type Table, which has labels, at .*\.rows"),
        (Series(), "type Series, which has labels, at"),
        (list[int], "type GenericAlias at"),  # gone through, of what is made in C, as an element of lxml
        (np.longdouble(1), "type longdouble at"),
    ],
)
def test_what_json_cannot_hold_is_named_with_its_location(value: Any, words: str) -> None:
    with pytest.raises(NotJsonError, match=words):
        dumped(value)


def test_an_endless_value_ends_where_the_reader_says_so() -> None:
    taken: list[bytes] = []

    def add(piece: bytes) -> None:
        taken.append(piece)
        if len(taken) > 100:
            raise TooLargeError

    with pytest.raises(TooLargeError):
        JsonWriter(add).write(iter(int, 1), "body")


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1.10", Decimal, Decimal("1.10")),
        ('"1.10"', Decimal, Decimal("1.10")),
        ("1.5", Any, 1.5),
        ("1", float, 1.0),
        ("true", float, True),
        ('"2024-02-29T23:59:59Z"', datetime, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ('"2024-02-29"', date, date(2024, 2, 29)),
        ('"2024-02-29"', date | None, date(2024, 2, 29)),
        ("null", date | None, None),
        ('"x"', int | str, "x"),
        ('"red"', Colour, Colour.RED),
        ('"DEEP"', Colour, Colour.DEEP),
        ("[1.10]", list[Decimal], [Decimal("1.10")]),
        ('["a", 1.10]', tuple[str, Decimal], ("a", Decimal("1.10"))),
        ("[1, 1]", set[int], {1}),
        ("[1.5]", Sequence[Decimal], [Decimal("1.5")]),
        ('{"1": 2.5}', Mapping[str, Decimal], {"1": Decimal("2.5")}),
        ('{"sku": "a", "price": 1, "due": "2024-02-29"}', Line, Line("a", Decimal(1), date(2024, 2, 29))),
        ("[1, 2]", Point, Point(1, Decimal(2))),
        ('{"x": 1, "y": 2.50}', Point, Point(1.0, Decimal("2.50"))),
        ('{"base64": "/w=="}', bytes, b"\xff"),
        ('"a/b"', Path, Path("a/b")),
        ('{"any": [1.5]}', "unknown", {"any": [1.5]}),
    ],
)
def test_an_argument_becomes_what_its_annotation_asks_for(text: str, kind: Any, expected: Any) -> None:
    value = coerce(json.loads(text, parse_float=Decimal), kind)
    assert (value, type(value)) == (expected, type(expected))


def test_annotations_that_do_not_resolve_cost_only_themselves() -> None:
    def function(price: "Nowhere", count: Annotated[int, "pieces"]) -> None: ...  # type: ignore[name-defined] # noqa: F821

    assert {"count", "price"} & set(annotations_of(function)) == {"count"}


async def _asgi(scope: object, receive: object, send: object) -> None: ...
async def _three(price: object, count: object, currency: object) -> None: ...
def _wsgi(environ: object, start_response: object) -> None: ...
def _two(left: object, right: object) -> None: ...


class _Service:
    async def __call__(self, first: object, second: object, third: object) -> None: ...


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (_asgi, "asgi"),
        (_Service(), "asgi"),
        (_three, "function"),
        (_wsgi, "wsgi"),
        (_two, "function"),
        (Line, "function"),
    ],
)
def test_apps_and_functions_are_told_apart_by_their_signature(target: Callable[..., object], kind: str) -> None:
    assert kind_of(target) == kind
