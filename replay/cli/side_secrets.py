"""The secrets that settings give to a side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Final
from urllib.parse import unquote_plus

from replay.documents import dump_json, parse_json
from replay.models import LoginSpec, Side, TargetSpec
from replay.privacy import is_secret, is_secret_parameter, secret_values
from replay.services.commands import words_of

_BETWEEN_FIELDS: Final = re.compile(r"[&\r\n]+")
_NAMELESS: Final = "secret"
"""What a login sends without any name is taken for a secret: for what else would it be sent?"""


def given_secrets(sides: Mapping[Side, TargetSpec]) -> frozenset[str]:
    """Return the secrets among what sides are given, in headers, variables and logins: a service may repeat them."""
    given = (pair for spec in sides.values() for pair in _given(spec))
    return secret_values(given)


def _given(spec: TargetSpec) -> Iterator[tuple[str, str]]:
    """Yield everything by a name that may tell it for a secret."""
    yield from spec.headers.items()
    yield _NAMELESS, spec.clock_secret or ""
    for route in spec.routes:
        yield from route.headers.items()
        yield _NAMELESS, route.clock_secret or ""
    yield from _as_headers(spec.env.items())
    for command in (*([spec.run] if spec.run else []), *spec.setup, *spec.teardown):
        yield from _secrets_of(_options(words_of(command)))
    if spec.reset is not None and spec.reset.run is not None:
        yield from _secrets_of(_options(words_of(spec.reset.run)))
    if spec.login is not None:
        yield from spec.login.headers.items()
        yield from _secrets_of(_sent(spec.login))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command by name, with what follows: `--api-key X`, `--api-key=X`, `API_KEY=X`."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.lstrip("-").partition("=")
        if equals or word.startswith("-"):
            yield name, value if equals else following


def _sent(login: LoginSpec) -> Iterator[tuple[str, str]]:
    """Yield what a login sends in its path and body, by name."""
    yield from _fields(login.path.partition("#")[0].partition("?")[2])
    yield from (login.form or {}).items()
    yield from _leaves(login.json_)
    yield from _of_text(login.text or "")


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    """Yield the members of a text that is JSON, or the fields of a form; where none is secret, all of it."""
    parsed = parse_json(text)
    fields = list(_leaves(parsed.value) if parsed.ok else _fields(text))
    yield from fields
    if not any(_secrets_of(fields)):
        yield _NAMELESS, text


def _fields(form: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form or query, each value as it is written and as it is meant."""
    for field in _BETWEEN_FIELDS.split(form):
        name, _, value = field.partition("=")
        yield unquote_plus(name), value
        yield unquote_plus(name), unquote_plus(value)


def _leaves(value: object, name: str = _NAMELESS) -> Iterator[tuple[str, str]]:
    """Yield each text and number in a JSON value, by the nearest name above it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield name, dump_json(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)


def _secrets_of(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the fields whose name, as a variable's or as a query parameter's, tells that they are secret."""
    for name, value in fields:
        if value and is_secret(_as_header(name)):
            yield _as_header(name), value
        elif value and is_secret_parameter(name):
            yield _NAMELESS, value


def _as_headers(variables: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield variables as headers are named."""
    return ((_as_header(name), value) for name, value in variables)


def _as_header(name: str) -> str:
    """Return a name as headers are written, so that DB_PASSWORD is as secret as x-db-password."""
    return name.lower().replace("_", "-")
