"""What of a result is looked at for secrets, and the secrets that it shows in the fields that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from replay.models import Expectation, Headers, Observation, Request, Result
from replay.placeholders import names_in
from replay.privacy.detectors import lines_of_keys
from replay.privacy.headers import (
    has_secret_parameter,
    header_secrets,
    holds_urls,
    is_secret,
    query_secrets,
    show_secrets,
)

_SHORTEST: Final = 6
"""Shorter values would turn up in innocent text; in their own field they are masked all the same."""
PRIVATE_KEY: Final = b"PRIVATE KEY"
_NO_LINES: Final[frozenset[str]] = frozenset()

Part = Request | Expectation | Observation
"""What has header fields and a body."""


def _never(_: str) -> bool:
    return False


def secret_values(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the secrets in these header fields that are long enough to be searched for."""
    found = (value for name, content in headers if is_secret(name) for value in header_secrets(name, content))
    return frozenset(value for value in found if len(value) >= _SHORTEST)


def secrets_of(
    result: Result, stays: Callable[[str], bool] = _never, keeps: Callable[[str], bool] = _never
) -> frozenset[str]:
    """Return the secrets in the fields, queries and captured values that hold some, if they can be searched for.

    Of what `stays`, and of fields that a rule `keeps`, there are none.
    """
    shown = (field for headers in headers_of(result) if show_secrets(headers) for field in headers)
    values = {value for value in secret_values(field for field in shown if not keeps(field[0])) if not stays(value)}
    queries = {value for url in _urls(result) for value in query_secrets(url) if len(value) >= _SHORTEST}
    return frozenset(values) | _bound_secrets(result) | {value for value in queries if not stays(value)}


def _bound_secrets(result: Result) -> frozenset[str]:
    """Return what was handed out, and sent where secrets are, as far as it is long enough to be searched for."""
    case, found = result.case, []
    for bound in case.bound:
        if any(_holds_secrets(place) for place in bound.used) or bound.at == "headers.set-cookie":
            found += [bound.old, bound.new, bound.recorded]
    if case.steps:
        hidden = [text for it in case.requests for name, text in it.headers if is_secret(name)]
        names = {name for text in hidden for name in names_in(text)}
        played = [it for side in (result.old, result.new) if side is not None for it in side.steps]
        found += [value for it in played for name, value in it.captured.items() if name in names]
    texts = (str(value) for value in found if isinstance(value, str) or _is_spelled(value))
    return frozenset(text for text in texts if len(text) >= _SHORTEST)


def _is_spelled(value: Any) -> bool:
    """Tell whether a value is a number that Python does not refuse to print."""
    return isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 4_000  # noqa: PLR2004 - as below


def _holds_secrets(place: str) -> bool:
    return is_secret(place.removeprefix("headers."))


def shows_secrets(result: Result) -> bool:
    """Tell whether a field, a query or a value that was captured may hold a secret."""
    case = result.case
    if case.bound:
        return True
    if show_secrets(case.request.headers) or has_secret_parameter(case.request.path):
        return True
    if case.steps:
        return any(show_secrets(part.headers) or has_secret_parameter(_path(part)) for part in parts_of(result))
    parts = (case.expect, case.recorded, result.old, result.new)
    return any(map(show_secrets, [part.headers for part in parts if part is not None]))


def differs(result: Result) -> bool:
    """Tell whether a result has differences, from old or of old's further answers."""
    return bool(result.differences) or (result.again is not None and any(result.again.answers))


def key_lines(result: Result) -> frozenset[str]:
    """Return the lines of private keys in bodies: of texts that differ only some lines are told, which show no key."""
    bodies = [part.body for part in parts_of(result) if part.body and PRIVATE_KEY in part.body]
    lines = (line for body in bodies for line in lines_of_keys(body.decode("utf-8", "replace")))
    return frozenset(lines) if bodies else _NO_LINES


def _path(part: Part) -> str:
    return part.path if isinstance(part, Request) else ""


def headers_of(result: Result) -> list[Headers]:
    """Return the header fields of each part."""
    return [part.headers for part in parts_of(result)]


def parts_of(result: Result) -> list[Part]:
    """Return each part that has header fields and a body."""
    case = result.case
    parts: list[Part | None] = [case.request, case.expect, case.recorded, result.old, result.new]
    if case.steps:
        parts += [*case.requests, *(step.expect for step in case.steps)]
        parts += [it.seen for side in (result.old, result.new) if side is not None for it in side.steps]
    return [part for part in parts if part is not None]


def texts_of(result: Result) -> list[str]:
    """Return each text of one case alone that a redaction looks at, save those of the differences."""
    case = result.case
    texts = [case.id, case.correlation_id, case.session, result.skipped]
    texts += [request.path for request in case.requests]
    texts += [each.value for each in result.groups]
    texts += [str(it) for each in result.figures for it in (each.old_fault, each.new_fault, each.old, each.new)]
    sides = [side for side in (case.recorded, result.old, result.new) if side is not None]
    texts += [result.error.message] if result.error is not None else []
    texts += [side.error.message for side in sides if side.error is not None]
    for played in [it for side in sides for it in side.steps]:
        texts += [value for value in played.captured.values() if isinstance(value, str)]
        texts += [played.seen.error.message] if played.seen.error is not None else []
    return [text for text in texts if text]


def words_of(result: Result) -> list[str]:
    """Return each text that a redaction looks at and many cases have: where answers were accepted, and why."""
    # A rule's name says what it compares with, which settings may have from a variable.
    words = [text for acceptance in result.accepted for text in (acceptance.at, acceptance.rule)]
    return words + [measure.at for measure in result.measures]


def _urls(result: Result) -> Iterator[str]:
    yield from (request.path for request in result.case.requests)
    for headers in headers_of(result):
        for name, value in headers:
            if holds_urls(name):
                yield value
