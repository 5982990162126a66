"""Which members of JSON, fields of forms and elements of markup hold secrets or telephone numbers, by their names."""

from __future__ import annotations

import re
from typing import Final

from replay.privacy.headers import Known, hyphened, is_secret_member

_MEMBER: Final = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]|\[\?[^\]]*\]")
SECRET: Final = "secret"  # noqa: S105 - a name
"""The name under which everything is secret."""
_HOLDER: Final = re.compile(r"(?:.*-)?(?:cookies|credentials|secrets|passwords|tokens|api-keys)")
_PHONE: Final = re.compile(
    r"(?:.*-)?(?:tele)?(?:phone|mobile|fax|msisdn|tel|cell|telefon|handy)(?:-?(?:number|no|nr))?s?"
)


_LINE_NAME: Final = re.compile(r"\n[ \t]*+(?:-[ \t]+)?[\"']?([A-Za-z][\w.-]{1,60}+)[\"']?[ \t]{0,20}[:=]")
BARE: Final = re.compile(r":(?:(?<=\w:)|(?<=\w :))[ ]{0,2}\\?[\"']")
"""A text behind a name without quotes: `password: "x"`. JSON has none."""


_HOLDERS: Final = Known(lambda name: _HOLDER.fullmatch(hyphened(name)) is not None)
_PHONES: Final = Known(lambda name: _PHONE.fullmatch(hyphened(name)) is not None)


def names_secret(name: str) -> bool:
    """Tell whether what is called so is a secret."""
    return is_secret_member(name)


def names_secrets(name: str) -> bool:
    """Tell whether all that lies below a member of this name is secret."""
    return _HOLDERS[name]


def names_phone(name: str) -> bool:
    """Tell whether what is called so is a telephone number."""
    return _PHONES[name]


def telling_lines(text: str) -> list[int]:
    """Return where lines begin with the name of a secret or a telephone number, and something that gives it a value."""
    if not (": " in text or "= " in text or " =" in text or ":\t" in text):
        return []
    # With its end before each line, where a pattern is found far sooner than at the begin of one.
    return [found.start() for found in _LINE_NAME.finditer(f"\n{text}") if _TELLING[found[1]]]


_TELLING: Final = Known(lambda name: names_secret(name) or names_phone(name))


def telling_name(at: str) -> str:
    """Return the name of the nearest member at a location, or `secret` where all below one above it is."""
    names = [found[1] or found[2] for found in _MEMBER.finditer(at) if found[1] or found[2]]
    return SECRET if any(map(names_secrets, names)) else names[-1] if names else ""
