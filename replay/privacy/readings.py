"""A text as it may be meant: without its percent signs, entities, escapes, and characters that only look otherwise.

What is found in a reading is replaced in the text itself: each reading knows from where its characters come.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import quote, unquote

MOST_READINGS: Final = 12
"""Of one text: enough for anything encoded twice, and a bound for what somebody nested to keep us busy."""


def _same(token: str) -> str:
    return token


def _quoted(token: str) -> str:
    return quote(token, safe="")


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way of writing a character as something else; `encode` writes a token so again."""

    pattern: re.Pattern[str]
    meaning: Callable[[re.Match[str]], str]
    encode: Callable[[str], str] = _same
    folds: bool = False
    """Whether what it reads is another text, that only looks alike: each spelling has a token of its own."""


def _folded(found: re.Match[str]) -> str:
    character = found[0]
    if character.isdigit():
        return str(unicodedata.digit(character))
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    if unicodedata.category(character) == "Pd":
        return "-"
    return " " if character.isspace() else ""


def _escaped(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))


DECODERS: Final = (
    # One character at a time, so that what is found between two of them can be told from both.
    Decoder(re.compile(r"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f])+"), lambda found: unquote(found[0]), _quoted),
    Decoder(re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});"), lambda found: unescape(found[0])),
    Decoder(re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))"), _escaped),
    Decoder(re.compile(r"(?<=[0-9])\+(?=[0-9])"), lambda _: " "),
    Decoder(
        re.compile(
            "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\uff01-\uff5e\u00a0\u2007\u2009\u202f\u2010-\u2013\u2212]"
            r"|(?![0-9])\d"
        ),
        _folded,
        folds=True,
    ),
)  # fmt: skip


_SIGNS: Final = "%&+\\"
"""Without any of these, a text says what it means."""


class Reading:
    """A text, what it was read from, and how."""

    def __init__(self, text: str, above: Reading | None = None, decoder: Decoder | None = None) -> None:
        """Take the text; `mark` tells it from where the characters come."""
        self.text = text
        self._above = above
        self._decoder = decoder
        self._here: list[int] = [0]
        self._there: list[int] = [0]
        self._whole: list[bool] = [False]

    @classmethod
    def of(cls, above: Reading, decoder: Decoder) -> Reading | None:
        """Return what another reading means once more decoded; None where nothing in it is encoded so."""
        made, pieces, last, length = cls("", above, decoder), [], 0, 0
        for found in decoder.pattern.finditer(above.text):
            meant = decoder.meaning(found)
            pieces += [above.text[last : found.start()], meant]
            length += found.start() - last
            made._mark(length, found.start(), whole=True)
            last, length = found.end(), length + len(meant)
            made._mark(length, last, whole=False)
        made.text = "".join(pieces) + above.text[last:]
        return made if pieces and made.text != above.text else None

    def _mark(self, here: int, there: int, *, whole: bool) -> None:
        self._here.append(here)
        self._there.append(there)
        self._whole.append(whole)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the first text the characters from `start` to before `end` come from."""
        if self._above is None:
            return start, end
        return self._above.origin(*self._parents(start, end))

    def _parents(self, start: int, end: int) -> tuple[int, int]:
        first = bisect_right(self._here, start) - 1
        begin = self._there[first] + (0 if self._whole[first] else start - self._here[first])
        last = bisect_right(self._here, end - 1) - 1
        if self._whole[last]:
            return begin, self._there[last + 1]
        return begin, self._there[last] + end - self._here[last]

    def exact(self, start: int, end: int) -> str:
        """Return the text that is meant, in the characters in which it is written."""
        if self._decoder is None or not self._decoder.folds or self._above is None:
            return self.text[start:end]
        return self._above.exact(*self._parents(start, end))

    def written(self, token: str) -> str:
        """Return a token as the first text would write it."""
        if self._decoder is None or self._above is None:
            return token
        return self._above.written(self._decoder.encode(token))


def readings(text: str) -> list[Reading]:
    """Return the text and each way of reading it, the furthest decoded last."""
    found = [Reading(text)]
    if text.isascii() and not any(sign in text for sign in _SIGNS):
        return found
    for reading in found:
        for deeper in _deeper(reading):
            if len(found) < MOST_READINGS:
                found.append(deeper)
    return found


def _deeper(reading: Reading) -> Iterator[Reading]:
    if reading._decoder is not None and reading._decoder.folds:  # noqa: SLF001 - its own
        return
    for decoder in DECODERS:
        if decoder.pattern.search(reading.text) is not None:
            deeper = Reading.of(reading, decoder)
            if deeper is not None:
                yield deeper
