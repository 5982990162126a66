"""Which version of a side was put to the test: what was given, and what its answers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from replay.models import SIDES, Result, Side, TargetSpec

MOST_VERSIONS: Final = 20
"""A header that says something else in every answer names no version."""
REST: Final = "..."
_NAMED: Final = 3
_LONGEST: Final = 100


class Versions:
    """Counts the versions that answers name in the header that the settings give for their side."""

    def __init__(self, sides: Mapping[Side, TargetSpec], labels: Mapping[str, str]) -> None:
        self._headers = {side: spec.version_header for side, spec in sides.items() if spec.version_header}
        self._labels = labels
        self._seen: dict[Side, Counter[str]] = {side: Counter() for side in SIDES}

    def add_all(self, results: Iterable[Result]) -> None:
        """Read both answers of each."""
        for side, header in self._headers.items():
            answers = [each.old if side == "old" else each.new for each in results]
            named = [each.header(header) for each in answers if each is not None and each.status is not None]
            for name in [each[:_LONGEST] for each in named if each is not None]:
                seen = self._seen[side]
                seen[name if name in seen or len(seen) < MOST_VERSIONS else REST] += 1

    def seen(self, side: Side) -> Mapping[str, int]:
        """Return how many answers named which version, in the order in which they turned up."""
        return dict(self._seen[side])

    def version(self, side: Side) -> str:
        """Return the side's label, else all versions that it named; empty where nobody says."""
        seen = list(self._seen[side])
        rest = f" and {len(seen) - _NAMED} more" if len(seen) > _NAMED else ""
        return self._labels.get(side) or ", then ".join(seen[:_NAMED]) + rest

    def warnings(self) -> Iterator[str]:
        """Yield where a side was not one version throughout, or did not name any."""
        for side, header in self._headers.items():
            yield from changed_version(side, self._seen[side])
            if not self._seen[side] and side not in self._labels:
                yield f"no answer of {side} had the header {header}, so its version is not known"


def changed_version(side: Side, seen: Mapping[str, int]) -> Iterator[str]:
    """Yield the warning that a side was not one version throughout, if so."""
    if len(seen) > 1:
        told = ", ".join(f"{name} ({cases:,} answers)" for name, cases in list(seen.items())[:_NAMED])
        more = f" and {len(seen) - _NAMED} more" if len(seen) > _NAMED else ""
        yield f"{side} changed its version within the run: {told}{more}; the verdict speaks of all of them"
