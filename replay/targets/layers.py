"""What stands between a case and the client, where a side's settings ask for more than sending it once."""

from __future__ import annotations

from collections.abc import Callable

from replay.models import Case, Done, Failed, Headers

Send = Callable[[Case, Headers, Done, Failed], None]
"""Sends a case with the headers of its moment, and hands on what came back; raises InputError for what cannot be sent.

A layer takes the Send below it and is one itself. A side without such settings has no layer and pays for none.
"""


def expects(case: Case, status: int | None) -> bool:
    """Tell whether a curator approved of exactly this status, so that it is the answer and no refusal."""
    return case.expect is not None and case.expect.status == status
