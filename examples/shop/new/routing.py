"""Which handler answers which path. Handlers register themselves; a shop is what they are handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from examples.shop.new.messages import ProblemError, Request, Response
from examples.shop.new.policies import Policies
from examples.shop.new.search import Index


@dataclass(frozen=True, slots=True)
class Shop:
    """What handlers need: how to decide, and where to find."""

    policies: Policies
    index: Index


Handler = Callable[[Shop, Request], Response]


class Router:
    """A table of templates such as `/products/{sku}`."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, list[str], Handler]] = []

    def on(self, method: str, template: str) -> Callable[[Handler], Handler]:
        """Register the handler of a method and a template."""

        def register(handler: Handler) -> Handler:
            self._routes.append((method, template.split("/"), handler))
            return handler

        return register

    def include(self, other: Router) -> None:
        """Take over the routes of another router."""
        self._routes.extend(other._routes)

    def dispatch(self, shop: Shop, request: Request, path: str) -> Response:
        """Answer a request; raise a problem for a path or a method that nobody serves."""
        fits = [
            (method, handler, args)
            for method, template, handler in self._routes
            if (args := _match(template, path.split("/"))) is not None
        ]
        for method, handler, args in fits:
            if method == request.method:
                return handler(shop, replace(request, path_args=args))
        if not fits:
            raise ProblemError(404, "not_found", "no such page")
        allow = ", ".join("GET, HEAD" if method == "GET" else method for method, _, _ in fits)
        raise ProblemError(405, "method_not_allowed", f"{request.method} is not allowed here", (("allow", allow),))


def _match(template: list[str], path: list[str]) -> dict[str, str] | None:
    if len(template) != len(path):
        return None
    args = {}
    for wanted, part in zip(template, path, strict=True):
        if wanted.startswith("{") and part:
            args[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return args
