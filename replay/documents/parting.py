"""Where two texts part: found by comparing stretches, which takes a blink for 64 MB and next to no memory."""

from __future__ import annotations

from typing import AnyStr, Final

_STRETCH: Final = 65_536


def parting(one: AnyStr, other: AnyStr) -> int:
    """Return the index of the first difference; where one is the other's beginning, the length of the shorter."""
    end = min(len(one), len(other))
    low = 0
    while low < end and one[low : low + _STRETCH] == other[low : low + _STRETCH]:
        low += _STRETCH
    high = min(low + _STRETCH, end)
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return min(low, end)
