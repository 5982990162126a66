"""One process a run: whoever carries a run out holds it, so that nobody else resumes it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replay.errors import InputError


@contextmanager
def claimed(store: Path, run: str) -> Iterator[None]:
    """Hold a run of a store. Raise InputError where another process holds it.

    The system lets go of it when the process ends, however it ends. Where there is no `fcntl`, nothing is held.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = store.with_name(f"{store.name}-{run}.lock")
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fact = f"run {run} is still being carried out by another process"
            raise InputError(fact, hint="wait for it, or end it") from None
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()
