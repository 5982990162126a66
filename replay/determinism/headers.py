"""The headers that carry instant, seed and case to a URL: the same ones to both sides."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import quote, unquote

from replay.models import Headers, Seeded

TIME: Final = "Replay-Time"
SEED: Final = "Replay-Seed"
CASE: Final = "Replay-Case"
TICK: Final = "Replay-Tick"
ALSO: Final = "Replay-Seed-Also"
CLOCK: Final = "Replay-Clock"
FROZEN: Final = "frozen"
REFUSED: Final = "refused"
YES: Final = "1"

_TRACE_LENGTH: Final = 32
_UNQUOTED: Final = re.compile(r"[A-Za-z0-9/:.,#@~_-]{1,512}")
# Servers refuse long fields; ids may be thousands of characters.
_LONGEST_CASE: Final = 512


def moment_headers(
    case_id: str,
    instant: datetime | None,
    seed: int,
    correlation_id: str,
    *,
    tick: bool = False,
    also: tuple[Seeded, ...] = (),
) -> Headers:
    """Return what a service needs to freeze its clock and seeds for one case, and to find it in its logs.

    A pure function of its arguments. Without an instant there is no `Replay-Time`. `instant` must have an offset.
    """
    moment: Headers = ((TIME, write_instant(instant)),) if instant is not None else ()
    if tick and instant is not None:
        moment = (*moment, (TICK, YES))
    seeds: Headers = ((SEED, str(seed)), (ALSO, ", ".join(also))) if also else ((SEED, str(seed)),)
    return (*moment, *seeds, (CASE, write_case(case_id)), ("traceparent", traceparent(correlation_id)))


@lru_cache(maxsize=64)
def write_instant(instant: datetime) -> str:
    """Return an instant in RFC 3339, in UTC; microseconds only where there are any."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def read_instant(text: str | None) -> datetime | None:
    """Return the instant of a `Replay-Time`, or None for anything that is none."""
    with contextlib.suppress(TypeError, ValueError):
        instant = datetime.fromisoformat(text)  # type: ignore[arg-type] # None is a TypeError, and no instant either
        return instant if instant.tzinfo is not None else None
    return None


def read_seed(text: str | None) -> int | None:
    """Return the seed of a `Replay-Seed`, or None for anything that is none."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,20}", text) else None


def read_also(text: str | None) -> frozenset[str]:
    """Return what a `Replay-Seed-Also` wants to have seeded besides."""
    return frozenset(filter(None, map(str.strip, (text or "").split(","))))


def write_case(case_id: str) -> str:
    """Return a case's id in ASCII, percent-encoded; a long one is cut, and told apart by a digest."""
    if _UNQUOTED.fullmatch(case_id):
        return case_id
    text = quote(case_id, safe="/:.,#@~ -_".replace(" ", ""), errors="replace")
    if len(text) <= _LONGEST_CASE:
        return text
    digest = blake2b(case_id.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return re.sub("%.?$", "", text[: _LONGEST_CASE - 17]) + "~" + digest


def read_case(text: str) -> str:
    """Return the id that a `Replay-Case` carries."""
    return unquote(text)


def traceparent(correlation_id: str) -> str:
    """Return a W3C trace context for a correlation id: always the same one; a trace id stands for itself."""
    digest = blake2b(correlation_id.encode("utf-8", "replace"), digest_size=24).hexdigest()
    own = len(correlation_id) == _TRACE_LENGTH and re.fullmatch("(?!0{32})[0-9a-f]{32}", correlation_id)
    trace, span = (correlation_id if own else digest[:32]), digest[32:]
    return f"00-{trace}-{span}-01"
