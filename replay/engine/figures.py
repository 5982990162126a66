"""What values old and new have where they differ: numbers by how they are distributed, texts by their shape."""

from __future__ import annotations

import heapq
import math
import random
import re
from array import array
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from replay.models import Json
from replay.verdict.chances import same_distribution

ALPHA: Final = 0.001
"""How seldom two like distributions are told apart, at one place of a route."""
SAMPLE: Final = 200
"""Values of a side that are kept of one place."""
FAR: Final = 500
"""How many times as large, or as small, as any of old's a number may be where there are too few to tell more.

Timings of a busy service differ by hundreds; who says seconds for milliseconds is a thousand off.
"""
_OUTSIDE: Final = 16
"""How many of new's largest, and smallest, numbers are kept: more beyond old's are not needed to tell."""
_MOST_UNITS: Final = 8
_ZERO_IS_FAR: Final = 10
_REPEATS: Final = 5
"""How often new has to say one and the same thing before it counts as a constant."""
_SLACK: Final = 2
_FIGURE: Final = re.compile(r"([+-]?(?:0|[1-9]\d{0,14})(?:\.\d{1,14})?)([^\W\d_]{0,3}|%)")


def figure_of(value: Json) -> tuple[float, str] | None:
    """Return a value as a number and its unit (`1.5ms`), or None for what is none that a double can hold."""
    if isinstance(value, str):
        found = _FIGURE.fullmatch(value)
        return (float(found[1]), found[2]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return (number, "") if math.isfinite(number) else None


@dataclass(slots=True)
class _Reservoir:
    """A sample of all values that were added, each of them as likely as any other (Vitter's algorithm R, 1985)."""

    seen: int = 0
    kept: array[float] = field(default_factory=lambda: array("d"))

    def add(self, value: float, luck: random.Random) -> None:
        self.seen += 1
        if len(self.kept) < SAMPLE:
            self.kept.append(value)
        elif (slot := luck.randrange(self.seen)) < SAMPLE:
            self.kept[slot] = value


@dataclass(slots=True)
class _Numbers:
    """The numbers of one unit: as they are, and how far from old's first answer to the same case."""

    old: _Reservoir = field(default_factory=_Reservoir)
    new: _Reservoir = field(default_factory=_Reservoir)
    old_steps: _Reservoir = field(default_factory=_Reservoir)
    new_steps: _Reservoir = field(default_factory=_Reservoir)
    least: float = math.inf
    most: float = -math.inf
    closest: float = math.inf
    farthest: float = 0.0
    largest: list[float] = field(default_factory=list)
    """Of new's numbers, one a case; and likewise the smallest, with their signs turned."""
    smallest: list[float] = field(default_factory=list)

    def widen(self, value: float) -> None:
        """Take in one more number that old has said."""
        self.least, self.most = min(self.least, value), max(self.most, value)
        self.closest, self.farthest = min(self.closest, abs(value)), max(self.farthest, abs(value))

    def seen_of_new(self, value: float) -> None:
        """Take in one more number that new has said."""
        for kept, number in ((self.largest, value), (self.smallest, -value)):
            heapq.heappush(kept, number)
            if len(kept) > _OUTSIDE:
                heapq.heappop(kept)

    def is_outside(self, value: float, answers: int) -> bool:
        """Tell whether a number is beyond all of old's, as new's are too often.

        Of the `answers` of a case any may be the largest. If new is like old, the largest numbers of all are new's with
        probability 1 / answers each, so that n of them in a row are with its n-th power.
        """
        if self.least <= value <= self.most:
            return False
        kept, limit = (self.largest, self.most) if value > self.most else (self.smallest, -self.least)
        chance: float = (1 / answers) ** sum(number > limit for number in kept)
        return 2 * chance < ALPHA

    def is_far(self, value: float) -> bool:
        """Tell whether a number is out of all proportion to what old has said."""
        if (value < 0 <= self.least) or (value > 0 >= self.most and self.least < 0):
            return True
        if value == 0:
            return self.closest > _ZERO_IS_FAR
        return abs(value) > FAR * self.farthest or abs(value) * FAR < self.closest

    def are_apart(self) -> bool:
        """Tell whether the two sides' numbers are distributed differently: as they are, or as steps."""
        pairs = ((self.old, self.new), (self.old_steps, self.new_steps))
        return any(2 * same_distribution(one.kept, other.kept) < ALPHA for one, other in pairs)


@dataclass(slots=True)
class _Shapes:
    """What old's texts look like: how long they are, and the kinds of characters in any and in all of them."""

    shortest: int = 0
    longest: int = 0
    some: frozenset[str] = frozenset()
    every: frozenset[str] | None = None

    def widen(self, text: str) -> None:
        """Take in one more text that old has said."""
        kinds = _kinds(text)
        self.shortest = len(text) if self.every is None else min(self.shortest, len(text))
        self.longest = max(self.longest, len(text))
        self.some |= kinds
        self.every = kinds if self.every is None else self.every & kinds

    def fits(self, text: str) -> bool:
        """Tell whether a text looks like old's. Lengths that vary may vary a little more."""
        slack = _SLACK * (self.longest - self.shortest)
        kinds = _kinds(text)
        fits_in = self.shortest - slack <= len(text) <= self.longest + slack
        return self.every is not None and fits_in and self.every <= kinds <= self.some


def _kinds(text: str) -> frozenset[str]:
    """Return the kinds of characters in a text: lower and upper letters, digits, and every other one by itself."""
    return frozenset(map(_kind, set(text)))


def _kind(character: str) -> str:
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character


class Figures:
    """The values at one place of a route, where they differ from old's first answer; bounded, however many cases."""

    def __init__(self) -> None:
        self._numbers: dict[str, _Numbers] = {}
        self._shapes = _Shapes()
        self._old_texts: set[int] = set()
        self._new_texts: set[int] = set()
        self._counts = {"old": 0, "new": 0}
        self._answers = 0
        """How many answers a case has, where it has fewest: old's first, its further ones, and new's."""
        self._apart: dict[str, bool] = {}

    def asked(self, further: int) -> None:
        """Take in a case of which old gave so many further answers."""
        self._answers = min(self._answers or further + 2, further + 2)

    def known(self, value: Json) -> None:
        """Take in a value that old has said, whether or not it differs from another."""
        if isinstance(value, str):
            self._shapes.widen(value)
        if (found := self._of(value)) is not None:
            found[1].widen(found[0])

    def add(self, first: Json, value: Json, luck: random.Random, *, new: bool) -> None:
        """Take in one value that differs from the first one of its case."""
        self._counts["new" if new else "old"] += 1
        texts = self._new_texts if new else self._old_texts
        if len(texts) < SAMPLE:
            texts.add(hash(repr(value)))
        if not new:
            self.known(value)
        found, before = self._of(value), figure_of(first)
        if found is None:
            return
        number, numbers = found
        (numbers.new if new else numbers.old).add(number, luck)
        if new:
            numbers.seen_of_new(number)
        if before is not None:
            (numbers.new_steps if new else numbers.old_steps).add(number - before[0], luck)

    def _of(self, value: Json) -> tuple[float, _Numbers] | None:
        found = figure_of(value)
        if found is None or (found[1] not in self._numbers and len(self._numbers) >= _MOST_UNITS):
            return None
        return found[0], self._numbers.setdefault(found[1], _Numbers())

    def objection(self, value: Json) -> str:
        """Return what about a value of new's is not like old's; empty where nothing is."""
        if self._is_constant():
            return "new always says the same"
        found = figure_of(value)
        numbers = self._numbers.get(found[1]) if found is not None else None
        if found is not None and numbers is not None and numbers.most >= numbers.least:
            return self._of_number(found[0], found[1], numbers)
        if isinstance(value, str):
            return "" if self._shapes.fits(value) else self._of_text(value)
        return "" if isinstance(value, bool) else "what old says here has no range to be held against"

    def _is_constant(self) -> bool:
        """Tell whether new repeats itself where old does not: a random value that has become a constant."""
        varied = 2 * len(self._old_texts) > min(self._counts["old"], SAMPLE)
        return self._counts["new"] >= _REPEATS and len(self._new_texts) == 1 and varied and len(self._old_texts) > 1

    def _of_number(self, number: float, unit: str, numbers: _Numbers) -> str:
        if unit not in self._apart:
            self._apart[unit] = numbers.are_apart()
        told = f"old says {numbers.least:.6g} to {numbers.most:.6g}{unit}"
        if numbers.is_far(number):
            return f"{told}, new {number:.6g}{unit}"
        if self._apart[unit]:
            kept = numbers.new.kept
            return f"{told}, new {min(kept):.6g} to {max(kept):.6g}{unit}, distributed differently"
        if numbers.is_outside(number, self._answers):
            return f"{told}, new {number:.6g}{unit}, and more such than chance would give"
        return ""

    def _of_text(self, text: str) -> str:
        shapes = self._shapes
        if shapes.every is None:
            return "new says a text, and old none"
        if shapes.shortest <= len(text) <= shapes.longest:
            return "new says texts of other characters"
        varies = f" to {shapes.longest}" if shapes.longest > shapes.shortest else ""
        return f"old says texts of {shapes.shortest}{varies} characters, new one of {len(text)}"
