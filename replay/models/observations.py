"""What one side did with one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from replay.models.making import quickly_made
from replay.models.names import ErrorKind, Headers, Json


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a side gave no answer, or none that counts as one."""

    kind: ErrorKind
    message: str = ""


@quickly_made
@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds on the monotonic clock; `latency_ms` runs from the first byte written to the last byte read.

    `queued_ms` is all the waiting before it: for a connection, for the side's rate, and after refusals.
    """

    latency_ms: float
    first_byte_ms: float | None = None
    connect_ms: float | None = None
    queued_ms: float = 0.0


@quickly_made
@dataclass(frozen=True, slots=True)
class Observation:
    """What one side did with one case. `body` has its content coding undone; what arrived before a failure is kept.

    `clock_frozen` is None where the side does not say whether it obeyed the instant.
    """

    status: int | None = None
    headers: Headers = ()
    body: bytes = b""
    error: Failure | None = None
    timing: Timing | None = None
    clock_frozen: bool | None = None
    retries: int = 0
    """How many times it was sent again because the side had refused it; `timing` is the last exchange's."""
    steps: tuple[Played, ...] = ()
    """Of a scenario, the steps up to its end or to the one that failed; body and headers are then those of none."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return first_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Played:
    """What one side did at one step of a scenario. Of pages that were walked, the items of all are in one answer."""

    step: str
    seen: Observation
    captured: Mapping[str, Json] = field(default_factory=dict)
    asked: int = 1
    """How many requests it took."""


Done = Callable[[Observation], None]
"""Is handed the observation, once."""

Failed = Callable[[BaseException], None]
"""Is handed, instead of an observation, what is not the side's doing: RunError, InputError, or a mistake of ours."""


def first_header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, whatever its case."""
    wanted, length = name.lower(), len(name)
    for key, value in headers:
        if len(key) == length and key.lower() == wanted:
            return value
    return None
