"""Where a connection goes may be another place than the URL names; what is sent stays the URL's."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.models import Failure, Observation, Request
from replay.wire import Address, Origin, WireClient

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def ask(url: str, address: Address) -> Observation:
    client = WireClient(Origin.parse(url), timeout=5, max_body=2**20, address=address)
    observation = await client.exchange(Request(path="/x"))
    await client.close()
    return observation


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_connection_goes_where_the_settings_say_and_the_host_header_stays(host: str, run: Run, serve: Serve) -> None:
    seen: list[tuple[int, bytes]] = []

    async def scenario() -> Observation:
        async with serve({}, seen) as port:
            return await ask("http://shop.test/base", Address(host, port))

    assert run(scenario()).body == b"ok"
    assert seen[0][1].startswith(b"GET /base/x HTTP/1.1\r\nHost: shop.test\r\n")


@pytest.fixture
def socket_path() -> Iterator[str]:
    """Return a path that is short enough for a socket, wherever pytest puts its folders."""
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "s.sock")


def test_a_unix_socket_is_spoken_to(socket_path: str, run: Run) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request) + request)
        writer.close()

    async def scenario() -> list[Observation]:
        async with await asyncio.start_unix_server(answer, socket_path):
            client = WireClient(
                Origin.parse("http://shop.test"), timeout=5, max_body=2**20, address=Address.socket(socket_path)
            )
            observations = [await client.exchange(Request(path=f"/{n}")) for n in range(3)]
            await client.close()
            return observations

    assert [seen.body for seen in run(scenario())] == [
        f"GET /{n} HTTP/1.1\r\nHost: shop.test\r\n\r\n".encode() for n in range(3)
    ]


def test_a_socket_that_is_not_there_is_refused(socket_path: str, run: Run) -> None:
    seen = run(ask("http://shop.test", Address.socket(socket_path)))
    assert seen.error == Failure("refused", "no such file or directory")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("Shop.Test:8001", Address("shop.test", 8001)),
        ("[::1]:8001", Address("::1", 8001)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "host", ":80", "host:", "host:x", "host:99999", "host:0", "http://host:80", "host:80/x", "u@h:80",
             "::1:80", "ho st:80", "host:80?x:1"]
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError, match="connect") as caught:
        Address.parse(text)
    assert caught.value.hint == "connect: 127.0.0.1:8001"


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 104])
def test_what_no_socket_can_be_called_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match="unix"):
        Address.socket(path)
