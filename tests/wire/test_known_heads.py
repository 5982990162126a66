"""A head that was read before is known again, and an answer is the same whether its head was known or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.models import Observation, Request
from replay.wire import Origin, WireClient
from replay.wire.answer import Answer
from replay.wire.heads import Heads

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Mapping[str, Behaviour], list[tuple[int, bytes]]], AbstractAsyncContextManager[int]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
Outcome = tuple[object, ...]

HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\n"
FAMILIES: Final = (
    HEAD + b"hello",
    HEAD + b"\r\n\r\nx",
    HEAD.replace(b"5", b"0"),
    HEAD.replace(b"5", b"005") + b"hello",
    HEAD.replace(b"5", b"900") + b"x" * 900,  # over the cap
    HEAD.replace(b"200", b"204") + b"hello",
    HEAD.replace(b"200", b"304"),
    HEAD.replace(b"1.1", b"1.0") + b"hello",
    HEAD.replace(b"X-A: b", b"Connection: close") + b"hello",
    HEAD.replace(b"X-A: b", b"Content-Encoding: gzip") + b"hello",
    HEAD.replace(b"X-A: b", b"Transfer-Encoding: ") + b"hello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 103 Hints\r\nX-A: b\r\n\r\n" + HEAD + b"hello",
    b"\r\n\r\n" + HEAD + b"hello",
    b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
)


def read(answer: Answer, pieces: list[bytes]) -> Outcome:
    """Return all that an answer says, and then, if the connection ends, why it is not whole."""
    for piece in pieces:
        answer.feed(piece)
    told = (answer.done, answer.reusable)
    answer.end()
    failure = answer.failure
    return (*told, answer.status, answer.headers, answer.body, answer.coded, failure)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


ODD: Final = (
    b"", b" ", b"c", b"c d", b" c", b"c ", b"\tc", b"c\0", b"\x7f", b"\xe9", b"\xc3\xa9", b"c\r\n d", b"c\nX-B: d",
    b"c\r\nX-B: d", b"c\r\nContent-Length: 1", b"c\r\nTransfer-Encoding: chunked", b"close", b"gzip", b"0", b"4", b"5 ",
    b"+5", b"05", b"5,5", b"-1", b"6", b"x" * 9000,
)  # fmt: skip
changed = st.builds(
    lambda whole, old, new: whole.replace(old, new, 1),
    st.sampled_from(FAMILIES),
    st.sampled_from([b": 5", b": b", b"X-A", b"Content-Length", b"OK", b"200", b": close", b": gzip"]),
    st.one_of(
        st.sampled_from(ODD).map(lambda value: b": " + value), st.sampled_from(ODD), st.binary(max_size=3),
        st.sampled_from([b"Connection", b"Content-Encoding", b"Transfer-Encoding", b"Upgrade", b"x-a", b"204", b"304"]),
    ),
)  # fmt: skip
stream = st.builds(
    lambda whole, short, more: whole[: len(whole) - short] + more,
    st.one_of(st.sampled_from(FAMILIES), changed),
    st.integers(0, 6),
    st.sampled_from([b"", b"x", b"\r\n", HEAD, HEAD + b"other"]),
)


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(stream, st.lists(st.integers(0, 200), max_size=3)), min_size=1, max_size=6))
def test_an_answer_is_the_same_whether_its_head_was_read_before_or_not(
    streams: list[tuple[bytes, list[int]]],
) -> None:
    heads = Heads()
    for data, places in [*streams, *streams]:
        known = Answer(method="GET", max_body=64, heads=heads)
        assert read(known, cut(data, places)) == read(Answer(method="GET", max_body=64), cut(data, places))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(FAMILIES), st.lists(st.integers(0, 200), max_size=3), st.sampled_from(["GET", "HEAD"])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_an_answer_on_a_used_connection_is_the_one_that_a_new_connection_gives(
    answers: list[tuple[bytes, list[int], str]],
) -> None:
    heads = Heads()
    answer = Answer(method="GET", max_body=64, heads=heads)
    for data, places, method in answers:
        answer.renew(method)
        fresh = Answer(method=method, max_body=64)
        for piece in cut(data, places):
            answer.feed(piece)
            fresh.feed(piece)
        reusable = answer.reusable
        assert (reusable, answer.done, answer.status, answer.headers, answer.body, answer.coded, answer.failure) == (
            fresh.reusable, fresh.done, fresh.status, fresh.headers, fresh.body, fresh.coded, fresh.failure
        )  # fmt: skip
        if not reusable:
            answer = Answer(method="GET", max_body=64, heads=heads)


@pytest.mark.parametrize("size", [0, 1, 4])
def test_nothing_of_the_last_answer_is_in_one_that_fails(size: int) -> None:
    heads = Heads()
    answer = Answer(method="GET", max_body=64, heads=heads)
    for _ in range(2):
        answer.feed(HEAD + b"hello")
        assert answer.reusable
        answer.renew("GET")
    answer.feed(HEAD[:size]) if size else None
    answer.expire(1.0)
    assert (answer.status, answer.headers, answer.body, answer.coded) == (None, (), b"", False)
    assert answer.failure is not None
    assert answer.failure.kind == "timeout"


def test_a_known_head_is_one_object_and_a_head_that_differs_is_another() -> None:
    heads = Heads()
    first, second, third = (Answer(method="GET", max_body=64, heads=heads) for _ in range(3))
    first.feed(HEAD + b"hello")
    second.feed(HEAD + b"world")
    third.feed(HEAD.replace(b"b", b"c") + b"third")
    assert second.headers is first.headers
    assert third.headers == (("Content-Length", "5"), ("X-A", "c"))


def test_a_head_that_differs_in_values_alone_is_read_without_the_parser() -> None:
    heads = Heads()
    Answer(method="GET", max_body=64, heads=heads).feed(HEAD + b"hello")
    answer = Answer(method="GET", max_body=64, heads=heads)
    answer.feed(HEAD.replace(b": b", b": another, with ~ and !").replace(b"5", b"2") + b"hi")
    assert answer._parser is None
    assert (answer.body, answer.reusable) == (b"hi", True)
    assert answer.headers == (("Content-Length", "2"), ("X-A", "another, with ~ and !"))


def test_the_heads_that_are_kept_are_bounded() -> None:
    heads = Heads()
    for number in range(3000):
        answer = Answer(method="GET", max_body=64, heads=heads)
        answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Id: %d\r\nX-Long: %b\r\n\r\n" % (number, b"x" * 300))
        assert answer.headers[1] == ("X-Id", str(number))
    assert len(heads._known) <= 256
    assert len(heads._fields) <= 2048


def test_the_shapes_that_are_kept_are_bounded() -> None:
    heads = Heads()
    for number in range(300):
        answer = Answer(method="GET", max_body=64, heads=heads)
        lines = b"X-Many: 1\r\n" * (number % 100)
        answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-%d: 1\r\n%b\r\n" % (number, lines))
        assert answer.reusable
    assert 0 < sum(map(len, heads._shapes.values())) <= 64


def test_a_timeout_after_a_good_answer_holds_nothing_of_it(run: Run, serve: Serve) -> None:
    async def good(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"hello")

    async def never(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(5)

    async def scenario() -> list[Observation]:
        async with serve({"/good": good, "/never": never}, []) as port:
            client = WireClient(Origin.parse(f"http://127.0.0.1:{port}"), timeout=0.1, max_body=64)
            seen = [
                await client.exchange(Request(path=path)) for path in ("/good", "/good", "/good", "/never", "/good")
            ]
            await client.close()
            return seen

    *_, last, after = run(scenario())
    assert (last.status, last.headers, last.body) == (None, (), b"")
    assert last.error is not None
    assert last.error.kind == "timeout"
    assert (after.status, after.body) == (200, b"hello")
