"""Where there is no connection, the reason has a name."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from replay.models import Failure, Observation, Request
from replay.wire import Origin, WireClient

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def ask(url: str, *, tls: ssl.SSLContext | None = None, seconds: float = 2) -> Observation:
    client = WireClient(Origin.parse(url), timeout=seconds, max_body=2**20, tls=tls)
    observation = await client.exchange(Request())
    await client.close()
    return observation


def failure(observation: Observation) -> Failure:
    assert observation.error is not None
    return observation.error


@pytest.fixture
def silent_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_nobody_listens_on_is_refused(host: str, silent_port: int, run: Run) -> None:
    observation = run(ask(f"http://{host}:{silent_port}"))
    assert failure(observation) == Failure("refused", "connection refused")
    assert (observation.status, observation.timing) == (None, None)


def test_a_name_that_cannot_exist_is_a_dns_failure(run: Run) -> None:
    too_long = ".".join(["a" * 60] * 6)  # so that no resolver has to be asked
    assert failure(run(ask(f"http://{too_long}"))).kind == "dns"


def test_a_host_that_takes_no_connection_runs_into_the_deadline(run: Run) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        observation = run(ask(f"http://127.0.0.1:{address[1]}", seconds=0.2))
        for sock in waiting:
            sock.close()
    assert failure(observation) == Failure("timeout", "after 0.2 s there was no connection")


def test_localhost_is_found_at_whichever_address_answers(run: Run) -> None:
    async def scenario() -> Observation:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            return await ask(f"http://localhost:{server.sockets[0].getsockname()[1]}")

    assert run(scenario()).body == b"ok"


# ------------------------------------------------------------------------------------------------------------------ TLS


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.transport.abort()


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.with_name("certificate.pem")))


async def ask_tls(certificate: Path, host: str, tls: ssl.SSLContext | None) -> Observation:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        observation = await ask(f"https://{host}:{server.sockets[0].getsockname()[1]}", tls=tls)
        await asyncio.sleep(0.01)
    return observation


def test_a_verified_server_answers(certificate: Path, run: Run) -> None:
    seen = run(ask_tls(certificate, "localhost", trusting(certificate)))
    assert (seen.status, seen.body, seen.error) == (200, b"ok", None)


def test_a_certificate_of_another_name_is_a_tls_failure(certificate: Path, run: Run) -> None:
    seen = run(ask_tls(certificate, "127.0.0.1", trusting(certificate)))
    assert failure(seen).kind == "tls"
    assert "mismatch" in failure(seen).message


def test_an_expired_certificate_is_a_tls_failure(expired_certificate: Path, run: Run) -> None:
    seen = run(ask_tls(expired_certificate, "localhost", trusting(expired_certificate)))
    assert failure(seen) == Failure("tls", "certificate verify failed: certificate has expired")


def test_a_certificate_that_no_authority_signed_is_a_tls_failure(certificate: Path, run: Run) -> None:
    seen = run(ask_tls(certificate, "localhost", None))
    assert failure(seen).kind == "tls"
    assert "self-signed" in failure(seen).message.replace("self signed", "self-signed")


def test_a_version_that_the_server_refuses_is_a_tls_failure(certificate: Path, run: Run) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    tls = trusting(certificate)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3

    def shake_hands(server: socket.socket) -> None:
        # A blocking server, since asyncio's hangs up without the alert that gives the reason.
        with server.accept()[0] as plain, contextlib.suppress(OSError):
            context.wrap_socket(plain, server_side=True).close()

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=shake_hands, args=(server,))
        thread.start()
        seen = run(ask(f"https://localhost:{server.getsockname()[1]}", tls=tls))
        thread.join()
    assert failure(seen).kind == "tls"
    assert "version" in failure(seen).message


def test_a_plain_port_that_is_called_by_https_is_a_tls_failure(run: Run) -> None:
    async def scenario() -> Observation:
        async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await asyncio.sleep(0.02)
            writer.transport.abort()

        async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as server:
            seen = await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await asyncio.sleep(0.03)
            return seen

    assert failure(run(scenario())).kind == "tls"


def test_a_connection_that_ends_within_the_handshake_is_a_tls_failure(run: Run) -> None:
    async def scenario() -> Observation:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.transport.abort()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            return await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert failure(run(scenario())).kind == "tls"
