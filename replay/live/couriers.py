"""What passed is handed over here to the process that keeps it, without ever waiting for it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Final

from replay.live.choosing import OUT
from replay.live.frames import packed
from replay.wire.tee import Carried

MOST_QUEUED: Final = 64 * 2**20
"""How many bytes may wait for the process that keeps; while as many do, further exchanges are not kept."""
_MOST_PIECES: Final = 256
_MOST_REASONS: Final = 50
_OTHERS: Final = "other reasons"
BEHIND: Final = "keeping fell behind"
GONE: Final = "the process that keeps has ended"
LARGE: Final = "larger than --max-body"
_FAULTS: Final = (BEHIND, GONE, "cannot be written", "a mistake of this tool")


@dataclass(slots=True)
class Tally:
    """How far a recording has come: kept + all that is not kept + waiting = seen."""

    seen: int = 0
    kept: int = 0
    not_kept: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    size: int = 0
    files: tuple[str, ...] = ()
    connections: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """What went wrong in this tool or machine and cost single connections."""
    cut: bool = False
    """Whether somebody was in a hurry, so that exchanges under way were cut off."""

    @property
    def lost(self) -> int:
        """Return how many were to be kept and could not be, for which this machine is to blame."""
        return sum(count for reason, count in self.not_kept.items() if reason.startswith(_FAULTS))


class Courier:
    """Hands exchanges on over a socket. `keep` neither waits nor raises: what cannot be handed on is counted."""

    def __init__(self, sock: socket.socket, process: BaseProcess, most: int = MOST_QUEUED) -> None:
        self._sock = sock
        self._process = process
        self._most = most
        self._pieces: deque[bytes | memoryview] = deque()
        self._queued = 0
        self._sent = self._seen = 0
        self._refused: Counter[str] = Counter()
        self._told: dict[str, Any] = {}
        self._heard = bytearray()
        self._writing = self._closing = self._gone = False
        self._ended: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Listen to what the other end tells; from the loop that keeps."""
        self._sock.setblocking(False)
        self._ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._sock, self._hear)

    def keep(self, carried: Carried) -> None:
        """Hand an exchange on, or count why not."""
        self._seen += 1
        reason = self._why_not(carried)
        if reason is None:
            self._sent += 1
            pieces = packed(carried)
            self._pieces.extend(pieces)
            self._queued += sum(map(len, pieces))
            self._write_soon()
        else:
            carried.drop()
            known = reason in self._refused or len(self._refused) < _MOST_REASONS
            self._refused[reason if known else _OTHERS] += 1

    def told(self) -> Tally:
        """Return how far it has come."""
        kept, lost = self._told.get("kept", 0), Counter(self._told.get("lost", {}))
        return Tally(
            seen=self._seen,
            kept=kept,
            not_kept=self._refused + lost,
            waiting=self._sent - kept - lost.total(),
            size=self._told.get("size", 0),
            files=tuple(self._told.get("files", ())),
        )

    async def close(self, seconds: float, hurry: asyncio.Event | None = None) -> Tally:
        """Have the rest kept, within so many seconds from the last sign of it; return the sums, which then add up.

        Once somebody is in a `hurry`, nothing more is waited for.
        """
        self._closing = True
        self._write_soon()
        hurried: asyncio.Future[Any] = asyncio.ensure_future((hurry or asyncio.Event()).wait())
        while not self._gone and self._ended is not None:
            before = self.told().waiting, self._queued
            either: list[asyncio.Future[Any]] = [self._ended, hurried]
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done() or hurried.done() or before == (self.told().waiting, self._queued):
                break
        hurried.cancel()
        self._end()
        return self._summed()

    def _summed(self) -> Tally:
        told = self.told()
        if told.waiting:
            told.not_kept[GONE if self._gone else BEHIND] += told.waiting
            told.waiting = 0
        return told

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._stop_writing()
        self._sock.close()
        if not self._told.get("done"):
            self._process.kill()
        self._process.join(1.0)

    # ------------------------------------------------------------------------------------------------------------ parts

    def _why_not(self, carried: Carried) -> str | None:
        if carried.missing:
            return carried.missing
        if not carried.wanted:
            return OUT
        if carried.body.cut or carried.answer_body.cut:
            return LARGE
        if self._gone:
            return GONE
        return BEHIND if self._queued >= self._most else None

    def _write_soon(self) -> None:
        if not self._writing and not self._gone:
            self._writing = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        """Write what the other end takes now. What comes in one turn of the loop goes in one call."""
        self._writing = False
        try:
            while self._pieces:
                self._sent_off(self._sock.sendmsg(_first(self._pieces)))
        except (BlockingIOError, InterruptedError):
            self._writing = True
            asyncio.get_running_loop().add_writer(self._sock, self._write)
            return
        except OSError:
            self._lose()
            return
        self._stop_writing()
        if self._closing:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def _sent_off(self, size: int) -> None:
        self._queued -= size
        while size:
            piece = self._pieces.popleft()
            if len(piece) > size:
                self._pieces.appendleft(memoryview(piece)[size:])
                return
            size -= len(piece)

    def _stop_writing(self) -> None:
        with suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_writer(self._sock)

    def _lose(self) -> None:
        """Take note that nobody keeps anything any more."""
        self._gone = not self._told.get("done")
        self._stop_writing()
        self._pieces.clear()
        self._queued = 0
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _hear(self) -> None:
        try:
            data = self._sock.recv(2**16)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        self._heard += data
        *lines, rest = bytes(self._heard).split(b"\n")
        self._heard = bytearray(rest)
        if lines:
            self._told = json.loads(lines[-1])
        if not data:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._lose()


def _first(pieces: deque[bytes | memoryview]) -> list[bytes | memoryview]:
    return [pieces[index] for index in range(min(len(pieces), _MOST_PIECES))]
