"""Text of any kind, a piece at a time: access logs, curl commands, whatever is no document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from replay.cases.content import ByteStream
from replay.cleaning.base import Eye
from replay.privacy import Redactor, is_secret
from replay.privacy.columns import telling_head
from replay.privacy.headers import mask_header
from replay.privacy.lines import without_named

_STEP: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 26
_PEM, _PEM_END = b"-----BEGIN", b"-----END"
_LONGEST_PEM: Final = 1 << 16
_FIELD: Final = re.compile(r"(?m)(^|['\"\s])([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?([^'\"\r\n]{1,8000})")
_LOGIN: Final = re.compile(r"(\s(?:-u|--user|-U|--proxy-user)[ =]?['\"]?)([^\s'\":]{1,100}):([^\s'\"]{1,200})")
_COOKIE: Final = re.compile(r"(\s(?:-b|--cookie)[ =]?['\"]?)((?:[^\s'\"=;]{1,100}=[^'\"\s;]{1,4000}(?:;[ ]?)?){1,50})")


def recognises(_: bytes) -> bool:
    """Tell that any file is text at the least."""
    return True


def clean(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield whole lines, some at a time; those of a private key stay together."""
    line, rest, head = 1, b"", ""
    while data := stream.read(_STEP):
        pending = rest + data
        cut = _cut(pending)
        yield _piece(pending[:cut], line, eye, head)
        head = head or (telling_head(pending[:_STEP].decode("utf-8", "replace")) if line == 1 else "")
        line += pending.count(b"\n", 0, cut)
        rest = pending[cut:]
    yield _piece(rest, line, eye, head)


def _cut(data: bytes) -> int:
    """Return where whole lines end. What is one endless line is cut between words, or anywhere."""
    end = data.rfind(b"\n") + 1
    begun = data.rfind(_PEM, 0, end)
    if begun >= 0 and data.find(_PEM_END, begun, end) < 0 and len(data) - begun < _LONGEST_PEM:
        end = data.rfind(b"\n", 0, begun) + 1
    if end or len(data) < _LONGEST_LINE:
        return end
    return data.rfind(b" ") + 1 or len(data)


def _piece(data: bytes, line: int, eye: Eye, head: str) -> bytes:
    """Return what is kept of a piece; `head` is the first line of a table that it is of, which tells its columns."""
    text = data.decode("utf-8", "surrogateescape")
    masked = cleaned_text(head + text, eye.redactor)[len(head) :]
    if masked == text:
        eye.tokeniser.taken()
        return data
    _tell(text, line, eye)
    return masked.encode("utf-8", "surrogateescape")


def _tell(text: str, line: int, eye: Eye) -> None:
    """Say on which lines it was; what spans several is told of the first."""
    whole = eye.tokeniser.taken()
    for number, each in enumerate(text.split("\n"), start=line):
        cleaned_text(each, eye.redactor)
        whole -= eye.tokeniser.ledger
        eye.at(str(number))
    eye.tokeniser.ledger += whole
    eye.at(str(line))


def cleaned_text(text: str, redactor: Redactor) -> str:
    """Return a text without what is secret or personal, also by how commands and headers are written."""
    mask = redactor.mask

    def field(found: re.Match[str]) -> str:
        before, name, value = found.groups()
        if not is_secret(name):
            return found[0]
        return f"{before}{name}: {mask_header(name, value, mask.secret)}"

    def login(found: re.Match[str]) -> str:
        return found[1] + mask.secret(f"{found[2]}:{found[3]}")

    def cookie(found: re.Match[str]) -> str:
        return found[1] + mask_header("cookie", found[2], mask.secret)

    for pattern, kept in ((_FIELD, field), (_LOGIN, login), (_COOKIE, cookie)):
        text = pattern.sub(kept, text)
    return mask.document(without_named(text, mask.secret))
