"""HTTP Archives (HAR 1.2), as browsers and proxies save them; entry by entry, however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError
from replay.cases.recordings.har_entry import observation_of, request_of
from replay.cases.recordings.json_stream import JsonReader
from replay.documents import parse_json
from replay.errors import DocumentError
from replay.models import parse_instant

_HAR: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{.*?"log"\s*:', re.DOTALL)
_WHERE: Final = re.compile(r" at line \d+, column \d+")

Entry = tuple[int, bytes]
"""The line that an entry begins on, and its text."""


class HarFile(RecordedFile[Entry]):
    """One HAR. `skip_bad` lets NaN pass, which stands in times and sizes."""

    form: ClassVar[str] = "HAR"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its log."""
        return _HAR.match(head) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Entry]:
        """Yield each entry. Raise DocumentError for what is no HAR."""
        reader = JsonReader(stream)
        if not reader.peek():
            raise DocumentError("this HAR is empty: nothing at all", place=self.file)
        if reader.peek() != b"{":
            raise self._without_log() if reader.peek().isascii() else self._in_other_characters()
        seen = False
        for _ in _members(reader, "log", b"{"):
            for _ in _members(reader, "entries", b"["):
                seen = True
                yield from reader.items()
            if not seen:
                hint = 'it holds {"entries": [...]}'
                raise DocumentError("the log of this HAR has no entries", place=self.file, hint=hint)
        if not seen:
            raise self._without_log()
        if reader.peek():
            raise FlawError("malformed", "something follows the end of this HAR", line=reader.line)

    def exchange(self, piece: Entry) -> Exchange:
        """Return what one entry holds."""
        entry = self._parsed(piece)
        if not isinstance(entry, dict):
            raise UnusableError("malformed entry")
        request = request_of(entry.get("request"), entry.get("response"))
        page = entry.get("pageref")
        return Exchange(
            request,
            observation_of(entry.get("response"), request.method, entry.get("time")),
            _instant(entry.get("startedDateTime")),
            # What one page asked for is no independent evidence, and was asked in this order.
            session=page if isinstance(page, str) and page else None,
        )

    def _parsed(self, piece: Entry) -> Any:
        line, text = piece
        parsed = parse_json(text)
        passing = ("lone_surrogates", "nan") if self.skip_bad else ("lone_surrogates",)
        for finding in parsed.findings:
            if not parsed.ok or finding.name not in passing:
                fact = f"an entry is no sound JSON: {_WHERE.sub('', finding.message)}"
                raise FlawError(finding.name, fact, line=line)
        return parsed.value

    def _in_other_characters(self) -> DocumentError:
        return DocumentError("this HAR is not in UTF-8", place=self.file, hint="iconv -f UTF-16 -t UTF-8")

    def _without_log(self) -> DocumentError:
        return DocumentError("this HAR has no log", place=self.file, hint='a HAR is {"log": {"entries": [...]}}')


def _members(reader: JsonReader, name: str, opening: bytes) -> Iterator[None]:
    """Walk an object: stop at the member of a name where it begins as it should, and pass all others."""
    found = 0
    for key in reader.members():
        found += key == name
        if found > 1 and key == name:
            raise FlawError("duplicate_keys", f"key '{name}' stands {found} times in one object", line=reader.line)
        if key == name and reader.peek() == opening:
            yield
        else:
            reader.skip()


def _instant(value: Any) -> Any:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        # Not worth losing the case: it is replayed under the run's own instant.
        return None
