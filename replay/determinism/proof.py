"""A proof that whoever asks for an instant shares a secret with the service. The secret itself is never sent.

`Replay-Proof` holds the second at which it was made, and an HMAC-SHA-256 in hexadecimal under the secret, over these
lines, joined by line feeds: `replay-1`, that second, and the values of `Replay-Time`, `Replay-Seed`, `Replay-Case`,
`Replay-Tick` and `Replay-Seed-Also` as they were sent; what was not sent is an empty line.

So nobody without the secret can move a clock, and whoever overhears a request can only ask for the same instant, seed
and case again, for `WINDOW` seconds. A proof goes to the host that it was made for and is kept nowhere; what is proved
holds no more than the instant, so that a proxy may rewrite paths.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Final

from replay.determinism.headers import ALSO, CASE, SEED, TICK, TIME
from replay.models import Headers

VARIABLE: Final = "REPLAY_DETERMINISM_SECRET"
"""The variable of a service's environment that holds the secret; without it, no request moves any clock."""
PROOF: Final = "Replay-Proof"
SHORTEST: Final = 16
"""A shorter secret could be found by trying."""
WINDOW: Final = 300
"""For how many seconds, before and after, a proof holds."""
_BOUND: Final = (TIME, SEED, CASE, TICK, ALSO)

Lookup = Callable[[str], str | None]
"""Gives the value of a header by its name."""


def proved(headers: Headers, secret: str) -> Headers:
    """Return the headers of a moment with their proof, made now."""
    return (*headers, (PROOF, _proof(secret, dict(headers).get, int(real_seconds()))))


def refusal(secret: str, header: Lookup) -> str:
    """Return why a request may not move the clock; empty where it may."""
    given = re.fullmatch(r"([0-9]{1,12}) ([0-9a-f]{64})", header(PROOF) or "")
    if given is None:
        return "no proof" if header(PROOF) is None else "the proof cannot be read"
    made = int(given[1])
    if not hmac.compare_digest(_proof(secret, header, made), given[0]):
        return "the proof is wrong: the two secrets differ"
    apart = round(real_seconds()) - made
    return f"the clocks are {abs(apart)} s apart, and a proof holds for {WINDOW} s" if abs(apart) > WINDOW else ""


def _proof(secret: str, header: Lookup, made: int) -> str:
    text = "\n".join(["replay-1", str(made), *(header(name) or "" for name in _BOUND)])
    key = secret.encode("utf-8", "surrogateescape")
    return f"{made} {hmac.digest(key, text.encode('latin-1', 'replace'), hashlib.sha256).hex()}"


def real_seconds() -> float:
    """Return the time since the epoch on the clock that freezegun leaves alone."""
    return time.clock_gettime(time.CLOCK_REALTIME)
