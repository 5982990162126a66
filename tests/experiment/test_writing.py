"""Python values as JSON: the quick way gives what the thorough one does, or nothing."""

from __future__ import annotations

import enum
from collections import OrderedDict
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.experiment.writing import MOST_BYTES, NoDocumentError, _plainly, _written, document_of

KEYS = st.text(max_size=3) | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner) | st.tuples(inner, inner),
    max_leaves=20,
)


class Point(NamedTuple):
    """A named tuple, which is an object as JSON."""

    x: int


class Odd(dict[str, int]):
    """A mapping that says something else of its members."""

    def items(self) -> Any:
        """Return others than there are."""
        return [("b", 2)]


class Word(enum.StrEnum):
    """A text with another name."""

    A = "a"


@given(PLAIN)
def test_the_quick_way_writes_what_the_thorough_one_does(value: Any) -> None:
    assert _plainly(value) == _written(value, "body")


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (Point(1), b'{"x": 1}'),
        ([Point(1)], b'[{"x": 1}]'),
        (Odd(a=1), b'{"b": 2}'),
        ({"x": Odd(a=1)}, b'{"x": {"b": 2}}'),
        (b"x", b'{"base64": "eA=="}'),
        ({2, 1}, b"[1, 2]"),
        (Word.A, b'"a"'),
        ({Word.A: 1}, b'{"a": 1}'),
        (Decimal("1.10"), b"1.10"),
        (NotImplemented, b'{"python": "NotImplemented"}'),
        (OrderedDict(a=(1,)), b'{"a": [1]}'),
    ],
)
def test_what_is_of_another_class_has_the_document_of_its_class(value: Any, document: bytes) -> None:
    assert document_of(value) == document
    assert _plainly(value) == b""


@pytest.mark.parametrize("value", ["x" * MOST_BYTES, 10**5000, 1j, ...], ids=["large", "long", "complex", "ellipsis"])
def test_what_has_no_document_has_none_the_quick_way_either(value: Any) -> None:
    assert _plainly(value) == b""
    with pytest.raises(NoDocumentError):
        document_of(value)


def test_what_holds_itself_has_no_document() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NoDocumentError, match="holds itself"):
        document_of(value)
