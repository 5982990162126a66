"""Text of unknown origin, made harmless: what a reader sees is what is there, and nothing in it is obeyed."""

from __future__ import annotations

from typing import Final

_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
"""Characters that count as printable, and cannot be seen."""

GAP: Final = " ... "


def printable(text: str, limit: int | None = None) -> str:
    """Return the text on one line, with every control, direction, invisible and unknown character as an escape.

    What is longer than `limit` characters is cut in its middle.
    """
    if limit is not None and len(text) > 2 * limit:
        # Escapes only make text longer: the middle would be cut out anyway, and it may be megabytes.
        return cut(_escaped(text[:limit]) + _escaped(text[-limit:]), limit)
    shown = _escaped(text)
    return shown if limit is None else cut(shown, limit)


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
