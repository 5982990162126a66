"""The rule and its rewrite. What is computed in place is there at once; a draft is safer where much may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a pull request, and how many of its lines are touched."""

    path: str
    lines: int


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What the rule has to go by."""

    number: int
    author: str
    changes: tuple[Change, ...]
    labels: tuple[str, ...] = ()
    conflicts: bool = False


MOST_LINES: Final = 1_000
MOST_FILES: Final = 50
WRITTEN_BY_TOOLS: Final = (".lock", ".min.js", ".snap")


def needs_draft(pr: PullRequest) -> bool:
    """Tell by the rule as it grew."""
    if "urgent" in pr.labels and not pr.conflicts:
        return False
    lines = 0
    for change in pr.changes:
        lines += change.lines
    if lines > MOST_LINES:
        return True
    if len(pr.changes) > MOST_FILES:
        return True
    if pr.conflicts:
        return True
    return any(change.path.startswith("migrations/") for change in pr.changes)


def needs_draft_v2(pr: PullRequest) -> bool:
    """Tell by a table of reasons. New: what a tool wrote does not count, as octavia had asked."""
    at_once = "urgent" in pr.labels and not pr.conflicts
    return not at_once and any(reason(pr) for reason in REASONS)


def _written(pr: PullRequest) -> int:
    return sum(change.lines for change in pr.changes if not change.path.endswith(WRITTEN_BY_TOOLS))


REASONS: Final[tuple[Callable[[PullRequest], bool], ...]] = (
    lambda pr: _written(pr) > MOST_LINES,
    lambda pr: len(pr.changes) > MOST_FILES,
    lambda pr: pr.conflicts,
    lambda pr: any(change.path.startswith("migrations/") for change in pr.changes),
)
