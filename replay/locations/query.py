"""JSONPath as replay speaks it: RFC 9535, with numbers and names that keep every digit and character.

The library reads literals as doubles, so that `@.id==9007199254740993` would select the neighbour; and it knows no
escape for control characters and lone surrogates, which hostile documents do have as names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError, JSONPathRecursionError, JSONPathSyntaxError
from jsonpath.filter import BaseExpression, FloatLiteral, IntegerLiteral
from jsonpath.parse import Parser
from jsonpath.path import JSONPath
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import Filter
from jsonpath.stream import TokenStream
from jsonpath.token import Token

from replay.errors import LocationError
from replay.locations.certain import broken_pattern, comparisons
from replay.locations.patience import limited
from replay.models import Json

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_SHORT: Final = 30
_QUOTED: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_PATTERN_FUNCTION: Final = re.compile(r"\b(?:match|search)\s*\(")


class _ExactParser(Parser):
    """Reads numbers as JSON's are read here, and strings with all of JSON's escapes."""

    def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
        """Read a number; RFC 9535 allows 2e2 where the library asks for an integer."""
        return _number(stream)

    def parse_float_literal(self, stream: TokenStream) -> BaseExpression:
        """Read a number with a fraction or an exponent."""
        return _number(stream)

    def _decode_string_literal(self, token: Token) -> str:
        text = re.sub(
            r"""\\'|"|\\"|\\.""", lambda found: _IN_JSON.get(found[0], found[0]), token.value, flags=re.DOTALL
        )
        try:
            return str(json.loads(f'"{text}"', strict=False))
        except ValueError:
            raise JSONPathSyntaxError("unknown escape in a quoted name", token=token) from None


_IN_JSON: Final = {"\\'": "'", '"': '\\"'}


def _number(stream: TokenStream) -> BaseExpression:
    token = stream.next()
    digits = token.value.lstrip("-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        raise JSONPathSyntaxError("a number does not begin with 0", token=token)
    try:
        # A short number keeps the type it has in an index; a Decimal is as exact and has no limit of 4,300 digits.
        if _WHOLE.fullmatch(token.value) and len(token.value) < _SHORT:
            return IntegerLiteral(value=int(token.value))
        return FloatLiteral(value=Decimal(token.value))  # type: ignore[arg-type]  # it only compares it
    except (InvalidOperation, ValueError):
        raise JSONPathSyntaxError("a number beyond all computing", token=token) from None


class _ExactEnvironment(JSONPathEnvironment):
    """RFC 9535 and nothing beyond, over documents whose numbers are exact."""

    parser_class = _ExactParser
    max_recursion_depth = 500  # JSON is read up to 400 levels

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Compare; NaN, which a service may answer, is in no order with anything."""
        try:
            return super().compare(left, operator, right)
        except InvalidOperation:
            return False


ENVIRONMENT: Final = _ExactEnvironment(strict=True)


def compile_query(text: str) -> JSONPath:
    """Return a compiled JSONPath. Raise JSONPathError for what is none, or is several in one."""
    try:
        query = ENVIRONMENT.compile(text)
    except RecursionError:
        raise JSONPathError("it is nested too deeply", token=None) from None
    if not isinstance(query, JSONPath):
        raise JSONPathError("one path, not several", token=None)
    return query


def told(error: JSONPathError) -> str:
    """Return what the library says is wrong, in one line."""
    return str(error.args[0]).splitlines()[0] if error.args else "it does not parse"


@dataclass(frozen=True, slots=True)
class Filtering:
    """A filter, ready to be asked of documents that somebody else wrote."""

    _query: JSONPath
    _has_pattern: bool

    def holds(self, document: Json, *, undecided: bool = False) -> bool:
        """Tell whether the filter selects the document.

        `undecided` is the answer where a pattern in it runs away, or the document is nested too deeply to be searched:
        False where the filter narrows a rule, so that the rule does not apply; True where it tells an error.
        """
        decided = self.decided(document)
        return undecided if decided is None else decided

    def comparisons(self) -> Iterator[tuple[str, Json]]:
        """Yield each place of the document that is compared with a literal, as `$['status']`, and the literal."""
        for segment in self._query.segments:
            for selector in segment.selectors:
                if isinstance(selector, Filter):
                    yield from comparisons(selector.expression)

    def decided(self, document: Json) -> bool | None:
        """Tell whether the filter selects the document; None where a pattern runs away, or it is nested too deeply."""
        try:
            if not self._has_pattern:
                return bool(self._query.findall([document]))
            with limited():
                return bool(self._query.findall([document]))
        except (TimeoutError, RecursionError, JSONPathRecursionError):
            return None


def only_filter(text: str) -> Filtering:
    """Read one filter expression. Raise JSONPathError for what is none: `status, 0` would select by place, always."""
    query = compile_query(f"$[?{text}]")
    selectors = [selector for segment in query.segments for selector in segment.selectors]
    if len(selectors) != 1 or not isinstance(selectors[0], Filter):
        raise JSONPathError("it has to be one condition", token=None)
    return filtering(selectors[0], text)


def filtering(selector: Filter, text: str) -> Filtering:
    """Return a filter by itself; its `text` is asked for what it uses. Raise JSONPathError for `$` in it."""
    bare = _QUOTED.sub("", text)
    if "$" in bare:
        # Only the item is at hand where a filter is asked; `$` would name nothing, and nothing differs from anything.
        raise JSONPathError("a filter sees its own item (@), not the whole ($)", token=None)
    if (pattern := broken_pattern(selector.expression)) is not None:
        raise JSONPathError(f"'{pattern}' is no pattern, and would match nothing", token=None)
    segment = JSONPathChildSegment(env=ENVIRONMENT, token=selector.token, selectors=(selector,))
    return Filtering(JSONPath(env=ENVIRONMENT, segments=(segment,)), _PATTERN_FUNCTION.search(bare) is not None)


def filter_test(selector: Filter, location: str) -> Callable[[Json, int, int], bool]:
    """Return the test that a filter of a location makes of an item. Raise LocationError where it looks elsewhere."""
    try:
        asked = filtering(selector, location)
    except JSONPathError as error:
        raise LocationError(
            f"'{location}' is no location: {told(error)}", hint="compare fields of the item: [?@.kind=='gift']"
        ) from None
    return lambda item, _index, _count: asked.holds(item)
