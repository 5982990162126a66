"""To which groups a case belongs: found while its answers are at hand, in the clear, and kept with its result."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Final

from jsonpath.exceptions import JSONPathError
from jsonpath.path import JSONPath

from replay.compare.reading import Pair, request_body
from replay.documents import canonical_json
from replay.errors import LocationError
from replay.expressions import document_of
from replay.locations import ROOTS, compile_query
from replay.models import NO_VALUE, SIDES, GroupSpec, Json, Membership, Observation, Side
from replay.privacy.headers import is_secret, is_secret_parameter
from replay.selection import Selection, selection_of

LONGEST_VALUE: Final = 80
_HEADER: Final = re.compile(r"(?<![\w.])((?:request\.)?headers\.)([\w-]+)")


class Told:
    """What the sides said that answered a case, and its request: read when somebody asks."""

    def __init__(self, pair: Pair, failed: Collection[Side]) -> None:
        self.case = pair.case
        self._pair = pair
        self._sides = [side for side in SIDES if side not in failed and pair.observation(side) is not None]

    @property
    def nothing(self) -> bool:
        """Tell whether nobody answered."""
        return not self._sides

    def documents(self) -> list[Json]:
        """Return what expressions see of each side that answered; where none did, there is still the request."""
        if self._sides:
            return [self._pair.document(side) for side in self._sides]
        return [document_of(self.case.request, Observation(), None, request_body(self.case))]


@dataclass(frozen=True, slots=True)
class Group:
    """One group: the cases that it selects, and the value by which it is divided."""

    name: str
    selection: Selection
    by: JSONPath | None

    def membership(self, told: Told) -> Membership | None:
        """Return how a case belongs to the group; None where it does not.

        A rule has to hold on both sides, so that it hides nothing. A criterion must not lose a case of which new
        says something else, or nothing: here one side that answered is enough, and where none did and only an answer
        could tell, the case may belong, and so does.
        """
        if not self._whatever_is_said.holds(told.case, told.documents) or not self._is_told(told):
            return None
        return Membership(self.name, None if self.by is None else _value(self.by, told.documents()))

    @property
    def is_divided_by_answers(self) -> bool:
        """Tell whether nothing but an answer tells which part of it a case belongs to."""
        return self.by is not None and not str(self.by).startswith("$['request']")

    @property
    def _whatever_is_said(self) -> Selection:
        return Selection(self.selection.route, self.selection.tag)

    @property
    def widened(self) -> Group:
        """Return the group as it is where nobody can tell what its condition would say: the case may belong."""
        return replace(self, selection=self._whatever_is_said)

    def _is_told(self, told: Told) -> bool:
        where = self.selection.where
        if where is None or (told.nothing and where.asks_answer):
            return True
        return any(where.holds(document, undecided=True) for document in told.documents())


def group_of(name: str, spec: GroupSpec) -> Group:
    """Make a group of what users write. Raise SettingsError or LocationError for what makes no sense."""
    by = None if spec.by is None else parse_by(spec.by)
    return Group(name, selection_of(on=spec.on, tag=spec.tag, where=spec.where), by)


@lru_cache(maxsize=256)
def parse_by(text: str) -> JSONPath:
    """Read the location of the value that divides a group. Raise LocationError for what is none, or may be several."""
    root = re.split(r"[.\[]", text, maxsplit=1)[0]
    example = "write it as in request.query.category, request.headers.x-tenant or body.kind"
    if root not in (*ROOTS, "request"):
        raise LocationError(f"'{text}' starts at nothing that a case has", hint=example)
    try:
        query = compile_query("$." + _HEADER.sub(lambda found: found[1] + found[2].lower(), text))
    except JSONPathError as error:
        raise LocationError(f"'{text}' is no location: {error.args[0]}", hint=example) from None
    if not query.singular_query():
        raise LocationError(f"'{text}' may stand for several values, and a case has one part", hint=example)
    last = re.split(r"[.\[\]'\"]+", text.rstrip("]'\""))[-1]
    if is_secret(last) or is_secret_parameter(last):
        raise LocationError(f"'{text}' may hold a secret, and reports name the parts", hint=example)
    return query


def _value(by: JSONPath, documents: Sequence[Json]) -> str:
    """Return the value as text, as the first side has it that has one."""
    for document in documents:
        for value in by.findall(document):
            return _short(value if isinstance(value, str) else canonical_json(value))
    return NO_VALUE


def _short(text: str) -> str:
    """Return a text in full, or so much of it that it is told from others by a digest."""
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}... ({sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]})"


class Grouping:
    """The groups that somebody asks about, and the cases that belong to them."""

    def __init__(self, specs: Mapping[str, GroupSpec], named: Collection[str]) -> None:
        self.groups = tuple(group_of(name, spec) for name, spec in specs.items() if name in named)

    def memberships(self, pair: Pair, failed: Collection[Side] = ()) -> tuple[Membership, ...]:
        """Return the groups of a case. What a side said that `failed` is no word about where the case belongs."""
        if not self.groups:
            return ()
        told = Told(pair, failed)
        found = (group.membership(told) for group in self.groups)
        return tuple(membership for membership in found if membership is not None)


NO_GROUPS: Final = Grouping({}, ())
