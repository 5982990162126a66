"""Known differences: those that a team expects, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """A difference that is expected where `when(old, new, *args, **kwargs)` is true, and why.

    It is given copies of what both sides gave (exceptions that are answers as well) and of the arguments as they were.
    Errors are never known differences.
    """

    when: Callable[..., Any]
    why: str
