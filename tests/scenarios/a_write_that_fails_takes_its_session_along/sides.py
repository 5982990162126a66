"""A shop; new cannot take the orders of a thrifty customer, who then finds nothing that she ordered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def shop(*, refuses: str) -> Wsgi:
    taken: set[str] = set()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, _, name, *rest = environ["PATH_INFO"].split("/")
        status = "200 OK" if name in taken else "404 Not Found"
        if environ["REQUEST_METHOD"] == "POST" and not rest:
            status = "500 Internal Server Error" if name == refuses else "201 Created"
            taken.update({name} - {refuses})
        start_response(status, [("content-type", "application/json")])
        return [b"{}"]

    return app


old = shop(refuses="")
new = shop(refuses="17")
