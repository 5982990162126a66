"""Which day a case belongs to."""

from __future__ import annotations

from datetime import UTC, date

from replay.models import Case


def recorded_day(case: Case) -> date | None:
    """Return the UTC day on which a case of the traffic was recorded; None for goldens, and where nobody noted it.

    A golden's instant was chosen by a curator and tells nothing of any day.
    """
    if case.kind != "traffic" or case.freeze is None:
        return None
    return case.freeze.astimezone(UTC).date()
