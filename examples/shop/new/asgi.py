"""The new shop's entrance: an ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from examples.shop.new import checkout, customers, delivery, shelves
from examples.shop.new.messages import ProblemError, Request, Response
from examples.shop.new.policies import Policies
from examples.shop.new.routing import Router, Shop
from examples.shop.new.search import Index

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTER = Router()
for part in (shelves, checkout, customers, delivery):
    ROUTER.include(part.router)


def build(policies: Policies) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the shop as an ASGI app that decides by these policies."""
    shop = Shop(policies, Index(policies.fold, policies.best_first))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])  # which is how an app says that it knows no lifespan
        request = _request(scope, await _body(receive))
        await _send(send, _answer(shop, request, scope["path"]), with_body=scope["method"] != "HEAD")

    return app


def _answer(shop: Shop, request: Request, path: str) -> Response:
    try:
        return ROUTER.dispatch(shop, request, path)
    except ProblemError as problem:
        return problem.response()


def _request(scope: Scope, body: bytes) -> Request:
    return Request(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Send, response: Response, *, with_body: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status != 304:
        headers.append((b"content-length", str(len(response.body)).encode()))
    headers.append((b"x-content-type-options", b"nosniff"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body if with_body else b""})
