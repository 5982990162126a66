"""What may be sent to a side that lives elsewhere."""

from __future__ import annotations

from replay.models import Request, TargetSpec
from replay.selection import SAFE_METHODS, parse_route


def permitted(spec: TargetSpec, request: Request) -> bool:
    """Tell whether a request may be sent to a live side: safe methods always, others where it is writable."""
    if request.method.upper() in SAFE_METHODS:
        return True
    if isinstance(spec.writable, bool):
        return spec.writable
    return any(parse_route(route).matches(request) for route in spec.writable)
