"""Who is let in, and with what id: no page in a browser, and nobody without one."""

from __future__ import annotations

import re

import pytest

from replay.live.choosing import Choice
from replay.live.ushering import Doorkeeper
from replay.wire import Origin
from replay.wire.tee import BadMessageError, read_request_head

NEAR, FAR = Origin.parse("http://localhost:8001"), Origin.parse("https://api.shop.example")


def sent_on(head: bytes, upstream: Origin = NEAR, hosts: frozenset[str] = frozenset()) -> tuple[bytes, str]:
    """Return the head that is sent on, and the id."""
    admitted = Doorkeeper(upstream, 8090, hosts, Choice()).admit(read_request_head(head))
    return admitted.message, admitted.correlation


def get(host: str, more: str = "") -> bytes:
    return f"GET / HTTP/1.1\r\nhost: {host}\r\n{more}\r\n".encode()


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8090", "a.localhost", "127.0.0.1:1", "[::1]:8090", "10.1.2.3"]
)
def test_this_machine_and_addresses_are_let_in(host: str) -> None:
    assert sent_on(get(host))[0].startswith(get(host)[:-2])


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8090", "127.0.0.1.evil.example"]
)
def test_a_host_that_nobody_named_is_refused(host: str) -> None:
    with pytest.raises(BadMessageError, match="this host is not passed on") as error:
        sent_on(get(host))
    assert error.value.status == 421


@pytest.mark.parametrize("host", ["a b", "evil/example", "user@localhost", "localhost:port", "[localhost]", ""])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(BadMessageError, match="malformed Host"):
        sent_on(get(host))


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("shop.example", "shop.example"),
        ("Shop.Example", "SHOP.example:443"),
        ("*.shop.example", "a.b.shop.example"),
        ("*", "x"),
    ],
)
def test_hosts_that_are_named_are_let_in(named: str, host: str) -> None:
    assert sent_on(get(host), hosts=frozenset((named,)))[0].startswith(get(host)[:-2])


def test_a_star_speaks_of_what_is_below_a_host_only() -> None:
    with pytest.raises(BadMessageError):
        sent_on(get("notshop.example"), hosts=frozenset(("*.shop.example",)))


def test_an_upstream_elsewhere_is_called_by_its_own_name_where_the_client_called_the_listener() -> None:
    assert b"\r\nhost: api.shop.example\r\n" in sent_on(get("127.0.0.1:8090"), FAR)[0]
    assert b"\r\nhost: api.shop.example\r\n" in sent_on(get("api.shop.example"), FAR)[0]
    assert b"\r\nhost: 127.0.0.1:9999\r\n" in sent_on(get("127.0.0.1:9999"), FAR)[0]


def test_a_request_without_an_id_gets_one_and_is_otherwise_as_it_came() -> None:
    message, correlation = sent_on(get("localhost", "A: 1\r\n"))
    assert message == get("localhost", "A: 1\r\n")[:-2] + f"X-Request-Id: {correlation}\r\n\r\n".encode()
    assert re.fullmatch(r"[0-9a-f]{32}", correlation)
    assert sent_on(get("localhost"))[1] != correlation


@pytest.mark.parametrize(
    ("line", "correlation"),
    [
        ("x-request-id: c-1\r\n", "c-1"),
        (
            "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
            "0af7651916cd43dd8448eb211c80319c",
        ),
    ],
)
def test_a_request_with_an_id_is_sent_on_as_it_came(line: str, correlation: str) -> None:
    assert sent_on(get("localhost", line)) == (get("localhost", line), correlation)
