"""Writing captures: whole ones at once, and growing ones of live traffic."""

from __future__ import annotations

from replay.cases.writing.account import Account, CaptureLimits
from replay.cases.writing.appearing import appearing
from replay.cases.writing.writer import CaptureWriter, Mask, write_capture

__all__ = ["Account", "CaptureLimits", "CaptureWriter", "Mask", "appearing", "write_capture"]
