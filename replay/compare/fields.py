"""The grammar of header fields: lists, parameters, links and challenges, with quoted strings in them."""

from __future__ import annotations

import re
from typing import Final

_QUOTED = r'"(?:[^"\\]|\\.)*"'
# A quote or bracket that is never closed reaches to the end: looking for its end again and again would take for ever.
_PIECE: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|<[^>]*+>?|[^"<,;]++|.', re.DOTALL)
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER: Final = re.compile(rf"\s*({_WORD})\s*(?:=\s*({_QUOTED}|[^\s;,\"]*))?\s*")
_LINK: Final = re.compile(r"\s*<([^>]*)>\s*")
_SCHEME: Final = re.compile(rf"\s*({_WORD})(?:\s+|(?=,)|\Z)")
_TOKEN68: Final = re.compile(r"\s*([A-Za-z0-9._~+/-]+=*)\s*(?=,|\Z)")
_EMPTY: Final = re.compile(r"[\s,]*")
_NAMED: Final = re.compile(rf"{_WORD}\s*=")
_GIVEN: Final = re.compile(rf"{_WORD}\s*=\s*[^=,\s]")

Parameters = list[tuple[str, str]]


def split_list(text: str, separator: str = ",") -> list[str]:
    """Return the elements of a list; a separator in a quoted string or in <> is none. Empty ones are left out."""
    parts: list[list[str]] = [[]]
    for found in _PIECE.finditer(text):
        if found[0] == separator:
            parts.append([])
        else:
            parts[-1].append(found[0])
    joined = ("".join(pieces).strip() for pieces in parts)
    return [part for part in joined if part]


def unquoted(text: str) -> str:
    """Return the content of a quoted string, and anything else as it is (RFC 9110, 5.6.4)."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def parameters(text: str, separator: str = ";") -> Parameters | None:
    """Return `a=b; c="d"` as pairs, names in lower case, sorted; None if it is something else."""
    found = [_PARAMETER.fullmatch(part) for part in split_list(text, separator)]
    return sorted((it[1].lower(), unquoted(it[2] or "")) for it in found if it) if all(found) else None


def links(text: str) -> list[tuple[str, Parameters]] | None:
    """Return the targets and parameters of a Link field (RFC 8288, 3); None if any of it does not parse."""
    found = []
    for part in split_list(text):
        link = _LINK.match(part)
        given = parameters(part[link.end() :]) if link else None
        if link is None or given is None:
            return None
        found.append((link[1], given))
    return found


def challenges(text: str) -> list[tuple[str, Parameters]] | None:
    """Return the schemes of a WWW-Authenticate field and their parameters (RFC 9110, 11.3); None if it does not parse.

    A comma parts both challenges and parameters: what has the form `name=` is a parameter of the scheme before it.
    """
    found: list[tuple[str, Parameters]] = []
    at = len(_EMPTY.match(text)[0])  # type: ignore[index]  # it matches anything
    while at < len(text):
        scheme = None if _NAMED.match(text, at) else _SCHEME.match(text, at)
        if scheme is not None:
            found.append((scheme[1].lower(), []))
            at = scheme.end()
            token = _TOKEN68.match(text, at)
            # `Basic` alone may be followed by another scheme; a token ends its challenge.
            if token is not None and not _GIVEN.match(text, at):
                found[-1][1].append(("", token[1]))
                at = token.end()
        else:
            given = _PARAMETER.match(text, at)
            if given is None or not found or given[2] is None:
                return None
            found[-1][1].append((given[1].lower(), unquoted(given[2])))
            at = given.end()
        at += len(_EMPTY.match(text, at)[0])  # type: ignore[index]  # it matches anything
    return sorted((name, sorted(given)) for name, given in found)
