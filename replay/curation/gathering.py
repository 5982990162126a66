"""Traffic and goldens by what they show, in bounded memory: how often each facet was seen, and cases that show it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from replay.curation.facets import Seen, missing_of, seen_of
from replay.models import Case, Facet, FacetKind, Observation

MOST_FACETS: Final = 50_000
"""Facets that are told apart; what is new after so many is only counted."""
MOST_ROUTES: Final = 10_000
"""Routes that are told apart; all further ones count as one, whatever a crawler makes up."""
OTHER_ROUTES: Final = "all other routes"
_CANDIDATES: Final = 8
"""Cases that are kept of those which show a facet: enough for a choice that is as good as any."""
_MOST_MEMBERS: Final = 64
"""Members of an object beyond which it is a map, of which none is missing."""
_MOST_VALUES: Final = 12
"""Values of a place beyond which they are texts, and not one of few."""
_AGAIN: Final = 4
"""How often each of few values was seen at least, on average."""
_MOST_PRINTS: Final = 100_000
_SLOTS: Final = 64
_HOT_CASES: Final = 20
_HOT_SHARE: Final = 0.02
"""A key is hot that so many cases of its route have, and such a share of them."""
_SHAPES: Final[frozenset[FacetKind]] = frozenset({"route", "status", "type", "request", "response"})


class Candidate(NamedTuple):
    """A case that may become a golden, or is one, with the numbers of its facets."""

    id: str
    session: str | None
    route: str
    facets: frozenset[int]
    objects: Mapping[str, frozenset[str]]
    print: int
    """Its behavioural fingerprint."""


@dataclass(slots=True)
class _Slot:
    """A value that may be a hot one: how often it was seen at least, and a case that has it."""

    cases: int
    candidate: Candidate


class Gathering:
    """What goldens show, given first, and what traffic shows. Its size depends on how much is told apart alone."""

    def __init__(self) -> None:
        self.facets: list[Facet] = []
        self.cases: list[int] = []
        """How many captured cases show a facet, by its number."""
        self.routes: Counter[str] = Counter()
        self.golden_routes: Counter[str] = Counter()
        self.pool: list[Candidate] = []
        self.goldens: list[Candidate] = []
        self.prints: Counter[int] = Counter()
        self.alike = 0
        self.beyond = 0
        self._numbers: dict[Facet, int] = {}
        self._held: list[int] = []
        self._shown: set[int] = set()
        self._golden_keys: set[tuple[str, str, str]] = set()
        self._known: dict[str, dict[str, frozenset[str]]] = {}
        self._maps: dict[str, set[str]] = {}
        self._words: dict[tuple[str, str], Counter[str] | None] = {}
        self._keys: dict[tuple[str, str], dict[str, _Slot]] = {}

    # ----------------------------------------------------------------------------------------------------- taking in

    def add_golden(self, case: Case, answer: Observation | None) -> None:
        """Take in a golden, and what it is answered as far as anything tells. All goldens come before traffic."""
        seen = self._seen(case, answer)
        self.golden_routes[seen.route] += 1
        self._learn(seen)
        facets = self._all(seen)
        self.goldens.append(self._candidate(case, seen, facets))
        self._shown |= facets
        self._golden_keys.update((seen.route, at, value) for at, value in seen.keys)

    def add(self, case: Case) -> None:
        """Take in a captured case, with what was recorded of its answer."""
        seen = self._seen(case, case.recorded)
        self.routes[seen.route] += 1
        self._learn(seen)
        facets = self._all(seen)
        found = self._candidate(case, seen, facets)
        self.alike += all(number in self._shown for number in facets if self.facets[number].kind in _SHAPES)
        if found.print in self.prints or len(self.prints) < _MOST_PRINTS:
            self.prints[found.print] += 1
        self._count(found)
        for key in seen.keys:
            self._keep_key(found, *key)

    def _seen(self, case: Case, answer: Observation | None) -> Seen:
        seen = seen_of(case, answer, self._maps)
        if seen.route not in self._known and len(self._known) >= MOST_ROUTES:
            seen.route = OTHER_ROUTES
        return seen

    def _count(self, found: Candidate) -> None:
        wanted = False
        for number in found.facets:
            self.cases[number] += 1
            wanted = wanted or self._held[number] < _CANDIDATES
        if wanted:
            self._keep(found)

    def _keep(self, found: Candidate) -> None:
        self.pool.append(found)
        for number in found.facets:
            self._held[number] += 1

    def _learn(self, seen: Seen) -> None:
        """Note members that are missing as far as others have been seen, and remember those of this case."""
        known = self._known.setdefault(seen.route, {})
        seen.facets.update(missing_of(seen.objects, known))
        for at, members in seen.objects.items():
            known[at] = known.get(at, frozenset()) | members
            if len(known[at]) > _MOST_MEMBERS:
                del known[at]
                self._maps.setdefault(seen.route, set()).add(at)

    def _all(self, seen: Seen) -> frozenset[int]:
        few = (word for word in seen.words if self._is_one_of_few(seen.route, *word))
        seen.facets.update(("value", f"{at}: {word}") for at, word in few)
        return frozenset(self._numbered(seen.route, seen.facets))

    def _is_one_of_few(self, route: str, at: str, word: str) -> bool:
        values = self._words.setdefault((route, at), Counter())
        if values is not None:
            values[word] += 1
            if len(values) <= _MOST_VALUES:
                return True
            self._words[route, at] = None
        return False

    def _numbered(self, route: str, facets: Iterable[tuple[FacetKind, str]]) -> Iterator[int]:
        for kind, what in facets:
            facet = Facet(route, kind, what)
            number = self._numbers.get(facet)
            if number is not None:
                yield number
            elif len(self.facets) < MOST_FACETS:
                yield self._new(facet)
            else:
                self.beyond += 1

    def _new(self, facet: Facet) -> int:
        number = self._numbers[facet] = len(self.facets)
        self.facets.append(facet)
        self.cases.append(0)
        self._held.append(0)
        return number

    def _candidate(self, case: Case, seen: Seen, facets: frozenset[int]) -> Candidate:
        shape = hash(frozenset(number for number in facets if self.facets[number].kind in _SHAPES))
        return Candidate(case.id, case.session, seen.route, facets, seen.objects, shape)

    def _keep_key(self, found: Candidate, at: str, value: str) -> None:
        """Count a value among those that may be hot: what one in 64 has is never lost (Misra, Gries 1982)."""
        slots = self._keys.setdefault((found.route, at), {})
        if value in slots:
            slots[value].cases += 1
        elif len(slots) < _SLOTS:
            slots[value] = _Slot(1, found)
        else:
            for slot in slots.values():
                slot.cases -= 1
            for cold in [value for value, slot in slots.items() if not slot.cases]:
                del slots[cold]

    # ------------------------------------------------------------------------------------------------------- the end

    def close(self) -> None:
        """Settle what only the end can tell: which members are missing, which values are one of few, which keys hot."""
        self.goldens = [self._with_missing(each) for each in self.goldens]
        self.pool = [self._with_missing(each) for each in self.pool]
        self._add_hot_keys()

    def _with_missing(self, found: Candidate) -> Candidate:
        missing = frozenset(self._numbered(found.route, missing_of(found.objects, self._known[found.route])))
        return found._replace(facets=found.facets | missing, objects={})

    def _add_hot_keys(self) -> None:
        for (route, at), slots in self._keys.items():
            for value, slot in slots.items():
                if slot.cases >= max(_HOT_CASES, _HOT_SHARE * self.routes[route]):
                    self._add_hot(route, at, value, slot)

    def _add_hot(self, route: str, at: str, value: str, slot: _Slot) -> None:
        for number in self._numbered(route, [("hot key", f"{at}: {value}")]):
            self.cases[number] = slot.cases
            shown = frozenset({number})
            self.pool.append(slot.candidate._replace(facets=slot.candidate.facets | shown, objects={}))
            if (route, at, value) in self._golden_keys:
                self._shown |= shown

    def shown(self) -> set[int]:
        """Return the numbers of the facets that goldens show; once it is closed."""
        return self._shown.union(*(each.facets for each in self.goldens))

    def counting(self) -> Iterator[int]:
        """Yield the numbers of the facets that traffic shows and that count; once it is closed."""
        in_pool = frozenset[int]().union(*(each.facets for each in self.pool))
        for number in sorted(in_pool):
            if self._counts(self.facets[number]):
                yield number

    def _counts(self, facet: Facet) -> bool:
        if facet.kind == "value" and not self._is_telling(facet):
            return False
        # What was told of a map's members before it was known for one is told of all of them by now.
        maps = self._maps.get(facet.route, ())
        return not any(_is_member(facet.what, at) for at in maps)

    def _is_telling(self, facet: Facet) -> bool:
        """Tell whether a value is one of few, each of which comes again."""
        values = self._words.get((facet.route, facet.what.rpartition(": ")[0]))
        return values is not None and len(values) > 1 and values.total() >= _AGAIN * len(values)

    def weight(self, number: int) -> float:
        """Return what showing a facet is worth, 1 to 3: the rarer the more, and the more it is used the more."""
        n, total = max(self.cases[number], 1), max(self.routes.total(), 2)
        return 1 + math.log(total / n) / math.log(total) + n / total


def _is_member(what: str, at: str) -> bool:
    """Tell whether a facet is one of a member of this object by its name."""
    return what.startswith((f"{at}.", f"{at}[")) and not what.startswith((f"{at}.*", f"{at}[*]"))
