"""Values that one answer of a captured session hands out and a later request uses again: found, and put per side."""

from __future__ import annotations

from replay.rebinding.foresight import Foresight
from replay.rebinding.handing import Handing
from replay.rebinding.threads import Bound, Thread, Threads, binding_of

__all__ = ["Bound", "Foresight", "Handing", "Thread", "Threads", "binding_of"]
