"""Which header fields and query parameters hold secrets, and what of them may stay readable."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import AnyStr, Final
from urllib.parse import unquote, unquote_plus

from replay.models import Headers

Token = Callable[[str], str]

_SECRET_NAME: Final = re.compile(
    r"(?:proxy-)?authorization|(?:set-)?cookie2?"
    r"|.*(?:^|[-_])(?:(?:api|access|auth|private|secret|subscription|functions|account|master)[-_]?keys?"
    r"|[a-z]*token|[a-z]*secret|passwords?|passwd|passphrase|credentials?|jwt|signature|session[-_]?id)"
    r"|x-(?:auth|key)|replay-proof",
    re.IGNORECASE,
)
_SECRET_PARAMETER: Final = re.compile(
    r"(?P<name>[?&;](?:[^=&#;?\s]*(?:token|secret|password|passwd|api[-_.]?key|access[-_.]?key|signature|credential)s?"
    r"|pwd|sig|jwt|auth|authorization)=)(?P<value>[^&#;\s\"'<>]+)",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(r"[?&;]([^=&#;?\s]*)=")
_MOST_NAMES: Final = 4096
_LONGEST_NAME: Final = 100
_MOST_HEADS: Final = 1024
_LARGEST_HEAD: Final = 4096
_URL_HEADERS: Final = frozenset({"location", "content-location", "referer", "link", "refresh"})


class Known(dict[AnyStr, bool]):
    """What was found out about names: as quick as a dict, and bounded, since a service may make names up."""

    def __init__(self, find_out: Callable[[AnyStr], bool]) -> None:
        self._find_out: Callable[[AnyStr], bool] = find_out

    def __missing__(self, name: AnyStr) -> bool:
        found = self._find_out(name)
        if len(self) >= _MOST_NAMES:
            self.clear()
        if len(name) <= _LONGEST_NAME:
            self[name] = found
        return found


class KnownHeads:
    """What was found out about heads: a service says the same in most of them. Bounded in number and size."""

    def __init__(self, find_out: Callable[[Headers], bool]) -> None:
        self._find_out = find_out
        self._found: dict[Headers, bool] = {}
        self._objects: dict[int, tuple[Headers, bool]] = {}
        """By identity: the client gives like heads as one object, and to hash one takes longer than to ask again."""

    def __call__(self, headers: Headers) -> bool:
        """Return what is known of a head, or is found out now."""
        known = self._objects.get(id(headers))
        if known is not None and known[0] is headers:
            return known[1]
        found = self._found.get(headers)
        if found is None:
            found = self._find_out(headers)
            if sum(len(name) + len(value) for name, value in headers) > _LARGEST_HEAD:
                return found
        self._keep(headers, found=found)
        return found

    def _keep(self, headers: Headers, *, found: bool) -> None:
        for kept in (self._found, self._objects):
            if len(kept) >= _MOST_HEADS:
                kept.clear()
        self._found[headers] = found
        self._objects[id(headers)] = headers, found


def is_secret(name: str) -> bool:
    """Return whether a header field of this name holds a secret."""
    return _SECRETS[name]


_SECRETS: Final = Known(lambda name: _SECRET_NAME.fullmatch(name) is not None)


def holds_urls(name: str) -> bool:
    """Return whether a header field of this name holds URLs, whose queries may hold secrets."""
    return name.lower() in _URL_HEADERS


def show_secrets(headers: Headers) -> bool:
    """Return whether one of these header fields holds a secret, by its name or in the query of its URL."""
    return _SHOWING(headers)


def _shows(headers: Headers) -> bool:
    return any(is_secret(name) or (holds_urls(name) and has_secret_parameter(value)) for name, value in headers)


_SHOWING: Final = KnownHeads(_shows)


@lru_cache(maxsize=16)
def has_secret_parameter(path: str) -> bool:
    """Return whether the query names a secret."""
    if "=" not in path or not any(map(_SECRET_PARAMETERS.__getitem__, _PARAMETER.findall(path))):
        return False
    return _SECRET_PARAMETER.search(path) is not None


_SECRET_PARAMETERS: Final = Known(lambda name: _SECRET_PARAMETER.match(f"?{name}=x") is not None)


def is_secret_parameter(name: str) -> bool:
    """Return whether a query parameter of this name holds a secret."""
    return _SECRET_PARAMETERS[name]


def mask_query(path: str, token: Token) -> str:
    """Return the path with the values of key-like parameters as tokens."""
    return _SECRET_PARAMETER.sub(lambda match: match["name"] + token(unquote_plus(match["value"])), path)


def query_secrets(path: str) -> Iterator[str]:
    """Yield the values of key-like parameters, as written and decoded."""
    for match in _SECRET_PARAMETER.finditer(path):
        yield match["value"]
        yield unquote_plus(match["value"])


def mask_header(name: str, value: str, token: Token) -> str:
    """Return a secret field's value with its secrets as tokens; schemes, cookie names and attributes stay."""
    kind = name.lower()
    if kind.endswith("authorization"):
        scheme, secret = _scheme(value)
        return scheme + token(secret) if secret else value
    if kind.startswith("cookie"):
        return ";".join(_mask_pair(pair, token) for pair in value.split(";"))
    if kind.startswith("set-cookie"):
        first, separator, attributes = value.partition(";")
        return _mask_pair(first, token) + separator + attributes
    return token(value) if value else value


def header_secrets(name: str, value: str) -> Iterator[str]:
    """Yield each secret that the field holds, in the forms in which a service may repeat it."""
    kind = name.lower()
    if kind.endswith("authorization"):
        scheme, secret = _scheme(value)
        yield secret
        if scheme.strip().lower() == "basic":
            yield from _basic(secret)
    elif kind.startswith("cookie"):
        for pair in value.split(";"):
            yield from _cookie(pair)
    elif kind.startswith("set-cookie"):
        yield from _cookie(value.partition(";")[0])
    else:
        yield value


def _scheme(value: str) -> tuple[str, str]:
    """Split `Bearer abc` behind the scheme and its spaces; a lone word is all secret."""
    word, _, rest = value.strip().partition(" ")
    return (f"{word} ", rest.strip()) if rest.strip() else ("", word)


def _basic(secret: str) -> Iterator[str]:
    try:
        decoded = base64.b64decode(secret, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return
    yield decoded
    yield decoded.partition(":")[2]


def _cookie(pair: str) -> Iterator[str]:
    value = pair.partition("=")[2].strip()
    yield value
    yield value.strip('"')
    yield unquote(value.strip('"'))


def _mask_pair(pair: str, token: Token) -> str:
    name, separator, value = pair.partition("=")
    if not separator:
        # A cookie without a name is all value.
        return token(name.strip()) if name.strip() else pair
    return f"{name}={token(value.strip())}" if value.strip() else pair
