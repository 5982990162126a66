"""What may be sent to a side that lives elsewhere."""

from __future__ import annotations

from replay.models import Request, TargetSpec
from replay.selection import SAFE_METHODS, parse_route
from replay.targets.routing import route_for


def permitted(spec: TargetSpec, request: Request) -> bool:
    """Tell whether a request may be sent to a live side: safe methods always, others where it is writable."""
    if request.method.upper() in SAFE_METHODS:
        return True
    if isinstance(spec.writable, bool):
        return spec.writable
    return any(parse_route(route).matches(request) for route in spec.writable)


def may_be_sent(spec: TargetSpec, kind: str, request: Request) -> bool:
    """Tell whether a request may be sent to a side, whose target is of a kind.

    What this tool has started may be sent everything, save what a route sends elsewhere.
    """
    if kind != "live":
        route = route_for(spec, request) if spec.routes else None
        if route is None or route.url is None:
            return True
    return permitted(spec, request)
