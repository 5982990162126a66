"""Native captures, record by record: of what is masked in one, all that the record repeats is masked too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replay.cases.capture import HEADER, is_capture
from replay.cases.content import LARGEST_RECORD, ByteStream
from replay.cases.masked import SEVERAL, key_of, masked_by
from replay.cases.modelled import BadLineError, read_case
from replay.cases.record import record_of
from replay.cleaning.base import Eye
from replay.cleaning.texts import cleaned_text
from replay.documents import dump_json, parse_json
from replay.models import Case, Observation, Request

_NAMES: Final = ("id", "session", "correlation_id")


def recognises(head: bytes) -> bool:
    """Tell whether a file that begins like this is a native capture."""
    return is_capture(head)


def clean(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield each line, with tokens in place of what is secret or personal."""
    number, seen_header = 0, False
    while line := stream.readline(LARGEST_RECORD):
        number += 1
        if not line.strip():
            yield line
        elif seen_header:
            yield _record(line, number, eye)
        else:
            seen_header = True
            yield _header(line, eye)


def _header(line: bytes, eye: Eye) -> bytes:
    header = parse_json(line).value
    own = eye.key.fingerprint
    if not isinstance(header, dict) or HEADER not in header or key_of(header) == own:
        return line
    return dump_json({**header, **masked_by(own if key_of(header) is None else SEVERAL)}).encode() + b"\n"


def _record(line: bytes, number: int, eye: Eye) -> bytes:
    place = str(number)
    try:
        case = read_case(line, place, "")
        masked = eye.redactor.case(case)
        record = record_of(masked)
    except (BadLineError, RecursionError, ValueError):
        # What no run would read is cleaned as the text that it is.
        eye.tokeniser.taken()
        return _text(line, place, eye)
    if not eye.at(place, *_changed(case, masked)):
        return line
    return dump_json({key: value for key, value in record.items() if key not in _made_up(line)}).encode() + b"\n"


def _text(line: bytes, place: str, eye: Eye) -> bytes:
    text = line.decode("utf-8", "surrogateescape")
    masked = cleaned_text(text, eye.redactor)
    eye.at(place)
    return line if masked == text else masked.encode("utf-8", "surrogateescape")


def _made_up(line: bytes) -> frozenset[str]:
    """Return the names that a record has only because it was read."""
    record = parse_json(line).value
    return frozenset(name for name in _NAMES if not isinstance(record, dict) or record.get(name) is None)


def _changed(before: Case, after: Case) -> Iterator[str]:
    """Yield where a case is not what it was."""
    yield from (name for name in _NAMES if getattr(before, name) != getattr(after, name))
    if before.request.path != after.request.path:
        yield "request.path"
    yield from _changed_parts("request", before.request, after.request)
    if before.recorded is not None and after.recorded is not None:
        yield from _changed_parts("response", before.recorded, after.recorded)


def _changed_parts(name: str, before: Request | Observation, after: Request | Observation) -> Iterator[str]:
    for (field, old), (_, new) in zip(before.headers, after.headers, strict=True):
        if old != new:
            yield f"{name}.headers.{field.lower()}"
    if before.body != after.body:
        yield f"{name}.body"
