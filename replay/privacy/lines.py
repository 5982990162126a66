"""Secrets out of lines that a program prints: those that are known, and what stands after a name that tells of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from replay.privacy.forms import text_replacer
from replay.privacy.headers import is_secret, resembles_secret
from replay.privacy.tokens import TOKEN, Tokeniser

_SCHEME: Final = re.compile(r"\b(Bearer|Basic|Token)(\s+)([A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE)
_NAMED: Final = re.compile(r"""([A-Za-z][A-Za-z0-9_-]{1,60})(["']?\s{0,3}[:=]\s{0,3}["']?)([^\s"',;&]{4,4000})""")
_GIVES: Final = re.compile("[:=]")
_BACKWARDS: Final = re.compile(r"""\s{0,3}["']?[A-Za-z0-9_-]{1,60}[A-Za-z]""")
_REACH: Final = 65
"""Characters before a sign that the longest name, a quote and blanks take."""


def line_redactor(tokeniser: Tokeniser, known: Collection[str]) -> Callable[[str], str]:
    """Return what replaces secrets in a line by their tokens. What it cannot know for one, it leaves."""
    replace_known = text_replacer(tokeniser, known)

    def scheme(found: re.Match[str]) -> str:
        return found[1] + found[2] + tokeniser.token(found[3])

    return lambda line: without_named(_SCHEME.sub(scheme, replace_known(line)), tokeniser.token)


def without_named(line: str, token: Callable[[str], str]) -> str:
    """Return a line with tokens in place of what stands after a name that tells of a secret: `password: x`, `pwd=x`."""
    pieces, last = [], 0
    for found in _named(line):
        name, between, value = found.groups()
        secret = is_secret(name.lower().replace("_", "-")) or resembles_secret(name)
        # `Authorization: Bearer` is followed by what the scheme has already seen to.
        if secret and not TOKEN.search(value):
            pieces += [line[last : found.start()], name, between, token(value)]
            last = found.end()
    return "".join([*pieces, line[last:]]) if pieces else line


def _named(line: str) -> Iterator[re.Match[str]]:
    """Yield each name with its value, as a search for the pattern would from the left.

    Names are read backwards from the sign behind them: a search would begin one at each letter of a long word.
    """
    last = 0
    for sign in _GIVES.finditer(line):
        at = sign.start()
        before = _BACKWARDS.match(line[max(last, at - _REACH) : at][::-1]) if at >= last else None
        found = None if before is None else _NAMED.match(line, at - before.end())
        if found is not None:
            last = found.end()
            yield found
