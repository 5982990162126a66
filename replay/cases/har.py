"""HTTP Archives (HAR 1.2), as browsers and proxies save them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replay.cases.base import accounted, part_of
from replay.cases.content import read_whole
from replay.cases.correlation import correlation_of
from replay.cases.har_entry import UnusableError, observation_of, request_of
from replay.documents import parse_json
from replay.errors import DocumentError
from replay.models import Case, Intake, parse_instant
from replay.sampling import Portion


class HarFile:
    """One HAR. What cannot be replayed is passed over and counted by reason: loaded + skipped = entries."""

    def __init__(self, path: str | Path, *, skip_bad: bool = False) -> None:
        """Take a file as the user named it; `skip_bad` lets flaws of the whole document pass (duplicate keys, NaN)."""
        self._path = Path(path)
        self._file = str(path)
        self._skip_bad = skip_bad
        self._digest: str | None = None
        self._intake = Intake(self._file, 0)

    def __iter__(self) -> Iterator[Case]:
        """Yield each usable entry as a case, in order. Recorded hosts are dropped: they are never called."""
        data = self._read()
        source = hashlib.sha256(data).hexdigest()
        skipped: Counter[str] = Counter()
        loaded = 0
        for number, entry in enumerate(_entries(data, self._file, skip_bad=self._skip_bad), start=1):
            try:
                case = _case(entry, f"{self._file}:{number}", f"{source[:16]}:{number}", self._file)
            except UnusableError as error:
                skipped[error.reason] += 1
                continue
            loaded += 1
            yield case
        self._intake = Intake(self._file, loaded, dict(skipped))

    def without_identity(self) -> Iterator[Case]:
        """Yield each usable entry as a case, with its identity: a HAR is read as a whole, and so is its digest."""
        return iter(self)

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield the cases of one part."""
        yield from part_of(self, portion)
        self._intake = accounted(self._intake, portion)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, decompressed."""
        if self._digest is None:
            self._read()
        return str(self._digest)

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete iteration."""
        return self._intake

    def _read(self) -> bytes:
        data = read_whole(self._path, self._file)
        self._digest = hashlib.sha256(data).hexdigest()
        return data


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


def _case(entry: Any, name: str, identity: str, file: str) -> Case:
    if not isinstance(entry, dict):
        raise UnusableError("malformed entry")
    request = request_of(entry.get("request"), entry.get("response"))
    return Case(
        id=name,
        kind="traffic",
        identity=identity,
        request=request,
        place=file,
        correlation_id=correlation_of(request) or name,
        freeze=_instant(entry.get("startedDateTime")),
        # What one page asked for is no independent evidence, and was asked in this order.
        session=_page(entry.get("pageref"), file),
        recorded=observation_of(entry.get("response"), request.method, entry.get("time")),
    )


def _page(value: Any, file: str) -> str | None:
    return f"{file}#{value}" if isinstance(value, str) and value else None


def _instant(value: Any) -> Any:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        # Not worth losing the case: it is replayed under the run's own instant.
        return None
