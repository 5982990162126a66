"""Patterns that users write, as expressions that cannot run away whatever text they are searched in.

With google-re2 (the extra `pii`) every one that RE2 reads takes linear time. Without it only those are taken of which
the standard library has few ways to go at each character: no reference back, no look around, and every repetition with
an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from re import _constants, _parser  # type: ignore[attr-defined]  # the tree of a pattern is told nowhere else
from typing import Any, Final, Protocol, cast

from replay.errors import SettingsError

_MOST_WAYS: Final = 4096
"""In which a pattern may go on from one character."""
_REPEATS: Final = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT})
_REFUSED: Final = {
    _constants.GROUPREF: "a reference back",
    _constants.GROUPREF_EXISTS: "a reference back",
    _constants.ASSERT: "a look ahead or behind",
    _constants.ASSERT_NOT: "a look ahead or behind",
}
_HINT: Final = "write it without, or install google-re2: pip install 'replay[pii]'"


class Searcher(Protocol):
    """A compiled pattern, of either library."""

    def finditer(self, text: str, /) -> Iterator[re.Match[str]]:
        """Yield each match."""
        ...


@lru_cache(maxsize=256)
def bounded(pattern: str) -> Searcher:
    """Compile a pattern. Raise SettingsError for what is none, matches the empty text, or might run away."""
    try:
        compiled = re.compile(pattern)
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingsError(f"the pattern cannot be read: {error}", hint=r"write it as in EMP-\d{6}") from None
    if tree.getwidth()[0] == 0:
        raise SettingsError("the pattern matches where there is nothing", hint="have it match one character at least")
    engine = _re2()
    if engine is not None:
        return _by_re2(engine, pattern)
    if _ways(tree) > _MOST_WAYS:
        raise SettingsError("the pattern has too many ways to match one text", hint=_HINT)
    return cast("Searcher", compiled)


@cache
def _re2() -> Any:
    try:
        return import_module("re2")
    except ImportError:
        return None


def _by_re2(engine: Any, pattern: str) -> Searcher:
    options = engine.Options()
    options.log_errors = False
    try:
        return cast("Searcher", engine.compile(pattern, options))
    except engine.error as error:
        told = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise SettingsError(f"the pattern cannot be read by RE2: {told}", hint="write it without that") from None


def _ways(tree: Iterable[Any]) -> int:
    """Return in how many ways a pattern may go on from one character, at most."""
    ways = 1
    for operation, argument in tree:
        if operation in _REFUSED:
            raise SettingsError(f"the pattern has {_REFUSED[operation]}", hint=_HINT)
        ways *= _ways_of(operation, argument)
        if ways > _MOST_WAYS:
            return ways
    return ways


def _ways_of(operation: Any, argument: Any) -> int:
    if operation in _REPEATS:
        least, most, inner = argument
        if most is _constants.MAXREPEAT:
            raise SettingsError("the pattern has a repetition without end", hint=f"say how often, {{1,64}}; or {_HINT}")
        each = _ways(inner)
        return int((most - least + 1) * each ** min(most, _MOST_WAYS.bit_length()))
    if operation is _constants.BRANCH:
        return sum(map(_ways, argument[1]))
    if operation is _constants.SUBPATTERN:
        return _ways(argument[3])
    return _ways(argument) if operation is _constants.ATOMIC_GROUP else 1
