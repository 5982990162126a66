"""JSON documents read piece by piece: whatever the pieces are, the values are those of the document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.cases.recordings.base import FlawError
from replay.cases.recordings.json_stream import JsonReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


class Dripping:
    """A stream that gives so few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.size, self.at = data, size, 0

    def read(self, size: int, /) -> bytes:
        """Return the next few bytes."""
        begun, self.at = self.at, self.at + min(size, self.size)
        return self.data[begun : self.at]

    def readline(self, size: int, /) -> bytes:
        """Return what is no line."""
        raise NotImplementedError


def walked(data: bytes, size: int) -> dict[str, Any]:
    reader = JsonReader(Dripping(data, size))
    found: dict[str, Any] = {}
    for key in reader.members():
        if key == "items":
            found[key] = [json.loads(item) for _, item in reader.items()]
        elif key == "passed":
            reader.skip()
        else:
            found[key] = json.loads(reader.value())
    assert reader.peek() == b""
    return found


@given(st.lists(VALUES, max_size=5), VALUES, VALUES, st.integers(1, 40), st.sampled_from([None, 2]))
def test_values_are_those_of_the_document_in_whatever_pieces_it_comes(
    items: list[Any], taken: Any, passed: Any, size: int, indent: int | None
) -> None:
    document = {"passed": passed, "taken": taken, "items": items}
    data = json.dumps(document, indent=indent, ensure_ascii=indent is None).encode("utf-8", "surrogatepass")
    assert walked(b"\xef\xbb\xbf" + data + b" \n", size) == {"taken": taken, "items": items}


@given(VALUES, st.data())
def test_a_document_that_is_cut_anywhere_is_told(value: Any, data: st.DataObject) -> None:
    text = json.dumps({"items": [value, value], "taken": value}).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises((FlawError, ValueError)):
        walked(cut, data.draw(st.integers(1, 30)))


def test_items_are_told_by_their_lines() -> None:
    reader = JsonReader(Dripping(b'[1,\n2,\n\n{"a":\n1}, 5\n]', 3))
    assert [line for line, _ in reader.items()] == [1, 2, 4, 5]
