"""What wraps other content: base64, percent signs, compression."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

from replay.compare.formats.base import Content, UnreadableError
from replay.wire.coding import decode

MOST_UNPACKED: Final = 64 * 2**20
"""Bytes that may come out of a compressed text: what is larger is told and not read."""
MOST_ESCAPES: Final = 2_000_000
"""Each costs a hundred bytes while it is undone."""
_BLANK: Final = re.compile(rb"[\t\n\r ]+")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def from_base64(content: Content) -> Content:
    """Undo base64 (RFC 4648) in either alphabet, with or without padding; white space as in mail is passed over."""
    data = _BLANK.sub(b"", content.raw)
    if b"-" in data or b"_" in data:
        if b"+" in data or b"/" in data:
            raise UnreadableError("base64", "it is no base64: it mixes two alphabets")
        data = data.translate(_URL_SAFE)
    if not data.endswith(b"="):
        data += b"=" * (-len(data) % 4)
    try:
        return content.now(binascii.a2b_base64(data, strict_mode=True) if data else b"")
    except binascii.Error as error:
        raise UnreadableError("base64", f"it is no base64: {str(error).lower()}") from None


def from_url(content: Content) -> Content:
    """Undo percent signs (RFC 3986, 2.1); a `+` stays one."""
    return content.now(unescaped("url", content.text()))


def unescaped(name: str, text: str) -> str:
    """Return a text without percent signs. Raise UnreadableError for a false escape, or what is no UTF-8 then.

    Nothing is replaced: two texts that cannot be read would become equal.
    """
    if text.count("%") > MOST_ESCAPES:
        raise UnreadableError(name, f"more than {MOST_ESCAPES:,} percent signs")
    if found := _BAD_ESCAPE.search(text):
        raise UnreadableError(name, f"a percent sign at character {found.start() + 1} escapes nothing")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        raise UnreadableError(name, "what its percent signs spell is not UTF-8") from None


def compressed(coding: str) -> Callable[[Content], Content]:
    """Return the reader that undoes a compression, every member of it and to the last byte."""

    def unpack(content: Content) -> Content:
        """Undo the compression under a cap."""
        if not content.data:
            raise UnreadableError(coding, f"there is nothing that {coding} could be undone of")
        undone = decode(content.raw, (("content-encoding", coding),), limit=MOST_UNPACKED)
        if undone.failure is not None:
            raise UnreadableError(coding, undone.failure.message)
        return content.now(undone.body)

    return unpack
