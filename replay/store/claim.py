"""One process a run: whoever carries a run out holds it, so that nobody else resumes or purges it meanwhile."""

from __future__ import annotations

import os
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
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        yield
        return
    path = store.with_name(f"{store.name}-{run}.lock")
    with at_work(store), path.open("w") as held:
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


@contextmanager
def at_work(store: Path) -> Iterator[None]:
    """Write to a store beside others who do. Raise InputError where it is being purged."""
    with _folder_held(store, alone=False) as held:
        if not held:
            raise InputError("the store is being purged", place=str(store), hint="wait until that is over")
        yield


@contextmanager
def alone(store: Path) -> Iterator[None]:
    """Have a store to oneself. Raise InputError where anybody writes to one in this folder."""
    with _folder_held(store, alone=True) as held:
        if not held:
            fact = "a run is going on in this folder, or another purge"
            raise InputError(fact, place=str(store), hint="wait for it, or end it")
        yield


@contextmanager
def _folder_held(store: Path, *, alone: bool) -> Iterator[bool]:
    """Hold the folder of a store; false where others hold it so that one cannot.

    Not the file: who closes a file that SQLite has open lets go of SQLite's own locks. Where folders cannot be held,
    nothing is.
    """
    try:
        import fcntl  # noqa: PLC0415 - likewise

        folder = os.open(store.parent, os.O_RDONLY)
    except (ImportError, OSError):
        yield True
        return
    try:
        held = True
        try:
            fcntl.flock(folder, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            held = False
        except OSError:
            pass
        yield held
    finally:
        os.close(folder)
