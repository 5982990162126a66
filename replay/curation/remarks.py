"""Comments in YAML files: where they stand, so that what is taken out or written anew leaves them there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import yaml

_REMARK: Final = re.compile(r"#[^\n]*")
_OF_HEAD: Final = re.compile(r"[|>][^\n#]*[ \t](#[^\n]*)")
"""A comment behind the sign that begins a text of several lines."""


def kept_remarks(text: str, start: int, end: int, margin: str) -> str:
    """Return the comments of a part of a YAML text, each in a line of its own."""
    if "#" not in text[start:end]:
        return ""
    return "".join(f"{margin}{remark}\n" for at, remark in _remarks(text) if start <= at < end)


@lru_cache(maxsize=2)
def _remarks(text: str) -> tuple[tuple[int, str], ...]:
    """Return each comment with where it begins: what stands between two tokens is either one, or blank."""
    found, before = list[tuple[int, str]](), 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start = token.start_mark.index
        found += [(before + it.start(), it[0].rstrip()) for it in _REMARK.finditer(text[before:start])]
        if isinstance(token, yaml.ScalarToken) and (head := _OF_HEAD.match(text, start)):
            found.append((head.start(1), head[1].rstrip()))
        before = max(before, token.end_mark.index)
    return tuple(found)
