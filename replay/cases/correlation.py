"""The id under which a service's own logs know a request."""

from __future__ import annotations

import re

from replay.models import Request

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


def correlation_of(request: Request) -> str | None:
    """Return the request's x-request-id, else the trace id of its traceparent (W3C), else None."""
    if stated := request.header("x-request-id"):
        return stated
    found = _TRACEPARENT.fullmatch(request.header("traceparent") or "")
    return found.group(1) if found else None
