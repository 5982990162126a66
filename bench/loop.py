"""The event loop of what the bench runs: uvloop where there is one, as in the tool itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end."""
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_factory()) as runner:
        runner.run(coroutine)


def _factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 (there is none on Windows)
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
