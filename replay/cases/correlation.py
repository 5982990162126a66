"""The id under which a service's own logs know a request."""

from __future__ import annotations

import re
from typing import Final

from replay.models import Headers, Request, first_header

CORRELATING: Final = frozenset({"x-request-id", "traceparent"})
"""The header fields that may hold one, in lower case."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


def correlation_of(request: Request) -> str | None:
    """Return the request's x-request-id, else the trace id of its traceparent (W3C), else None."""
    return stated_correlation(request.headers)


def stated_correlation(headers: Headers) -> str | None:
    """Return the x-request-id that these header fields state, else the trace id of their traceparent, else None."""
    if stated := first_header(headers, "x-request-id"):
        return stated
    found = _TRACEPARENT.fullmatch(first_header(headers, "traceparent") or "")
    return found.group(1) if found else None
