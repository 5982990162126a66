"""The middleware: it obeys when the service opted in, and is not there otherwise."""

import asyncio
import hmac
import os
import queue
import random
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from replay.determinism.clock import Consent
from replay.determinism.headers import moment_headers
from replay.determinism.middleware import FrozenTimeASGI, FrozenTimeWSGI
from replay.determinism.proof import proved as add_proof

Message = MutableMapping[str, Any]
LEAP = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
LEAP_TEXT = "2024-02-29T23:59:59Z"
SECRET = "a secret that both of them know"
YES = Consent(SECRET)


def proved(headers: dict[str, str], secret: str = SECRET) -> dict[str, str]:
    """Return headers with the proof that whoever sends them knows the secret."""
    return dict(add_proof(tuple(headers.items()), secret))


def made(headers: dict[str, str], seconds_ago: int) -> dict[str, str]:
    """Return headers with a proof that was made so many seconds ago."""
    fields = "\n".join(headers.get(f"Replay-{name}", "") for name in ("Time", "Seed", "Case", "Tick", "Seed-Also"))
    second = int(time.time()) - seconds_ago
    mac = hmac.new(SECRET.encode(), f"replay-1\n{second}\n{fields}".encode(), "sha256").hexdigest()
    return {**headers, "Replay-Proof": f"{second} {mac}"}


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
        headers, body = asyncio.run(ask(app, proved({"Replay-Time": LEAP_TEXT, "Replay-Seed": "7"})))
    before, after, drawn = body.split()
    assert (float(before), float(after)) == (LEAP.timestamp(), LEAP.timestamp())
    assert float(drawn) == random.Random(7).random()  # noqa: S311
    assert headers[b"replay-clock"] == b"frozen 2024-02-29T23:59:59Z"


def test_requests_at_once_each_see_their_own_instant() -> None:
    async def both(app: FrozenTimeASGI) -> list[tuple[dict[bytes, bytes], str]]:
        times = ("2001-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2011-01-01T00:00:00Z")
        return list(await asyncio.gather(*(ask(app, proved({"Replay-Time": text})) for text in times)))

    with asgi() as app:
        bodies = [body.split()[:2] for _, body in asyncio.run(both(app))]
    years = [{datetime.fromtimestamp(float(text), UTC).year for text in pair} for pair in bodies]
    assert years == [{2001}, {2031}, {2011}]


def refused(headers: dict[str, str]) -> str:
    """Return what an answer says of a clock that was not moved, after making sure that it was not."""
    with asgi() as app:
        answered, body = asyncio.run(ask(app, headers))
    assert abs(float(body.split()[0]) - time.time()) < 60
    return answered.get(b"replay-clock", b"").decode()


@pytest.mark.parametrize("headers", [{}, {"Replay-Seed": "7"}])
def test_a_request_without_an_instant_sees_the_real_time(headers: dict[str, str]) -> None:
    assert refused(proved(headers)) == ""


def test_an_instant_that_cannot_be_read_is_refused() -> None:
    assert refused(proved({"Replay-Time": "yesterday"})) == "refused, the instant cannot be read"


def test_an_outsider_cannot_move_the_clock() -> None:
    assert refused({"Replay-Time": LEAP_TEXT}) == "refused, no proof"
    assert refused({"Replay-Time": LEAP_TEXT, "Replay-Proof": SECRET}) == "refused, the proof cannot be read"
    wrong = proved({"Replay-Time": LEAP_TEXT}, "another secret, as long as it")
    assert refused(wrong) == "refused, the proof is wrong: the two secrets differ"


@pytest.mark.parametrize("name", ["Replay-Time", "Replay-Seed", "Replay-Case", "Replay-Tick", "Replay-Seed-Also"])
def test_a_proof_that_was_overheard_proves_nothing_else(name: str) -> None:
    asked = {"Replay-Time": LEAP_TEXT, "Replay-Seed": "7", "Replay-Case": "a"}
    other = {**proved(asked), name: "2031-01-01T00:00:00Z"}
    assert refused(other) == "refused, the proof is wrong: the two secrets differ"


@pytest.mark.parametrize("seconds_ago", [400, -400])
def test_a_proof_holds_for_five_minutes(seconds_ago: int) -> None:
    told = refused(made({"Replay-Time": LEAP_TEXT}, seconds_ago))
    assert told.startswith("refused, the clocks are ")
    assert told.endswith(" s apart, and a proof holds for 300 s")


@pytest.mark.parametrize("seconds_ago", [200, -200])
def test_a_proof_of_a_moment_ago_holds(seconds_ago: int) -> None:
    with asgi() as app:
        headers, _ = asyncio.run(ask(app, made({"Replay-Time": LEAP_TEXT}, seconds_ago)))
    assert headers[b"replay-clock"].startswith(b"frozen ")


def test_the_secret_itself_is_in_no_header_and_in_no_representation() -> None:
    assert SECRET not in repr(proved({"Replay-Time": LEAP_TEXT}))
    assert SECRET not in repr(YES)


def test_what_the_tool_sends_moves_the_clock() -> None:
    sent = dict(add_proof(moment_headers("a/ü", LEAP, 7, "c", tick=True, also=("uuid4",)), SECRET))
    with asgi() as app:
        headers, body = asyncio.run(ask(app, sent))
    before, after, _ = map(float, body.split())
    assert headers[b"replay-clock"] == b"frozen 2024-02-29T23:59:59Z"
    assert LEAP.timestamp() <= before < before + 0.009 <= after < LEAP.timestamp() + 60


@pytest.mark.parametrize("environment", [{}, {"REPLAY_DETERMINISM_SECRET": ""}, {"REPLAY_DETERMINISM": "1"}])
def test_without_the_opt_in_nothing_is_obeyed(environment: dict[str, str]) -> None:
    with asgi(Consent.from_environment(environment)) as app:
        headers, body = asyncio.run(ask(app, proved({"Replay-Time": LEAP_TEXT}, "")))
    assert abs(float(body.split()[0]) - time.time()) < 60
    assert headers == {}


def test_the_opt_in_is_a_secret_in_the_environment() -> None:
    assert Consent.from_environment({"REPLAY_DETERMINISM_SECRET": SECRET}) == YES


def test_a_secret_that_could_be_guessed_is_none() -> None:
    with pytest.raises(ValueError, match="fewer than 16 characters"):
        Consent.from_environment({"REPLAY_DETERMINISM_SECRET": "hunter2"})


def drawing(drawn: list[str]) -> FrozenTimeWSGI:
    """Return an app that draws in all ways."""

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        drawn.append(f"{uuid.uuid4()} {secrets.token_hex(8)} {random.SystemRandom().random()} {os.urandom(8).hex()}")
        return [b""]

    return FrozenTimeWSGI(app, YES)


def drawn_twice(also: str) -> list[bool]:
    """Return of each way to draw whether two requests with one seed draw alike."""
    drawn: list[str] = []
    app = drawing(drawn)
    try:
        for _ in range(2):
            fields = proved({"Replay-Time": LEAP_TEXT, "Replay-Seed": "7", "Replay-Seed-Also": also})
            call(app, **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in fields.items()})
    finally:
        app.close()
    return [one == other for one, other in zip(*(each.split() for each in drawn), strict=True)]


@pytest.mark.parametrize(
    ("also", "alike"),
    [
        ("", [False, False, False, False]),
        ("uuid4", [True, False, False, False]),
        ("uuid4, secrets", [True, True, True, False]),
        ("everything", [False, False, False, False]),
    ],
)
def test_what_asks_the_system_for_randomness_is_seeded_on_request_alone(also: str, alike: list[bool]) -> None:
    assert drawn_twice(also) == alike


def test_after_a_request_nothing_is_seeded_any_more() -> None:
    drawn: list[str] = []
    app = drawing(drawn)
    try:
        fields = proved({"Replay-Time": LEAP_TEXT, "Replay-Seed": "7", "Replay-Seed-Also": "uuid4, secrets"})
        environ = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in fields.items()}
        after = []
        for _ in range(2):
            call(app, **environ)
            after.append(f"{uuid.uuid4()} {secrets.token_hex(8)}")
    finally:
        app.close()
    assert drawn[0].split()[:2] == drawn[1].split()[:2]
    assert after[0] != after[1]


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


def leap_fields() -> dict[str, str]:
    fields = proved({"Replay-Time": LEAP_TEXT})
    return {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in fields.items()}


def test_a_wsgi_request_is_answered_at_its_instant_in_its_threads_too() -> None:
    app = FrozenTimeWSGI(wsgi_app, YES)
    try:
        headers, body = call(app, **leap_fields())
    finally:
        app.close()
    assert [float(text) for text in body.split()] == [LEAP.timestamp()] * 2
    assert headers == [("Replay-Clock", "frozen 2024-02-29T23:59:59Z")]


def test_threads_of_a_server_each_see_their_own_instant() -> None:
    def pausing(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        before = time.time()
        threading.Event().wait(0.003)
        yield f"{before} {time.time()}".encode()

    def asked(app: FrozenTimeWSGI, year: int) -> set[int]:
        fields = proved({"Replay-Time": f"{year}-01-01T00:00:00Z"})
        _, body = call(app, **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in fields.items()})
        return {datetime.fromtimestamp(float(text), UTC).year for text in body.split()}

    app, years = FrozenTimeWSGI(pausing, YES), list(range(2001, 2009))
    try:
        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(partial(asked, app), years))
    finally:
        app.close()
    assert seen == [{year} for year in years]


def test_without_the_opt_in_wsgi_is_passed_through() -> None:
    headers, body = call(FrozenTimeWSGI(wsgi_app, Consent()), **leap_fields())
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
        _, body = call(app, **leap_fields())
    finally:
        app.close()
    assert body == b"done"


def test_after_close_the_process_has_its_own_clock_again() -> None:
    real, random_bytes = time.time, random.__dict__["_urandom"]
    with asgi():
        assert time.time is not real
    assert time.time is real
    assert random.__dict__["_urandom"] is random_bytes
    assert uuid.__dict__["os"] is os
