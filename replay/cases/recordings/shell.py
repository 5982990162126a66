"""A shell script as commands and words, for commands that somebody copied; nothing in it is ever run or expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from replay.cases.recordings.base import FlawError, UnusableError

_PART = re.compile(
    r"(?P<space>[ \t\r]+|\\\r?\n)"
    r"|(?P<end>\n|;|&&?|\|\|?)"
    r"|(?P<comment>(?<![^\s;&|])\#[^\n]*)"
    r"|\$'(?P<ansi>(?:[^'\\]|\\.)*)'"
    r"|'(?P<single>[^']*)'"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"'
    r"|\\(?P<escaped>.)"
    r"|(?P<plain>[^\s;&|'\"\\]+)",
    re.DOTALL,
)
_EXPANDED = re.compile(r"(?<!\\)(?:\\\\)*(?:\$(?=[A-Za-z_({0-9?*@#!$-])|`)")
_DOUBLE_ESCAPE = re.compile(r'\\([$`"\\]|\n)')
_ANSI_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
_ANSI: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


@dataclass(slots=True)
class Command:
    """One command: its words, and the line on which it begins."""

    line: int
    words: list[str] = field(default_factory=list)
    expands: bool = False
    """Something in it is a variable or another command's output: what it says is not known."""


def commands(script: str) -> Iterator[Command]:
    """Yield each command that has words. Raise FlawError for a quotation that is never closed."""
    at, line = 0, 1
    command, word = Command(1), None
    while at < len(script):
        found = _PART.match(script, at)
        if found is None:
            raise FlawError("malformed", "a quotation is never closed", line=line)
        kind = str(found.lastgroup)
        if kind in _TEXT:
            if not command.words and word is None:
                command.line = line
            command.expands |= kind in ("double", "plain") and _EXPANDED.search(found[kind]) is not None
            word = (word or "") + _unquoted(kind, found[kind])
        elif word is not None:
            command.words.append(word)
            word = None
        if kind == "end" and command.words:
            yield command
            command = Command(line)
        line += found[0].count("\n")
        at = found.end()
    if word is not None:
        command.words.append(word)
    if command.words:
        yield command


_TEXT: Final = frozenset(("ansi", "single", "double", "escaped", "plain"))


def _unquoted(kind: str, text: str) -> str:
    if kind == "double":
        return _DOUBLE_ESCAPE.sub(lambda found: "" if found[1] == "\n" else found[1], text)
    return _ANSI_ESCAPE.sub(_ansi, text) if kind == "ansi" else text


def _ansi(found: re.Match[str]) -> str:
    *codes, octal, other = found.groups()
    code = next((code for code in codes if code), None)
    if code or octal:
        number = int(code, 16) if code else int(octal, 8)
        if number > 0x10FFFF:  # noqa: PLR2004 - the last code point
            raise UnusableError("malformed quotation")
        return chr(number)
    return _ANSI.get(other, other if other in "\\'\"?" else f"\\{other}")
