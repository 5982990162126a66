"""Rules and values in YAML as people write them: one line, in which nothing means more than it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from replay.documents import dump_json

_PLAIN: Final = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
"""What some readers of YAML take for something else than text."""
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def rule_text(rule: Mapping[str, Any], *, expands: bool = True) -> str:
    """Return a rule as one line of YAML. Where the file `expands` variables, as settings do, none is meant by it."""
    return "{" + ", ".join(f"{key}: {value_text(value, expands=expands)}" for key, value in rule.items()) + "}"


def toml_rule(rule: Mapping[str, Any]) -> str:
    """Return a rule as one line of TOML. Raise ValueError for null, which TOML cannot say."""
    return _toml({key: value for key, value in rule.items() if value is not None})


def _toml(value: Any) -> str:
    if value is None:
        raise ValueError("TOML has no null")
    if isinstance(value, str):
        return '"' + "".join(map(_character, value.replace("$", "$$"))) + '"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list | tuple) else dump_json(value)


def _toml_key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and "." not in key else _toml(key)


def value_text(value: Any, *, expands: bool = False) -> str:
    """Return a JSON value in one line of YAML that our reader reads back as the same, numbers to the digit."""
    if isinstance(value, str):
        return text_of(value.replace("$", "$$") if expands else value)
    if isinstance(value, Mapping):
        members = (f"{text_of(key)}: {value_text(item, expands=expands)}" for key, item in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(item, expands=expands) for item in value) + "]"
    return dump_json(value)


def text_of(text: str) -> str:
    """Return a text, in quotes unless it is a plain word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    return char if char.isprintable() else f"\\U{ord(char):08X}"
