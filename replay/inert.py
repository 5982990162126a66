"""Text of unknown origin, made harmless: what a reader sees is what is there, and nothing in it is obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
"""Characters that count as printable, and cannot be seen."""

GAP: Final = " ... "
_ESCAPES: Final = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U(000[0-9a-f]{5}|0010[0-9a-f]{4})")


def printable(text: str, limit: int | None = None) -> str:
    """Return the text on one line, with every control, direction, invisible and unknown character as an escape.

    What is longer than `limit` characters, as it is printed, is cut in its middle, and never within an escape.
    """
    # Escapes only make text longer: what is too long without them, which may be megabytes, is not made longer still.
    if limit is None or (len(text) <= limit and len(_escaped(text)) <= limit):
        return _escaped(text)
    room = max(limit - len(GAP), 2)
    return "".join((*_first(text, room - room // 3), GAP, *reversed(_first(reversed(text), room // 3))))


def _first(text: Iterable[str], room: int) -> list[str]:
    """Return as many characters as fit, each as it is printed."""
    taken: list[str] = []
    for character in text:
        shown = _escaped(character)
        room -= len(shown)
        if room < 0:
            break
        taken.append(shown)
    return taken


def unescaped(text: str) -> str:
    """Return a text that was printed with escapes as it was before; one that was cut cannot be had again."""
    return _ESCAPES.sub(lambda found: chr(int(found[1] or found[2] or found[3], 16)), text)


def cut(text: str, limit: int) -> str:
    """Return the text, or its beginning and its end where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    room = max(limit - len(GAP), 2)
    return text[: room - room // 3] + GAP + text[len(text) - room // 3 :]


def ascii_only(text: str) -> str:
    """Return the text with everything but ASCII as escapes: what looks alike no longer does."""
    return "".join(character if character.isascii() else _escape(character) for character in text)


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each.isprintable() and each not in _INVISIBLE else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the last code that two digits can hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - likewise, four digits
