"""What is not HTTP/1.1 at all, told by how it starts."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 12
"""How many bytes are looked at."""

_PLAIN: Final = b"HTTP/1."
_STARTS: Final = (
    (b"\x15\x03", "a TLS alert came: this port speaks TLS, use https"),
    (b"PRI * HTTP/2", "an HTTP/2 preface came, where HTTP/1.1 was spoken"),
    (b"SSH-", "an SSH server answered"),
    (b"RTSP/", "the answer is RTSP"),  # httptools lets this one and the next pass for HTTP
    (b"ICE/", "the answer is ICE"),
)


def stranger(start: bytes) -> str | None:
    """Return what the first bytes of an answer show it to be, or None where it may be HTTP/1.1."""
    if start.startswith(_PLAIN):
        return None
    if start[:2] == b"\0\0" and start[3:4] == b"\4":
        return "an HTTP/2 SETTINGS frame came, where HTTP/1.1 was spoken"
    return next((told for known, told in _STARTS if start.startswith(known)), None)
