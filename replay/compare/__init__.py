"""Two observations become differences, judged by the rules that the team wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from replay.compare.base import Rule
from replay.compare.compared import Compared
from replay.compare.comparison import Comparison
from replay.compare.hiding import require_evidence
from replay.compare.ignore import Ignore
from replay.compare.mapping import Map
from replay.compare.minted import Minted
from replay.compare.pairing import MatchBy, Unordered
from replay.compare.ranking import Rank
from replay.compare.reading import Pair
from replay.compare.rules import RuleBook
from replay.compare.shape import Matches, SameType, Strict
from replay.compare.tracing import TracedBook
from replay.compare.walk import Comparator
from replay.compare.within import Within
from replay.models import GroupSpec, RuleSpec

COMPARATORS: Final[Mapping[str, Callable[[Rule], Comparator]]] = {
    "ignore": Ignore,
    "within": Within,
    "unordered": Unordered,
    "match_by": MatchBy,
    "rank": Rank,
    "map": Map,
    "matches": Matches,
    "same_type": SameType,
    "strict": Strict,
    "minted": Minted,
}
"""The verbs of a rule, of which it takes one. `renamed`, `must`, `schema`, `as`, `via` and `allow` go beside any.

`waive` is none of them, and stands alone: it says nothing of how values are compared.
"""


def traced_book(
    specs: Sequence[RuleSpec], groups: Mapping[str, GroupSpec] | None = None, root: Path | None = None
) -> TracedBook:
    """Make rules ready as `rule_book` does, and watch what they do."""
    return TracedBook(specs, groups, COMPARATORS, root)


def rule_book(
    specs: Sequence[RuleSpec], groups: Mapping[str, GroupSpec] | None = None, root: Path | None = None
) -> RuleBook:
    """Check the rules of a run and make them ready. Raise SettingsError or LocationError for the first bad one.

    `root` is the project's folder, the only one from which `via` loads code.
    """
    return RuleBook(specs, groups, COMPARATORS, root)


__all__ = [
    "COMPARATORS",
    "Comparator",
    "Compared",
    "Comparison",
    "Pair",
    "Rule",
    "RuleBook",
    "TracedBook",
    "require_evidence",
    "rule_book",
    "traced_book",
]
