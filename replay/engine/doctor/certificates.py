"""What certificate a server shows: by which name, from whom, and for how long."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from typing import Any, Final

from replay.engine.doctor.findings import Finding
from replay.models import TargetSpec
from replay.wire import Address, Origin, tls_context
from replay.wire.failure import connect_failure
from replay.wire.tls import default_tls

_SOON: Final = 14
"""Days before its end at which a certificate has to be renewed: cut-overs take that long."""
_DAY: Final = 86_400
_REMEDIES: Final = (
    ("expired", "renew the certificate of the server"),
    ("mismatch", "use a name that stands in the certificate; `connect` says where that name lives"),
    ("self-signed", "name its authority: tls: {ca: FILE}"),
    ("issuer", "name its authority: tls: {ca: FILE}"),
)


async def certificate(spec: TargetSpec, origin: Origin, address: Address | None) -> Finding:
    """Shake hands once more, and tell of the certificate. Failing to is what the finding says."""
    context = tls_context(spec.tls) if spec.tls is not None else default_tls()
    try:
        shown, version = await _handshake(context, origin, address)
    except OSError as error:
        fact = connect_failure(error, tls=True).message
        return Finding(
            "tls", "mend", fact, next((do for word, do in _REMEDIES if word in fact), "see `tls:` of the side")
        )
    if not shown:
        fact = f"{version}; the certificate is not verified, so that anybody may answer in its place"
        return Finding("tls", "mend", fact, "take `verify: false` away, and name its authority: tls: {ca: FILE}")
    return _expiry(f"{version}, certificate for {_names(shown)}", ssl.cert_time_to_seconds(str(shown["notAfter"])))


async def _handshake(context: ssl.SSLContext, origin: Origin, address: Address | None) -> tuple[dict[str, Any], str]:
    name: Any = {"ssl": context, "server_hostname": origin.host}
    if address is not None and address.unix is not None:
        _, writer = await asyncio.open_unix_connection(address.unix, **name)
    else:
        to = address or Address(origin.host, origin.port)
        _, writer = await asyncio.open_connection(to.host, to.port, **name)
    try:
        return writer.get_extra_info("peercert") or {}, str(writer.get_extra_info("ssl_object").version())
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def _names(shown: dict[str, Any]) -> str:
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""  # noqa: PLR2004 - two are shown
    return ", ".join(names[:2]) + more or "nobody"


def _expiry(told: str, until: float) -> Finding:
    days = int((until - time.time()) // _DAY)
    fact = f"{told}, {days:,} days left, until {time.strftime('%Y-%m-%d', time.gmtime(until))}"
    return (
        Finding("tls", "mend", fact, "renew it before it ends amid a run")
        if days < _SOON
        else Finding("tls", "well", fact)
    )
