"""The words of the glossary that name kinds: sides, outcomes, differences, errors."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal

Side = Literal["old", "new"]

SIDES: Final[tuple[Side, Side]] = ("old", "new")

Headers = tuple[tuple[str, str], ...]
"""Header fields in the order and case in which they stood on the wire; values that are not UTF-8 decoded as Latin-1."""

Json = Any
"""A parsed JSON value: None, bool, int, Decimal, str, list or dict."""

ErrorKind = Literal[
    "status", "error_when", "timeout", "refused", "closed", "reset", "incomplete_body", "protocol", "too_large",
    "decode", "tls", "dns", "crashed", "exception", "capture", "until",
]  # fmt: skip

UNREACHABLE: Final[frozenset[ErrorKind]] = frozenset({"refused", "dns", "tls", "timeout", "closed", "reset", "crashed"})
"""How it ends where nobody is there to answer."""

DifferenceKind = Literal[
    "status", "schema", "validation", "missing", "extra", "type", "value", "order", "rank", "header", "text",
]  # fmt: skip

OutcomeName = Literal["match", "deviation", "noise", "waived", "new_error", "old_error", "both_error", "skipped"]

NOT_WRITABLE: Final = "that is not writable"
"""How the reason ends for which a case was not sent, since it may change something."""
NOTHING_EXPECTED: Final = "there is no old, and nothing is expected"
"""The reason for which a golden was not sent that nothing can be compared with."""

Category = DifferenceKind | Literal["timeout", "transport", "exception", "decode", "error_when", "capture"]
"""In which way a case deviates or fails: a kind of difference, or how an answer failed to come or to count as one."""

CaseKind = Literal["golden", "traffic"]

Seeded = Literal["uuid4", "secrets"]
"""What draws from the system's randomness, and is seeded only where the settings ask for it."""

Order = Literal["random", "old-first", "together"]

VerdictState = Literal["GO", "NO-GO", "INCONCLUSIVE"]

WORST_FIRST: Final[tuple[VerdictState, ...]] = ("NO-GO", "INCONCLUSIVE", "GO")


class Missing(Enum):
    """The one value that no document can hold: nothing stands at this location."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing.MISSING
