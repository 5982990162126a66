"""The smallest part of a list or of a document that still does what the whole does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeVar

_WORD: Final = 16
"""Characters of a text that is taken for a word, of which no part would do."""

T = TypeVar("T")
Holds = Callable[[Any], bool]


def fewest(items: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return items, in order, of which none can be left out by itself, given that `holds` is true of all of them.

    Delta debugging by complements (Zeller and Hildebrandt, IEEE Transactions on Software Engineering 28, 2002), which
    leaves out everything first, since so often nothing of it matters.
    """
    kept = list(items)
    if not kept or holds([]):
        return []
    parts = 2
    while len(kept) > 1:
        smaller = next((rest for rest in _without(kept, parts) if holds(rest)), None)
        if smaller is not None:
            kept, parts = smaller, max(parts - 1, 2)
        elif parts >= len(kept):
            break
        else:
            parts = min(2 * parts, len(kept))
    return kept


def _without(items: Sequence[T], parts: int) -> Iterator[list[T]]:
    """Yield the items without each of so many parts; of two halves, each is the other's complement."""
    ends = [round(number * len(items) / parts) for number in range(parts + 1)]
    for begin, end in pairwise(ends):
        if begin < end:
            yield [*items[:begin], *items[end:]]


def smallest(value: Any, holds: Holds) -> Any:
    """Return a JSON value as small and plain as it can be with `holds` true of it, which it is of `value`.

    First what is in objects and arrays, from the outside in, then each text and number that is left.
    """
    if isinstance(value, dict):
        return _members(value, holds)
    if isinstance(value, list):
        return _items(value, holds)
    return _plainer(value, holds)


def _members(value: dict[str, Any], holds: Holds) -> dict[str, Any]:
    kept = dict(fewest(list(value.items()), lambda some: holds(dict(some))))

    def holds_with(name: str) -> Holds:
        return lambda it: holds(kept | {name: it})

    for name, item in list(kept.items()):
        kept[name] = smallest(item, holds_with(name))
    return kept


def _items(value: list[Any], holds: Holds) -> list[Any]:
    kept = fewest(value, holds)

    def holds_with(place: int) -> Holds:
        return lambda it: holds([*kept[:place], it, *kept[place + 1 :]])

    for place, item in enumerate(kept):
        kept[place] = smallest(item, holds_with(place))
    return kept


def _plainer(value: Any, holds: Holds) -> Any:
    for plain in _plain_values(value):
        if holds(plain):
            return plain
    if isinstance(value, str) and len(value) > _WORD:
        return "".join(fewest(value, lambda some: holds("".join(some))))
    return value


def _plain_values(value: Any) -> Iterator[Any]:
    """Yield simpler values of the same type."""
    if isinstance(value, str):
        yield from ([""] if 0 < len(value) <= _WORD else [])
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield from (plain for plain in (0, 1) if value != plain)
