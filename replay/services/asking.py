"""One request of the tool's own to a command that it has started, to see whether it is ready."""

from __future__ import annotations

import http.client
from typing import Final

_SECONDS: Final = 2.0


def status_of(host: str, port: int, path: str) -> int | str:
    """Return with which status a path answers, or in words why it does not."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{path} does not answer: {str(error).lower() or type(error).__name__}"
    finally:
        connection.close()
