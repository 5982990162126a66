"""A side's URL is taken apart, or refused with the remedy."""

from __future__ import annotations

import pytest

from replay.errors import SettingsError
from replay.wire import Origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8001", Origin("http", "localhost", 8001)),
        ("http://localhost/", Origin("http", "localhost", 80)),
        ("https://Shop.Example/api/v1/", Origin("https", "shop.example", 443, "/api/v1")),
        ("HTTPS://shop.example:8443//x//", Origin("https", "shop.example", 8443, "//x")),
        ("http://[::1]:8001/base", Origin("http", "::1", 8001, "/base")),
        ("http://under_score:1", Origin("http", "under_score", 1)),
        ("http://b\u00fccher.example", Origin("http", "xn--bcher-kva.example", 80)),
    ],
)
def test_a_url_is_taken_apart(url: str, origin: Origin) -> None:
    assert Origin.parse(url) == origin


@pytest.mark.parametrize(
    ("url", "authority", "text"),
    [
        ("http://h:80/x/", "h", "http://h/x"),
        ("http://h:443", "h:443", "http://h:443"),
        ("https://h:443", "h", "https://h"),
        ("http://[::1]", "[::1]", "http://[::1]"),
        ("http://[::1]:8001", "[::1]:8001", "http://[::1]:8001"),
    ],
)
def test_the_port_is_named_where_it_is_not_the_schemes_own(url: str, authority: str, text: str) -> None:
    origin = Origin.parse(url)
    assert (origin.authority, str(origin)) == (authority, text)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8001",
        "/base",
        "ftp://h",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://:80",
        "http://h:port",
        "http://h:0",
        "http://h:65536",
        "http://h:-1",
        "http://h/?a=b",
        "http://h/#f",
        "http://h\r\nx",
        "http://h h",
        "http://[::1",
        "http://[zz]/",
        "http://a..b",
        "http://" + "a" * 64,
        "http://h\\evil",
    ],
)
def test_what_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Origin.parse(url)


@pytest.mark.parametrize("url", ["http://user:hunter2@h/", "https://hunter2@h", "http://@h"])
def test_credentials_in_a_url_are_refused_with_the_remedy_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Origin.parse(url)
    assert refusal.value.hint == "use headers: {authorization: ...}"
    assert "hunter2" not in str(refusal.value)
