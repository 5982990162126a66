"""What a Set-Cookie field means: which cookies it sets, and with which attributes."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from replay.models import Headers, Json


def cookies(values: tuple[str, ...], headers: Headers) -> dict[str, Json]:
    """Return the attributes of each cookie by its name; of one that is set several times, a list of them, in order.

    A cookie's value is a secret and differs by right; only that it is empty is kept. `Expires` becomes seconds after
    the answer's `Date`, so that two clocks do not make a difference of a lifetime.
    """
    found: dict[str, list[Json]] = {}
    for text in values:
        pair, *attributes = (part.strip() for part in text.split(";"))
        name, given, value = (part.strip() for part in pair.partition("="))
        empty = {} if value or not given else {"value": ""}
        found.setdefault(name, []).append(empty | dict(_attribute(it, headers) for it in attributes if it))
    return {name: them[0] if len(them) == 1 else them for name, them in found.items()}


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
    except (ValueError, TypeError, IndexError, OverflowError):
        return value
