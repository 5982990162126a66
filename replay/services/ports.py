"""A free port for a command, and whether anybody listens there."""

from __future__ import annotations

import socket
from contextlib import closing, suppress
from typing import Final

HOSTS: Final = ("127.0.0.1", "::1")
"""Where a command may listen: this machine alone."""
_SECONDS: Final = 1.0

_given: set[int] = set()


def free_port() -> int:
    """Return a port that is free on this machine, and none that was given before."""
    while True:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.bind((HOSTS[0], 0))
            port: int = probe.getsockname()[1]
        if port not in _given and not listening(port):
            _given.add(port)
            return port


def listening(port: int) -> str:
    """Return the host at which somebody listens on a port; empty where nobody does."""
    for host in HOSTS:
        with suppress(OSError), socket.create_connection((host, port), timeout=_SECONDS):
            return host
    return ""


def address(host: str, port: int) -> str:
    """Return a host and a port as one writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
