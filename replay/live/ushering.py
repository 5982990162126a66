"""Who is let in: only requests for hosts that are meant. Each gets an id under which it is known further on."""

from __future__ import annotations

import ipaddress
import re
import secrets
from typing import Final

from replay.cases.correlation import stated_correlation
from replay.cases.recordings.exchanges import paired
from replay.live.choosing import Choice
from replay.wire import Origin
from replay.wire.tee import Admitted, BadMessageError, RequestHead

_IDS: Final = frozenset((b"x-request-id", b"traceparent"))
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/?#@\s]+?))\.?(?::(\d{1,5}))?")
_HOST_LINE: Final = re.compile(rb"(?<=\r\n)(host:[ \t]*)[^\r\n]*", re.IGNORECASE)
ANY: Final = "*"


class Doorkeeper:
    """Checks hosts, and gives ids to requests that have none.

    A page in a browser can have its own name point at this machine, and so reach what listens here: therefore only
    hosts are let in that are addresses, `localhost`, the upstream's, or named. `*.shop.example` names all below it, `*`
    every host.
    """

    def __init__(self, upstream: Origin | None, port: int, hosts: frozenset[str], choice: Choice) -> None:
        self._port = port
        self._hosts = frozenset(host.lower() for host in hosts) | ({upstream.host} if upstream else frozenset())
        self._choice = choice
        # Elsewhere the listener's own name means nothing. An upstream on this machine makes links of it that work.
        self._elsewhere = upstream.authority.encode() if upstream and not is_local(upstream.host) else None

    def admit(self, head: RequestHead) -> Admitted:
        """Let a request in. Raise BadMessageError (421) for a host that is not meant."""
        message = head.raw
        host = head.first(b"host")
        if host is not None:
            name, port = _parted(host)
            self._require(name)
            if self._elsewhere is not None and port == self._port and is_local(name):
                message = _HOST_LINE.sub(rb"\g<1>" + self._elsewhere, message, count=1)
        stated = [field for field in head.fields if field[0].lower() in _IDS]
        known = stated_correlation(paired(stated)) if stated else None
        if known is None:
            known = secrets.token_hex(16)
            message = message[:-2] + b"X-Request-Id: " + known.encode() + b"\r\n\r\n"
        return Admitted(message, known, self._choice.by_head(head.fields, known))

    def _require(self, name: str) -> None:
        if ANY in self._hosts or name in self._hosts or is_local(name) or _is_address(name):
            return
        if not any(f"*.{above}" in self._hosts for above in _above(name)):
            raise BadMessageError(421, "this host is not passed on; --allow-host names further ones")


def _parted(value: bytes) -> tuple[str, int | None]:
    found = _HOST.fullmatch(value.decode("latin-1").strip(" \t"))
    if found is None:
        raise BadMessageError(400, "malformed Host")
    return (found[1] or found[2]).lower(), int(found[3]) if found[3] else None


def _above(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(1, len(parts))]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_local(name: str) -> bool:
    """Tell whether a host is this machine by its name or address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
