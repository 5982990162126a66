"""Sessions one after the other, for sides that are reset between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from replay.engine.plan import Selected
from replay.models import Case, Intake
from replay.sampling import Portion


class SessionsTogether:
    """The same cases, each session's in a row where its first one stands. All of them are held in memory for that."""

    def __init__(self, cases: Selected) -> None:
        self._cases = cases

    def __iter__(self) -> Iterator[Case]:
        """Yield every case."""
        return together(self._cases)

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield one part of them."""
        return together(self._cases.part(portion))

    @property
    def intakes(self) -> Sequence[Intake]:
        """Return the readers' own accounts."""
        return self._cases.intakes


def together(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield cases with those of each session in a row, in their order."""
    sessions: dict[object, list[Case]] = {}
    for case in cases:
        sessions.setdefault(object() if case.session is None else case.session, []).append(case)
    for several in sessions.values():
        yield from several
