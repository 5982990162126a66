"""Secrets out of a result: in the fields that hold them, and wherever else in that result they are repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache, partial
from itertools import chain
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
from replay.privacy.forms import body_replacer, text_replacer
from replay.privacy.headers import holds_urls, is_secret, mask_header, mask_query, show_secrets
from replay.privacy.masking import Mask
from replay.privacy.names import names_secret, telling_name
from replay.privacy.packed import coding_of
from replay.privacy.places import Places, masked_values, places_of
from replay.privacy.rules import ALWAYS, NO_RULES, MaskRules
from replay.privacy.sent import sent_secrets
from replay.privacy.shown import differs, headers_of, key_lines, parts_of, secrets_of, shows_secrets, texts_of, words_of
from replay.privacy.together import Together, coded_head, is_coded
from replay.privacy.tokens import Tokeniser

_UNMISTAKABLE: Final = 16
"""People look results up by id: only a value that can be nothing but a secret is replaced in one."""
DROPPED: Final = "(dropped: nested too deeply to be searched for secrets)"
"""What stands for a value that could not be masked. It equals nothing, itself neither."""
_BY: Final = re.compile(r"(@\.(\w+)==')((?:[^'\\]|\\.)+)'")
"""What an item of an array was found by, in a location."""
_UNKEPT: Final = "it is a secret, which is not kept"


def redact(result: Result, tokeniser: Tokeniser, *, known: Collection[str] = (), rules: MaskRules = NO_RULES) -> Result:
    """Return the result with its secrets and personal data as tokens: the same value gives the same one on both sides.

    `known` holds secrets that the case does not show, such as a side's own headers (see `secret_values`); `rules` are
    those of the settings. Returns the same object where there is nothing to hide.
    """
    holding = rules.holding(result.case.requests) if rules else frozenset()
    mask = mask_for(tokeniser, rules, holding)
    known = frozenset(known) | key_lines(result) | sent_secrets(result, mask, rules, holding)
    if rules and rules.has_places(holding):
        return _located(result, tokeniser, known, rules, mask=mask)
    if shows_secrets(result):
        return _redaction(tokeniser, secrets_of(result, mask.stays_secret) | known, mask).result(result)
    redaction = _redaction(tokeniser, known, mask)
    return redaction.result(result) if redaction.finds(result) else redaction.differing(result)


def redact_all(
    results: Sequence[Result], tokeniser: Tokeniser, *, known: Collection[str] = (), rules: MaskRules = NO_RULES
) -> list[Result]:
    """Return each result as `redact` does: where nothing of them all shows anything, none is looked at by itself."""
    one = partial(redact, tokeniser=tokeniser, known=known, rules=rules)
    if rules.only_except and not any(result.case.bound or result.case.steps for result in results):
        redaction = _redaction(tokeniser, frozenset(known), mask_for(tokeniser))
        together = Together(results)
        if together.show_nothing() and not redaction.is_repeated(together):
            # Exceptions are of one case and another: only where they may matter is it looked at which hold.
            differing = one if rules else redaction.differing
            return [differing(result) if differs(result) else result for result in results]
    return list(map(one, results))


def redact_case(case: Case, tokeniser: Tokeniser, *, known: Collection[str] = (), rules: MaskRules = NO_RULES) -> Case:
    """Return a case that was not replayed, as of a capture, with its secrets and personal data as tokens."""
    return redact(Result(case, "skipped"), tokeniser, known=known, rules=rules).case


def _located(result: Result, tokeniser: Tokeniser, known: frozenset[str], rules: MaskRules, *, mask: Mask) -> Result:
    """Return a result of which rules with locations speak: what they mask is looked for in all of it."""
    holding = rules.holding(result.case.requests)
    asked, answered = places = places_of(rules, holding, mask)
    shown = secrets_of(result, mask.stays_secret, answered.keeps_header)
    secrets = known | shown | masked_values(places, parts_of(result))
    return _Redaction(tokeniser, secrets, mask, asked, answered).result(result)


@lru_cache(maxsize=64)
def mask_for(tokeniser: Tokeniser, rules: MaskRules = NO_RULES, holding: frozenset[int] = frozenset()) -> Mask:
    """Return what finds everything that has a kind, with the rules that hold and have no location."""
    return Mask(tokeniser, rules.keeps(holding), rules.extras(holding))


class _Redaction:
    """One result's secrets, and how each of its parts looks without them."""

    def __init__(
        self,
        tokeniser: Tokeniser,
        secrets: frozenset[str],
        mask: Mask,
        asked: Places | None = None,
        answered: Places | None = None,
    ) -> None:
        """Take the secrets that are looked for everywhere, and what locations say of requests and of answers."""
        self._token = tokeniser.token
        self._mask = mask
        self._asked = asked
        self._answered = answered
        self._known = text_replacer(tokeniser, secrets)
        self._known_in_body = body_replacer(tokeniser, secrets)
        self._known_in_id = text_replacer(tokeniser, [secret for secret in secrets if len(secret) >= _UNMISTAKABLE])

    def _text(self, text: str) -> str:
        return self._mask.text(self._known(text))

    def _body(self, body: bytes, places: Places | None = None, headers: Headers = ()) -> bytes:
        if body and coded_head(headers):
            return self._mask.coded(
                self._known_in_body(body), coding_of(headers), None if places is None else places.document
            )
        # First by its place: what is kept there must not be what something else has made of it.
        if places is not None:
            return self._known_in_body(places.body(body))
        return self._mask.body(self._known_in_body(body))

    def _id(self, text: str) -> str:
        return self._mask.text(self._known_in_id(text))

    def finds(self, result: Result) -> bool:
        """Tell whether a secret may stand outside the differences of a result that shows none; False is certain."""
        return self._in_texts(result) or self._in_bodies(result)

    def is_repeated(self, together: Together) -> bool:
        """Tell whether a known secret stands outside the differences of several results."""
        return together.repeat(self._known, self._known_in_body)

    def differing(self, result: Result) -> Result:
        """Return a result whose differences alone may hold a secret; their values may be anything."""
        if not differs(result):
            return result
        again = result.again and self._again(result.again)
        return replace(result, differences=self._differences(result.differences), again=again)

    def _in_texts(self, result: Result) -> bool:
        texts, words, heads = texts_of(result), words_of(result), headers_of(result)
        if self._mask.finds_in(texts, words, heads):
            return True
        if not self._known:
            return False
        values = (value for head in heads for _, value in head)
        return any(map(self._known.finds, chain(texts, words, values)))

    def _in_bodies(self, result: Result) -> bool:
        if any(map(is_coded, parts_of(result))):
            return True
        bodies = {part.body for part in parts_of(result) if part.body}
        if not all(map(self._mask.finds_nothing, bodies)):
            return True
        return bool(self._known_in_body) and any(map(self._known_in_body.finds, bodies))

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
        if value is None or isinstance(value, bool) or self._value(value, None) == value:
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
        # Of cookies that are set, every value is secret, also one that is too short to be searched for.
        mask = self._cookie if bound.at == "headers.set-cookie" else partial(self._value, header=None)
        old, new, recorded = (mask(it) for it in (bound.old, bound.new, bound.recorded))
        return replace(bound, old=old, new=new, recorded=recorded, by=self._id(bound.by))

    def _cookie(self, value: Json) -> Json:
        return self._mask.secret(value) if isinstance(value, str) and value else self._value(value, None)

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
        captured = {name: self._value(value, None, f".{name}") for name, value in played.captured.items()}
        return replace(played, seen=self._observation(played.seen), captured=captured)

    def _request(self, request: Request) -> Request:
        path = mask_query(request.path, self._mask.secret) if self._asked is None else self._asked.path(request.path)
        body = None if request.body is None else self._body(request.body, self._asked, request.headers)
        return replace(request, path=self._text(path), headers=self._headers(request.headers, self._asked), body=body)

    def _expectation(self, expect: Expectation) -> Expectation:
        body = None if expect.body is None else self._body(expect.body, self._answered, expect.headers)
        return replace(expect, headers=self._headers(expect.headers, self._answered), body=body)

    def _observation(self, side: Observation) -> Observation:
        error = side.error and replace(side.error, message=self._text(side.error.message))
        if side.steps:
            side = replace(side, steps=tuple(map(self._played, side.steps)))
        headers, body = self._headers(side.headers, self._answered), self._body(side.body, self._answered, side.headers)
        if error is None and headers is side.headers and body is side.body:
            return side
        return replace(side, headers=headers, body=body, error=error)

    def _headers(self, headers: Headers, places: Places | None) -> Headers:
        if not headers or self._show_nothing(headers, places):
            return headers
        masked = tuple((name, self._header(name, value, places)) for name, value in headers)
        return headers if masked == headers else masked

    def _show_nothing(self, headers: Headers, places: Places | None) -> bool:
        """Tell whether nothing in header fields is secret, personal or spoken of by a rule; True is certain."""
        return not (
            (places is not None and places.speaks_of(headers))
            or show_secrets(headers)
            or self._mask.finds_in((), (), (headers,))
            or (self._known and any(self._known.finds(value) for _, value in headers))
        )

    def _header(self, name: str, value: str, places: Places | None) -> str:
        by_rule = None if places is None else places.header(name, value)
        if by_rule is not None:
            return self._known(by_rule)
        if is_secret(name):
            return mask_header(name, value, self._token if name.lower() in ALWAYS else self._mask.secret)
        return self._text(mask_query(value, self._mask.secret) if holds_urls(name) else value)

    def _again(self, again: Again) -> Again:
        return replace(again, answers=tuple(map(self._differences, again.answers)))

    def _differences(self, differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
        return tuple(self._difference(each) for each in differences)

    def _difference(self, difference: Difference) -> Difference:
        name = _header_name(difference.at)
        return replace(
            difference,
            at=self._text(_BY.sub(self._found_by, difference.at)),
            old=self._value(difference.old, name, difference.at),
            new=self._value(difference.new, name, difference.at),
            note=self._text(difference.note),
            rule=self._text(difference.rule),
            waived=self._text(difference.waived),
        )

    def _found_by(self, found: re.Match[str]) -> str:
        """Return what an item was found by: a secret is none less for being a key."""
        before, name, value = found.groups()
        is_masked = names_secret(name) or (self._answered is not None and self._answered.masks_name(name))
        return f"{before}{self._mask.secret(value)}'" if is_masked else found[0]

    def _value(self, value: Any, header: str | None, at: str = "") -> Any:
        try:
            if header is not None:
                return self._masked(value, partial(self._compared, header))
            if self._answered is not None and at:
                return self._masked(self._answered.value(at, value, telling_name(at)), self._known)
            return self._mask.value(self._masked(value, self._known), telling_name(at))
        except RecursionError:
            return DROPPED

    def _compared(self, name: str, value: str) -> str:
        # Of cookies that are set, names and attributes are compared and no values: there is no pair to mask.
        return self._text(value) if name.lower() == "set-cookie" else self._header(name, value, self._answered)

    def _masked(self, value: Any, text: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, dict):
            return {self._known(key): self._masked(item, text) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(item, text) for item in value]
        if isinstance(value, bytes):
            return self._body(value)
        return self._number(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value

    def _number(self, value: int | Decimal) -> int | Decimal | str:
        if isinstance(value, int) and value.bit_length() > 4_000:  # noqa: PLR2004 - Python refuses to print much longer ones
            return value
        spelling = str(value)
        masked = self._known(spelling)
        return value if masked == spelling else masked


@lru_cache(maxsize=256)
def _redaction(tokeniser: Tokeniser, secrets: frozenset[str], mask: Mask) -> _Redaction:
    # The cases of one session hold the same secrets.
    return _Redaction(tokeniser, secrets, mask)


def _header_name(at: str) -> str | None:
    """Return the field's name where the location lies in a header field."""
    match = re.match(r"(?:steps\.[^.]+\.)?headers(?:\.([\w-]+)|\['([^']+)'\])", at)
    return (match[1] or match[2]) if match else None
