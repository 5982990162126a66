"""Choices that stick: the same key always falls on the same spot, in every run and on every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Final

_BITS: Final = 53
"""What a double holds exactly, so that a share is never rounded up to 1."""

_PERCENTAGE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)[ ]?%")


def parse_percentage(text: str) -> Fraction | None:
    """Return the share that a percentage is, `0.5%` as exactly 1/200; None for a text that is none."""
    found = _PERCENTAGE.fullmatch(text.strip())
    return Fraction(found[1]) / 100 if found is not None else None


def unit(key: str, salt: str = "") -> float:
    """Return a number in [0, 1) that depends on key and salt only. `unit(key) < share` samples.

    Samples nest: what is among the first 5% is among the first 10%.
    """
    return float(int.from_bytes(_hash(key, salt, size=8)) >> (64 - _BITS)) / float(1 << _BITS)


def in_shard(key: str, index: int, count: int) -> bool:
    """Return whether a key belongs to shard `index` of `count`, counted from 1: each key to exactly one of them.

    Raise ValueError unless 1 <= index <= count.
    """
    if not 1 <= index <= count:
        raise ValueError(f"there is no shard {index} of {count}; count from 1/{max(count, 1)}")
    return int.from_bytes(_hash(key, "shard", size=8)) % count == index - 1


@dataclass(frozen=True, slots=True)
class Portion:
    """Part `index` of `count`, counted from 0, of what several processes share."""

    index: int = 0
    count: int = 1

    def share(self, whole: int) -> int:
        """Return this part of a number: all are as equal as whole numbers are, and add up to it."""
        return whole // self.count + (self.index < whole % self.count)

    def has(self, session: str | None, number: int) -> bool:
        """Return whether a case, the `number`-th of its source, is in this part: sessions stay whole."""
        if session is None:
            return number % self.count == self.index
        return in_shard(session, self.index + 1, self.count)


def derive_seed(run_seed: int, identity: str) -> int:
    """Return the seed of a case, below 2**32: it depends on the run's seed and the case's identity, never on order."""
    return int.from_bytes(_hash(identity, str(run_seed), size=4))


def _hash(key: str, salt: str, *, size: int) -> bytes:
    # The salt goes first and ends with a NUL, so that no two pairs make the same text unless a salt holds one.
    return blake2b(f"{salt}\0{key}".encode("utf-8", "surrogatepass"), digest_size=size).digest()
