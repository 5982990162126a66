"""Content as it stands: text, or bytes."""

from __future__ import annotations

from replay.compare.formats.base import NOTHING, Content, Reading, UnreadableError


def read_bytes(content: Content) -> Reading:
    """Take content as bytes, whatever it is."""
    return Reading("bytes", content.raw)


def read_text(content: Content) -> Reading:
    """Take content as text in its charset. Without one, what is not UTF-8 is bytes; with one, that is a flaw."""
    try:
        return Reading("text", content.text())
    except UnreadableError as error:
        return Reading("bytes", content.raw, () if content.charset is None else (error.flaw,))


def read_plain(content: Content) -> Reading:
    """Take content of which nothing is known as text if it is UTF-8 without NUL, else as bytes."""
    if not content.data:
        return NOTHING
    reading = read_text(content)
    return Reading("bytes", content.raw) if reading.kind == "text" and "\0" in reading.value else reading
