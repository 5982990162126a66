"""Which stored cases a further rule could touch at all, told by where they differ: all others need no second look."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from replay.locations import ROOT, Path, parse_location, print_location
from replay.models import Result, RuleSpec

MOST_LISTED: Final = 100
"""Places from which on a case may have more than it lists."""
_SCENE: Final = re.compile(r"steps\.\w+\.")


def reach_of(rules: Sequence[RuleSpec]) -> Callable[[Result], bool]:
    """Return what tells whether rules behind all others could change what is found of a case.

    They can where it differs, or is equal by a rule, below the members that a rule names before it comes to an array,
    or above. What lies in an array hangs together: what one item may hold decides which items are compared. A rule for
    a header, or for no member in particular, may touch any case; so may any rule touch one that failed.
    """
    prefixes = [_prefix(rule.at) for rule in rules]
    if any(prefix in ("", "headers") for prefix in prefixes):
        return lambda _result: True

    def reaches(result: Result) -> bool:
        if result.error is not None or max(len(result.differences), len(result.accepted)) >= MOST_LISTED:
            return True
        places = (it.at for several in (result.differences, result.accepted) for it in several)
        return any(_hang_together(_SCENE.sub("", at, count=1), prefix) for at in places for prefix in prefixes)

    return reaches


def _prefix(at: str) -> str:
    """Return the members that a location names one by one, from the first on; empty where it names none."""
    path: Path = ROOT
    for step in parse_location(at).steps:
        if step.descends or step.everything or step.tests or step.indices or len(step.names) != 1:
            break
        path = (path, next(iter(step.names)))
        if step.names == {"headers"}:
            break
    return print_location(path)


def _hang_together(one: str, other: str) -> bool:
    """Tell whether two places are the same, or one lies below the other."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")
