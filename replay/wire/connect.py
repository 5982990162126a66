"""Opening a connection: resolve, connect, shake hands."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from replay.wire.connection import Connection
from replay.wire.failure import WireFailure, connect_failure
from replay.wire.origin import Address, Origin
from replay.wire.stream import Stream

_STREAMS: Final = sys.platform != "win32"  # where loops watch no sockets, and read from them by themselves


@dataclass(frozen=True, slots=True)
class Way:
    """How to a server: where it is, and by what name it has to show itself where it speaks TLS."""

    address: Address
    name: str
    tls: ssl.SSLContext | None = None

    @classmethod
    def to(cls, origin: Origin, address: Address | None, tls: ssl.SSLContext | None) -> Way:
        """Return the way to an origin; to another address the name stays the URL's."""
        return cls(address or Address(origin.host, origin.port), origin.host, tls)


async def connect(way: Way, make: Callable[[], Connection]) -> Connection:
    """Open a connection; `make` makes its protocol. Raises WireFailure with the reason where none comes about.

    It does not end by itself where nobody answers: whoever waits for it has the deadline.
    """
    try:
        return await (_open_any(way, make) if way.address.unix is None else _open_unix(way.address.unix, way, make))
    except OSError as error:
        raise WireFailure(connect_failure(error, tls=way.tls is not None)) from error


async def _open_any(way: Way, make: Callable[[], Connection]) -> Connection:
    """Try each address of the host in turn; the last one's error stands for all."""
    addresses = await _addresses(way.address)
    for address in addresses[:-1]:
        try:
            return await _open(address, way, make)
        except ssl.SSLError:
            raise
        except OSError:
            continue
    return await _open(addresses[-1], way, make)


async def _addresses(address: Address) -> list[str]:
    try:
        return [str(ipaddress.ip_address(address.host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    return [str(info[4][0]) for info in found]


async def _open(address: str, way: Way, make: Callable[[], Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    if way.tls is None and _STREAMS:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return await _stream(socket.socket(family), (address, way.address.port), make)
    name = way.name if way.tls is not None else None
    _, connection = await loop.create_connection(make, address, way.address.port, ssl=way.tls, server_hostname=name)
    return connection


async def _open_unix(path: str, way: Way, make: Callable[[], Connection]) -> Connection:
    if way.tls is None and _STREAMS:
        return await _stream(socket.socket(socket.AF_UNIX), path, make)
    name = way.name if way.tls is not None else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_unix_connection(make, path, ssl=way.tls, server_hostname=name)
    return connection


async def _stream(sock: socket.socket, address: tuple[str, int] | str, make: Callable[[], Connection]) -> Connection:
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        connection = make()
        Stream(sock, connection)
    except BaseException:
        sock.close()
        raise
    return connection
