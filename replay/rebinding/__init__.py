"""Values that one answer of a captured session hands out and a later request uses again: found, and put per side."""

from __future__ import annotations

from replay.rebinding.bounds import Bound as Limit
from replay.rebinding.bounds import told_beyond
from replay.rebinding.foresight import Foresight
from replay.rebinding.handing import Handing
from replay.rebinding.threads import Bound, Thread, Threads, binding_of

__all__ = ["Bound", "Foresight", "Handing", "Limit", "Thread", "Threads", "binding_of", "told_beyond"]
