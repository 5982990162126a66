"""Bytes to text, and text to something that is safe to print in a message."""

from __future__ import annotations

import codecs
import re

from replay.errors import DocumentError, Place

_SHOWN_LENGTH = 80

# What YAML 1.2 calls non-printable, besides tab and line breaks.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BREAKS = re.compile("\r\n|\r|\n")


def shown(text: str) -> str:
    """Return the text fit for a terminal: at most 80 characters, and nothing moves the cursor or turns the writing."""
    short = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
    return "".join(char if char.isprintable() else _escape(char) for char in short)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def place_of(text: str, offset: int, file: str) -> Place:
    """Return the line and column, from 1, at which a character of the text stands."""
    line, start = 1, 0
    for found in _BREAKS.finditer(text, 0, offset):
        line, start = line + 1, found.end()
    return Place(file, line, offset - start + 1)


def decode(data: str | bytes, file: str) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raise DocumentError, with its place, for any other encoding and for control characters, which are named, not echoed.
    """
    text = (data if isinstance(data, str) else _utf8(data, file)).removeprefix("\ufeff")
    if found := _CONTROL.search(text):
        fact = f"control character U+{ord(found.group()):04X}"
        raise DocumentError(
            fact, place=place_of(text, found.start(), file), hint='write it as "\\x07" in double quotes'
        )
    return text


def _utf8(data: bytes, file: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        wide = data.startswith(_UTF16)
        fact = "the file is UTF-16, not UTF-8" if wide else f"byte 0x{data[error.start]:02X} is not UTF-8"
        place = place_of(before, len(before), file)
        raise DocumentError(fact, place=place, hint="save the file as UTF-8") from None
