"""Apps and functions in real worker processes: what they see, what they may do wrong, and that the next case runs."""

import ast
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import venv
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from replay.errors import SettingsError, TargetError
from replay.models import Case, Headers, Observation, Request, Seeded, TargetSpec
from replay.targets import borrowed, build_target, parse_target, worker
from replay.targets.app import AppTarget
from replay.targets.base import Moment
from replay.targets.function import FunctionTarget
from replay.targets.pool import WorkerPool
from replay.targets.process import plan

LEAP = datetime(2024, 2, 29, 23, 59, 59, 250000, tzinfo=UTC)
FROZEN = Moment(LEAP, 7)

MODULE = """
import asyncio, ctypes, datetime, fcntl, gzip, json, os, queue, random, subprocess, sys, threading, time
from dataclasses import dataclass, field

print("imported")
GLOBAL = []
HERE = os.path.dirname(__file__)

@dataclass
class Row:
    made: datetime.datetime = field(default_factory=datetime.datetime.now)

def clocks():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(time.time()))
    thread.start()
    thread.join()
    import lazily
    return {"time": time.time(), "now": datetime.datetime.now(datetime.timezone.utc), "row": Row(), "thread": seen[0],
            "lazily": lazily.stamp(), "utc": datetime.datetime.utcnow(), "drawn": random.random(), "hash": hash("a")}

def pausing():
    before = time.time()
    time.sleep(0.01)
    return [before, time.time()]

def drawing():
    import secrets, uuid
    from uuid import uuid4
    return [[uuid4(), uuid.uuid4()], secrets.token_hex(8), random.SystemRandom().random(), os.urandom(8).hex()]

def drawing_late():
    import numpy
    return [numpy.random.random(), numpy.random.default_rng().random()]

def in_sql():
    import sqlite3
    return int(sqlite3.connect(":memory:").execute("select strftime('%s', 'now')").fetchone()[0])

async def slowly():
    await asyncio.wait_for(asyncio.sleep(0.01), 5)
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.02)
    except asyncio.TimeoutError:
        pass
    try:
        queue.Queue().get(timeout=0.02)
    except queue.Empty:
        return time.time()

def fault(how):
    print("noise on stdout", how)
    if how == "SystemExit": sys.exit(3)
    if how == "KeyboardInterrupt": raise KeyboardInterrupt
    if how == "RecursionError": return fault(how)
    if how == "MemoryError": raise MemoryError
    if how == "ValueError": raise ValueError("bad <object at 0x7f0011223344>")
    if how == "_exit": os._exit(3)
    if how == "segfault": ctypes.string_at(0)
    if how == "loop":
        while True: pass
    if how == "close": os.closerange(3, 100)
    if how == "huge": return "x" * 5000
    if how == "endless": return iter(int, 1)
    if how == "object": return {"rows": [object()]}
    if how == "thread": threading.Thread(target=time.sleep, args=(60,)).start()
    if how == "later": threading.Timer(0.05, os._exit, (4,)).start()
    return "fine"

def remember(item):
    GLOBAL.append(item)
    return GLOBAL

def nap(seconds):
    time.sleep(seconds)
    return os.getpid()

def session(): return [os.getpid(), os.getsid(0), os.getcwd(), os.environ.get("COLOUR"), os.environ["TZ"]]

def variable(name): return os.environ.get(name)

def child():
    return subprocess.Popen(["sleep", "60"]).pid

def hold():
    with open(os.path.join(HERE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(os.path.join(HERE, "held"), "w") as held: held.write("yes")
        while True: pass

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["started"] = "once"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with open(os.path.join(HERE, "stopped"), "w") as out: out.write("cleanly")
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (await receive())["body"]
    path = scope["path"]
    start = {"type": "http.response.start", "status": 200}
    start["headers"] = [(b"content-type", b"application/json"), (b"x-n", b"1"), (b"x-n", b"2")]
    if path == "/nothing": return
    if path == "/leave":
        asyncio.get_running_loop().create_task(leave())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    if path == "/raise": raise LookupError("before the answer")
    if path == "/zip": start["headers"].append((b"content-encoding", b"gzip"))
    if path == "/status": start["status"] = 20
    await send(start)
    if path == "/half":
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        return
    if path == "/break":
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError("amid the answer")
    if path == "/stream":
        listening = asyncio.ensure_future(receive())
        for _ in range(3):
            await asyncio.sleep(0.005)
            if listening.done(): return
            await send({"type": "http.response.body", "body": b"part ", "more_body": True})
        await send({"type": "http.response.body"})
        assert (await listening)["type"] == "http.disconnect"
        return
    while path == "/endless":
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
    seen = {key: value for key, value in scope.items() if key in ("method", "path", "state", "http_version", "scheme")}
    seen.update(raw=scope["raw_path"].decode("latin-1"), query=scope["query_string"].decode(), body=body.decode(),
                headers=[[a.decode(), b.decode("latin-1")] for a, b in scope["headers"]], time=time.time())
    out = json.dumps(seen).encode()
    await send({"type": "http.response.body", "body": gzip.compress(out) if path == "/zip" else out})

async def leave():
    raise SystemExit(3)

class Wsgi:
    def __call__(self, environ, start_response):
        kind = environ["PATH_INFO"]
        if kind == "/never": return []
        if kind == "/exc":
            try: raise ValueError("inside")
            except ValueError:
                start_response("200 OK", [])
                start_response("500 Oh", [("x-a", "1")], sys.exc_info())
            return [b"sorry"]
        write = start_response("201 Made", [("Content-Type", "text/plain")])
        if kind == "/write": write(b"written ")
        return Body(environ, kind)

class Body:
    def __init__(self, environ, kind): self.environ, self.kind = environ, kind
    def __iter__(self):
        if self.kind == "/endless":
            while True: yield b"x" * 1000
        yield json.dumps({k: v for k, v in self.environ.items() if isinstance(v, str)}).encode()
        yield self.environ["wsgi.input"].read()
    def close(self): GLOBAL.append("closed")

class Space:
    wsgi = Wsgi()

def closed(environ, start_response):
    start_response("200 OK", [])
    return [str(len(GLOBAL)).encode()]

class Broken:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no database"})

broken = Broken()
number = 5
"""

FLAKY = """
import os
path = os.path.join(os.path.dirname(__file__), "starts")
starts = len(open(path).read()) if os.path.exists(path) else 0
with open(path, "a") as out: out.write("x")
if starts: raise RuntimeError("the licence has been used up")
def die(): os._exit(9)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the modules that the workers load."""
    place = tmp_path_factory.mktemp("apps")
    (place / "service.py").write_text(MODULE, encoding="utf-8")
    (place / "lazily.py").write_text("from time import time as stamp\n", encoding="utf-8")
    (place / "typed.py").write_text(TYPED, encoding="utf-8")
    (place / "leaves.py").write_text("import sys\nsys.exit('no configuration')\n", encoding="utf-8")
    (place / "hangs.py").write_text("import time\nprint('connecting')\ntime.sleep(60)\n", encoding="utf-8")
    return place


def case(body: object = None, path: str = "/", method: str = "GET", headers: Headers = ()) -> Case:
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return Case(id="c", kind="golden", identity="c", request=Request(method, path, headers, content))


@contextlib.asynccontextmanager
async def running(target: AppTarget) -> AsyncIterator[AppTarget]:
    try:
        await target.start()
        yield target
    finally:
        await target.close()


def function(folder: Path, name: str, concurrency: int = 1, **keys: Any) -> FunctionTarget:
    spec = TargetSpec(function=f"service:{name}", cwd=str(folder), **keys)
    return FunctionTarget(spec, concurrency=concurrency)


def app(folder: Path, name: str, **keys: Any) -> AppTarget:
    return AppTarget(TargetSpec(app=f"service:{name}", cwd=str(folder), **keys), concurrency=1)


T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(20):
            return await work()

    return asyncio.run(bounded())


def ask(target: AppTarget, *cases: Case, moment: Moment = FROZEN) -> list[Observation]:
    """Start a target, send cases one after another, and close it."""

    async def work() -> list[Observation]:
        async with running(target):
            return [await target.send(one, moment) for one in cases]

    return run(work)


def kinds(seen: list[Observation]) -> list[str | None]:
    return [one.error.kind if one.error else None for one in seen]


# ------------------------------------------------------------------------------------------------------ time and seeds


def test_every_clock_stands_at_the_instant_in_threads_defaults_and_lazy_modules(folder: Path) -> None:
    first, second = ask(function(folder, "clocks"), case(), case())
    seen = json.loads(first.body)
    assert {seen[key] for key in ("time", "thread", "lazily")} == {LEAP.timestamp()}
    assert {seen["now"], seen["utc"] + "+00:00", seen["row"]["made"] + "+00:00"} == {LEAP.isoformat()}
    assert first.clock_frozen is True
    assert first.body == second.body


def test_models_whose_types_and_defaults_are_instants_obey(folder: Path) -> None:
    (seen,) = ask(FunctionTarget(TargetSpec(function="typed:order", cwd=str(folder)), concurrency=1), case(ORDER))
    assert json.loads(seen.body) == {"made": "2024-02-29T23:59:59.250000", "due": "2024-03-01", "price": "1.10"}


ORDER = b'{"given": {"due": "2024-03-01", "price": 1.10}}'
TYPED = """
from datetime import date, datetime
from decimal import Decimal
from pydantic import BaseModel, Field
class Order(BaseModel):
    made: datetime = Field(default_factory=datetime.now)
    due: date
    price: Decimal
def order(given: Order): return given
"""


def test_each_case_has_its_own_instant_and_none_is_the_real_time(folder: Path) -> None:
    async def work() -> list[Observation]:
        async with running(function(folder, "clocks")) as target:
            other = Moment(datetime(1999, 12, 31, tzinfo=UTC), 7)
            return [await target.send(case(), one) for one in (FROZEN, other, Moment(None, 7))]

    seen = run(work)
    times = [json.loads(one.body)["time"] for one in seen]
    assert times[:2] == [LEAP.timestamp(), datetime(1999, 12, 31, tzinfo=UTC).timestamp()]
    assert abs(times[2] - time.time()) < 60
    assert [one.clock_frozen for one in seen] == [True, True, None]


def test_equal_seeds_draw_equal_numbers_in_two_processes_and_another_seed_another(folder: Path) -> None:
    (first,) = ask(function(folder, "clocks"), case())
    (again,) = ask(function(folder, "clocks"), case())
    (other,) = ask(function(folder, "clocks"), case(), moment=Moment(LEAP, 8))
    assert first.body == again.body
    assert json.loads(first.body)["drawn"] != json.loads(other.body)["drawn"]


def test_a_clock_that_ticks_begins_at_the_instant_and_runs_on(folder: Path) -> None:
    (seen,) = ask(function(folder, "pausing"), case(), moment=Moment(LEAP, 7, tick=True))
    before, after = json.loads(seen.body)
    assert LEAP.timestamp() <= before < before + 0.01 <= after < LEAP.timestamp() + 60
    assert seen.clock_frozen is True


def test_every_case_begins_at_its_instant_where_clocks_tick(folder: Path) -> None:
    async def work() -> list[Observation]:
        async with running(function(folder, "pausing")) as target:
            return [await target.send(case(), Moment(LEAP, 7, tick=True)) for _ in range(2)]

    first, second = (json.loads(one.body) for one in run(work))
    assert second[0] < first[1]


@pytest.mark.parametrize(
    ("also", "alike"),
    [((), [False] * 4), (("uuid4",), [True, False, False, False]), (("uuid4", "secrets"), [True, True, True, False])],
)
def test_what_asks_the_system_for_randomness_draws_alike_on_both_sides_on_request_alone(
    folder: Path, also: tuple[Seeded, ...], alike: list[bool]
) -> None:
    moment = Moment(LEAP, 7, also=also)
    one, other = (json.loads(ask(function(folder, "drawing"), case(), moment=moment)[0].body) for _ in range(2))
    assert [mine == theirs for mine, theirs in zip(one, other, strict=True)] == alike


@pytest.mark.parametrize(("also", "alike"), [((), [True, False]), (("secrets",), [True, True])])
def test_numpy_draws_alike_also_where_a_case_is_the_first_to_load_it(
    folder: Path, also: tuple[Seeded, ...], alike: list[bool]
) -> None:
    moment = Moment(LEAP, 7, also=also)
    one, other = (json.loads(ask(function(folder, "drawing_late"), case(), moment=moment)[0].body) for _ in range(2))
    assert [mine == theirs for mine, theirs in zip(one, other, strict=True)] == alike


def test_another_seed_gives_another_uuid(folder: Path) -> None:
    both = [Moment(LEAP, seed, also=("uuid4",)) for seed in (7, 8)]
    one, other = (json.loads(ask(function(folder, "drawing"), case(), moment=moment)[0].body) for moment in both)
    assert one[0] != other[0]


def test_what_asks_the_system_for_the_time_past_python_is_named(folder: Path) -> None:
    target = function(folder, "in_sql")
    (seen,) = ask(target, case())
    assert abs(json.loads(seen.body) - time.time()) < 60
    assert target.clock_note == "but not for what sqlite3 itself takes for now"


def test_an_app_that_asks_python_alone_gets_no_such_note(folder: Path) -> None:
    target = function(folder, "pausing")
    ask(target, case())
    assert target.clock_note == ""


def test_deadlines_inside_the_app_go_on_under_frozen_time(folder: Path) -> None:
    (seen,) = ask(function(folder, "slowly"), case())
    assert json.loads(seen.body) == LEAP.timestamp()
    assert seen.timing is not None
    assert 40 < seen.timing.latency_ms < 5000


def test_a_side_without_freezegun_says_that_its_clock_is_not_frozen(folder: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    launch = plan(TargetSpec(cwd=str(folder), at=f"venv:{tmp_path / 'bare'}"), "service:clocks", "function")
    pool = WorkerPool(replace(launch, settings={**launch.settings, "spare": {}}), size=1, timeout=5)

    async def work() -> Observation:
        try:
            await pool.start()
            return await pool.send(HEADER, b"")
        finally:
            await pool.close()

    seen = run(work)
    assert seen.clock_frozen is False
    assert abs(json.loads(seen.body)["time"] - time.time()) < 60
    assert "freezegun" in pool.clock_note


HEADER = {
    "method": "GET",
    "path": "/",
    "headers": (),
    "instant": LEAP.isoformat(),
    "tick": False,
    "seed": 7,
    "also": (),
}


def test_another_interpreter_borrows_freezegun_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    (seen,) = ask(function(folder, "clocks", at=f"venv:{tmp_path / 'bare'}"), case())
    assert seen.clock_frozen is True
    with pytest.raises(TargetError, match="No module named 'pydantic'"):
        ask(AppTarget(TargetSpec(app="pydantic:TypeAdapter", at=f"venv:{tmp_path / 'bare'}"), concurrency=1))


def test_an_interpreter_that_is_too_old_is_told_as_such(folder: Path, tmp_path: Path) -> None:
    assert worker.why_too_old((3, 7, 16)) == "its interpreter is Python 3.7, and has to be 3.8 or newer"
    assert worker.why_too_old((3, 8, 0)) == worker.why_too_old((4, 0)) == ""
    # What Python 2.7 says of the same file.
    python = tmp_path / "old" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f"#!/bin/sh\necho '  File \"{worker.__file__}\", line 72'\necho SyntaxError: invalid syntax\nexit 1\n"
    )
    python.chmod(0o755)
    with pytest.raises(TargetError) as refused:
        ask(function(folder, "clocks", at=f"venv:{tmp_path / 'old'}"), case())
    assert "Python 3.8 or newer" in str(refused.value)


# --------------------------------------------------------------------------------------------------------------- faults


FAULTS = {
    "SystemExit": ("exception", "SystemExit: 3"),
    "KeyboardInterrupt": ("exception", "KeyboardInterrupt"),
    "RecursionError": ("exception", "RecursionError"),
    "MemoryError": ("exception", "MemoryError"),
    "ValueError": ("exception", "ValueError: bad <object at 0x…>"),
    "_exit": ("crashed", "exit code 3; last output: noise on stdout _exit"),
    "segfault": ("crashed", "SIGSEGV"),
    "close": ("crashed", ""),
    "loop": ("timeout", "no answer within 0.7 s"),
    "huge": ("too_large", "larger than 1000 bytes"),
    "endless": ("too_large", "larger than 1000 bytes"),
    "object": ("exception", "cannot be written as JSON: type object at body.rows[0]"),
}


def each_followed(target: AppTarget, cases: dict[str, Case], following: Case) -> dict[str, list[Observation]]:
    """Send each case, and after each the same harmless one; return both answers by name."""
    seen = iter(ask(target, *(one for bad in cases.values() for one in (bad, following))))
    return {name: [next(seen), next(seen)] for name in cases}


@pytest.fixture(scope="module")
def faults(folder: Path) -> dict[str, list[Observation]]:
    target = function(folder, "fault", timeout="700ms", max_body=1000)
    return each_followed(target, {how: case([how]) for how in FAULTS}, case(["none"]))


@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_fails_its_case_and_the_next_one_runs(faults: dict[str, list[Observation]], how: str) -> None:
    failed, following = faults[how]
    kind, message = FAULTS[how]
    assert failed.error is not None
    assert failed.error.kind == kind
    assert message in failed.error.message
    assert len(failed.body) <= 1000
    assert (following.error, following.body, following.clock_frozen) == (None, b'"fine"', True)


def test_threads_left_behind_hold_up_nothing(folder: Path) -> None:
    begun = time.monotonic()
    assert kinds(ask(function(folder, "fault"), case(["thread"]), case(["none"]))) == [None, None]
    assert time.monotonic() - begun < 5


def test_a_worker_that_dies_between_two_cases_is_replaced_without_failing_the_second(folder: Path) -> None:
    async def work() -> list[Observation]:
        async with running(function(folder, "fault")) as target:
            first = await target.send(case(["later"]), FROZEN)
            await asyncio.sleep(0.3)
            return [first, await target.send(case(["none"]), FROZEN)]

    assert kinds(run(work)) == [None, None]


def test_a_cancelled_case_leaves_nothing_for_the_next(folder: Path) -> None:
    async def work() -> Observation:
        async with running(function(folder, "nap")) as target:
            cancelled = asyncio.create_task(target.send(case([30]), FROZEN))
            await asyncio.sleep(0.1)
            cancelled.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await cancelled
            return await target.send(case([0]), FROZEN)

    assert run(work).error is None


def test_a_changed_global_reaches_the_next_case_unless_cases_are_isolated(folder: Path) -> None:
    shared = ask(function(folder, "remember"), case([1]), case([2]))
    alone = ask(function(folder, "remember", isolate="case"), case([1]), case([2]))
    assert [one.body for one in shared] == [b"[1]", b"[1, 2]"]
    assert [one.body for one in alone] == [b"[1]", b"[2]"]


def test_workers_that_start_no_more_fail_every_case_soon_and_say_why(tmp_path: Path) -> None:
    (tmp_path / "flaky.py").write_text(FLAKY, encoding="utf-8")
    target = FunctionTarget(TargetSpec(function="flaky:die", cwd=str(tmp_path)), concurrency=1)
    first, *others = ask(target, *[case()] * 4)
    assert first.error is not None
    assert first.error.message.startswith("exit code 9")
    assert all(one.error and one.error.kind == "crashed" and "licence" in one.error.message for one in others)
    assert (tmp_path / "starts").read_text() == "x" * 4


# ------------------------------------------------------------------------------------------------------------- starting


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("service:missing", "has no attribute 'missing'"),
        ("nowhere.to.be:found", "No module named 'nowhere'"),
        ("service:number", "neither an app nor a function"),
        ("leaves:app", "no configuration"),
        ("service:broken", "no database"),
    ],
)
def test_a_target_that_does_not_load_is_an_error_in_its_own_words(folder: Path, name: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        ask(AppTarget(TargetSpec(app=name, cwd=str(folder)), concurrency=1))


def test_a_target_that_hangs_at_import_is_given_up(folder: Path) -> None:
    pool = WorkerPool(plan(TargetSpec(cwd=str(folder)), "hangs:app", "auto"), size=1, timeout=1, start_seconds=0.7)
    with pytest.raises(TargetError, match=r"not ready within 0\.7 s; last output: connecting"):
        run(pool.start)


@pytest.mark.parametrize("at", ["venv:nowhere", "path:nowhere", "venv:", "git:", "docker:x"])
def test_a_place_that_is_not_there_is_an_input_error(at: str) -> None:
    with pytest.raises(SettingsError):
        AppTarget(TargetSpec(app="service:app", at=at), concurrency=1)


def test_two_versions_of_one_module_run_beside_each_other(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "price.py").write_text(f"def version(): return {name!r}", encoding="utf-8")
    bodies = [
        ask(FunctionTarget(TargetSpec(function="price:version", at=f"path:{tmp_path / name}"), concurrency=1), case())
        for name in ("old", "new")
    ]
    assert [one.body for (one,) in bodies] == [b'"old"', b'"new"']


def test_a_worker_has_its_folder_variables_and_a_session_of_its_own(folder: Path) -> None:
    (seen,) = ask(function(folder, "session", env={"COLOUR": "red"}), case())
    pid, session, cwd, colour, zone = json.loads(seen.body)
    assert pid == session != os.getsid(0)
    assert (Path(cwd), colour, zone) == (folder, "red", "UTC")


def test_the_key_of_the_tokens_is_none_of_an_apps_business(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a-key-of-thirty-two-letters-or-more")
    monkeypatch.setenv("SHOP_KEY", "of-the-shop")
    seen = ask(function(folder, "variable"), case(["REPLAY_MASK_KEY"]), case(["SHOP_KEY"]))
    assert [one.body for one in seen] == [b"null", b'"of-the-shop"']


def test_as_many_cases_run_at_once_as_there_are_workers(folder: Path) -> None:
    async def work() -> tuple[list[Observation], float]:
        async with running(function(folder, "nap", concurrency=2)) as target:
            await asyncio.gather(*(target.send(case([0.02]), FROZEN) for _ in range(2)))
            begun = time.monotonic()
            seen = await asyncio.gather(*(target.send(case([0.2]), FROZEN) for _ in range(3)))
            return list(seen), time.monotonic() - begun

    seen, spent = run(work)
    assert len({one.body for one in seen}) == 2
    assert 0.4 <= spent < 0.6
    assert sum(one.timing is not None and one.timing.queued_ms > 150 for one in seen) == 1


# --------------------------------------------------------------------------------------------------------------- ending


def gone(pid: int) -> bool:
    """Return whether a process is no more, or only waits to be reaped by whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_close_leaves_no_process_no_grandchild_and_no_open_file(folder: Path) -> None:
    ask(function(folder, "session"), case())
    before = len(list(Path("/proc/self/fd").iterdir()))
    (session,) = ask(function(folder, "session"), case())
    (child,) = ask(function(folder, "child"), case())
    assert until(lambda: gone(json.loads(session.body)[0]) and gone(json.loads(child.body)))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_worker_ends_with_its_parent_even_amid_an_endless_loop(folder: Path) -> None:
    script = f"""
import asyncio
from replay.models import Case, Request, TargetSpec
from replay.targets.base import Moment
from replay.targets.function import FunctionTarget
target = FunctionTarget(TargetSpec(function="service:hold", cwd={str(folder)!r}, timeout="60s"), concurrency=1)
case = Case(id="c", kind="golden", identity="c", request=Request())
asyncio.run(target.send(case, Moment(None, 7)))
"""
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        try:
            assert until((folder / "held").exists, seconds=10)
        finally:
            parent.send_signal(signal.SIGKILL)

    def released() -> bool:
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

    assert until(released)


def test_close_may_be_called_twice_and_before_start(folder: Path) -> None:
    target = function(folder, "nap")

    async def work() -> Observation:
        await target.close()
        await target.close()
        return await target.send(case([0]), FROZEN)

    seen = run(work)
    assert kinds([seen]) == ["crashed"]


# ----------------------------------------------------------------------------------------------------------- ASGI, WSGI


def test_an_asgi_app_sees_the_request_as_it_was_written(folder: Path) -> None:
    headers = (("X-Twice", "1"), ("x-twice", "2"), ("Content-Length", "999"))
    one = case(b"body", "/a%20b/%C3%A9?q=%20&r=%FF", "post", headers)
    (seen,) = ask(app(folder, "app", headers={"X-Side": "mine"}), one)
    told = json.loads(seen.body)
    expected = [["host", "localhost"], ["x-twice", "1"], ["x-twice", "2"], ["x-side", "mine"], ["content-length", "4"]]
    assert told["headers"] == expected
    assert (told["method"], told["path"], told["raw"]) == ("POST", "/a b/é", "/a%20b/%C3%A9")
    assert (told["query"], told["body"], told["state"]) == ("q=%20&r=%FF", "body", {"started": "once"})
    assert (seen.status, seen.headers[1:]) == (200, (("x-n", "1"), ("x-n", "2")))
    assert told["time"] == LEAP.timestamp()


ASGI_ANSWERS: dict[str, tuple[int | None, bytes, str | None]] = {
    "/nothing": (None, b"", "protocol"),
    "/status": (None, b"", "exception"),
    "/raise": (None, b"", "exception"),
    "/half": (200, b"half", "incomplete_body"),
    "/break": (200, b"half", "exception"),
    "/endless": (200, b"x" * 5000, "too_large"),
    "/stream": (200, b"part part part ", None),
}


@pytest.fixture(scope="module")
def asgi_answers(folder: Path) -> dict[str, list[Observation]]:
    cases = {path: case(path=path) for path in ASGI_ANSWERS}
    return each_followed(app(folder, "app", max_body=5000), cases, case(path="/fine"))


@pytest.mark.parametrize("path", ASGI_ANSWERS)
def test_how_an_asgi_app_answers(asgi_answers: dict[str, list[Observation]], path: str) -> None:
    seen, following = asgi_answers[path]
    assert (seen.status, seen.body, seen.error and seen.error.kind) == ASGI_ANSWERS[path]
    assert (following.status, following.error) == (200, None)


def test_a_task_that_raises_system_exit_does_not_end_the_worker(folder: Path) -> None:
    seen = ask(app(folder, "app"), case(path="/leave"), case(path="/fine"))
    assert [one.status for one in seen] == [200, 200]


def test_the_body_of_an_app_has_its_content_coding_undone(folder: Path) -> None:
    (seen,) = ask(app(folder, "app"), case(path="/zip"))
    assert json.loads(seen.body)["path"] == "/zip"


def test_an_answer_to_head_has_no_body(folder: Path) -> None:
    (seen,) = ask(app(folder, "app"), case(method="HEAD"))
    assert (seen.status, seen.body) == (200, b"")


def test_an_asgi_app_is_shut_down_at_the_end(folder: Path) -> None:
    (folder / "stopped").unlink(missing_ok=True)
    ask(app(folder, "app"), case())
    assert (folder / "stopped").read_text() == "cleanly"


def test_a_wsgi_app_sees_the_environ_of_pep_3333(folder: Path) -> None:
    headers = (("Host", "shop.test"), ("Cookie", "a=1"), ("X-A", "1"), ("cookie", "b=2"), ("x-a", "2"))
    one = case(b"body", "/a%20b/%C3%A9?q=%20", "POST", (*headers, ("Content-Type", "text/x")))
    (seen,) = ask(app(folder, "Space.wsgi"), one)
    environ = json.loads(seen.body.removesuffix(b"body"))
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/é"
    assert (environ["QUERY_STRING"], environ["SCRIPT_NAME"], environ["CONTENT_LENGTH"]) == ("q=%20", "", "4")
    assert (environ["HTTP_COOKIE"], environ["HTTP_X_A"], environ["HTTP_HOST"]) == ("a=1; b=2", "1,2", "shop.test")
    assert (environ["CONTENT_TYPE"], environ["REQUEST_METHOD"]) == ("text/x", "POST")
    assert (seen.status, seen.headers) == (201, (("Content-Type", "text/plain"),))


WSGI_ANSWERS: dict[str, tuple[int | None, bytes, str | None]] = {
    "/never": (None, b"", "exception"),
    "/exc": (500, b"sorry", None),
    "/write": (201, b"written {", None),
    "/endless": (201, b"xxx", "too_large"),
}


@pytest.fixture(scope="module")
def wsgi_answers(folder: Path) -> dict[str, list[Observation]]:
    cases = {path: case(path=path) for path in WSGI_ANSWERS}
    return each_followed(app(folder, "Space.wsgi", max_body=5000), cases, case(path="/fine"))


@pytest.mark.parametrize("path", WSGI_ANSWERS)
def test_how_a_wsgi_app_answers(wsgi_answers: dict[str, list[Observation]], path: str) -> None:
    seen, following = wsgi_answers[path]
    status, start, kind = WSGI_ANSWERS[path]
    assert (seen.status, seen.body[: len(start)], seen.error and seen.error.kind) == (status, start, kind)
    assert (following.status, following.error) == (201, None)


def test_the_signature_tells_what_stands_behind_a_name(folder: Path) -> None:
    expected = {"app": "asgi", "Space.wsgi": "wsgi", "closed": "wsgi", "nap": "function", "Row": "function"}
    targets = {name: app(folder, name) for name in expected}

    async def work() -> None:
        await asyncio.gather(*(target.start() for target in targets.values()))
        await asyncio.gather(*(target.close() for target in targets.values()))

    run(work)
    assert {name: target.serves for name, target in targets.items()} == expected


def test_a_function_that_looks_like_an_app_is_called_when_the_settings_say_function(folder: Path) -> None:
    (seen,) = ask(function(folder, "closed"), case({"environ": {}, "start_response": None}))
    assert seen.error is not None
    assert seen.error.message.startswith("TypeError: 'NoneType' object is not callable")


# ------------------------------------------------------------------------------------------------------------- the file


def test_the_worker_file_is_python_3_8_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(worker.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) == {"freezegun"}


def test_a_short_form_names_a_url_a_recording_or_an_attribute() -> None:
    assert parse_target("https://shop.test/base").url == "https://shop.test/base"
    assert parse_target("recorded").recorded is True
    assert parse_target("shop.api:make.app").app == "shop.api:make.app"


@pytest.mark.parametrize(("text", "at"), [("git:HEAD~1", "git:HEAD~1"), ("venv:.venv", "venv:.venv"), (".", "path:.")])
def test_a_short_form_may_only_say_where_the_code_is(text: str, at: str) -> None:
    assert parse_target(text) == TargetSpec(at=at)


def test_a_side_that_only_says_where_its_code_is_borrows_the_rest_of_the_first_that_can_be_started() -> None:
    lender = TargetSpec(run="shop {port}", at="path:new", version="2", headers={"x": "y"}, ready="/up")  # type: ignore[arg-type]
    whole = borrowed(TargetSpec(at="git:main"), None, TargetSpec(url="http://x"), lender)
    assert (whole.run, whole.at, whole.version, whole.headers) == ("shop {port}", "git:main", None, {"x": "y"})
    assert borrowed(TargetSpec(url="http://x"), lender) == TargetSpec(url="http://x")
    with pytest.raises(SettingsError, match="nothing says what to start there"):
        borrowed(TargetSpec(at="git:main"), TargetSpec(url="http://x"))


@pytest.mark.parametrize("text", ["", "git:", "shop.api", "ftp://x", "a b:c", "shop:", ":app", "C:\\shop", ".."])
def test_any_other_short_form_is_an_error_that_says_what_is_understood(text: str) -> None:
    with pytest.raises(SettingsError, match=r"module:attribute") as caught:
        parse_target(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("keys", [{}, {"url": "http://x", "app": "a:b"}])
def test_a_side_is_exactly_one_thing(keys: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="exactly one of url, run, app, function, recorded"):
        build_target(TargetSpec(**keys), concurrency=1)


@pytest.mark.parametrize(
    ("key", "value"), [("url", "http://127.0.0.1:1"), ("app", "a:b"), ("function", "a:b"), ("recorded", True)]
)
def test_every_kind_of_target_can_be_built_and_closed_unused(key: str, value: Any) -> None:
    async def work() -> str:
        target = build_target(TargetSpec(**{key: value}), concurrency=2)
        await target.close()
        await target.close()
        return target.kind

    assert run(work) == {"url": "live", "recorded": "recorded"}.get(key, "started")
