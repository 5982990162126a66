"""Opening a connection: resolve, connect, shake hands."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl

from replay.models import Failure
from replay.wire.clock import Deadline
from replay.wire.connection import Connection
from replay.wire.failure import WireFailure, connect_failure
from replay.wire.origin import Origin


def default_tls() -> ssl.SSLContext:
    """Return a context that verifies by the system's authorities and offers HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def connect(origin: Origin, tls: ssl.SSLContext | None, deadline: Deadline) -> Connection:
    """Open a connection. Raises WireFailure with the reason where there is none until the deadline."""
    limit = asyncio.timeout_at(deadline.at)
    try:
        async with limit:
            return await _open_any(origin, tls)
    except OSError as error:  # TimeoutError is one; the system has its own, which comes before the deadline
        late = Failure("timeout", f"after {deadline.seconds:g} s there was no connection")
        failure = late if limit.expired() else connect_failure(error, tls=tls is not None)
        raise WireFailure(failure) from error


async def _open_any(origin: Origin, tls: ssl.SSLContext | None) -> Connection:
    """Try each address of the host in turn; the last one's error stands for all."""
    addresses = await _addresses(origin)
    for address in addresses[:-1]:
        try:
            return await _open(address, origin, tls)
        except ssl.SSLError:
            raise
        except OSError:
            continue
    return await _open(addresses[-1], origin, tls)


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


async def _open(address: str, origin: Origin, tls: ssl.SSLContext | None) -> Connection:
    name = origin.host if tls is not None else None
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, address, origin.port, ssl=tls, server_hostname=name)
    return connection
