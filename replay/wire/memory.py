"""Memory that bodies of some kilobytes leave behind is kept for the next ones."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 32 * 2**20
_LARGEST: Final = 4 * 2**20


@cache
def keep_freed_memory() -> None:
    """Have glibc keep up to 32 MiB of freed memory in this process; elsewhere do nothing. Once is enough.

    By default it hands the top of the heap back as soon as 128 KiB there are free, and takes it again for the next
    bodies: page by page, which cost a third of an exchange of 20 KB. To set one threshold ends the other's adapting
    by itself, so that both are set.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST)
