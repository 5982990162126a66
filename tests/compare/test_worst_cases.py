"""Documents that would take for ever: bounded in time and memory, and what is not done is said.

The limits of time are far beyond what is needed: they tell work that grows with the square of a document from work
that does not, on a busy machine too.
"""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from replay.compare import Compared

Compare = Callable[..., Compared]

MANY = 10_000
TOO_LARGE = "compared by position: too large to align"
_SECONDS = 20.0
_MEGABYTE = 2**20


def things(prefix: str, count: int = MANY) -> list[dict[str, Any]]:
    return [{"id": f"{prefix}{n}", "name": f"{prefix} name {n}", "in": {"n": f"{prefix}{n}"}} for n in range(count)]


@contextmanager
def in_time() -> Iterator[None]:
    """Fail if the block takes for ever."""
    began = time.process_time()
    yield
    assert time.process_time() - began < _SECONDS


@contextmanager
def within_memory(megabytes: int) -> Iterator[None]:
    """Fail if the block takes so much memory at once; the parsed documents count in. It is slow while it is watched."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * _MEGABYTE


def test_two_arrays_of_disjoint_objects_are_compared_by_position_and_it_is_said(compare: Compare) -> None:
    with in_time():
        found = compare(things("o"), things("n")).differences
    assert (len(found), found[0].note, found[-1].note) == (1001, TOO_LARGE, "and 29000 more differences")


def test_aligning_takes_no_more_memory_than_a_few_times_the_documents(compare: Compare) -> None:
    with within_memory(megabytes=20):
        assert compare(things("o", 2000), things("n", 2000)).differences


def test_disjoint_arrays_of_unequal_length_tell_how_many_items_are_gone(compare: Compare) -> None:
    found = compare(things("o", 5000), things("n", 200)).differences
    assert found[0].note == TOO_LARGE
    assert [it.note for it in found if it.at == "body[*]"] == ["4700 more are missing"]


def test_one_insertion_among_thousands_of_changed_items_is_found(compare: Compare) -> None:
    old = things("o")
    new = [{**item, "name": "another"} for item in old]
    new.insert(5000, {"id": "new"})
    found = compare(old, new, {"at": "body[*].name", "ignore": True}).differences
    assert [(it.at, it.kind) for it in found] == [("body[5000]", "extra")]


def test_thousands_of_items_in_another_order_are_one_difference(compare: Compare) -> None:
    old = things("o")
    found = compare(old, random.Random(1).sample(old, MANY)).differences  # noqa: S311 - any order will do
    assert [(it.at, it.kind) for it in found] == [("body", "order")]


@pytest.mark.parametrize("values", [["a", "b", "c"], [{"k": "a"}, {"k": "b"}]], ids=["scalars", "objects"])
def test_long_arrays_of_few_values_are_bounded(compare: Compare, values: list[Any]) -> None:
    some = random.Random(1)  # noqa: S311 - any order will do
    old, new = (some.choices(values, k=MANY - rest) for rest in (0, 7))
    with in_time():
        assert compare(old, new).differences


@pytest.mark.parametrize(
    "rules",
    [
        [{"at": "body", "unordered": True}],
        [{"at": "body", "unordered": True}, {"at": "body[*].name", "within": 1}],
        [{"at": "body", "match_by": "nothing"}],
    ],
    ids=["unordered", "unordered with a tolerance", "match_by"],
)
def test_thousands_of_unequal_items_without_order_are_bounded_and_it_is_said(
    compare: Compare, rules: list[Mapping[str, Any]]
) -> None:
    with in_time():
        found = compare(things("o"), things("n"), *rules).differences
    assert "too many unequal items to try which became which" in found[0].note


def nested(levels: int, shift: int) -> list[Any]:
    """Return arrays of four arrays of four …, of which some begin at the other end."""
    items = [nested(levels - 1, shift + n) if levels else shift + n for n in range(4)]
    return items[::-1] if shift % 2 else items


def test_bags_in_bags_in_bags_are_bounded(compare: Compare) -> None:
    rules = {"at": "body..*", "unordered": True}, {"at": "body", "unordered": True}
    with in_time():
        assert compare(nested(5, 0), nested(5, 1), *rules).differences


def test_arrays_that_shift_on_every_level_are_bounded(compare: Compare) -> None:
    old: Any = 1
    new: Any = 2
    for level in range(390):
        old, new = [old, level, level + 1], [level + 2, level, new]
    with in_time():
        assert compare(old, new).differences


@pytest.mark.parametrize("rules", [[], [{"at": "body..unheard", "strict": True}]], ids=["no rule", "a rule"])
def test_as_many_levels_as_are_read_are_compared_value_by_value(
    compare: Compare, rules: list[Mapping[str, Any]]
) -> None:
    def deep(leaf: int) -> bytes:
        return b'[{"a":' * 199 + str(leaf).encode() + b"}]" * 199

    found = compare(deep(1), deep(2), *rules).differences
    assert [(it.at, it.kind) for it in found] == [("body" + "[0].a" * 199, "value")]


def test_a_hundred_thousand_levels_are_compared_as_text(compare: Compare) -> None:
    levels = 100_000
    found = compare(b"[" * levels + b"1" + b"]" * levels, b"[" * levels + b"2" + b"]" * levels).differences
    assert [it.kind for it in found] == ["text"]


def test_a_map_that_lost_thousands_of_keys_is_told_in_a_hundred_and_a_count(compare: Compare) -> None:
    old = {"prices": {f"A-{n:05}": n for n in range(MANY)}}
    found = compare(old, {"prices": {"A-00000": 0}}).differences
    assert len(found) == 101
    assert {it.kind for it in found} == {"missing"}
    assert (found[-1].at, found[-1].note) == ("body.prices.*", "9899 more are missing")


def test_bodies_of_many_megabytes_are_compared_in_a_few_times_their_parsed_size(compare: Compare) -> None:
    rows = [{"id": n, "name": "x" * 200} for n in range(25_000)]
    old = json.dumps(rows).encode()
    rows[12_345]["name"] = "y"
    new = json.dumps(rows).encode()
    with in_time(), within_memory(megabytes=100):
        found = compare(old, new).differences
    assert [it.at for it in found] == ["body[12345].name"]
