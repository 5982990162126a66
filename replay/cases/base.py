"""What every reader of cases looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from replay.errors import InputError
from replay.models import Case, Intake, Request
from replay.sampling import Portion


class Source(Protocol):
    """One file or folder that holds cases. Iterating streams it; every iteration begins anew."""

    def __iter__(self) -> Iterator[Case]:
        """Yield each case in the file's order; raise DocumentError, with its place, at the first bad record."""

    def without_identity(self) -> Iterator[Case]:
        """Yield each case as iterating does, but perhaps with no identity, which may rest on the digest.

        For whoever only looks at the cases: digest and intake are known when it ends, from this one reading.
        """

    def to_check(self, spares: Callable[[Request], bool]) -> Iterator[Case | None]:
        """Yield each case as `without_identity` does; None may stand for one whose request can be sent, and is spared.

        For whoever holds cases to a check: of traffic that can be sent, most requests alone tell that nothing is wrong.
        """

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield the cases of one part; every case is in exactly one of them.

        Each process reads one: the accounts of all parts add up to that of the whole.
        """

    @property
    def digest(self) -> str:
        """Return a SHA-256 over what the source holds: the same inputs, the same digest."""

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete iteration: loaded + skipped = records read."""


class Traffic(Source, Protocol):
    """One file of recorded traffic."""

    @property
    def form(self) -> str:
        """Return what its format is called."""


def require_different(sources: Iterable[Source]) -> None:
    """Raise InputError where two files hold the same: their cases could not be told apart, and add no evidence."""
    names: dict[str, str] = {}
    for source in sources:
        twin = names.setdefault(source.digest, source.intake.file)
        if twin != source.intake.file:
            raise InputError(f"this file holds the same as {twin}", place=source.intake.file, hint="name one of them")


def part_of(cases: Iterable[Case], portion: Portion) -> Iterator[Case]:
    """Yield those of some cases that are in a part."""
    return (case for number, case in enumerate(cases) if portion.has(case.session, number))


def accounted(intake: Intake, portion: Portion) -> Intake:
    """Return a part's account where each part reads everything: it is the first one's to tell."""
    return Intake(intake.file, 0) if portion.index else intake
