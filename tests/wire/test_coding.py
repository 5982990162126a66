"""Content codings are undone to the last byte, or said not to be, under a cap."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import combinations
from typing import Final

import brotli  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.wire.coding import Decoded, decode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: bytes(brotli.compress(body, quality=5)),
    "zstd": zstd.compress,
}
MEGABYTE: Final = 2**20
TEXT: Final = b"".join(b"line %d\n" % number for number in range(20_000))


def undo(body: bytes, *codings: str, limit: int = MEGABYTE) -> Decoded:
    return decode(body, tuple(("content-encoding", coding) for coding in codings), limit=limit)


def kind(decoded: Decoded) -> str | None:
    return decoded.failure.kind if decoded.failure else None


@pytest.mark.parametrize("coding", ENCODERS)
@settings(deadline=None, max_examples=25)
@given(body=st.binary(min_size=1, max_size=3000), times=st.integers(1, 100))
def test_what_was_coded_comes_back(coding: str, body: bytes, times: int) -> None:
    assert undo(ENCODERS[coding](body * times), coding) == Decoded(body * times)


@pytest.mark.parametrize("coding", ENCODERS)
def test_every_proper_part_of_a_coded_body_is_a_failure(coding: str) -> None:
    whole = ENCODERS[coding](TEXT[:500])
    decoded = [undo(whole[:size], coding) for size in range(1, len(whole))]
    assert {kind(part) for part in decoded} == {"decode"}
    assert all(TEXT.startswith(part.body) for part in decoded)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_cut_body_keeps_what_could_be_read(coding: str) -> None:
    whole = ENCODERS[coding](TEXT)
    decoded = undo(whole[:-40], coding)
    assert kind(decoded) == "decode"
    assert len(TEXT) * 0.4 < len(decoded.body) < len(TEXT)


@pytest.mark.parametrize("coding", ENCODERS)
def test_bytes_after_the_end_are_a_failure(coding: str) -> None:
    assert kind(undo(ENCODERS[coding](b"body") + b"junk", coding)) == "decode"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@settings(deadline=None, max_examples=25)
@given(bodies=st.lists(st.binary(max_size=50), min_size=2, max_size=6))
def test_every_member_is_read(coding: str, bodies: list[bytes]) -> None:
    assert undo(b"".join(map(ENCODERS[coding], bodies)), coding) == Decoded(b"".join(bodies))


def test_zero_bytes_after_and_between_gzip_members_are_padding() -> None:
    padded = gzip.compress(b"a") + bytes(40_000) + gzip.compress(b"b") + bytes(512)
    assert undo(padded, "gzip") == Decoded(b"ab")


def test_a_body_of_countless_empty_members_is_given_up() -> None:
    assert kind(undo(gzip.compress(b"") * 70_000, "gzip")) == "decode"


def test_deflate_may_lack_its_frame() -> None:
    assert undo(zlib.compress(TEXT, wbits=-zlib.MAX_WBITS), "deflate") == Decoded(TEXT)


@pytest.mark.parametrize("pair", list(combinations(["gzip", "deflate", "br", "zstd"], 2)))
def test_codings_are_undone_from_the_last_to_the_first(pair: tuple[str, str]) -> None:
    body = ENCODERS[pair[1]](ENCODERS[pair[0]](TEXT))
    assert undo(body, ", ".join(pair)) == Decoded(TEXT)
    assert undo(body, *pair) == Decoded(TEXT)
    assert kind(undo(body, *reversed(pair))) == "decode"


def test_a_body_that_was_coded_twice_is_undone_twice() -> None:
    assert undo(gzip.compress(gzip.compress(TEXT)), "gzip, GZIP") == Decoded(TEXT)


@pytest.mark.parametrize("codings", [(), ("identity",), ("",), ("identity, ",)])
def test_without_coding_the_body_is_as_it_came(codings: tuple[str, ...]) -> None:
    assert undo(b"\x1f\x8bnot gzip", *codings) == Decoded(b"\x1f\x8bnot gzip")


@pytest.mark.parametrize("coding", ["lzma", "gzip, lzma", "aws-chunked", "\x1b[31m", ", ".join(["gzip"] * 9)])
def test_a_coding_that_cannot_be_undone_leaves_the_body_as_it_came(coding: str) -> None:
    decoded = undo(b"body", coding)
    assert (decoded.body, kind(decoded)) == (b"body", "decode")
    assert decoded.failure is not None
    assert decoded.failure.message.isprintable()


@pytest.mark.parametrize("coding", ENCODERS)
def test_the_cap_itself_is_allowed_and_one_byte_more_is_not(coding: str) -> None:
    assert undo(ENCODERS[coding](bytes(1000)), coding, limit=1000) == Decoded(bytes(1000))
    over = undo(ENCODERS[coding](bytes(1001)), coding, limit=1000)
    assert (over.body, kind(over)) == (bytes(1000), "too_large")


def gzip_bomb(megabytes: int) -> bytes:
    coder = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(coder.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + coder.flush()


def bombs() -> dict[str, tuple[str, bytes]]:
    inner = gzip_bomb(100)
    return {
        "gzip": ("gzip", inner),
        "gzip in gzip": ("gzip, gzip", gzip.compress(inner, 1)),
        "br": ("br", brotli.compress(bytes(100 * MEGABYTE), quality=1)),
        "zstd": ("zstd", zstd.compress(bytes(100 * MEGABYTE))),
    }


def test_a_bomb_costs_no_more_memory_than_the_cap() -> None:
    for name, (coding, bomb) in bombs().items():
        tracemalloc.start()
        decoded = undo(bomb, coding)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (kind(decoded), len(decoded.body)) == ("too_large", MEGABYTE), name
        assert peak < 6 * MEGABYTE, name


@settings(deadline=None)
@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=200))
def test_no_body_raises(coding: str, body: bytes) -> None:
    decoded = undo(body, coding, limit=1000)
    assert len(decoded.body) <= 1000
