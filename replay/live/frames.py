"""Exchanges on their way from the process that passes traffic on to the one that keeps them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from replay.wire.tee import Carried

_HEAD: Final = struct.Struct("!QqH5I")
_PIECE: Final = 2**20
SECONDS: Final = 0.5
"""How often whoever reads frames hears that none has come."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One exchange in bytes, its bodies without their framing. Without an answer its head is empty."""

    at_ns: int
    latency_ns: int
    status: int
    correlation: bytes
    head: bytes
    body: bytes
    answer_head: bytes
    answer_body: bytes


def packed(carried: Carried) -> list[bytes]:
    """Return an exchange as pieces that make a frame together; its bodies are let go of."""
    head = carried.head.raw if carried.head is not None else b""
    parts = [carried.correlation.encode("utf-8", "surrogateescape"), head, carried.body.bytes(), carried.answer_head,
             carried.answer_body.bytes()]  # fmt: skip
    carried.drop()
    latency = carried.ended_ns - carried.begun_ns
    return [_HEAD.pack(carried.at_ns, latency, carried.status, *map(len, parts)), *filter(None, parts)]


def frames(sock: socket.socket) -> Iterator[Frame | None]:
    """Yield what comes in, until the other end says that nothing more will; None where nothing came for a while.

    A frame that is cut belongs to nobody: the other end ended within it.
    """
    sock.settimeout(SECONDS)
    held = bytearray()
    while True:
        try:
            data = sock.recv(_PIECE)
        except TimeoutError:
            yield None
            continue
        except OSError:
            return
        if not data:
            return
        held += data
        at = 0
        while (end := _end_of(held, at)) is not None:
            yield _unpacked(held, at, end)
            at = end
        del held[:at]


def _end_of(held: bytearray, at: int) -> int | None:
    if len(held) - at < _HEAD.size:
        return None
    end = at + _HEAD.size + sum(_HEAD.unpack_from(held, at)[3:])
    return end if end <= len(held) else None


def _unpacked(held: bytearray, at: int, end: int) -> Frame:
    at_ns, latency_ns, status, *sizes = _HEAD.unpack_from(held, at)
    parts, start = [], end - sum(sizes)
    for size in sizes:
        parts.append(bytes(held[start : start + size]))
        start += size
    return Frame(at_ns, latency_ns, status, *parts)
