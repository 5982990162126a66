"""Counts and sizes as people read them."""

from __future__ import annotations

from typing import Final

_KILOBYTE: Final = 10**3
_MEGABYTE: Final = 10**6


def counted(number: int, noun: str, several: str = "") -> str:
    """Return `1 case`, `2 cases`; `several` is the plural of a noun that has another."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {several or noun + 's'}"


def sized(count: int) -> str:
    """Return so many bytes as `1.5 MB`, or as `640.0 kB` where they are fewer than a million."""
    return f"{count / _MEGABYTE:,.1f} MB" if count >= _MEGABYTE else f"{count / _KILOBYTE:,.1f} kB"
