"""A plain socket on the event loop: what is written leaves at once, and what came is told with when it arrived."""

from __future__ import annotations

import asyncio
import socket
from typing import Final, Protocol

from replay.wire.arrival import Arrivals

_PIECE: Final = 2**16


class Receiver(Protocol):
    """Who is told what happens on a stream."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the stream."""

    def arrived(self, data: bytes, at_ns: int) -> None:
        """Take bytes, and when they arrived."""

    def eof_received(self) -> bool | None:
        """Take note that no more bytes will come."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the stream is closed, and why unless in good order."""


class Stream(asyncio.Transport):
    """Carries bytes as the loop's own transports do, with two differences that matter to whoever measures.

    A loop's transport keeps what is written until its turn ends, and tells of what came without its time: a process
    that compares answers meanwhile would count that as time of the service. Belongs to one event loop.
    """

    def __init__(self, sock: socket.socket, receiver: Receiver) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._receiver = receiver
        self._moment = Arrivals.on(sock)
        self._receive = sock.recvmsg
        self._unsent = bytearray()
        self._closing = False
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        receiver.connection_made(self)
        self._loop.add_reader(sock, self._read)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return the socket."""
        return self._socket if name == "socket" else default

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._closing

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the system has not taken yet."""
        return len(self._unsent)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send at once what the system takes, and the rest as soon as it does."""
        if self._closing:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._socket, self._go_on)
        self._unsent += data

    def abort(self) -> None:
        """Close at once."""
        self._close(None)

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._loop.call_soon(self._break, error)
            return len(data)

    def _go_on(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent and not self._closing:
            self._loop.remove_writer(self._socket)

    def catch_up(self, until_ns: int) -> bool:
        """Hand on what has come and was not read yet; return False where there is nothing of up to that moment."""
        return not self._closing and self._read(until_ns)

    def _read(self, until_ns: int | None = None) -> bool:
        try:
            data, ancillary, _, _ = self._receive(_PIECE, Arrivals.SPACE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._close(error)
            return False
        try:
            if not data:
                self._receiver.eof_received()
                self._close(None)
                return False
            at_ns = self._moment(ancillary)
            if until_ns is not None and at_ns > until_ns:
                return False  # Too late; whoever asked gives the stream up.
            self._receiver.arrived(data, at_ns)
        except Exception as error:  # noqa: BLE001 - the receiver's mistake: it is told, as by any transport
            self._close(error)
            return False
        return True

    def _break(self, error: OSError) -> None:
        """End since nothing can be written any more; an answer that came before that is taken."""
        while not self._closing and self._read():
            pass
        self._close(error)

    def _close(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.remove_reader(self._socket)
        if self._unsent:
            self._loop.remove_writer(self._socket)
        self._loop.call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        self._socket.close()
        self._receiver.connection_lost(error)
