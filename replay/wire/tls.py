"""How an https side is verified, and what this tool shows of itself: settings become a context, or an error."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NoReturn

from replay.errors import SettingsError
from replay.models import TlsSpec


def default_tls() -> ssl.SSLContext:
    """Return a context that verifies by the system's authorities and offers HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_context(spec: TlsSpec) -> ssl.SSLContext:
    """Return a context as the settings ask for. Raise SettingsError, with the file, for what cannot be used."""
    if spec.key is not None and spec.cert is None:
        raise SettingsError("tls.key needs tls.cert", hint="name the certificate that the key belongs to")
    if not spec.verify and spec.ca is not None:
        raise SettingsError("tls.ca verifies, and verify: false does not", hint="leave one of them out")
    context = default_tls() if spec.ca is None else _trusting(spec.ca)
    if spec.cert is not None:
        _show(context, spec.cert, spec.key)
    if not spec.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(authorities: str) -> ssl.SSLContext:
    """Return a context that trusts these authorities and no other: a PEM file, or a folder as OpenSSL hashes it."""
    _require_readable("tls.ca", authorities)
    try:
        if Path(authorities).is_dir():
            context = ssl.create_default_context(capath=authorities)
        else:
            context = ssl.create_default_context(cafile=authorities)
    except (ssl.SSLError, OSError):
        _refuse("tls.ca holds no certificate", authorities, "it has to be a PEM file: -----BEGIN CERTIFICATE-----")
    context.set_alpn_protocols(["http/1.1"])
    return context


def _show(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    """Have the context show a certificate of ours to a server that asks for one."""
    _require_readable("tls.cert", cert)
    if key is not None:
        _require_readable("tls.key", key)
    try:
        context.load_cert_chain(cert, key, password=_no_passphrase)
    except _PassphraseError:
        _refuse("the key asks for a passphrase", key or cert, "write one without: openssl pkey -in KEY -out PLAIN")
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            _refuse("the key belongs to another certificate", key or cert, "tls.cert and tls.key have to be a pair")
        fact = "tls.cert and tls.key cannot be used" if key else "tls.cert holds no certificate with its key"
        _refuse(fact, cert, "both are PEM files; without tls.key, the key stands in tls.cert")


class _PassphraseError(Exception):
    """OpenSSL asked for a passphrase, which would have been asked for at the terminal."""


def _no_passphrase() -> str:
    raise _PassphraseError


def _require_readable(key: str, path: str) -> None:
    try:
        if not Path(path).is_dir():
            Path(path).open("rb").close()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "no path"
        _refuse(f"{key} cannot be read: {reason}", path, "paths are relative to the settings")


def _refuse(fact: str, path: str, hint: str) -> NoReturn:
    raise SettingsError(fact, place=path, hint=hint) from None
