"""Expressions: RFC 9535 filter expressions over one side's answer and the request, with `@` implied.

status >= 500 || body.errors
request.json.operationName == 'Checkout'
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from jsonpath.exceptions import JSONPathError

from replay.errors import LocationError
from replay.locations import ROOTS, Filtering, only_filter, told
from replay.models import Headers, Json, Observation, Request

_NAMES: Final = (*ROOTS, "request")
_WORDS: Final = ("true", "false", "null")
_TOKEN: Final = re.compile(
    r"""
    (?P<quoted> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
  | (?P<header> \b headers \. [A-Za-z0-9_-]+ )
  | (?P<inner>  [.@$] \s* [^\W\d][\w-]* )
  | (?P<number> -? \d+ (?:\.\d+)? (?:[eE][+-]?\d+)? )
  | (?P<called> [A-Za-z_]\w* (?= \s*\( ) )
  | (?P<name>   [^\W\d]\w* )
    """,
    re.VERBOSE,
)


_NUMBERS: Final = re.compile(r"\$\['(status|latency_ms)'\]")
_TEXTS: Final = re.compile(
    r"\$(\['request'\]\['(?:method|path|text)'\]|(?:\['request'\])?\['(?:headers|query)'\]\['.*'\])"
)

_QUOTED: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_CHAIN: Final = re.compile(rf"(?<![\w.@$-])(?:@\.)?({'|'.join((*ROOTS, 'request'))})((?:\.[^\W\d][\w-]*)*)")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    _asked: Filtering
    asks_answer: bool = False
    """Whether it asks about more than the request."""

    def holds(self, document: Json, *, undecided: bool = False) -> bool:
        """Tell whether it holds for a document made by `document_of`. A name alone asks whether it is there at all.

        `undecided` is the answer where the document is too deep, or a pattern runs away.
        """
        return self._asked.holds(document, undecided=undecided)

    def may_read(self, path: Sequence[str]) -> bool:
        """Tell whether it may look at what stands at a path, such as `request`, `headers`, `authorization`.

        Where it names what holds that place, or searches, it may.
        """
        bare = _QUOTED.sub("", self.text)
        if any(sign in bare for sign in ("[", "*", "..")):
            return re.search(rf"\b{re.escape(path[0])}\b", self.text) is not None or "@[" in bare or "@.." in bare
        chains = [[root, *rest.lower().split(".")[1:]] for root, rest in _CHAIN.findall(bare)]
        wanted = [part.lower() for part in path]
        return any(all(map(str.__eq__, chain, wanted)) for chain in chains)

    def decided(self, document: Json) -> bool | None:
        """Tell whether it holds; None where the document is too deep, or a pattern runs away."""
        return self._asked.decided(document)

    @property
    def roots(self) -> frozenset[str]:
        """Return what it asks about by name: `request`, or a part of an answer."""
        return frozenset(_roots(self.text))


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """Read an expression. Raise LocationError, telling what is wrong and what to write instead."""
    try:
        asked = only_filter(_TOKEN.sub(_rooted, text))
    except JSONPathError as error:
        hint = "compare as in status >= 500 || body.outcome == 'declined'"
        raise LocationError(f"'{text}' is no expression: {told(error)}", hint=hint) from None
    _require_comparable(text, asked)
    return Expression(text, asked, any(map(_is_of_answer, _TOKEN.finditer(text))))


def _require_comparable(text: str, asked: Filtering) -> None:
    """Raise LocationError for what is always a number beside a text, or a text beside a number: they are never equal.

    Such a comparison never holds, or always, and nobody would be told.
    """
    for place, literal in asked.comparisons():
        is_text = isinstance(literal, str)
        if _NUMBERS.fullmatch(place) and (is_text or isinstance(literal, bool)):
            fact, hint = "a number and compared with something else", "write a number without quotes: status >= 500"
        elif _TEXTS.fullmatch(place) and not is_text:
            fact = "a text and compared with something else"
            hint = "a text equals a text, == '2', or matches a pattern, match(request.query.page, '[2-9]')"
        else:
            continue
        name = ".".join(re.findall(r"\['(.*?)'\]", place))
        raise LocationError(f"in '{text}', {name} is {fact}", hint=hint)


def _is_of_answer(found: re.Match[str]) -> bool:
    return found.lastgroup == "header" or (found.lastgroup == "name" and found[0] in ROOTS)


def _roots(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "header":
            yield "headers"
        elif found.lastgroup == "name" and found[0] not in _WORDS:
            yield found[0]
        elif found.lastgroup == "inner" and _is_whole(text[: found.start()]):
            yield found[0].lstrip(". \t\n")


def _is_whole(before: str) -> bool:
    """Tell whether a name stands behind the `@` that is the whole, and not behind that of a filter within."""
    return before.endswith("@") and before.count("[") == before.count("]")


def _rooted(found: re.Match[str]) -> str:
    text = found[0]
    if found.lastgroup == "header":
        return f"@.{text.lower()}"
    if found.lastgroup != "name" or text in _WORDS:
        return text
    if text not in _NAMES:
        near = difflib.get_close_matches(text, _NAMES, n=1) or [f"body.{text}"]
        raise LocationError(f"'{text}' is nothing that an expression can ask about", hint=f"did you mean '{near[0]}'?")
    return f"@.{text}"


def document_of(request: Request, observation: Observation, body: Json, request_body: Json) -> dict[str, Any]:
    """Return what expressions see; what is not there has no key. Bodies are passed in as they were read."""
    seen = {
        "status": observation.status,
        "headers": header_map(observation.headers),
        "body": body,
        "error": observation.error.kind if observation.error else None,
        "latency_ms": observation.timing.latency_ms if observation.timing else None,
    }
    return {"request": request_document(request, request_body)} | {
        key: it for key, it in seen.items() if it is not None
    }


def request_document(request: Request, body: Json) -> dict[str, Any]:
    """Return the request as expressions see it: method, path, query, headers, and json or text."""
    # Not urlsplit: a raw target may be //host, which is a path here, or what no URL can be.
    path, _, query = request.path.partition("#")[0].partition("?")
    seen: dict[str, Any] = {
        "method": request.method,
        "path": path,
        "query": dict(parse_qsl(query, keep_blank_values=True)),
        "headers": header_map(request.headers),
    }
    if body is not None:
        seen["text" if isinstance(body, str) else "json"] = body
    return seen


def header_map(headers: Headers) -> dict[str, str]:
    """Return header values by lower-case name, repeated ones joined as RFC 9110 (5.3) has it."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(several) for name, several in values.items()}
