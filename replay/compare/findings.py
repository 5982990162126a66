"""What a comparison finds: differences, what rules accepted, and the figures that they measured."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Final, Literal

from replay.compare.base import EnoughError, Node, Rule, told_in_new
from replay.compare.waivers import marked
from replay.locations import Path, print_location, segments
from replay.models import MISSING, Acceptance, Difference, DifferenceKind, Measure

EQUAL: Final = "default: values are equal"
MOST_ACCEPTED: Final = 100
"""How many places are kept for one rule: 20,000 ignored items say no more than a hundred."""
MOST_DIFFERENCES: Final = 1000
"""Beyond this, a case's differences are counted and no longer listed: two disjoint documents need no longer proof."""
MOST_ABSENT: Final = 100
"""How many members or items of one node are listed as missing, or as extra; the rest is counted beside them."""
_ABSENCES: Final = frozenset({"missing", "extra"})


class Findings:
    """Collects what one comparison finds, and bounds how much of it is kept; all of it is counted."""

    def __init__(self, against: Literal["old", "expect"], today: date) -> None:
        self.against = against
        self.today = today
        self.waiver: Rule | None = None
        """What waives the differences that are found now."""
        self.default_name = EQUAL
        self.start()

    def start(self, limit: int | None = None) -> None:
        """Have found nothing yet; raise EnoughError beyond so many differences."""
        self.differences: list[Difference] = []
        self.accepted: dict[tuple[str, str], Acceptance] = {}
        self._by_rule: defaultdict[str, int] = defaultdict(int)
        self.measures: list[Measure] = []
        self.met: set[int] = set()
        """The numbers of the rules whose intended change was seen."""
        self.total = 0
        """How many differences there are, listed or not."""
        self._absent: defaultdict[tuple[str, DifferenceKind, str, str], int] = defaultdict(int)
        self._unlisted: defaultdict[str, int] = defaultdict(int)
        self._limit = limit

    def differ(self, at: Path, kind: DifferenceKind, old: Node, new: Node, *, rule: str = "", note: str = "") -> None:
        """Keep one difference. In a trial, raise EnoughError for one too many."""
        self.total += 1
        if self._limit is not None and self.total > self._limit:
            raise EnoughError
        waived, expired = marked(self.waiver, self.today, "")
        if self.full:
            self._unlisted[waived] += 1
            return
        rule = rule or self.default_name
        if kind in _ABSENCES and not self._lists_absent(at, kind, rule, waived):
            return
        parts = segments(at)
        if parts[:1] in (("headers",), ("status",)):
            kind = "header" if parts[0] == "headers" else "status"
        note = "; ".join(filter(None, (note, told_in_new(parts), expired)))
        self.differences.append(Difference(print_location(at), kind, old, new, rule, self.against, note, waived))

    def _lists_absent(self, at: Path, kind: DifferenceKind, rule: str, waived: str) -> bool:
        """Count what one side lacks of a node, and tell whether to list this one."""
        if not at:
            return True
        siblings = print_location(at[0]) + (".*" if isinstance(at[1], str) else "[*]")
        self._absent[siblings, kind, rule, waived] += 1
        return self._absent[siblings, kind, rule, waived] <= MOST_ABSENT

    @property
    def full(self) -> bool:
        """Tell whether as many differences are listed as ever are: of all others only the number is kept."""
        return len(self.differences) >= MOST_DIFFERENCES

    def differ_more(self) -> None:
        """Count one more difference, where the list is full anyway."""
        self.total += 1
        self._unlisted[marked(self.waiver, self.today, "")[0]] += 1

    @property
    def unlisted(self) -> int:
        """Return how many differences came after as many as are listed."""
        return sum(self._unlisted.values())

    def remark(self, place: int, note: str) -> None:
        """Add a note to the first difference that was listed since there were `place` of them."""
        if place < len(self.differences):
            first = self.differences[place]
            notes = [it for it in first.note.split("; ") if it and it != note]
            self.differences[place] = replace(first, note="; ".join((*notes, note)))

    def listed(self) -> tuple[Difference, ...]:
        """Return the differences, and one for each lot of which only the number is known."""
        found = list(self.differences)
        for (siblings, kind, rule, waived), count in self._absent.items():
            if count > MOST_ABSENT:
                note = f"{count - MOST_ABSENT} more are {kind}"
                found.append(Difference(siblings, kind, MISSING, MISSING, rule, self.against, note, waived))
        for waived, count in self._unlisted.items():
            note = f"and {count} more differences"
            found.append(Difference("body", "value", MISSING, MISSING, EQUAL, self.against, note, waived))
        return tuple(found)

    def accept(self, at: Path, rule: str) -> None:
        """Keep that something here is not byte for byte the same, and which rule lets it pass."""
        self._by_rule[rule] += 1
        if self._by_rule[rule] <= MOST_ACCEPTED:
            place = print_location(at)
            self.accepted.setdefault((place, rule), Acceptance(place, rule))

    def measure(
        self,
        at: Path,
        name: str,
        value: float | None,
        *,
        items: int | None = None,
        limit: float | None = None,
        moot: bool = False,
    ) -> None:
        """Keep a figure, whether or not it meets its rule's limit, and on how many items it rests."""
        self.measures.append(Measure(print_location(at), name, value, items, limit, moot))
