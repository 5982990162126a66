"""`replay doctor`: what would spoil a run, found before it, with safe requests alone and within a bounded time."""

from __future__ import annotations

from replay.engine.doctor.checkup import check_up
from replay.engine.doctor.findings import Finding, Health

__all__ = ["Finding", "Health", "check_up"]
