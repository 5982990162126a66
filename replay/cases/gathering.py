"""Recorded files become one stream of cases: narrowed, named by their files, and accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from replay.cases.base import Traffic, require_different
from replay.models import Case, Intake
from replay.selection import Route


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which cases are wanted: recorded within a time, and on one of some routes; without any, all."""

    since: datetime | None = None
    until: datetime | None = None
    """The first instant that is too late."""
    routes: tuple[Route, ...] = ()

    def reason_against(self, case: Case) -> str | None:
        """Return why a case is not wanted, or None."""
        if self.routes and not any(route.matches(case.request) for route in self.routes):
            return "on another route"
        if self.since is None and self.until is None:
            return None
        if case.freeze is None:
            return "with no time recorded"
        early = self.since is not None and case.freeze < self.since
        late = self.until is not None and case.freeze >= self.until
        return "recorded at another time" if early or late else None


class Gathered:
    """The cases of several files, in order, as far as they are wanted. They have no identity: their capture gives one.

    Ids, sessions and correlation ids that a reader made of a file's path begin with its name alone, as long as no other
    file has that name: where somebody keeps files is not what a capture is for.
    """

    def __init__(self, sources: Sequence[Traffic], narrowing: Narrowing) -> None:
        self.sources = sources
        self._narrowing = narrowing
        self.left_out: Counter[str] = Counter()
        """How many cases were loaded and not wanted, by reason."""

    def __iter__(self) -> Iterator[Case]:
        """Yield each case that is wanted. Raise DocumentError at the first bad record.

        Raise InputError at the end where two files hold the same: their cases would count twice.
        """
        self.left_out.clear()
        for source, name in zip(self.sources, self._names(), strict=True):
            path = source.intake.file
            for case in source.without_identity():
                reason = self._narrowing.reason_against(case)
                if reason is None:
                    yield case if name == path else _renamed(case, path, name)
                else:
                    self.left_out[reason] += 1
        require_different(self.sources)

    @property
    def intakes(self) -> tuple[Intake, ...]:
        """Return each reader's own account; complete once all cases have been taken."""
        return tuple(source.intake for source in self.sources)

    def _names(self) -> list[str]:
        paths = [source.intake.file for source in self.sources]
        taken = Counter(Path(path).name for path in paths)
        return [Path(path).name if taken[Path(path).name] == 1 else path for path in paths]


def _renamed(case: Case, path: str, name: str) -> Case:
    def short(text: str) -> str:
        return name + text[len(path) :] if text.startswith((f"{path}:", f"{path}#")) else text

    session = None if case.session is None else short(case.session)
    return replace(case, id=short(case.id), correlation_id=short(case.correlation_id), session=session)
