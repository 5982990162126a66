"""What one YAML scalar means: JSON's numbers and words where it is unquoted, else the text as written."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

import yaml

from replay.documents.numbers import Numeral, spelled_integer
from replay.documents.text import shown

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, bool | None]] = {"": None, "null": None, "true": True, "false": False}
_FIRST: Final = frozenset("-0123456789")
_CORE: Final = "tag:yaml.org,2002:"


def is_plain(event: yaml.ScalarEvent) -> bool:
    """Return whether a scalar is unquoted and untagged."""
    return event.tag is None and not event.style


def scalar_value(event: yaml.ScalarEvent) -> Any:
    """Return what a scalar means. Raise ValueError(fact, hint) for a tag that is not YAML's own, or does not fit."""
    if event.tag is None or event.tag == "!":
        return plain_value(event.value) if is_plain(event) else event.value
    name = event.tag.removeprefix(_CORE)
    if name == event.tag or name not in _TAGS:
        raise ValueError(f"unknown tag '{shown(event.tag)}'", "remove the tag; text is kept as it is written")
    return _TAGS[name](event.value)


def key_text(event: yaml.ScalarEvent) -> str:
    """Return a key as written, numbers and words too. Raise ValueError(fact, hint) for a merge key or a tag."""
    if event.tag not in (None, "!", f"{_CORE}str"):
        raise ValueError(f"tag '{shown(event.tag)}' on a key", "remove the tag; keys are text")
    if event.value == "<<" and is_plain(event):
        raise ValueError("merge keys (`<<`) are not read", "write the keys out; a key of that name needs quotes")
    return str(event.value)


def plain_value(text: str) -> Any:
    """Return what unquoted text means. Raise ValueError(fact, hint) for a number that nothing can hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST or not (found := _NUMBER.fullmatch(text)):
        return text
    if found.group(1) is None and found.group(2) is None:
        return spelled_integer(text)
    try:
        return Numeral(text)
    except ValueError:
        raise ValueError(f"the exponent of {shown(text)} is too large", "as text, put it in quotes") from None


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("!!binary is not base64", "write it in base64, with its padding") from None


def _typed(name: str, kinds: tuple[type, ...]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = plain_value(text)
        if type(value) not in kinds:
            raise ValueError(f"'{shown(text)}' is no !!{name}", "write it as JSON does")
        return value

    return read


_TAGS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "binary": _binary,
    "int": _typed("int", (int, Numeral)),
    "float": _typed("float", (int, Numeral)),
    "bool": _typed("bool", (bool,)),
    "null": _typed("null", (type(None),)),
}
