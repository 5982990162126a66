"""`waive:` accepts what differs at a place, by an owner, for a reason, until a day; it stays listed, and is marked."""

from __future__ import annotations

from datetime import date

from replay.compare.base import Rule


def marked(waiver: Rule | None, today: date, note: str) -> tuple[str, str]:
    """Return which rule waives a difference under a waiver, if it still holds, and the note that the reader gets."""
    if waiver is None or waiver.spec.waive is None:
        return "", note
    waive = waiver.spec.waive
    if waive.holds_on(today):
        return waiver.name, note
    expired = f"a waiver of {waive.owner} expired on {waive.until}"
    return "", f"{note}; {expired}" if note else expired
