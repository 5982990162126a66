"""What of a filter is settled before any document is seen, so that it would hold never, or always, by a slip."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jsonpath.filter import (
    BaseExpression,
    FilterExpressionLiteral,
    FilterQuery,
    FunctionExtension,
    InfixExpression,
    StringLiteral,
)

from replay.models import Json

_PATTERNS = ("match", "search")


def broken_pattern(filtered: BaseExpression) -> str | None:
    """Return the first pattern in a filter that is none: RFC 9535 has it match nothing, and nobody would be told."""
    if isinstance(filtered, FunctionExtension) and filtered.name in _PATTERNS:
        pattern = filtered.args[-1]
        if isinstance(pattern, StringLiteral) and not _is_pattern(pattern.value):
            return pattern.value
    return next(filter(None, map(broken_pattern, filtered.children())), None)


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def comparisons(filtered: BaseExpression) -> Iterator[tuple[str, Json]]:
    """Yield each place of the document that is compared with a literal, as `$['status']`, and the literal.

    What filters within say is about other documents.
    """
    if isinstance(filtered, FilterQuery):
        return
    if isinstance(filtered, InfixExpression):
        for place, literal in ((filtered.left, filtered.right), (filtered.right, filtered.left)):
            if isinstance(place, FilterQuery) and isinstance(literal, FilterExpressionLiteral):
                yield str(place.path), literal.value
    for within in filtered.children():
        yield from comparisons(within)
