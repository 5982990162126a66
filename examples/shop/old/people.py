"""Accounts, sessions, carts, draws and delivery hours of the old shop."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, date, datetime

from examples.shop.catalogue import CARTS, ENTRANTS, NAMES, ZONES
from examples.shop.old import dates
from examples.shop.old.answers import Answer, Call, RefusedError, answer_json, bad, read_object

TOKEN_LIFE = 3600
CART_LIFE = 24 * 3600
NO_TOKEN = ("WWW-Authenticate", 'Bearer realm="shop"')
OLD_TOKEN = ("WWW-Authenticate", 'Bearer realm="shop", error="invalid_token"')


def account(call: Call) -> Answer:
    """Show an account; ids go up to 2^63 - 1."""
    text = call.args[0]
    if not text.isdecimal() or not 1 <= int(text) < 2**63:
        raise bad("id must be a whole number from 1 to 9223372036854775807")
    number = int(text)
    return answer_json({"id": number, "name": NAMES[number % len(NAMES)], "points": number * 3})


def open_session(call: Call) -> Answer:
    """Hand out a token and a cookie."""
    user = read_object(call).get("user")
    if not isinstance(user, str) or not user.isalnum():
        raise bad("user must be a name of letters and digits")
    token = sign(user, dates.now())
    cookie = ("Set-Cookie", f"sid={random.getrandbits(32):08x}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax")
    return answer_json({"token": token, "lives": TOKEN_LIFE}, 201, cookie, ("Cache-Control", "no-store"))


def me(call: Call) -> Answer:
    """Tell who signed in, and for how long that holds."""
    user, issued = _vouched(call) or _signed(call)
    age = dates.now() - issued
    if age > TOKEN_LIFE:
        raise RefusedError(401, "expired_token", "the token has expired", OLD_TOKEN)
    return answer_json({"user": user, "seconds_left": TOKEN_LIFE - age}, 200, ("Cache-Control", "no-store"))


def _vouched(call: Call) -> tuple[str, int] | None:
    """Return who signed in and when, as the gateway says that has looked at the token and keeps it to itself."""
    user, issued = call.headers.get("x-user", ""), call.headers.get("x-signed-in", "")
    return (user, int(issued)) if user and issued.isdecimal() else None


def _signed(call: Call) -> tuple[str, int]:
    """Return who signed in and when, as a token says."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    user, _, rest = token.partition(".")
    issued = rest.partition(".")[0]
    if scheme != "Bearer" or not issued.isdecimal() or token != sign(user, int(issued)):
        raise RefusedError(401, "no_token", "a token is needed", NO_TOKEN)
    return user, int(issued)


def sign(user: str, issued: int) -> str:
    """Return the token of a user: a checksum, for this is an example and no bank."""
    return f"{user}.{issued}.{zlib.crc32(f'{user}.{issued}'.encode()):08x}"


def cart(call: Call) -> Answer:
    """Show a cart, as long as it holds its articles."""
    held = CARTS.get(call.args[0])
    if held is None:
        raise RefusedError(404, "not_found", f"no cart '{call.args[0]}'")
    until = int(datetime.fromisoformat(held).timestamp()) + CART_LIFE
    if dates.now() > until:
        raise RefusedError(410, "released", "the cart was released after 24 hours")
    return answer_json({"id": call.args[0], "state": "held", "held_until": dates.stamp(until)})


def draw(call: Call) -> Answer:
    """Draw the winners of the day."""
    winners = call.first("winners", "3")
    if not winners.isdecimal() or not 1 <= int(winners) <= 10:
        raise bad("winners must be a whole number from 1 to 10")
    drawn = random.sample(ENTRANTS, int(winners))
    return answer_json({"winners": drawn, "drawn_at": dates.stamp(dates.now())})


def slots(call: Call) -> Answer:
    """List the hours of the night courier."""
    zone = call.first("tz", "Europe/Berlin")
    if zone not in ZONES:
        raise bad(f"tz must be one of {', '.join(ZONES)}")
    hours = dates.night_hours(_day(call.first("date")), zone)
    shown = [{"from": hour.isoformat(), "utc": dates.stamp(int(hour.timestamp()))} for hour in hours]
    return answer_json({"tz": zone, "slots": shown})


def _day(text: str) -> date:
    if not text:
        return datetime.fromtimestamp(dates.now(), UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad("date must be a day, like 2024-03-31") from None
