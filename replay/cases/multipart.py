"""Forms with files, as RFC 7578 puts them on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the form."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def boundary_of(parts: Iterable[Part]) -> str:
    """Return a boundary that depends on the parts only, and splits none of them: a golden is sent alike every time."""
    content = b"\0".join(part.name.encode() + b"\0" + part.content for part in parts)
    salt = 0
    while (boundary := f"replay-{_digest(content, salt)}").encode() in content:
        salt += 1
    return boundary


def encode(parts: Iterable[Part], boundary: str) -> bytes:
    """Return the body of a multipart form."""
    pieces = [
        b"".join((b"--", boundary.encode(), b"\r\n", _head(part), b"\r\n\r\n", part.content, b"\r\n")) for part in parts
    ]
    return b"".join((*pieces, b"--", boundary.encode(), b"--\r\n"))


def _head(part: Part) -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        head += f'; filename="{_quoted(part.filename)}"'
    if part.content_type is not None:
        head += f"\r\nContent-Type: {part.content_type}"
    return head.encode()


def _quoted(text: str) -> str:
    # As browsers do, by the HTML standard: nothing of a name can end its quotes or its line.
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _digest(content: bytes, salt: int) -> str:
    return blake2b(content, digest_size=16, salt=salt.to_bytes(8, "big")).hexdigest()
