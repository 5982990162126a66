"""Laws of reading one answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.models import Headers
from replay.wire.answer import Answer

SEEDS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nX-T: u\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nX-Empty:\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 500 Oops\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"\r\nHTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nanything",
)
Outcome = tuple[int | None, Headers, bytes, str | None]


def read(pieces: list[bytes], method: str = "GET") -> Outcome:
    answer = Answer(method=method, max_body=64)
    for piece in pieces:
        answer.feed(piece)
    answer.end()
    return (answer.status, answer.headers, answer.body, answer.failure.kind if answer.failure else None)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


mutated = st.builds(
    lambda seed, at, size, junk: seed[: at % len(seed)] + junk + seed[at % len(seed) + size :],
    st.sampled_from(SEEDS),
    st.integers(0, 200),
    st.integers(0, 4),
    st.binary(max_size=4),
)


@settings(deadline=None)
@given(st.one_of(mutated, st.sampled_from(SEEDS)), st.lists(st.integers(0, 200)), st.sampled_from(["GET", "HEAD"]))
def test_an_answer_does_not_depend_on_how_it_was_cut(data: bytes, places: list[int], method: str) -> None:
    assert read(cut(data, places), method) == read([data], method)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_nothing_that_arrives_raises_and_everything_ends(data: bytes) -> None:
    status, _, _, kind = read([data])
    assert status is not None or kind in ("protocol", "closed")


@given(st.sampled_from(SEEDS[:2]), st.integers(1, 400))
def test_what_is_cut_short_is_never_complete(whole: bytes, size: int) -> None:
    assert (read([whole[:size]])[3] is None) == (size >= len(whole))


@pytest.mark.parametrize("size", [63, 64, 65])
def test_the_cap_itself_is_allowed(size: int) -> None:
    _, _, body, kind = read([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * size])
    assert (len(body), kind) == (min(size, 64), "too_large" if size > 64 else None)
