"""JSON, and JSON lines: several documents, one a line."""

from __future__ import annotations

import io

from replay.compare.formats.base import Content, Flaw, Reading, UnreadableError
from replay.compare.formats.plain import read_text
from replay.documents import parse_json


def read_json(content: Content) -> Reading:
    """Read one document, or several, one a line; what is wrong with it becomes flaws, never an error."""
    parsed = parse_json(content.data, spelled=content.spelled)
    flaws = tuple(Flaw(finding.name, finding.message) for finding in parsed.findings)
    if parsed.ok:
        booleans = b"true" in content.raw or b"false" in content.raw
        return Reading("json", parsed.value, flaws, without_booleans=None if booleans else parsed.value)
    if parsed.has("invalid"):
        lines, _ = _documents(content)
        if lines is not None and len(lines.value) > 1:
            return lines
    if parsed.has("too_deep"):
        # Too deep for a tree, but still a text that can be compared: no reason to call the answer broken.
        return read_text(Content(content.data))
    if parsed.has("empty"):
        return Reading("none", None, flaws)
    return Reading("text", content.raw.decode("utf-8", "backslashreplace"), flaws)


def read_lines(content: Content) -> Reading:
    """Read JSON documents, one a line, as the list of them. A line that is none is told by its number."""
    reading, wrong = _documents(content)
    if reading is None:
        raise UnreadableError("ndjson", wrong)
    return reading


def read_lines_or_json(content: Content) -> Reading:
    """Read what calls itself JSON lines: as such, else as one document that is spread over lines."""
    reading, _ = _documents(content)
    return read_json(content) if reading is None else reading


def _documents(content: Content) -> tuple[Reading | None, str]:
    """Return the list of the documents; or None, and which line is none.

    A document that was cut is never taken for lines: its first line would have to be one already.
    """
    flaws: dict[str, Flaw] = {}
    documents = []
    for number, line in enumerate(io.BytesIO(content.raw), 1):
        if not line.strip():
            continue
        parsed = parse_json(line, spelled=content.spelled)
        if not parsed.ok:
            return None, f"line {number} is no JSON: {parsed.findings[0].message}"
        documents.append(parsed.value)
        for it in parsed.findings:
            flaws[it.name] = Flaw(it.name, f"{it.message} of the document in line {number}")
    return Reading("json", documents, tuple(flaws.values()), lines=True), ""
