"""The way to the upstream."""

from __future__ import annotations

import asyncio

from replay.errors import RunError
from replay.wire.failure import connect_failure
from replay.wire.tee.back import Asker, Back
from replay.wire.tee.house import House


class UnreachedError(Exception):
    """No connection to the upstream came about; the text says why."""


async def reach(house: House, asker: Asker) -> Back:
    """Open a connection to the upstream. Raise UnreachedError; whoever waits has the deadline, and cancels."""
    upstream, back = house.upstream, Back(asker)
    if upstream is None:
        raise UnreachedError("there is no upstream")
    name = upstream.host if house.tls is not None else None
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(lambda: back, upstream.host, upstream.port, ssl=house.tls, server_hostname=name)
    except OSError as error:
        raise UnreachedError(_told(error, tls=house.tls is not None)) from None
    except asyncio.CancelledError:
        back.drop()
        raise
    return back


def _told(error: OSError, *, tls: bool) -> str:
    try:
        return f"the upstream cannot be reached: {connect_failure(error, tls=tls).message}"
    except RunError as no_handles:
        return no_handles.fact
