"""Opening a connection: resolve, connect, shake hands."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable

from replay.wire.connection import Connection
from replay.wire.failure import WireFailure, connect_failure
from replay.wire.origin import Origin


def default_tls() -> ssl.SSLContext:
    """Return a context that verifies by the system's authorities and offers HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def connect(origin: Origin, tls: ssl.SSLContext | None, make: Callable[[], Connection]) -> Connection:
    """Open a connection; `make` makes its protocol. Raises WireFailure with the reason where none comes about.

    It does not end by itself where nobody answers: whoever waits for it has the deadline.
    """
    try:
        return await _open_any(origin, tls, make)
    except OSError as error:
        raise WireFailure(connect_failure(error, tls=tls is not None)) from error


async def _open_any(origin: Origin, tls: ssl.SSLContext | None, make: Callable[[], Connection]) -> Connection:
    """Try each address of the host in turn; the last one's error stands for all."""
    addresses = await _addresses(origin)
    for address in addresses[:-1]:
        try:
            return await _open(address, origin, tls, make)
        except ssl.SSLError:
            raise
        except OSError:
            continue
    return await _open(addresses[-1], origin, tls, make)


async def _addresses(origin: Origin) -> list[str]:
    try:
        return [str(ipaddress.ip_address(origin.host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    return [str(info[4][0]) for info in found]


async def _open(address: str, origin: Origin, tls: ssl.SSLContext | None, make: Callable[[], Connection]) -> Connection:
    name = origin.host if tls is not None else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(make, address, origin.port, ssl=tls, server_hostname=name)
    return connection
