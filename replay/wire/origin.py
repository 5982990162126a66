"""Where a side lives: the scheme, host, port and base path of its URL."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from replay.errors import SettingsError

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_SOCKET: Final = 103  # the least that a system allows, without the NUL
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f]")
_HOST: Final = re.compile(r"[a-z0-9._~-]+|[0-9a-f:.]+(?:%[a-z0-9._~-]+)?")


@dataclass(frozen=True, slots=True)
class Origin:
    """One server. `host` is ASCII, without brackets; `base` is empty, or begins with a slash and ends without one."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    base: str = ""

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Read a base URL. Raises SettingsError for all but http or https URLs of a host and an optional path."""
        parts = _split(url)
        _refuse_secrets(parts)
        if parts.query or parts.fragment:
            raise SettingsError("a base URL has no query and no fragment", hint="http://host:port/base")
        scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
        return cls(scheme, _host(parts), _port(parts), parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """Return what the Host header says: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection goes: a host, an ASCII name or number without brackets, and a port; or a Unix socket."""

    host: str = ""
    port: int = 0
    unix: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port`, an IPv6 number in brackets. Raises SettingsError for anything else."""
        hint = "connect: 127.0.0.1:8001"
        if not re.search(r":[0-9]+$", text) or re.search(r"[/?#@]", text):
            raise SettingsError("connect is no host:port", hint=hint)
        try:
            origin = Origin.parse(f"http://{text}")
        except SettingsError as error:
            raise SettingsError(f"connect: {error.fact}", hint=hint) from None
        return cls(origin.host, origin.port)

    @classmethod
    def socket(cls, path: str) -> Address:
        """Return the address of a Unix socket. Raises SettingsError for a path that no socket can have."""
        if sys.platform == "win32":  # pragma: no cover
            raise SettingsError("there are no Unix sockets here", hint="connect: host:port")
        if not path or "\0" in path or len(os.fsencode(path)) > _LONGEST_SOCKET:
            raise SettingsError(f"unix is no path of 1 to {_LONGEST_SOCKET} bytes", hint="unix: /run/app.sock")
        return cls(unix=path)

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _split(url: str) -> SplitResult:
    # urlsplit drops tabs and newlines silently, so that they have to be looked for first.
    if _UNPRINTABLE.search(url):
        raise SettingsError("a URL holds no spaces and no control characters", hint="http://host:port/base")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingsError("this is no URL", hint="http://host:port/base") from None
    if parts.scheme not in _PORTS:
        fact = f"'{parts.scheme[:20]}' is no scheme that can be replayed to"
        raise SettingsError(fact, hint="begin with http:// or https://, as in http://localhost:8001")
    return parts


def _refuse_secrets(parts: SplitResult) -> None:
    # The URL is printed in every report. That is no place for a password.
    if "@" in parts.netloc:
        raise SettingsError("a URL must not hold credentials", hint="use headers: {authorization: ...}")


def _host(parts: SplitResult) -> str:
    try:
        host = (parts.hostname or "").encode("idna").decode() if not _is_ipv6(parts) else (parts.hostname or "")
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise SettingsError("this URL has no host that can be called", hint="http://host:port/base")
    return host


def _is_ipv6(parts: SplitResult) -> bool:
    return parts.netloc.startswith("[")


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise SettingsError("the port of this URL is no number from 1 to 65535", hint="http://host:port/base") from None
    if port == 0:
        raise SettingsError("port 0 cannot be called", hint="http://host:port/base")
    return _PORTS[parts.scheme] if port is None else port
