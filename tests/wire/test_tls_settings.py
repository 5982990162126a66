"""What settings say of TLS is checked before anything is sent, and then holds."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.models import Observation, Request, TlsSpec
from replay.wire import Address, Origin, WireClient, tls_context

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the subject of the client's certificate."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        body = repr((writer.get_extra_info("peercert") or {}).get("subject", "nobody")).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.transport.abort()


def serving(certificate: Path, *, asks: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if asks:
        context.load_verify_locations(certificate.with_name("certificate.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # so that a refusal comes within the handshake
    return context


async def ask(server_tls: ssl.SSLContext, spec: TlsSpec, host: str = "localhost") -> Observation:
    """Ask a server on loopback, which the URL names `host`."""
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_tls) as server:
        port = server.sockets[0].getsockname()[1]
        client = WireClient(
            Origin.parse(f"https://{host}:{port}"),
            timeout=5,
            max_body=2**20,
            tls=tls_context(spec),
            address=Address("127.0.0.1", port),
        )
        observation = await client.exchange(Request())
        await client.close()
        await asyncio.sleep(0.01)
        return observation


def beside(certificate: Path, name: str) -> str:
    return str(certificate.with_name(name))


def test_a_server_is_verified_by_the_authorities_of_the_settings(certificate: Path, run: Run) -> None:
    seen = run(ask(serving(certificate), TlsSpec(ca=beside(certificate, "certificate.pem"))))
    assert (seen.status, seen.error) == (200, None)


def test_the_name_that_is_verified_is_that_of_the_url_wherever_the_connection_goes(certificate: Path, run: Run) -> None:
    spec = TlsSpec(ca=beside(certificate, "certificate.pem"))
    seen = run(ask(serving(certificate), spec, host="shop.test"))
    assert seen.error is not None
    assert seen.error.kind == "tls"
    assert "mismatch" in seen.error.message


@pytest.mark.parametrize("host", ["localhost", "shop.test", "127.0.0.1"])
def test_without_verification_any_certificate_will_do(expired_certificate: Path, host: str, run: Run) -> None:
    seen = run(ask(serving(expired_certificate), TlsSpec(verify=False), host=host))
    assert (seen.status, seen.error) == (200, None)


@pytest.mark.parametrize("apart", [True, False], ids=["key apart", "key in the same file"])
def test_a_server_that_asks_for_a_certificate_is_shown_one(certificate: Path, apart: bool, run: Run) -> None:  # noqa: FBT001
    cert, key = (beside(certificate, "certificate.pem"), beside(certificate, "key.pem")) if apart else (certificate, "")
    spec = TlsSpec(ca=beside(certificate, "certificate.pem"), cert=str(cert), key=key or None)
    seen = run(ask(serving(certificate, asks=True), spec))
    assert b"localhost" in seen.body


def test_a_server_that_asks_for_a_certificate_and_gets_none_is_a_tls_failure(certificate: Path, run: Run) -> None:
    seen = run(ask(serving(certificate, asks=True), TlsSpec(ca=beside(certificate, "certificate.pem"))))
    assert seen.error is not None
    assert seen.error.kind == "tls"


# --------------------------------------------------------------------------------------------------------- bad settings


def refused(spec: TlsSpec) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        tls_context(spec)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("key", ["ca", "cert"])
def test_a_file_that_is_not_there_is_named(key: str, tmp_path: Path) -> None:
    error = refused(TlsSpec.model_validate({key: str(tmp_path / "gone.pem")}))
    assert error.fact == f"tls.{key} cannot be read: no such file or directory"
    assert error.place == str(tmp_path / "gone.pem")


@pytest.mark.parametrize("key", ["ca", "cert"])
@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_a_certificate_is_named(key: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.pem"
    path.write_bytes(content)
    error = refused(TlsSpec.model_validate({key: str(path)}))
    assert error.place == str(path)
    assert "certificate" in error.fact


def test_a_key_of_another_certificate_is_named(certificate: Path, expired_certificate: Path) -> None:
    cert, key = beside(certificate, "certificate.pem"), beside(expired_certificate, "key.pem")
    error = refused(TlsSpec(cert=cert, key=key))
    assert (error.fact, error.place) == ("the key belongs to another certificate", key)


def test_a_key_with_a_passphrase_is_an_error_and_asks_nobody(certificate: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", beside(certificate, "key.pem"), "-aes256", "-passout", "pass:secret"]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True)
    error = refused(TlsSpec(cert=beside(certificate, "certificate.pem"), key=str(locked)))
    assert (error.fact, error.place) == ("the key asks for a passphrase", str(locked))


def test_a_key_without_a_certificate_makes_no_sense() -> None:
    assert refused(TlsSpec(key="key.pem")).fact == "tls.key needs tls.cert"


def test_to_trust_authorities_and_to_verify_nothing_makes_no_sense() -> None:
    assert "verify: false" in refused(TlsSpec(ca="ca.pem", verify=False)).fact
