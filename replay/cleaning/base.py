"""What every cleaner of files is made of: it reads a stream, hands on what is kept, and says what was masked where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from replay.cases.content import ByteStream
from replay.privacy import MaskKey, MaskRules, Redactor
from replay.privacy.noting import NotingTokeniser


@dataclass(frozen=True, slots=True)
class Finding:
    """Something secret or personal that stood in a file: where and of which kinds, and never what."""

    place: str
    """A line, a line and a column, or the number of a record."""
    kinds: Counter[str] = field(default_factory=Counter)
    parts: tuple[str, ...] = ()
    """In which parts of a record."""


class Eye:
    """Makes tokens while a file is read, and takes note of where."""

    def __init__(self, key: MaskKey, rules: MaskRules, found: Callable[[Finding], None]) -> None:
        """Take the key, the rules, and what is told each finding."""
        self.key = key
        self.rules = rules
        self.tokeniser = NotingTokeniser(key.key)
        self.redactor = Redactor(key, rules, tokeniser=self.tokeniser)
        self._found = found

    def at(self, place: str, *parts: str) -> bool:
        """Take note of what was masked since the last time; tell whether anything was."""
        kinds = self.tokeniser.taken()
        if kinds:
            self._found(Finding(place, kinds, tuple(dict.fromkeys(parts))))
        return bool(kinds)


class Cleaner(Protocol):
    """Cleans one format."""

    def __call__(self, stream: ByteStream, eye: Eye) -> Iterator[bytes]:
        """Yield what is kept, in pieces; what holds nothing stays byte for byte. Raise DocumentError for bad input."""
        ...
