"""What samples, orders and ids are drawn by: none of it touches the program's own chance, which may be seeded."""

from __future__ import annotations

import os
from random import Random
from typing import Final

_OWN: Final = Random()  # noqa: S311 - nothing here is a secret

drawn: Final = _OWN.random
"""Return a number in [0, 1)."""


def drawn_id() -> str:
    """Return 16 hexadecimal digits."""
    return f"{_OWN.getrandbits(64):016x}"


if hasattr(os, "register_at_fork"):
    # Otherwise all processes of a server would draw alike, and give two calls one id.
    os.register_at_fork(after_in_child=_OWN.seed)
