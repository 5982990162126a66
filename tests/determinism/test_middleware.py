"""The middleware: it obeys when the service opted in, and is not there otherwise."""

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from replay.determinism.clock import Consent
from replay.determinism.middleware import FrozenTimeASGI, FrozenTimeWSGI

Message = MutableMapping[str, Any]
LEAP = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
LEAP_TEXT = "2024-02-29T23:59:59Z"
YES = Consent(given=True)


async def clock_app(scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Answer the time before and after a pause, and a random number."""
    del scope, receive
    before = time.time()
    await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = f"{before} {time.time()} {random.random()}"  # noqa: S311
    await send({"type": "http.response.body", "body": body.encode()})


async def ask(app: FrozenTimeASGI, headers: dict[str, str]) -> tuple[dict[bytes, bytes], str]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await app({"type": "http", "headers": pairs}, receive, send)
    return dict(messages[0]["headers"]), messages[1]["body"].decode()


@contextmanager
def asgi(consent: Consent = YES) -> Iterator[FrozenTimeASGI]:
    app = FrozenTimeASGI(clock_app, consent)
    try:
        yield app
    finally:
        app.close()


def test_an_asgi_request_is_answered_at_its_instant_and_says_so() -> None:
    with asgi() as app:
        headers, body = asyncio.run(ask(app, {"Replay-Time": LEAP_TEXT, "Replay-Seed": "7"}))
    before, after, drawn = body.split()
    assert (float(before), float(after)) == (LEAP.timestamp(), LEAP.timestamp())
    assert float(drawn) == random.Random(7).random()  # noqa: S311
    assert headers[b"replay-clock"] == b"frozen"


def test_requests_at_once_each_see_their_own_instant() -> None:
    async def both(app: FrozenTimeASGI) -> list[tuple[dict[bytes, bytes], str]]:
        times = ("2001-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2011-01-01T00:00:00Z")
        return list(await asyncio.gather(*(ask(app, {"Replay-Time": text}) for text in times)))

    with asgi() as app:
        bodies = [body.split()[:2] for _, body in asyncio.run(both(app))]
    years = [{datetime.fromtimestamp(float(text), UTC).year for text in pair} for pair in bodies]
    assert years == [{2001}, {2031}, {2011}]


@pytest.mark.parametrize("headers", [{}, {"Replay-Time": "yesterday"}, {"Replay-Seed": "7"}])
def test_a_request_without_a_readable_instant_sees_the_real_time(headers: dict[str, str]) -> None:
    with asgi() as app:
        answered, body = asyncio.run(ask(app, headers))
    assert abs(float(body.split()[0]) - time.time()) < 60
    assert b"replay-clock" not in answered


@pytest.mark.parametrize("value", [None, "", "0", "true", "yes"])
def test_without_the_opt_in_nothing_is_obeyed(value: str | None) -> None:
    environment = {} if value is None else {"REPLAY_DETERMINISM": value}
    with asgi(Consent.from_environment(environment)) as app:
        headers, body = asyncio.run(ask(app, {"Replay-Time": LEAP_TEXT}))
    assert abs(float(body.split()[0]) - time.time()) < 60
    assert headers == {}


def test_the_opt_in_is_an_environment_variable() -> None:
    assert Consent.from_environment({"REPLAY_DETERMINISM": "1"}).given


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer the time while the body is being read, as a thread of the app sees it too."""
    del environ
    start_response("200 OK", [])
    seen: list[float] = []
    thread = threading.Thread(target=lambda: seen.append(time.time()))
    thread.start()
    thread.join()
    yield f"{time.time()} {seen[0]}".encode()


def call(app: FrozenTimeWSGI, **environ: str) -> tuple[list[tuple[str, str]], bytes]:
    seen: list[tuple[str, str]] = []

    def start(_status: str, headers: list[tuple[str, str]]) -> None:
        seen.extend(headers)

    return seen, b"".join(app(dict(environ), start))


def test_a_wsgi_request_is_answered_at_its_instant_in_its_threads_too() -> None:
    app = FrozenTimeWSGI(wsgi_app, YES)
    try:
        headers, body = call(app, HTTP_REPLAY_TIME=LEAP_TEXT)
    finally:
        app.close()
    assert [float(text) for text in body.split()] == [LEAP.timestamp()] * 2
    assert headers == [("Replay-Clock", "frozen")]


def test_without_the_opt_in_wsgi_is_passed_through() -> None:
    headers, body = call(FrozenTimeWSGI(wsgi_app, Consent()), HTTP_REPLAY_TIME=LEAP_TEXT)
    assert abs(float(body.split()[0]) - time.time()) < 60
    assert headers == []


def test_deadlines_go_on_while_time_is_frozen() -> None:
    def waiting(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=0.02)
        return [b"done"]

    app = FrozenTimeWSGI(waiting, YES)
    try:
        _, body = call(app, HTTP_REPLAY_TIME=LEAP_TEXT)
    finally:
        app.close()
    assert body == b"done"


def test_after_close_the_process_has_its_own_clock_again() -> None:
    real = time.time
    with asgi():
        assert time.time is not real
    assert time.time is real
