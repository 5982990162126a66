"""What of a value differs, and where: the smallest places at which old may differ from itself.

A number is one part, and so is a text without spaces. Of other texts each word that differs is a part, known by the
words around it: that a page tells how long it took must not hide what else has changed on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from replay.compare.bodies import AS_BYTES
from replay.compare.headers import MEANINGS, Answered
from replay.locations import general
from replay.models import MISSING, Difference, DifferenceKind, Json, Request
from replay.privacy import DROPPED

NOISY: Final[frozenset[DifferenceKind]] = frozenset({"value", "text", "order", "rank", "header"})
"""Kinds of difference that noise may have; a status, a type, what is missing or breaks a schema is none."""
MOST_LINES: Final = 12
"""A text's difference shows no more lines: one that has as many may go on."""
MOST_CHARACTERS: Final = 4_000
"""Likewise, characters of one side."""
_CHALLENGES: Final = "www-authenticate"
_AROUND: Final = 2
_LONGEST_WORD: Final = 24
_WORDS: Final = re.compile(r"""([^\s"'<>=,;(){}\[\]]+)""")
_LINE: Final = re.compile(r"lines? (\d+)(?: to \d+)? of ")
_CHARACTER: Final = re.compile(r"from character (\d+) on")
_WORD_BEGINS: Final = re.compile(r"\S*\Z")
_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a difference.

    `place` is where it stands, for any item of an array and any digits around it; `spot` is where exactly.
    """

    place: str
    spot: str
    old: Json
    new: Json


def parts_of(difference: Difference) -> tuple[Part, ...]:
    """Return the parts of a difference that may be noise; none where it cannot be any, whatever old does."""
    if difference.kind not in NOISY or difference.against != "old" or _lacks(difference):
        return ()
    if difference.rule == AS_BYTES:  # A hash tells that something is another, and nothing of how far.
        return ()
    old, new = difference.old, difference.new
    place = general(difference.at)
    if not (isinstance(old, str) and isinstance(new, str)):
        return (Part(place, difference.at, old, new),)
    if difference.kind == "text":
        return tuple(_of_lines(place, difference, old, new))
    split = _of_challenges if difference.at == f"headers.{_CHALLENGES}" else _of_words
    return tuple(split(place, difference.at, old, new)) or (Part(place, difference.at, old, new),)


def _lacks(difference: Difference) -> bool:
    """Tell whether a side has nothing here, or both have the same, so that a rule asks for more than equality.

    What was dropped since it could not be masked is known of neither side: it equals nothing that old says either.
    """
    if DROPPED in (difference.old, difference.new):
        return True
    return difference.old is MISSING or difference.new is MISSING or bool(difference.old == difference.new)


def _of_lines(place: str, difference: Difference, old: str, new: str) -> Iterator[Part]:
    """Yield the parts of lines that stand opposite each other; nothing where not all that differs is at hand."""
    first = _LINE.match(difference.note)
    mine, theirs = old.splitlines(), new.splitlines()
    if first is None or len(mine) != len(theirs) or len(mine) >= MOST_LINES or _is_cut(old, new):
        return
    shift = _shift(difference.note, old, new)
    found = []
    for number, (one, other) in enumerate(zip(mine, theirs, strict=True), start=int(first[1])):
        parts = list(_of_words(place, f"{difference.at}:{number}", one, other, shift)) if one != other else []
        if one != other and not parts:
            return
        found += parts
    yield from found


def _is_cut(old: str, new: str) -> bool:
    return max(len(old), len(new)) >= MOST_CHARACTERS


def _shift(note: str, old: str, new: str) -> int:
    """Return at which character of its line a difference begins that shows only the words that changed."""
    told = _CHARACTER.search(note)
    if told is None:
        return 0
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    begun = _WORD_BEGINS.search(old[:same])
    return int(told[1]) - 1 - (begun.start() if begun is not None else same)


def _of_challenges(place: str, spot: str, old: str, new: str) -> Iterator[Part]:
    """Yield each parameter that differs, a nonce perhaps, whatever their order; nothing where others are given."""
    mine, theirs = (_parameters(text) for text in (old, new))
    if mine.keys() == theirs.keys():
        for name in mine:
            if mine[name] != theirs[name]:
                yield Part(f"{place} | {name}={{}}", f"{spot}:{name}", mine[name], theirs[name])


def _parameters(text: str) -> dict[str, str]:
    """Return the parameters of all challenges, each with its scheme; empty for a text of another form."""
    meaning = MEANINGS[_CHALLENGES]((text,), Answered(Request(), None, ()))
    challenges = [each for each in meaning if isinstance(each, tuple)]
    pairs = [(f"{scheme} {name}", value) for scheme, given in challenges for name, value in given]
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def _of_words(place: str, spot: str, old: str, new: str, shift: int = 0) -> Iterator[Part]:
    """Yield each word that differs; nothing where the texts are not made of as many words, with the same between."""
    mine, theirs = _WORDS.split(old), _WORDS.split(new)
    if mine[::2] != theirs[::2]:
        return
    at = shift
    for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        if one != other:
            yield Part(place + _around(mine, index), f"{spot}:{at}", one, other)
        at += len(one)


def _around(words: list[str], index: int) -> str:
    """Return the words about one, with its own place open; nothing where it stands alone."""
    before, after = words[max(0, index - 2 * _AROUND - 1) : index], words[index + 1 : index + 2 * _AROUND + 2]
    if not any(before) and not any(after):
        return ""
    text = "".join(map(_plain, before)) + "{}" + "".join(map(_plain, after))
    return f" | {' '.join(text.split())}"


def _plain(word: str) -> str:
    """Return a word as it is for any case: `#` for what has digits, and not too much of it."""
    return "#" if _DIGIT.search(word) else word[:_LONGEST_WORD]
