"""What samples, orders and ids are drawn by: none of it touches the program's own chance, which may be seeded."""

from __future__ import annotations

import os
from random import Random
from typing import Final

_OWN: Final = Random()  # noqa: S311 - nothing here is a secret

_SPREAD: Final = 0x9E3779B97F4A7C15
"""Odd, so that no two processes are spread to the same number: 2^64 by the golden ratio."""
_DIGITS: Final = 2**64 - 1

drawn: Final = _OWN.random
"""Return a number in [0, 1)."""


def drawn_id() -> str:
    """Return 16 hexadecimal digits that no other call has."""
    # With the process in it: uWSGI forks without telling Python, and all of its workers draw alike then.
    return f"{_OWN.getrandbits(64) ^ (os.getpid() * _SPREAD & _DIGITS):016x}"


if hasattr(os, "register_at_fork"):
    # Otherwise all processes of a server would draw alike, and give two calls one id.
    os.register_at_fork(after_in_child=_OWN.seed)
