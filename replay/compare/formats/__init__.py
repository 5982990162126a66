"""How bodies, and texts in them, become values: one reader for each name that `as` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from replay.compare.formats.base import NOTHING, BodyKind, Content, Flaw, Reader, Reading, UnreadableError, Unwrapped
from replay.compare.formats.csv_rows import read_csv
from replay.compare.formats.encodings import compressed, from_base64, from_url
from replay.compare.formats.forms import read_form, read_query
from replay.compare.formats.html_tree import read_html
from replay.compare.formats.json_text import read_json, read_lines
from replay.compare.formats.plain import read_bytes, read_plain, read_text
from replay.compare.formats.xml_tree import read_xml
from replay.models import CsvStep, ReadStep

ENCODINGS: Final[Mapping[str, Reader]] = {
    "base64": from_base64,
    "url": from_url,
    "gzip": compressed("gzip"),
    "deflate": compressed("deflate"),
    "br": compressed("br"),
    "zstd": compressed("zstd"),
}
"""What wraps other content, which a further reading may then read."""

READERS: Final[Mapping[str, Reader]] = {
    "json": read_json,
    "ndjson": read_lines,
    "text": read_text,
    "bytes": read_bytes,
    "csv": read_csv,
    "xml": read_xml,
    "html": read_html,
    "form": read_form,
    "query": read_query,
    **ENCODINGS,
}


def read_as(steps: Sequence[ReadStep], content: Content) -> Reading:
    """Read content as one thing after another. What cannot be read so is a flaw, and is left as it is."""
    under_way = content
    for step in steps:
        name, under_way = ("csv", replace(under_way, csv=step.csv)) if isinstance(step, CsvStep) else (step, under_way)
        try:
            found = READERS[name](under_way)
        except UnreadableError as error:
            plain = read_plain(content)
            return replace(plain, flaws=(*plain.flaws, Flaw(error.flaw.name, f"as {name}: {error.flaw.message}")))
        if isinstance(found, Reading):
            return found
        under_way = found
    return read_plain(under_way)


__all__ = [
    "ENCODINGS",
    "NOTHING",
    "READERS",
    "BodyKind",
    "Content",
    "Flaw",
    "Reading",
    "Unwrapped",
    "read_as",
    "read_plain",
]
