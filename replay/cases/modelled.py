"""A record of a capture, read by its model: whatever it holds, and with every flaw named."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import ValidationError

from replay.cases.correlation import correlation_of
from replay.cases.plain import plain_case, plain_record
from replay.cases.record import RecordSpec
from replay.documents import FindingName, explain, overflows, parse_json
from replay.errors import DocumentError
from replay.models import Case

_BLANK: Final = b" \t\r\n"
_HUGE_EXPONENT = re.compile(rb"[0-9][eE]\+?0*[0-9]{3}")
_FLAWS: Final[tuple[FindingName, ...]] = ("nan", "duplicate_keys", "lone_surrogates")


class BadLineError(Exception):
    """A record that cannot be replayed: why in a word to count by, and in a sentence to mend it by."""

    def __init__(self, reason: str, fact: str, hint: str | None = None) -> None:
        super().__init__(fact)
        self.reason = reason
        self.fact = fact
        self.hint = hint


def read_case(line: bytes, place: str, identity: str) -> Case:
    """Return the case of any record, the quick way where it is plain; raise BadLineError as `modelled_case`."""
    record = plain_record(line)
    return modelled_case(line, place, identity) if record is None else plain_case(record, place, identity)


def modelled_case(line: bytes, place: str, identity: str) -> Case:
    """Return the case of any record; raise BadLineError, which tells what is wrong with it."""
    record = _record(line)
    try:
        request = record.request.build()
        recorded = record.response.build(record.latency_ms) if record.response else None
    except DocumentError as error:
        raise BadLineError("invalid_record", error.fact, error.hint) from None
    name = record.id or place
    return Case(
        id=name,
        kind="traffic",
        identity=identity,
        request=request,
        place=place,
        correlation_id=record.correlation_id or correlation_of(request) or name,
        freeze=record.at,
        session=record.session,
        recorded=recorded,
    )


def _record(line: bytes) -> RecordSpec:
    text_of_line = line.rstrip(_BLANK)
    parsed = parse_json(text_of_line, spelled=True)
    for finding in parsed.findings:
        if not parsed.ok or finding.name in _FLAWS:
            torn = text_of_line.startswith(b"\0") or b"\0" in text_of_line[-1:]
            fact = "a run of NULs: the file was torn" if torn else finding.message
            raise BadLineError(finding.name, fact)
    if _may_overflow(line) and _overflowing(parsed.value):
        raise BadLineError("overflow", "a number beyond 1e308 that no service could read")
    try:
        return RecordSpec.model_validate(parsed.value)
    except ValidationError as error:
        raise BadLineError("invalid_record", *explain(error, RecordSpec)) from None


def _may_overflow(line: bytes) -> bool:
    return _HUGE_EXPONENT.search(line) is not None


def _overflowing(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif overflows(item):
            return True
    return False
