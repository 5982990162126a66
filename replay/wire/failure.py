"""How the far side's faults are named."""

from __future__ import annotations

import errno
import os
import socket
import ssl

from replay.errors import RunError
from replay.models import Failure

_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


class WireFailure(Exception):  # noqa: N818 (a fact about the far side, carried to where it becomes data)
    """The exchange cannot go on; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def connect_failure(error: OSError, *, tls: bool) -> Failure:
    """Name why no connection came about. Raises RunError where the fault is this machine's: no file handle."""
    if error.errno in _OUT_OF_FILES:
        raise RunError("no file handle is left for a connection", hint="lower --concurrency, or raise `ulimit -n`")
    if isinstance(error, socket.gaierror):
        return Failure("dns", f"the host name cannot be resolved: {_reason(error)}")
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)
    if isinstance(error, TimeoutError):
        return Failure("timeout", "the host did not answer the connection attempt")
    if isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return Failure("tls", "the connection ended within the TLS handshake") if tls else broken(error)
    return Failure("refused", _reason(error))


def broken(error: OSError | None, where: str = "before the answer began") -> Failure:
    """Name a connection that ended: reset where the system says so, else closed."""
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"the network gave the connection up {where}")
    if error is not None:
        return Failure("reset", f"the connection was reset {where}")
    return Failure("closed", f"the connection was closed {where}")


def tls_failure(error: ssl.SSLError) -> Failure:
    """Name a TLS error by OpenSSL's own reason: a name that does not match, a certificate that has expired."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure("tls", f"certificate verify failed: {_printable(error.verify_message)}")
    reason = str(error.reason or "TLS error").replace("_", " ").lower()
    return Failure("tls", _printable(reason))


def _reason(error: OSError) -> str:
    if error.errno is not None and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno).lower()
    return _printable(error.strerror or type(error).__name__).lower()


def _printable(text: str) -> str:
    return ascii(text)[1:-1][:120]
