"""What headers mean, for those that are compared without a rule.

Only these say something that a client acts on and that two correct servers agree about; the rest (dates, servers,
lengths, hops) is compared when a rule names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from replay.compare.reading import is_json_type, media_type
from replay.models import Headers, Json, Observation, Request


@dataclass(frozen=True, slots=True)
class Answered:
    """What a header's meaning may depend on: the request, the side's base URL, and the other headers."""

    request: Request
    base: str | None
    headers: Headers


def header_values(headers: Headers) -> dict[str, tuple[str, ...]]:
    """Return all values by lower-case name, in order."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        key = name.lower()
        values[key] = (*values.get(key, ()), value)
    return values


def _content_type(values: tuple[str, ...], _answered: Answered) -> Json:
    kind, charset = media_type(values[-1])
    _, *parameters = (part.strip() for part in values[-1].split(";"))
    rest = sorted(part.lower() for part in parameters if part and not part.lower().startswith("charset"))
    # JSON is UTF-8 whether or not it says so (RFC 8259, 8.1).
    charset = (charset or "").lower().replace("utf8", "utf-8")
    return [kind or values[-1], "" if is_json_type(kind) and charset == "utf-8" else charset, rest]


def _location(values: tuple[str, ...], answered: Answered) -> Json:
    return [_relative(value, answered) for value in values]


def _relative(url: str, answered: Answered) -> str:
    """Return a URL without the side's own origin: that the two sides live at two addresses is no difference."""
    base = answered.base or "http://localhost"
    hosts = {urlsplit(base).netloc, answered.request.header("host")}
    absolute = urljoin(urljoin(base, answered.request.path), url)
    parts = urlsplit(absolute)
    if parts.scheme in ("http", "https") and parts.netloc in hosts:
        return parts._replace(scheme="", netloc="").geturl() or "/"
    return absolute


_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;\s*[^,;\"]+(?:\"[^\"]*\")?)*)")


def _link(values: tuple[str, ...], answered: Answered) -> Json:
    found = _LINK.findall(", ".join(values))
    return (
        sorted([_relative(url, answered), sorted(_parts(rest, ";"))] for url, rest in found) if found else list(values)
    )


def _directives(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted({part.lower().replace(" ", "") for value in values for part in _parts(value, ",")})


def _methods(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted({part.upper() for value in values for part in _parts(value, ",")})


def _challenges(values: tuple[str, ...], _answered: Answered) -> Json:
    return sorted(" ".join(value.split()) for value in values)


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def cookies(values: tuple[str, ...], answered: Answered) -> dict[str, Json]:
    """Return the attributes of each cookie by its name; its value is a secret and differs by right.

    `Expires` becomes seconds after the answer's `Date`, so that two clocks do not make a difference of a lifetime.
    """
    found: dict[str, Json] = {}
    for value in values:
        pair, *attributes = _parts(value, ";")
        name = pair.partition("=")[0].strip()
        found[name] = dict(_attribute(text, answered.headers) for text in attributes)
    return found


def _attribute(text: str, headers: Headers) -> tuple[str, Json]:
    name, given, value = (part.strip() for part in text.partition("="))
    name = name.lower()
    if name == "expires":
        return name, _lifetime(value, headers)
    return name, (value if name == "path" else value.lower()) if given else True


def _lifetime(value: str, headers: Headers) -> Json:
    try:
        # Netscape's form with dashes, which older servers still send.
        expires = parsedate_to_datetime(re.sub(r"(\d\d)-(\w{3})-(\d{2,4})", r"\1 \2 \3", value))
        if expires.year <= 1971:  # noqa: PLR2004  (the epoch, give or take a zone: the usual way to delete a cookie)
            return "expired"
        date = next((text for name, text in headers if name.lower() == "date"), None)
        if date is None:
            return value
        return f"{round((expires - parsedate_to_datetime(date)).total_seconds(), -1):.0f}s after the answer"
    except (ValueError, TypeError, IndexError):
        return value


MEANINGS: Final[Mapping[str, Callable[[tuple[str, ...], Answered], Json]]] = {
    "content-type": _content_type,
    "location": _location,
    "link": _link,
    "cache-control": _directives,
    "set-cookie": cookies,
    "www-authenticate": _challenges,
    "allow": _methods,
}
"""The headers that are compared by default, and what is compared of them."""


def answered(request: Request, base: str | None, observation: Observation) -> Answered:
    """Return the circumstances of one side's answer."""
    return Answered(request, base, observation.headers)
