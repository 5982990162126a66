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
    r".*(?:token|secret|password|passwd|api[-_.]?key|access[-_.]?key|signature|credential)s?"
    r"|pwd|sig|jwt|auth|authorization",
    re.IGNORECASE | re.DOTALL,
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_MEMBER: Final = re.compile(
    r"(?:.*-)?(?:pwd|pass|pin|cvv2?|cvc2?|t?otp|ssn|private-key|sig|api-?key|connection-string|pass-?codes?"
    r"|(?:php|j)?sess(?:ion)?-?id|pass-?words?(?:-?\d|-(?:confirm(?:ation)?|repeat|again))?"
    r"|(?:pass-?word|passwd|pwd|pass)-?(?:hash(?:ed)?|digest|salt)"
    r"|(?:mfa|2fa|tfa|t?otp|two-factor|one-time|verification|security|recovery|backup)-?(?:codes?|pin|pass-?(?:word|code)))"
)
_PARAMETER: Final = re.compile(r"[?&;]([^=&#;?\s]*)=")
_VALUE: Final = re.compile(r"[^&#;\s\"'<>]+")
_SESSION: Final = re.compile(r"[a-z]*sess(?:ion)?id", re.IGNORECASE)
_SESSION_VALUE: Final = re.compile(r"[^&#;?/\s\"'<>]+")
_INNER_PARAMETER: Final = re.compile(r"%(?:25)?(?:3F|26|3B)([\w.-]{1,100})%(?:25)?3D", re.IGNORECASE)
"""One of a URL that is itself the value of a parameter: `next=http%3A%2F%2Fhost%2F%3Ftoken%3D...`."""
_INNER_VALUE: Final = re.compile(r"(?:(?!%(?:25)?(?:26|23|3B))[^&#;\s\"'<>])+", re.IGNORECASE)
_FORM: Final = re.compile(r"[\w%][^&=\s\"'<>;]*=[^&\s]*(?:&[^&\s]*)*\s{0,2}")
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


def hyphened(name: str) -> str:
    """Return a name as headers are written: `accessToken`, `ACCESS_TOKEN` and `access[token]` are `access-token`."""
    return re.sub(r"[\s_.\[\]-]+", "-", _HUMP.sub("-", name)).strip("-").lower()


def is_secret_member(name: str) -> bool:
    """Return whether a member or a field of this name holds a secret."""
    return _SECRET_MEMBERS[name]


def _holds_secret(name: str) -> bool:
    written = hyphened(name)
    return is_secret(written) or _SECRET_MEMBER.fullmatch(written) is not None


_SECRET_MEMBERS: Final = Known(_holds_secret)


@lru_cache(maxsize=16)
def has_secret_parameter(path: str) -> bool:
    """Return whether the query names a secret."""
    return next(_parameters(path), None) is not None


def _parameters(path: str) -> Iterator[tuple[int, int, str]]:
    """Yield where the value of a key-like parameter begins and ends, and what it is."""
    if "=" not in path:
        return
    yield from _valued(path, _PARAMETER, _VALUE, unquote_plus)
    if "%" in path:
        yield from _valued(path, _INNER_PARAMETER, _INNER_VALUE, lambda value: unquote_plus(unquote(value)))


def _valued(
    path: str, names: re.Pattern[str], values: re.Pattern[str], meant: Callable[[str], str]
) -> Iterator[tuple[int, int, str]]:
    last = 0
    for name in names.finditer(path):
        # A session of a path ends where the query begins.
        values_of = _SESSION_VALUE if path[name.start()] == ";" and _SESSION.fullmatch(name[1]) else values
        value = values_of.match(path, name.end()) if name.start() >= last and is_secret_parameter(name[1]) else None
        if value is not None:
            last = value.end()
            yield *value.span(), meant(value[0])


def resembles_secret(name: str) -> bool:
    """Return whether a name says so plainly that it is a secret's that it does in any text."""
    return _SECRET_PARAMETER.fullmatch(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Return whether a query parameter of this name, as it is written, holds a secret."""
    return _SECRET_PARAMETERS[name]


def _names_secret(name: str) -> bool:
    meant = unquote_plus(name)
    return resembles_secret(meant) or is_secret_member(meant)


_SECRET_PARAMETERS: Final = Known(_names_secret)


def mask_query(path: str, token: Token) -> str:
    """Return the path with the values of key-like parameters as tokens."""
    pieces, last = [], 0
    for start, end, value in sorted(_parameters(path)):
        if start >= last:
            pieces += [path[last:start], token(value)]
            last = end
    return "".join([*pieces, path[last:]]) if pieces else path


def mask_form(text: str, token: Token) -> str:
    """Return a form, or a text like one, with the values of key-like fields as tokens."""
    if not _FORM.fullmatch(text):
        return mask_query(f"?{text}", token)[1:]
    # Only `&` ends a value there: not every client writes a quote or `;` by its percent sign.
    return "&".join(mask_field(field, token) for field in text.split("&"))


def mask_field(field: str, token: Token) -> str:
    """Return a field of a form or a query, `name=value`, with a token for what is secret by its name."""
    name, equals, value = field.partition("=")
    if not value.strip() or not is_secret_parameter(name):
        return mask_query(f"?{field}", token)[1:]
    meant = value.rstrip()
    return name + equals + token(unquote_plus(meant)) + value[len(meant) :]


def query_secrets(path: str) -> Iterator[str]:
    """Yield the values of key-like parameters, as written and decoded."""
    for start, end, value in _parameters(path):
        yield path[start:end]
        yield value


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
