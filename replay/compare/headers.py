"""What headers mean, for those that are compared without a rule.

Only these say something that a client acts on and that two correct servers agree about; the rest (dates, servers,
lengths, hops) is compared when a rule names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from replay.compare.cookies import cookies
from replay.compare.fields import challenges, links, parameters, split_list
from replay.compare.reading import is_json_type, media_type
from replay.models import Headers, Json, Request

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a header's meaning may depend on: the request, the side's base URL, and the other headers."""

    request: Request
    base: str | None
    headers: Headers


def header_values(headers: Headers) -> dict[str, tuple[str, ...]]:
    """Return all values by lower-case name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return {name: tuple(several) for name, several in values.items()}


def _content_type(values: tuple[str, ...], _answered: Answered) -> Json:
    return [_type_of(value) for value in values]


def _type_of(value: str) -> Json:
    kind, charset = media_type(value)
    given = parameters(value.partition(";")[2])
    if not kind or given is None:
        return value
    rest = [pair for pair in given if pair[0] != "charset"]
    # JSON is UTF-8 whether or not it says so (RFC 8259, 8.1).
    charset = (charset or "").lower().replace("utf8", "utf-8")
    return [kind, "" if is_json_type(kind) and charset == "utf-8" else charset, rest]


def _location(values: tuple[str, ...], answered: Answered) -> Json:
    return [_relative(value, answered) for value in values]


def _relative(url: str, answered: Answered) -> str:
    """Return a URL without the side's own origin: that the two sides live at two addresses is no difference.

    The scheme belongs to the origin: a redirect from https to http is one.
    """
    base = answered.base or "http://localhost"
    if url.lstrip().startswith(("///", "\\")) or "@" in url.partition("?")[0]:
        return url  # what clients make of it, none of them as the other, is worth every difference
    try:
        absolute = urljoin(urljoin(base, answered.request.path), url)
        parts, own = urlsplit(absolute), urlsplit(base)
        named = urlsplit(f"{own.scheme}://{answered.request.header('host') or own.netloc}")
        if _origin(parts) in (_origin(own), _origin(named)):
            return parts._replace(scheme="", netloc="").geturl() or "/"
    except ValueError:
        return url  # brackets or a port that no URL has: there is nothing to be relative to
    return absolute


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _link(values: tuple[str, ...], answered: Answered) -> Json:
    found = links(", ".join(values))
    return list(values) if found is None else sorted([_relative(url, answered), given] for url, given in found)


def _directives(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted({part.lower().replace(" ", "") for value in values for part in split_list(value)})


def _names(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted({part.lower() for value in values for part in split_list(value)})


def _disposition(values: tuple[str, ...], _answered: Answered) -> Json:
    return [_disposed(value) for value in values]


def _disposed(value: str) -> Json:
    kind, _, rest = value.partition(";")
    given = parameters(rest)
    return value if given is None else [kind.strip().lower(), given]


def _methods(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted({part.upper() for value in values for part in split_list(value)})


def _challenges(values: tuple[str, ...], _answered: Answered) -> Json:
    found = challenges(", ".join(values))
    if found is None:
        return list(values)
    return [(scheme, [(name, _challenged(name, value)) for name, value in given]) for scheme, given in found]


def _challenged(name: str, value: str) -> str:
    return value.lower() if name == "stale" else value  # a flag in any case, as RFC 7616 (3.3) has it


def _cookies(values: tuple[str, ...], answered: Answered) -> Json:
    return cookies(values, answered.headers)


MEANINGS: Final[Mapping[str, Callable[[tuple[str, ...], Answered], Json]]] = {
    "content-type": _content_type,
    "location": _location,
    "link": _link,
    "cache-control": _directives,
    "set-cookie": _cookies,
    "www-authenticate": _challenges,
    "allow": _methods,
}
"""The headers that are compared by default, and what is compared of them."""

NAMED: Final[Mapping[str, Callable[[tuple[str, ...], Answered], Json]]] = {
    **MEANINGS,
    "vary": _names,
    "content-disposition": _disposition,
}
"""What is compared of headers that a golden names, where that is not their text."""
