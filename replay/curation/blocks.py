"""JSON values in YAML as people write them: in lines, of which what fits into one stands in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replay.curation.spelling import text_of, value_text

WIDE: Final = 110
"""Columns up to which a value stands in one line."""


def block_lines(value: Any) -> list[str]:
    """Return a mapping or a list in lines: what fits into one, stands in one."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _member(f"{text_of(key)}:", item)]
    return [line for item in value for line in item_lines(item)]


def _member(key: str, value: Any) -> list[str]:
    short = value_text(value)
    if isinstance(value, str) and (literal := _literal(value)):
        return [f"{key} {literal[0]}", *(f"  {line}" if line else "" for line in literal[1:])]
    if len(key) + len(short) < WIDE or not is_block(value):
        return [f"{key} {short}"]
    return [key, *(f"  {line}" for line in block_lines(value))]


def item_lines(value: Any) -> list[str]:
    """Return an item of a list in lines, behind its dash."""
    short = value_text(value)
    if len(short) < WIDE or not is_block(value):
        return [f"- {short}"]
    first, *rest = block_lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def is_block(value: Any) -> bool:
    """Tell whether a value has parts that could stand in lines of their own."""
    return bool(value) and isinstance(value, Mapping | list | tuple)


def _literal(text: str) -> list[str]:
    """Return a text of several lines as a block that is read as written; nothing where it could not be."""
    if "\n" not in text.rstrip("\n") or text.endswith("\n\n") or text.startswith((" ", "\n", "\t")):
        return []
    lines = text.removesuffix("\n").split("\n")
    if not all(line.isprintable() and not line.startswith("\t") for line in lines) or any(
        not c.strip() and c for c in lines
    ):
        return []
    return ["|" if text.endswith("\n") else "|-", *lines]
