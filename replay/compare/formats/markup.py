"""Markup as JSON values, so that every rule that works on JSON works on trees.

An element is an object: attributes as `@name`, its text as `#text`, the elements within by their names. One that has
neither attributes nor elements within is just its text, `"A1"`, and a list of texts where it is repeated. Any other is
in a list under its name, even if it is the only one, so that a rule for `item[*]` does not depend on how many there
are. The root is not in a list: there is one. `#order` tells how elements of different names and pieces of text follow
one another, where that does not go without saying.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Self

from replay.compare.formats.base import UnreadableError
from replay.models import Json

MOST_LEVELS: Final = 190
"""Each is an object and a list: together as deep as JSON is read."""
MOST_NODES: Final = 500_000
"""Elements and attributes: each costs hundreds of bytes once it is read."""
_BLANKS: Final = re.compile(r"[ \t\n\r\f]+")
"""What browsers take for white space: a no-break space is none."""
TEXT: Final = "#text"
ORDER: Final = "#order"

Runs = tuple[tuple[str, int], ...]


class Order(str):
    """How what is within an element follows one another: `title item*2 note item`.

    It is an ordinary text to all rules. A count stands only where a name comes back: else the list under the name
    has that many items.
    """

    __slots__ = ("runs",)
    runs: Runs

    def __new__(cls, runs: Runs) -> Self:
        """Write the runs down."""
        back = Counter(name for name, _ in runs)
        self = super().__new__(cls, " ".join(f"{name}*{n}" if back[name] > 1 < n else name for name, n in runs))
        self.runs = runs
        return self


def conflicting(old: object, new: object) -> bool:
    """Tell whether what both elements have as many of stands in another order; how many there are is told as itself."""
    if not isinstance(old, Order) or not isinstance(new, Order):
        return False  # one name alone has no order among names
    mine, theirs = _totals(old.runs), _totals(new.runs)
    as_many = {name for name, count in mine.items() if theirs[name] == count}
    return _followed(old.runs, as_many) != _followed(new.runs, as_many)


def _totals(runs: Runs) -> Counter[str]:
    totals: Counter[str] = Counter()
    for name, count in runs:
        totals[name] += count
    return totals


def _followed(runs: Runs, names: Collection[str]) -> list[tuple[str, int]]:
    """Return the runs of these names alone, as if nothing stood between them."""
    kept = (run for run in runs if run[0] in names)
    return [(name, sum(count for _, count in them)) for name, them in groupby(kept, key=lambda run: run[0])]


@dataclass(slots=True)
class _Open:
    """An element whose end has not come."""

    name: str
    attributes: dict[str, str]
    exact: bool
    """Its white space says something."""
    within: dict[str, list[Json]] = field(default_factory=dict)
    runs: list[tuple[str, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Pieces of text, of which elements part one from the next."""
    text: list[str] = field(default_factory=list)
    """The piece under way."""

    def follow(self, name: str) -> None:
        """Note what comes next."""
        if self.runs and self.runs[-1][0] == name:
            self.runs[-1] = name, self.runs[-1][1] + 1
        else:
            self.runs.append((name, 1))

    def end_text(self, *, last: bool, collapsing: bool) -> None:
        """Keep the piece of text that ends here, unless it is white space between elements."""
        piece = "".join(self.text)
        self.text.clear()
        if collapsing and not self.exact:
            piece = _BLANKS.sub(" ", piece).strip(" ")
        elif not self.exact and not (last and not self.within) and not piece.strip(" \t\r\n"):
            piece = ""
        if piece:
            self.texts.append(piece)
            self.follow(TEXT)

    def value(self) -> Json:
        """Return the element as a JSON value."""
        if not self.attributes and not self.within:
            return self.texts[0] if self.texts else ""
        value: dict[str, Json] = dict(self.attributes)
        if self.texts:
            value[TEXT] = self.texts[0] if len(self.texts) == 1 else self.texts
        value |= {name: _several(values) for name, values in self.within.items()}
        if len(self.runs) > 1:
            value[ORDER] = Order(tuple(self.runs))
        return value


def _several(values: list[Json]) -> Json:
    return values[0] if len(values) == 1 and isinstance(values[0], str) else values


class Tree:
    """Builds the value of a document from its tags, under limits. `collapsing` is how HTML takes white space."""

    def __init__(self, reading: str, *, collapsing: bool = False) -> None:
        self._reading = reading
        self._collapsing = collapsing
        self._open = [_Open("", {}, exact=False)]
        self._nodes = 0

    def start(self, name: str, attributes: Iterable[tuple[str, str]], *, exact: bool = False) -> None:
        """Begin an element. Raise UnreadableError beyond the limits."""
        named = {f"@{key}": value for key, value in attributes}
        self._nodes += 1 + len(named)
        if len(self._open) > MOST_LEVELS:
            raise UnreadableError(self._reading, f"more than {MOST_LEVELS} elements within one another")
        if self._nodes > MOST_NODES:
            raise UnreadableError(self._reading, f"more than {MOST_NODES:,} elements and attributes")
        self._end_text()
        self._open.append(_Open(name, named, exact or self._open[-1].exact))

    def text(self, text: str) -> None:
        """Add text where we are."""
        self._open[-1].text.append(text)

    def end(self) -> None:
        """End the innermost element."""
        self._end_text(last=True)
        done = self._open.pop()
        parent = self._open[-1]
        parent.within.setdefault(done.name, []).append(done.value())
        parent.follow(done.name)

    def open_names(self) -> Iterator[str]:
        """Yield the names of the elements we are in, from the innermost out."""
        return (it.name for it in reversed(self._open[1:]))

    def value(self) -> Json:
        """Return the whole, once every element has ended: a lone root is not in a list."""
        self._end_text(last=True)
        whole = self._open[0]
        if len(whole.within) == 1 and not whole.texts:
            name, values = next(iter(whole.within.items()))
            if len(values) == 1:
                return {name: values[0]}
        return whole.value() if whole.within else {TEXT: whole.texts[0]} if whole.texts else {}

    def _end_text(self, *, last: bool = False) -> None:
        self._open[-1].end_text(last=last, collapsing=self._collapsing)
