"""What a capture may grow to, and what became of the cases that it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """How large captures get, in bytes as they lie on the disk, and how old, in seconds; None is without end."""

    file_bytes: int | None = None
    """A file that would get larger is followed by another one."""
    file_seconds: float | None = None
    """A file that is older is followed by another one when the next cases are written."""
    budget: int | None = None
    """What all files of one writer may take. What comes after is not kept, and counted."""

    @property
    def rotating(self) -> bool:
        """Tell whether there may be several files, which then are numbered."""
        return self.file_bytes is not None or self.file_seconds is not None


@dataclass(frozen=True, slots=True)
class Account:
    """A writer's own account: kept + waiting + lost = cases that it was given."""

    kept: int
    """Cases that lie in files, which outlives this process."""
    waiting: int
    """Cases that are masked and still in memory."""
    size: int
    """Bytes in all files."""
    files: tuple[Path, ...]
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many cases were not kept, by reason."""
