"""Texts within base64, and base64 within texts."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from replay.privacy.tokens import TOKEN

RUN: Final = re.compile(r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/]{16,}+|[A-Za-z0-9_-]{16,}+)={0,2}(?![A-Za-z0-9+/_=-])")
"""What may be base64, of either alphabet. Less than 16 characters hide little that could be told for what it is."""
GZIP: Final = b"\x1f\x8b"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
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
    if not (content.startswith(GZIP) or _is_text(content)):
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


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(text) is None
