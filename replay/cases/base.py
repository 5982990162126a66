"""What every reader of cases looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from replay.models import Case, Intake


class Source(Protocol):
    """One file or folder that holds cases. Iterating streams it; every iteration begins anew."""

    def __iter__(self) -> Iterator[Case]:
        """Yield each case in the file's order; raise DocumentError, with its place, at the first bad record."""

    def without_identity(self) -> Iterator[Case]:
        """Yield each case as iterating does, but perhaps with no identity, which may rest on the digest.

        For whoever only looks at the cases: digest and intake are known when it ends, from this one reading.
        """

    @property
    def digest(self) -> str:
        """Return a SHA-256 over what the source holds: the same inputs, the same digest."""

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete iteration: loaded + skipped = records read."""
