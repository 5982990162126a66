"""Whatever a body is packed in, nothing personal passes: it is masked inside, or dropped."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import pytest

from replay.models import Case, Headers, Observation, Request, Result
from replay.privacy import Tokeniser, redact
from replay.privacy.masking import DROPPED_BODY, Mask
from replay.privacy.packed import decoded, unpacked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"note": "' + b"some words before it, " * 20 + b'", "mail": "alice@shop.example", "password": "hunter22"}'
KEY = Tokeniser(b"a key")
MASK = Mask(KEY)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


MARKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (gzip.compress, gzip.decompress),
    "zlib": (zlib.compress, zlib.decompress),
    "zlib, fast": (lambda data: zlib.compress(data, 1), zlib.decompress),
    "zstd": (zstd.compress, zstd.decompress),
}
CODED = {"br": (brotli.compress, brotli.decompress), "deflate": (raw_deflate, lambda data: zlib.decompress(data, -15))}


def kept(body: bytes, headers: Headers = ()) -> bytes:
    """Return what is kept of an answer."""
    answer = Observation(200, headers, body)
    new = redact(Result(Case("c", "traffic", "c", Request("GET", "/")), "match", new=answer), KEY).new
    assert new is not None
    return new.body


@pytest.mark.parametrize("name", MARKED)
def test_what_is_packed_is_masked_inside(name: str) -> None:
    pack, unpack = MARKED[name]
    inside = unpack(kept(pack(TEXT)))
    assert b"alice" not in inside
    assert b"hunter22" not in inside
    assert inside.startswith(TEXT[:100])
    assert kept(pack(inside)) == pack(inside)


@pytest.mark.parametrize("coding", CODED)
def test_what_only_a_header_tells_is_masked_inside(coding: str) -> None:
    pack, unpack = CODED[coding]
    headers = (("Content-Encoding", coding),)
    inside = unpack(kept(pack(TEXT), headers))
    assert b"alice" not in inside
    assert inside.startswith(TEXT[:100])
    assert b"alice" not in kept(TEXT, headers)
    assert json.loads(kept(TEXT, headers))["note"]


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("spoil", [-6, len(TEXT) // 9])
def test_what_is_corrupt_is_dropped_or_masked_as_far_as_it_goes(name: str, spoil: int) -> None:
    body = bytearray(MARKED[name][0](TEXT))
    for at in range(max(spoil, -len(body)), max(spoil, -len(body)) + 5):
        body[at % len(body)] ^= 0xFF
    found = kept(bytes(body))
    inside = b"" if found == DROPPED_BODY else _opened(found)
    assert b"alice@shop.example" not in inside


@pytest.mark.parametrize("coding", CODED)
def test_what_is_cut_under_a_header_is_dropped(coding: str) -> None:
    body = CODED[coding][0](TEXT)
    assert kept(body[:-8], (("content-encoding", coding),)) == DROPPED_BODY


def test_a_cut_stream_is_masked_as_far_as_it_goes() -> None:
    body = gzip.compress(TEXT)[:-4]
    found = unpacked(kept(body))
    assert found is not None
    assert b"alice" not in found.content
    assert found.content.startswith(TEXT[:100])


def test_every_member_is_masked_and_what_follows_the_last() -> None:
    body = gzip.compress(b"first") + gzip.compress(TEXT) + b"and alice@shop.example"
    found = unpacked(kept(body))
    assert found is not None
    assert b"alice" not in found.content + found.rest
    assert found.content.startswith(b"first{")


def test_what_is_packed_too_deeply_is_dropped() -> None:
    body = TEXT
    for _ in range(8):
        body = gzip.compress(body)
    assert DROPPED_BODY in _opened(kept(body))


def _opened(body: bytes) -> bytes:
    while (found := unpacked(body)) is not None:
        body = found.content
    return body


def test_a_bomb_is_dropped() -> None:
    bomb = zstd.compress(b"alice@shop.example " * 4_000_000)
    assert kept(bomb) == DROPPED_BODY


@pytest.mark.parametrize("body", [b"x^2 + y^2", b"x^", b"x^2 alice", b"\x1f", b"(\xb5", bytes(range(256)) * 4, b""])
def test_what_only_begins_like_something_packed_stays(body: bytes) -> None:
    assert MASK.body(body) == body
    for coding in CODED:
        assert decoded(body, coding) is None or coding == "deflate"


@pytest.mark.parametrize("width", [60, 64, 76])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_base64_in_lines_is_masked_where_a_value_lies_across_two(width: int, end: str) -> None:
    content = b"x" * 50 + b" mail alice.smith@shop.example.com and so on, and so on, " * 3
    text = base64.b64encode(content).decode()
    lines = end.join(text[at : at + width] for at in range(0, len(text), width))
    for body in (f"Content: text\n\n{lines}\n", json.dumps({"attachment": lines})):
        found = MASK.body(body.encode()).decode()
        held = json.loads(found)["attachment"] if body.startswith("{") else found.partition("\n\n")[2]
        parts = held.split()
        assert all(len(part) == width for part in parts[:-1])
        inside = base64.b64decode("".join(parts))
        assert b"alice" not in inside
        assert inside.startswith(b"x" * 50)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf_16_is_read_with_and_without_its_mark_also_in_base64(encoding: str) -> None:
    body = '{"mail": "alice@shop.example", "name": "J\u00f6rg"}'.encode(encoding)
    found = MASK.body(body).decode(encoding)
    assert "alice" not in found
    assert "J\u00f6rg" in found
    inside = json.loads(MASK.body(json.dumps({"data": base64.b64encode(body).decode()}).encode()))["data"]
    assert "alice" not in base64.b64decode(inside).decode(encoding)


@pytest.mark.parametrize(
    "text",
    [
        "{'user': 'ann', 'password': 'hunter22'}",
        "{\"log\": \"failed for {'password': 'hunter22'}\"}",
        '{"log": "failed for {\\"password\\": \\"hunter22\\"}"}',
        "login password=hunter22 failed",
        'login password="hunter22" failed',
        "{'it': \"it's\", 'api_key': 'hunter22'}",
        '{"name": "password", "value": "hunter22"}',
        '{"fields": [{"key": "api_key", "value": "hunter22"}]}',
    ],
)
def test_secrets_are_known_by_names_as_programs_print_them(text: str) -> None:
    found = MASK.body(text.encode()).decode()
    assert "hunter22" not in found
    assert MASK.body(found.encode()).decode() == found
    assert found.replace("tok_", "").startswith(text[:4])


@pytest.mark.parametrize(
    "text", ["{'user': 'ann', 'total': '1234'}", "a=1234 b=true", "{'name': 'colour', 'value': 'green'}"]
)
def test_what_programs_print_stays_where_no_name_tells(text: str) -> None:
    assert MASK.body(text.encode()).decode() == text


def test_what_is_corrupt_is_dropped_and_says_so() -> None:
    body = bytearray(gzip.compress(TEXT))
    body[-8] ^= 0xFF  # its checksum
    assert kept(bytes(body)) == DROPPED_BODY
    assert DROPPED_BODY.startswith(b"(dropped: ")


@pytest.mark.parametrize(
    "text", ['{a: alice@shop.example, "b": 1}', '["x", alice@shop.example]', '"a" alice@shop.example']
)
def test_what_stands_without_quotes_in_broken_json_is_masked(text: str) -> None:
    assert b"alice" not in MASK.body(text.encode())
