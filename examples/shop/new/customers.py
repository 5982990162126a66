"""Accounts, sessions, carts and draws of the new shop."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime, timedelta

from examples.shop.catalogue import CARTS, ENTRANTS, NAMES
from examples.shop.new.messages import (
    ProblemError,
    Request,
    Response,
    json_object,
    json_response,
    malformed,
    missing,
    rfc3339,
)
from examples.shop.new.routing import Router, Shop

router = Router()

TOKEN_LIFE = timedelta(hours=1)
CART_LIFE = timedelta(hours=24)
LARGEST_ID = 2**63 - 1
NOT_STORED = (("cache-control", "no-store"),)


@router.on("GET", "/accounts/{id}")
def account(shop: Shop, request: Request) -> Response:
    """Show an account; ids go up to 2^63 - 1."""
    text = request.path_args["id"]
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_ID:
        raise malformed(f"id must be a whole number from 1 to {LARGEST_ID}")
    number = shop.policies.read_id(text)
    return json_response({"id": number, "name": NAMES[number % len(NAMES)], "points": number * 3})


@router.on("POST", "/sessions")
def open_session(_: Shop, request: Request) -> Response:
    """Hand out a token and a cookie."""
    user = json_object(request).get("user")
    if not isinstance(user, str) or not user.isalnum():
        raise malformed("user must be a name of letters and digits")
    token = signed(user, int(datetime.now(UTC).timestamp()))
    cookie = f"sid={random.getrandbits(32):08x}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"
    lives = int(TOKEN_LIFE.total_seconds())
    return json_response({"token": token, "lives": lives}, 201, (("set-cookie", cookie), *NOT_STORED))


@router.on("GET", "/me")
def me(shop: Shop, request: Request) -> Response:
    """Tell who signed in, and for how long that holds."""
    user, issued = _vouched(request) or _checked(request.headers.get("authorization", ""))
    age = datetime.now(UTC).replace(microsecond=0) - datetime.fromtimestamp(issued, UTC)
    if not shop.policies.still_valid(age, TOKEN_LIFE):
        raise _unauthorised("expired_token", "the token has expired", ', error="invalid_token"')
    left = int((TOKEN_LIFE - age).total_seconds())
    return json_response({"user": user, "seconds_left": left}, headers=NOT_STORED)


@router.on("GET", "/carts/{id}")
def cart(shop: Shop, request: Request) -> Response:
    """Show a cart, as long as it holds its articles."""
    name = request.path_args["id"]
    if name not in CARTS:
        raise missing(f"no cart '{name}'")
    held = datetime.fromisoformat(CARTS[name])
    age = datetime.now(UTC).replace(microsecond=0) - held
    if not shop.policies.still_valid(age, CART_LIFE):
        raise ProblemError(410, "released", "the cart was released after 24 hours")
    return json_response({"id": name, "state": "held", "held_until": rfc3339(held + CART_LIFE)})


@router.on("GET", "/coupons/draw")
def draw(_: Shop, request: Request) -> Response:
    """Draw the winners of the day."""
    winners = request.param("winners", "3")
    if not winners.isdecimal() or not 1 <= int(winners) <= 10:
        raise malformed("winners must be a whole number from 1 to 10")
    drawn = random.sample(ENTRANTS, int(winners))
    return json_response({"winners": drawn, "drawn_at": rfc3339(datetime.now(UTC))})


def signed(user: str, issued: int) -> str:
    """Return the token of a user: a checksum, for this is an example and no bank."""
    text = f"{user}.{issued}"
    return f"{text}.{zlib.crc32(text.encode()):08x}"


def _vouched(request: Request) -> tuple[str, int] | None:
    """Return what the gateway says of whose token it has seen; the token stays there."""
    user, issued = (request.headers.get(name, "") for name in ("x-user", "x-signed-in"))
    return (user, int(issued)) if user and issued.isdecimal() else None


def _checked(authorization: str) -> tuple[str, int]:
    scheme, _, token = authorization.partition(" ")
    user, issued, *_ = [*token.split("."), "", ""]
    if scheme != "Bearer" or not issued.isdecimal() or signed(user, int(issued)) != token:
        raise _unauthorised("no_token", "a token is needed", "")
    return user, int(issued)


def _unauthorised(code: str, message: str, detail: str) -> ProblemError:
    return ProblemError(401, code, message, (("www-authenticate", f'Bearer realm="shop"{detail}'),))
