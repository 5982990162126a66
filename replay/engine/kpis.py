"""KPIs of one case: what each side's answer tells, found while both are at hand in the clear.

Which cases a KPI speaks of is told by their requests alone. Were it told by answers, those that fail or say less
would drop out of the figure, and so improve it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replay.compare import Pair
from replay.compare.loading import load_own, names_code
from replay.compare.reading import How, request_body
from replay.engine.telling import Called, Held, Located, Teller, Told
from replay.errors import SettingsError
from replay.expressions import Expression, parse_expression, request_document
from replay.locations import parse_location
from replay.models import Figure, GroupSpec, KpiSpec, Side
from replay.selection import Selection, selection_of

_NAME: Final = re.compile(r"[^\W\d]\w*(?:-\w+)*")
_UNASKED: Final[Told] = (None, "it was not asked")
_FAILED: Final[Told] = (None, "")


@dataclass(frozen=True, slots=True)
class PreparedKpi:
    """A KPI that makes sense: which cases it speaks of, and how it is told from an answer."""

    name: str
    definition: str
    selection: Selection
    teller: Teller
    of: str

    @property
    def expressions(self) -> tuple[Expression, ...] | None:
        """Return all that it asks of a case; None for a team's own function, which may look at anything."""
        if names_code(self.of):
            return None
        where = (it.where for it in _selections(self.selection))
        return (parse_expression(self.of), *(it for it in where if it is not None))

    def figure(self, pair: Pair, how: How, failed: Collection[Side]) -> Figure:
        """Return what a case tells of it. A side that failed has no figure, whatever came of its answer."""
        old, new = self._told(pair, "old", how, failed), self._told(pair, "new", how, failed)
        return Figure(self.name, self.definition, old[0], new[0], old[1], new[1])

    def _told(self, pair: Pair, side: Side, how: How, failed: Collection[Side]) -> Told:
        if pair.observation(side) is None:
            return _UNASKED
        return _FAILED if side in failed else self.teller(pair.document(side, how))


@dataclass(frozen=True, slots=True)
class Kpis:
    """All KPIs of a run."""

    prepared: tuple[PreparedKpi, ...] = ()
    specs: Mapping[str, KpiSpec] = field(default_factory=dict)

    def figures(self, pair: Pair, how: How, failed: Collection[Side]) -> tuple[Figure, ...]:
        """Return the figures of those that speak of a case of the traffic; goldens are a list, and no sample."""
        if not self.prepared or pair.case.kind != "traffic":
            return ()
        return tuple(kpi.figure(pair, how, failed) for kpi in self._of(pair))

    def _of(self, pair: Pair) -> Iterator[PreparedKpi]:
        def asked() -> list[dict[str, object]]:
            return [{"request": request_document(pair.case.request, request_body(pair.case))}]

        return (kpi for kpi in self.prepared if kpi.selection.holds(pair.case, asked))


NO_KPIS: Final = Kpis()


def prepare_kpis(
    specs: Mapping[str, KpiSpec], groups: Mapping[str, GroupSpec] | None = None, root: Path | None = None
) -> Kpis:
    """Make KPIs ready; `root` is the folder from which they may load code.

    Raise SettingsError or LocationError for the first that makes no sense.
    """
    return Kpis(tuple(prepare_kpi(name, spec, groups, root) for name, spec in specs.items()), specs)


def prepare_kpi(
    name: str, spec: KpiSpec, groups: Mapping[str, GroupSpec] | None = None, root: Path | None = None
) -> PreparedKpi:
    """Make one KPI ready. Raise SettingsError or LocationError, telling what about it makes no sense."""
    if not _NAME.fullmatch(name):
        hint = "write letters, digits, - and _, as in auth_rate: criteria say kpi.auth_rate"
        raise SettingsError(f"'{name}' is no name for a KPI", hint=hint)
    selection = selection_of(on=spec.on, tag=spec.tag, where=spec.where, groups=groups)
    _require_request(name, _selections(selection))
    return PreparedKpi(name, spec.definition, selection, _teller(name, spec, root), spec.of)


def _selections(selection: Selection) -> Iterator[Selection]:
    yield selection
    for group in selection.groups:
        yield from _selections(group)


def _require_request(name: str, selections: Iterable[Selection]) -> None:
    """Raise SettingsError where answers have a say in which cases a KPI speaks of."""
    for selection in selections:
        if selection.where is not None and (asked := selection.where.roots - {"request"}):
            fact = f"KPI '{name}' chooses its cases by what was answered: '{min(asked)}' in {selection.where.text}"
            hint = "choose by request.method, request.query.q or request.json.type; let the figure ask about the answer"
            raise SettingsError(fact, hint=hint)


def _teller(name: str, spec: KpiSpec, root: Path | None) -> Teller:
    if names_code(spec.of):
        return Called(spec.of, load_own(spec.of, root, f"KPI '{name}'", spec.kind), spec.holds, spec.missing)
    if spec.holds:
        return Held(parse_expression(spec.of))
    _require_single(name, spec.of)
    return Located(spec.of, spec.missing)


def _require_single(name: str, location: str) -> None:
    """Raise SettingsError for a location that selects several values by its form."""
    steps = parse_location(location).steps
    if any(step.descends or step.everything or len(step.names) + len(step.indices) > 1 for step in steps):
        hint = "name one value, body.total, or module:attribute of a function that makes one of them"
        raise SettingsError(f"KPI '{name}' needs one number an answer, and '{location}' selects several", hint=hint)
