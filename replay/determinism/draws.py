"""What draws at random, seeded for a request: `random`, NumPy, and on request what asks the system for randomness."""

from __future__ import annotations

import os
import random
import secrets
import sys
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

_NAMES: Final = ("uuid4", "secrets")


def plant(seed: int) -> None:
    """Seed what draws at random by itself: `random`, and NumPy where it is loaded."""
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


class Draws:
    """Stands between the system's randomness and what asks for it; while nothing is seeded, it passes that on.

    `uuid4` stands for `uuid.uuid4`; `secrets` for that module and every `random.SystemRandom`. It does not matter when
    they were imported. `os.urandom` itself, TLS and the like stay as unpredictable as they are.
    """

    def __init__(self) -> None:
        self._streams: dict[str, random.Random] = {}
        self._undo: list[tuple[Any, str, Any]] = []
        system, real = random.__dict__["_urandom"], SimpleNamespace(**vars(os))
        self._replace(uuid, "os", SimpleNamespace(**vars(real) | {"urandom": self._source("uuid4", os.urandom)}))
        self._replace(random, "_urandom", self._source("secrets", system))

    @contextmanager
    def seeded(self, seed: int, names: Collection[str]) -> Iterator[None]:
        """Plant a seed, and have those of `names` that are known draw from one that follows from it."""
        plant(seed)
        # Each has a stream of its own: an app that draws one UUID more gets the same tokens nevertheless.
        self._streams = {name: random.Random(f"{name} {seed}") for name in _NAMES if name in names}  # noqa: S311
        try:
            yield
        finally:
            self._streams = {}

    def release(self) -> None:
        """Put everything back."""
        while self._undo:
            setattr(*self._undo.pop())

    def _replace(self, owner: Any, name: str, value: object) -> None:
        self._undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def _source(self, name: str, real: Any) -> Any:
        def urandom(size: int) -> bytes:
            stream = self._streams.get(name)
            return real(size) if stream is None else stream.randbytes(size)

        return urandom


assert secrets.SystemRandom is random.SystemRandom  # noqa: S101 - so that one place serves both
