"""How names and their secrets are written where nothing is a member of JSON: forms, markup, logs, settings, code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from replay.privacy.headers import Known
from replay.privacy.names import BARE, names_phone, names_secret, telling_lines

By = Callable[[re.Match[str]], str]
"""From what goes before, a name and a value (the first, second or third, and last group) to what is kept of them."""

_LONGEST: Final = 61
"""Characters of a name that is looked at before a sign."""
_PART: Final = re.compile(r'(\bname="?([^"\r\n;]{1,100})"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)([^\r\n]{1,8000})')
_ELEMENT: Final = re.compile(r"(<(?:[\w-]+:)?([\w.-]{1,100})(?:\s[^<>]{0,500})?>)([^<>]{1,8000})(?=</)")
_INPUT: Final = re.compile(
    r"""(<input\b[^<>]{0,500}?\bname=["']?([\w.-]{1,100})["']?[^<>]{0,500}?\bvalue=["'])([^"'<>]{1,4000})""",
    re.IGNORECASE,
)
_QUOTED_NAME: Final = re.compile(r"[\"'] ?:")
_QUOTED: Final = re.compile(
    r"((?:'([\w.-]{1,100})'|\"([\w.-]{1,100})\")[ ]{0,2}:[ ]{0,2}(?P<quote>[\"']))"
    r"((?>(?:(?!(?P=quote))[^\\\r\n]){1,4000}))"  # Not {1,4000}+: before Python 3.11.5, that takes the quote, too.
)
_ASSIGNED: Final = re.compile(r"((?<![\w&?;.-])([A-Za-z][\w.-]{1,60})=[\"']?)([^\s\"'&;,<>=]{4,4000})")
"""What logs and programs write: `'password': 'x'` and `password=x`."""
_LITERAL: Final = re.compile(
    r"((?<![\w$.\"'-])([A-Za-z]\w{1,60}+)[ ]{0,2}:[ ]{0,2}(?P<quote>[\"']))"
    r"((?>(?:(?!(?P=quote))[^\\\r\n]|\\.){1,4000}))"
)
"""What GraphQL and programs write: `login(password: "x")`."""
_LINE: Final = re.compile(
    r"(?m)([ \t]*+(?:-[ \t]+)?[\"']?([A-Za-z][\w.-]{1,60}+)[\"']?"
    r"(?:[ \t]{0,20}:[ \t]{1,20}|[ \t]{1,20}=[ \t]{0,20}|=[ \t]{1,20})[\"']?)"
    r"((?<=\")[^\"\r\n]{1,4000}(?=\")|(?<=')[^'\r\n]{1,4000}(?=')"
    r"|(?<![\"'])(?!(?i:null|true|false|none|string|required|optional)[,;]?\s)(?:(?:Bearer|Basic|Token)[ ]{1,4})?"
    r"[^\s\"'{\[|>&*!#][^\s\"']{3,4000}+(?=[ \t]*(?:[#;][^\r\n]*)?\r?$))"
)
"""What YAML, INI and TOML write: `password: x` and `password = x`, one word or quoted, on a line of its own."""
NAMED: Final = (_PART, _ELEMENT, _INPUT)
"""Parts of forms, elements and inputs: what goes before, the name, the value."""
_BACKWARDS: Final = re.compile(r"[\w.-]{2,61}")
_TAG: Final = re.compile(r"<(?:[\w-]+:)?([A-Za-z_][\w.-]{0,99})")
_TELLING: Final = Known(lambda name: names_secret(name) or names_phone(name))
_SIGNS: Final[tuple[Callable[[str], object], ...]] = (
    lambda text: "name=" in text and "\n" in text,
    lambda text: "</" in text and any(map(_TELLING.__getitem__, set(_TAG.findall(text)))),
    lambda text: "<input" in text.lower(),
)
"""What a text has to show for each of them to be looked for: that is quicker than to look."""


def in_markup(text: str, by: By) -> str:
    """Return a text with what is kept of parts of forms, elements and inputs."""
    for sign, pattern in zip(_SIGNS, NAMED, strict=True):
        if sign(text):
            text = pattern.sub(by, text)
    return text


def quoted(text: str, by: By) -> str:
    """Return a text with what is kept of `'password': 'x'`."""
    return _QUOTED.sub(by, text)


def assigned(text: str, by: By) -> str:
    """Return a text with what is kept of what logs and programs write: `'password': 'x'` and `password=x`."""
    if ":" in text and _QUOTED_NAME.search(text):
        text = quoted(text, by)
    return _ASSIGNED.sub(by, text) if "=" in text and any(map(_TELLING.__getitem__, _assigned(text))) else text


def on_lines(text: str, by: By, unless: Callable[[str], bool] = lambda _: False) -> str:
    """Return a text with what is kept of values as GraphQL, YAML, INI and TOML write them, `unless` it is none."""
    bare, lines = BARE.search(text), telling_lines(text)
    if not (bare or lines) or unless(text):
        return text
    if bare:
        text = _LITERAL.sub(by, text)
        lines = telling_lines(text)
    pieces, last = [], 0
    for found in filter(None, (_LINE.match(text, start) for start in lines)):
        pieces += [text[last : found.start()], by(found)]
        last = found.end()
    return "".join([*pieces, text[last:]]) if pieces else text


def is_json(text: str) -> bool:
    """Tell whether a text is JSON; GraphQL that begins with a brace is none."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _assigned(text: str) -> set[str]:
    """Return the names before each `=`, read backwards from there: no pattern would be as quick."""
    names = (_BACKWARDS.match(before[: -_LONGEST - 1 : -1]) for before in text.split("=")[:-1])
    return {found[0][::-1] for found in names if found is not None}
