"""Texts within base64, and base64 within texts."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from replay.privacy.packed import GZIP, MAGICS
from replay.privacy.tokens import TOKEN

RUN: Final = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{16,}+|[A-Za-z0-9_-]{16,}+)={0,2}(?![A-Za-z0-9+/_=-])")
"""What may be base64, of either alphabet. Less than 16 characters hide little that could be told for what it is."""
_LINES: Final = (
    r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{60,76}(?:\r?\n[A-Za-z0-9+/]{60,76}){0,100000}"
    r"\r?\n[A-Za-z0-9+/]{1,76}={0,2}(?![A-Za-z0-9+/=])"
)
LINES_OR_RUN: Final = re.compile(f"{_LINES}|{RUN.pattern}")
"""Base64 in lines too, as in e-mails and PEM: what it holds may lie across two of them."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FEWEST: Final = 4
_LOOKED_AT: Final = 512
_SAFE: Final = b"-_"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What base64 holds, and how it was written."""

    content: bytes
    safe: bool
    padded: bool

    def around(self, content: bytes) -> str:
        """Return other content, written in the same way."""
        text = base64.b64encode(content, _SAFE if self.safe else None).decode("ascii")
        return text if self.padded else text.rstrip("=")


def unwrapped(run: str) -> Wrapped | None:
    """Return the text, or the compressed data, that a run of characters holds as base64; None where it holds none."""
    bare = run.rstrip("=")
    safe = "-" in bare or "_" in bare
    try:
        content = base64.b64decode(bare + "=" * (-len(bare) % 4), _SAFE if safe else None)
    except (binascii.Error, ValueError):
        return None
    if not (content.startswith(MAGICS) or utf16(content) or _is_text(content)):
        return None
    return Wrapped(content, safe, padded=len(run) % 4 == 0)


def stands_for(body: bytes) -> bool:
    """Tell whether a body that was stored holds tokens, or may hold some where only unpacking would tell."""
    if b"tok_" in body or body.startswith(GZIP):
        return True
    text = body.decode("utf-8", "replace")
    if TOKEN.search(text) is not None:
        return True
    inner = (unwrapped(found[0]) for found in RUN.finditer(text))
    return any(stands_for(each.content) for each in inner if each is not None)


def utf16(content: bytes) -> str:
    """Return which UTF-16 a text is in, by its mark or by its zeros; empty where it is in none."""
    if len(content) % 2 or len(content) < _FEWEST:
        return ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16-le" if content.startswith(b"\xff\xfe") else "utf-16-be"
    if b"\0" not in content:
        return ""
    even, odd = content[:_LOOKED_AT:2].count(0), content[1:_LOOKED_AT:2].count(0)
    half = min(len(content), _LOOKED_AT) // 2
    if max(even, odd) * 10 < half * 7 or min(even, odd) * 10 > half:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(text) is None
