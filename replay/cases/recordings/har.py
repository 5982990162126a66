"""HTTP Archives (HAR 1.2), as browsers and proxies save them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from replay.cases.content import ByteStream
from replay.cases.recordings.base import Exchange, RecordedFile, UnusableError, whole
from replay.cases.recordings.har_entry import observation_of, request_of
from replay.documents import parse_json
from replay.errors import DocumentError
from replay.models import parse_instant

_HAR = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{.*?"log"\s*:', re.DOTALL)


class HarFile(RecordedFile[Any]):
    """One HAR. `skip_bad` lets flaws of the whole document pass (duplicate keys, NaN)."""

    form: ClassVar[str] = "HAR"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its log."""
        return _HAR.match(head) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Any]:
        """Yield each entry. Raise DocumentError for what is no HAR."""
        yield from _entries(whole(stream), self.file, skip_bad=self.skip_bad)

    def exchange(self, piece: Any) -> Exchange:
        """Return what one entry holds."""
        if not isinstance(piece, dict):
            raise UnusableError("malformed entry")
        request = request_of(piece.get("request"), piece.get("response"))
        page = piece.get("pageref")
        return Exchange(
            request,
            observation_of(piece.get("response"), request.method, piece.get("time")),
            _instant(piece.get("startedDateTime")),
            # What one page asked for is no independent evidence, and was asked in this order.
            session=page if isinstance(page, str) and page else None,
        )


def _entries(data: bytes, file: str, *, skip_bad: bool) -> list[Any]:
    parsed = parse_json(data)
    flaws = [finding for finding in parsed.findings if finding.name in ("nan", "duplicate_keys")]
    if not parsed.ok or (flaws and not skip_bad):
        message = (flaws or parsed.findings)[0].message
        raise DocumentError(f"this HAR is no sound JSON: {message}", place=file)
    log = parsed.value.get("log") if isinstance(parsed.value, dict) else None
    if not isinstance(log, dict):
        raise DocumentError("this HAR has no log", place=file, hint='a HAR is {"log": {"entries": [...]}}')
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise DocumentError("the log of this HAR has no entries", place=file, hint='it holds {"entries": [...]}')
    return entries


def _instant(value: Any) -> Any:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        # Not worth losing the case: it is replayed under the run's own instant.
        return None
