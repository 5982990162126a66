"""Secrets out of a result: in the fields that hold them, and wherever else in that result they are repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final

from replay.models import (
    Again,
    Binding,
    Case,
    Difference,
    Expectation,
    Figure,
    Headers,
    Json,
    Observation,
    Played,
    Request,
    Result,
    Step,
    Walk,
)
from replay.placeholders import names_in
from replay.privacy.forms import body_replacer, text_replacer
from replay.privacy.headers import (
    has_secret_parameter,
    header_secrets,
    holds_urls,
    is_secret,
    mask_header,
    mask_query,
    query_secrets,
    show_secrets,
)
from replay.privacy.tokens import Tokeniser

_SHORTEST: Final = 6
"""Shorter values would turn up in innocent text; in their own field they are masked all the same."""
_UNMISTAKABLE: Final = 16
"""People look results up by id: only a value that can be nothing but a secret is replaced in one."""
DROPPED: Final = "(dropped: nested too deeply to be searched for secrets)"
"""What stands for a value that could not be masked. It equals nothing, itself neither."""
_UNKEPT: Final = "it is a secret, which is not kept"


def redact(result: Result, tokeniser: Tokeniser, *, known: Collection[str] = ()) -> Result:
    """Return the result with its secrets as tokens: the same secret gives the same token on both sides.

    `known` holds secrets that the case does not show, such as a side's own headers (see `secret_values`).
    Returns the same object where there is nothing to hide.
    """
    if _shows_secrets(result):
        return _redaction(tokeniser, _secrets(result).union(known)).result(result)
    if not known:
        return result
    redaction = _redaction(tokeniser, frozenset(known))
    return redaction.result(result) if redaction.finds(result) else result


def secret_values(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the secrets in these header fields that are long enough to be searched for."""
    found = (value for name, content in headers if is_secret(name) for value in header_secrets(name, content))
    return frozenset(value for value in found if len(value) >= _SHORTEST)


def _secrets(result: Result) -> frozenset[str]:
    values = secret_values(field for headers in _headers(result) if show_secrets(headers) for field in headers)
    values |= _bound_secrets(result)
    queries = {value for url in _urls(result) for value in query_secrets(url) if len(value) >= _SHORTEST}
    return values | queries if queries else values


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


def _shows_secrets(result: Result) -> bool:
    case = result.case
    if case.bound:
        return True
    if show_secrets(case.request.headers) or has_secret_parameter(case.request.path):
        return True
    if case.steps:
        return any(show_secrets(part.headers) or has_secret_parameter(_path(part)) for part in _parts(result))
    parts = (case.expect, case.recorded, result.old, result.new)
    return any(map(show_secrets, [part.headers for part in parts if part is not None]))


def _path(part: Request | Expectation | Observation) -> str:
    return part.path if isinstance(part, Request) else ""


def _headers(result: Result) -> Iterator[Headers]:
    return (part.headers for part in _parts(result))


def _parts(result: Result) -> Iterator[Request | Expectation | Observation]:
    """Yield each part that has header fields and a body."""
    case = result.case
    yield from case.requests
    expectations = [step.expect for step in case.steps]
    played = [it.seen for side in (result.old, result.new) if side is not None for it in side.steps]
    for part in (case.expect, case.recorded, result.old, result.new, *expectations, *played):
        if part is not None:
            yield part


def _texts(result: Result) -> Iterator[str]:
    """Yield each text that a redaction looks at, save those of the differences."""
    case = result.case
    yield from (case.id, case.correlation_id, case.session or "", result.skipped or "")
    yield from (request.path for request in case.requests)
    yield from [value for headers in _headers(result) for _, value in headers]
    # A rule's name says what it compares with, which settings may have from a variable.
    yield from [text for acceptance in result.accepted for text in (acceptance.at, acceptance.rule)]
    yield from [measure.at for measure in result.measures]
    yield from [each.value for each in result.groups if each.value is not None]
    for figure in result.figures:
        yield from (figure.old_fault, figure.new_fault, str(figure.old), str(figure.new))
    if result.error is not None:
        yield result.error.message
    for side in (case.recorded, result.old, result.new):
        if side is not None and side.error is not None:
            yield side.error.message
    for side in (result.old, result.new):
        for played in side.steps if side is not None else ():
            yield from (value for value in played.captured.values() if isinstance(value, str))
            yield played.seen.error.message if played.seen.error is not None else ""


def _urls(result: Result) -> Iterator[str]:
    yield from (request.path for request in result.case.requests)
    for headers in _headers(result):
        for name, value in headers:
            if holds_urls(name):
                yield value


class _Redaction:
    """One result's secrets, and how each of its parts looks without them."""

    def __init__(self, tokeniser: Tokeniser, secrets: frozenset[str]) -> None:
        self._token = tokeniser.token
        self._text = text_replacer(tokeniser, secrets)
        self._body = body_replacer(tokeniser, secrets)
        self._id = text_replacer(tokeniser, [secret for secret in secrets if len(secret) >= _UNMISTAKABLE])

    def finds(self, result: Result) -> bool:
        """Tell whether a secret may stand anywhere in a result that shows none; False is certain."""
        # Values may be anything, and to be replaced for their depth alone.
        differs = bool(result.differences) or (result.again is not None and any(result.again.answers))
        return differs or self._text.finds("\n".join(_texts(result))) or self._in_bodies(result)

    def _in_bodies(self, result: Result) -> bool:
        bodies = {part.body for part in _parts(result) if part.body}
        return any(map(self._body.finds, bodies))

    def result(self, result: Result) -> Result:
        error = result.error and replace(result.error, message=self._text(result.error.message))
        return replace(
            result,
            case=self._case(result.case),
            old=result.old and self._observation(result.old),
            new=result.new and self._observation(result.new),
            differences=self._differences(result.differences),
            again=result.again and self._again(result.again),
            accepted=tuple(
                replace(each, at=self._text(each.at), rule=self._text(each.rule)) for each in result.accepted
            ),
            measures=tuple(replace(each, at=self._text(each.at)) for each in result.measures),
            groups=tuple(
                each if each.value is None else replace(each, value=self._text(each.value)) for each in result.groups
            ),
            figures=tuple(map(self._figure, result.figures)),
            error=error,
            skipped=None if result.skipped is None else self._text(result.skipped),
        )

    def _figure(self, figure: Figure) -> Figure:
        old, old_fault = self._told(figure.old, figure.old_fault)
        new, new_fault = self._told(figure.new, figure.new_fault)
        return replace(figure, old=old, new=new, old_fault=old_fault, new_fault=new_fault)

    def _told(self, value: Json, fault: str) -> tuple[Json, str]:
        """Return a figure and its fault; a number that is a secret is dropped, since a token is no number."""
        if value is None or isinstance(value, bool) or not isinstance(self._number(value), str):
            return value, self._text(fault)
        return None, _UNKEPT

    def _case(self, case: Case) -> Case:
        return replace(
            case,
            # A golden's id is its path, which a curator chose in the open.
            id=case.id if case.kind == "golden" else self._id(case.id),
            correlation_id=self._id(case.correlation_id),
            session=None if case.session is None else self._text(case.session),
            request=self._request(case.request),
            expect=case.expect and self._expectation(case.expect),
            recorded=case.recorded and self._observation(case.recorded),
            steps=tuple(map(self._step, case.steps)),
            bound=tuple(map(self._binding, case.bound)),
        )

    def _binding(self, bound: Binding) -> Binding:
        old, new, recorded = (self._value(it, None) for it in (bound.old, bound.new, bound.recorded))
        return replace(bound, old=old, new=new, recorded=recorded, by=self._id(bound.by))

    def _step(self, step: Step) -> Step:
        return replace(
            step,
            request=self._request(step.request),
            pages=step.pages and self._pages(step.pages),
            expect=step.expect and self._expectation(step.expect),
        )

    def _pages(self, pages: Walk) -> Walk:
        return replace(pages, further=pages.further and self._request(pages.further))

    def _played(self, played: Played) -> Played:
        captured = {name: self._value(value, None) for name, value in played.captured.items()}
        return replace(played, seen=self._observation(played.seen), captured=captured)

    def _request(self, request: Request) -> Request:
        path = self._text(mask_query(request.path, self._token))
        body = None if request.body is None else self._body(request.body)
        return replace(request, path=path, headers=self._headers(request.headers), body=body)

    def _expectation(self, expect: Expectation) -> Expectation:
        body = None if expect.body is None else self._body(expect.body)
        return replace(expect, headers=self._headers(expect.headers), body=body)

    def _observation(self, side: Observation) -> Observation:
        error = side.error and replace(side.error, message=self._text(side.error.message))
        if side.steps:
            side = replace(side, steps=tuple(map(self._played, side.steps)))
        headers, body = self._headers(side.headers), self._body(side.body)
        if error is None and headers is side.headers and body is side.body:
            return side
        return replace(side, headers=headers, body=body, error=error)

    def _headers(self, headers: Headers) -> Headers:
        if not show_secrets(headers) and not self._text.finds("\n".join([value for _, value in headers])):
            return headers
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if is_secret(name):
            return mask_header(name, value, self._token)
        return self._text(mask_query(value, self._token) if holds_urls(name) else value)

    def _again(self, again: Again) -> Again:
        return replace(again, answers=tuple(map(self._differences, again.answers)))

    def _differences(self, differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
        return tuple(self._difference(each) for each in differences)

    def _difference(self, difference: Difference) -> Difference:
        name = _header_name(difference.at)
        return replace(
            difference,
            at=self._text(difference.at),
            old=self._value(difference.old, name),
            new=self._value(difference.new, name),
            note=self._text(difference.note),
            rule=self._text(difference.rule),
            waived=self._text(difference.waived),
        )

    def _value(self, value: Any, header: str | None) -> Any:
        try:
            return self._masked(value, self._text if header is None else partial(self._compared, header))
        except RecursionError:
            return DROPPED

    def _compared(self, name: str, value: str) -> str:
        # Of cookies that are set, names and attributes are compared and no values: there is no pair to mask.
        return self._text(value) if name.lower() == "set-cookie" else self._header(name, value)

    def _masked(self, value: Any, text: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, dict):
            return {self._text(key): self._masked(item, text) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(item, text) for item in value]
        if isinstance(value, bytes):
            return self._body(value)
        return self._number(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value

    def _number(self, value: int | Decimal) -> int | Decimal | str:
        if isinstance(value, int) and value.bit_length() > 4_000:  # noqa: PLR2004 - Python refuses to print much longer ones
            return value
        spelling = str(value)
        masked = self._text(spelling)
        return value if masked == spelling else masked


@lru_cache(maxsize=256)
def _redaction(tokeniser: Tokeniser, secrets: frozenset[str]) -> _Redaction:
    # The cases of one session hold the same secrets.
    return _Redaction(tokeniser, secrets)


def _header_name(at: str) -> str | None:
    """Return the field's name where the location lies in a header field."""
    match = re.match(r"(?:steps\.[^.]+\.)?headers(?:\.([\w-]+)|\['([^']+)'\])", at)
    return (match[1] or match[2]) if match else None
