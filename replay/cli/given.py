"""The secrets that settings give to a side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from replay.models import Side, TargetSpec
from replay.privacy import secret_values


def given_secrets(sides: Mapping[Side, TargetSpec]) -> frozenset[str]:
    """Return the secrets among what sides are given, in headers, variables and logins: a service may repeat them."""
    given = (pair for spec in sides.values() for pair in _given(spec))
    return secret_values(given)


def _given(spec: TargetSpec) -> Iterator[tuple[str, str]]:
    """Yield everything by a name that may tell it for a secret."""
    yield from spec.headers.items()
    yield from _as_headers(spec.env.items())
    if spec.login is not None:
        yield from spec.login.headers.items()
        yield from _as_headers((spec.login.form or {}).items())
        yield from _as_headers(_leaves(spec.login.json_))


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a JSON value, by the nearest name above it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)


def _as_headers(variables: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield variables as headers are named, so that DB_PASSWORD is as secret as x-db-password."""
    return ((name.lower().replace("_", "-"), value) for name, value in variables)
