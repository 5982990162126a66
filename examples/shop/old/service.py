"""The old shop's entrance: a WSGI app with a table of patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from examples.shop.old import checkout, people, shelves
from examples.shop.old.answers import Answer, Call, RefusedError, answer_refusal

Handler = Callable[[Call], Answer]

ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"/", shelves.home),
    ("GET", r"/products", shelves.products),
    ("GET", r"/products/([^/]+)", shelves.product),
    ("GET", r"/p/([^/]+)", shelves.moved),
    ("GET", r"/search", shelves.search_page),
    ("GET", r"/prices", shelves.price),
    ("GET", r"/feed", shelves.feed),
    ("GET", r"/export\.csv", shelves.export),
    ("POST", r"/orders", checkout.place_order),
    ("GET", r"/orders/([^/]+)", checkout.order),
    ("POST", r"/quotes", checkout.quote),
    ("GET", r"/invoices/([^/]+)", checkout.invoice),
    ("POST", r"/subscriptions/renew", checkout.renew),
    ("GET", r"/accounts/([^/]+)", people.account),
    ("POST", r"/sessions", people.open_session),
    ("GET", r"/me", people.me),
    ("GET", r"/carts/([^/]+)", people.cart),
    ("GET", r"/coupons/draw", people.draw),
    ("GET", r"/slots", people.slots),
]


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve one request."""
    try:
        status, headers, body = _route(environ)
    except RefusedError as refused:
        status, headers, body = answer_refusal(refused)
    if status not in {204, 304}:
        headers = [*headers, ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _route(environ: WSGIEnvironment) -> Answer:
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
    allowed = []
    for verb, pattern, handler in ROUTES:
        match = re.fullmatch(pattern, path)
        if match and verb == method:
            return handler(_call(environ, method, match.groups()))
        if match:
            allowed.append("GET, HEAD" if verb == "GET" else verb)
    if allowed:
        raise RefusedError(405, "method_not_allowed", f"{method} is not allowed here", ("Allow", ", ".join(allowed)))
    raise RefusedError(404, "not_found", "no such page")


def _call(environ: WSGIEnvironment, method: str, args: tuple[str, ...]) -> Call:
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return Call(method, query, headers, body, args)
