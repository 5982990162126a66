"""Tracebacks as they would be without an experiment."""

from __future__ import annotations

from types import TracebackType
from typing import Final

_HERE: Final = __file__.removesuffix("tracebacks.py")


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package that it begins with; whole, where there are no others."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_HERE):
        inner = inner.tb_next
    return traceback if inner is None else inner
