"""A free port for a command, and whether anybody listens there."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

HOSTS: Final = ("127.0.0.1", "::1")
"""Where a command may listen: this machine alone."""
_SECONDS: Final = 1.0

_IN_USE: Final = re.compile(r"eaddrinuse|\b(?:address|port|socket)\b.{0,80}\bin use\b", re.IGNORECASE)
_TIME: Final = re.compile(r"(?<![\d.])\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?!\d)")
_NAMED: Final = re.compile(r"(?:\bport\b\W{0,3}|:)(\d{2,5})\b|,\s*(\d{2,5})\)", re.IGNORECASE)

_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class Clash:
    """That a command found an address in use, and which ports it named, if it named any."""

    ports: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.ports:
            return "an address that it wants"
        return f"port{'s' if self.ports[1:] else ''} " + " and ".join(map(str, self.ports))


def clash(lines: Iterable[str]) -> Clash | None:
    """Return what a command says of an address that is in use; None where it says nothing of the kind."""
    said = [_TIME.sub("", line) for line in lines if _IN_USE.search(line)]
    named = {int(first or second) for line in said for first, second in _NAMED.findall(line)}
    return Clash(tuple(sorted(named))) if said else None


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
