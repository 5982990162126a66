"""The process that holds an app or a function: one self-contained file, run by whatever interpreter the side has.

It imports nothing of replay and runs on Python 3.8, because a `venv:` may hold another version of everything. The
parent hands it one socket. A frame on it is two lengths (big-endian, 4 bytes each), a JSON header and a raw body:

    parent -> worker   {"target", "kind", "paths", "tree", "spare", "max_body"}     once, then one frame a case:
                       {"n", "method", "path", "headers", "instant", "tick", "seed", "also"} + body,
                       or {"stop": true}
    worker -> parent   {"ready": true, "kind", "clock"} or {"failed": why}   once, then one frame a case:
                       {"n", "status", "headers", "error", "ns", "frozen", "blind"} + body

freezegun starts before the app is imported, so that what the app takes at import (`default_factory=datetime.now`)
obeys as well; until a case states its instant that clock ticks like the real one. What a case leaves behind in this
process (a changed global) reaches the next case; `isolate: case` is the remedy.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Python puts this file's folder first on the path, where its siblings would shadow modules of the app.
    sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120

import asyncio
import base64
import collections.abc
import contextlib
import dataclasses
import datetime  # noqa: ICN001 - freezegun replaces what hangs on this module
import decimal
import enum
import faulthandler
import functools
import importlib
import importlib.machinery
import inspect
import io
import json
import pathlib
import queue
import random
import re
import secrets
import signal
import socket
import socketserver  # noqa: F401 - imported before time is frozen, so that its deadlines go on
import struct
import subprocess  # noqa: F401 - likewise
import threading
import time
import traceback
import types
import typing
import urllib.parse
import uuid
from collections import deque

Header = typing.Dict[str, typing.Any]  # noqa: UP006 - evaluated when it runs, on Python 3.8 too
Pairs = typing.List[typing.Tuple[str, str]]  # noqa: UP006 - likewise
Frame = typing.Tuple[Header, bytes]  # noqa: UP006 - likewise

LENGTHS = struct.Struct(">II")
OLDEST = (3, 8)
MAX_HEADER = 16 * 2**20
MAX_MESSAGE = 2000

# In a tuple, because freezegun replaces every module attribute that is one of them.
REAL_TYPES = (datetime.datetime, datetime.date)
UTC = datetime.timezone.utc  # noqa: UP017 - datetime.UTC came with 3.11


def now_ns() -> int:
    """Return nanoseconds of the monotonic clock, which frozen time leaves alone."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


# --------------------------------------------------------------------------------------------------------------- frames


def pack(header: Header, body: bytes = b"") -> bytes:
    """Return one frame."""
    head = json.dumps(header).encode("ascii")
    return LENGTHS.pack(len(head), len(body)) + head + body


def read_frame(connection: socket.socket) -> Frame:
    """Wait for one frame. Raises EOFError when the other end is gone."""
    head, body = LENGTHS.unpack(_read_exactly(connection, LENGTHS.size))
    return json.loads(_read_exactly(connection, head)), _read_exactly(connection, body)


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 2**20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Inbox:
    """The frames that the parent sent. A thread reads them, so that the parent's end is noticed while a case runs."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._wake: typing.Callable[[], object] = bool
        threading.Thread(target=self._read, daemon=True, name="replay-inbox").start()

    def _read(self) -> None:
        while True:
            try:
                self._frames.put(read_frame(self._connection))
            except (EOFError, OSError, ValueError):
                end_with_children()
            with contextlib.suppress(RuntimeError):  # a closed loop: its case has failed already
                self._wake()

    def get(self) -> Frame:
        """Wait for the next frame."""
        return self._frames.get()

    async def get_async(self) -> Frame:
        """Wait for the next frame and let the event loop go on meanwhile."""
        arrived = asyncio.Event()
        self._wake = functools.partial(asyncio.get_running_loop().call_soon_threadsafe, arrived.set)
        while self._frames.empty():
            await arrived.wait()
            arrived.clear()
        return self._frames.get()


def end_with_children() -> None:
    """End this process now, and what the app has started with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def end_with_parent() -> None:
    """Ask Linux to kill this process with its parent, should a C call hold the interpreter when that happens."""
    with contextlib.suppress(Exception):
        import ctypes  # noqa: PLC0415 - an interpreter may lack it

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


# ---------------------------------------------------------------------------------------------------------------- clock


class SpareFinder:
    """Finds freezegun and what it needs in the parent's folders, where this interpreter has none of its own."""

    def __init__(self, folders: dict[str, str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:  # noqa: ARG002
        """Return the spec of a spare module, or None."""
        folder = self._folders.get(name)
        return importlib.machinery.PathFinder.find_spec(name, [folder]) if folder else None


class Clock:
    """Frozen time: started once, then one layer a case."""

    def __init__(self) -> None:
        self.note = ""
        self._freeze: typing.Any = None
        self._probed: set[str] = set()

    def install(self, spare: dict[str, str]) -> None:
        """Put every clock of this process under control; `note` says why where that failed."""
        finder = SpareFinder(spare)
        loaded = set(sys.modules)
        sys.meta_path.append(typing.cast("typing.Any", finder))
        try:
            self._install()
            # freezegun imports sqlite3, for its adapters; only if the app does so too, its clock matters.
            for name in set(sys.modules) - loaded:
                if name.partition(".")[0] in CLOCKS:
                    del sys.modules[name]
        except Exception as error:  # noqa: BLE001 - whatever an unknown version of freezegun raises
            self.note = f"freezegun cannot be used: {describe(error)}"
            for name in set(sys.modules) - loaded:
                del sys.modules[name]
        finally:
            sys.meta_path.remove(typing.cast("typing.Any", finder))

    def _install(self) -> None:
        import freezegun.api  # noqa: PLC0415 - the interpreter of the side may have none

        monotonic = time.monotonic
        # Deadlines go on. This is what `real_asyncio=True` does, for every loop in Python and every freezegun.
        asyncio.BaseEventLoop.time = lambda self: monotonic()  # type: ignore[method-assign] # noqa: ARG005
        give_real_time(["concurrent.futures._base", "multiprocessing.connection", "multiprocessing.queues"])
        plumbing = ["threading", "queue", "subprocess", "socketserver", "multiprocessing", "concurrent"]
        freezegun.api.freeze_time(REAL_TYPES[0].now(UTC), tick=True, ignore=plumbing).start()
        # Otherwise a handler that runs in a thread would see the real time: `threading` is among its callers.
        freezegun.api.call_stack_inspection_limit = 0
        give_extensions_real_types()
        self._freeze = freezegun.api.freeze_time

    @contextlib.contextmanager
    def at(self, instant: str | None, *, tick: bool) -> typing.Iterator[bool | None]:
        """Freeze time for one case; yield whether it is frozen, or None where the case states no instant."""
        if instant is None or self._freeze is None:
            yield None if instant is None else False
            return
        moment = REAL_TYPES[0].fromisoformat(instant)
        layer = self._freeze(moment, tick=tick)
        layer.start()
        try:
            yield self._is_near(moment, 1.0 if tick else 0.001)  # a float's grain, and no more
        finally:
            layer.stop()

    @staticmethod
    def _is_near(moment: datetime.datetime, most: float) -> bool:
        return abs(time.time() - moment.timestamp()) < most

    def blind(self) -> list[str]:
        """Return which libraries that were loaded since the last time ask the system for the time, past all of this."""
        loaded = [name for name in CLOCKS if name in sys.modules and name not in self._probed]
        self._probed.update(loaded)
        return [name for name in loaded if self._freeze is not None and not self._obeys(name)]

    def _obeys(self, name: str) -> bool:
        moment = REAL_TYPES[0](2001, 2, 3, tzinfo=UTC)
        layer = self._freeze(moment)
        layer.start()
        try:
            return abs(CLOCKS[name](sys.modules[name]) - moment.timestamp()) < 1
        except Exception:  # noqa: BLE001 - it is not what it is called, or is being loaded: nothing is known of it
            return True
        finally:
            layer.stop()


def _sqlite_now(sqlite3: typing.Any) -> float:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        return float(database.execute("select strftime('%s', 'now')").fetchone()[0])


# What libraries written in C or Rust take for the present moment, in seconds since the epoch.
CLOCKS: dict[str, typing.Callable[[typing.Any], float]] = {
    "numpy": lambda it: float(it.datetime64("now", "s").astype("int64")),
    "pandas": lambda it: it.Timestamp.now("UTC").timestamp(),
    "pendulum": lambda it: it.now("UTC").timestamp(),
    "sqlite3": _sqlite_now,
    "whenever": lambda it: it.Instant.now().timestamp(),
}


def give_real_time(modules: list[str]) -> None:
    """Let modules of the standard library that ask `time.monotonic` for their deadlines keep the real clock."""
    real = types.SimpleNamespace(**vars(time))
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name).time = real  # type: ignore[attr-defined]


def give_extensions_real_types() -> None:
    """Let C extensions see the real datetime types while they load: they build on their memory layout (pandas crashes).

    Everything written in Python sees the frozen ones throughout, so that libraries which compare types by identity
    (pydantic) find the same ones in the app's annotations.
    """
    loader: typing.Any = importlib.machinery.ExtensionFileLoader
    for name in ("create_module", "exec_module"):
        setattr(loader, name, _with_real_types(getattr(loader, name)))


def _with_real_types(method: typing.Callable[..., object]) -> typing.Callable[..., object]:
    @functools.wraps(method)
    def load(*arguments: object) -> object:
        shown = datetime.datetime, datetime.date
        datetime.datetime, datetime.date = REAL_TYPES  # type: ignore[misc]
        try:
            return method(*arguments)
        finally:
            datetime.datetime, datetime.date = shown  # type: ignore[misc]

    return load


def plant(seed: int) -> None:
    """Seed what draws at random: `random`, and NumPy where the app has loaded it."""
    PLANTED[:] = [seed]
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "random"):
        numpy.random.seed(seed % 2**32)


PLANTED: list[int] = []
"""The seed of the case that is under way."""


def plant_where_numpy_loads() -> None:
    """Seed NumPy as soon as it is there, also where an app imports it amid a case."""
    loader: typing.Any = importlib.machinery.ExtensionFileLoader
    exec_module = loader.exec_module

    @functools.wraps(exec_module)
    def load(self: object, module: typing.Any) -> object:
        done = exec_module(self, module)
        if module.__name__ == "numpy.random.mtrand" and PLANTED:
            module.seed(PLANTED[0] % 2**32)
        return done

    loader.exec_module = load


class Draws:
    """Stands before the system's randomness for `uuid4` and `secrets`, where a case asks to have them seeded.

    It has to be there before the app is imported. Each has a stream of its own, so that one UUID more changes no token.
    """

    def __init__(self) -> None:
        self._streams: dict[str, random.Random] = {}
        shown = dict(vars(os), urandom=self._source("uuid4", os.urandom))
        uuid.os = types.SimpleNamespace(**shown)  # type: ignore[attr-defined]
        random._urandom = self._source("secrets", os.urandom)  # type: ignore[attr-defined] # noqa: SLF001
        if hasattr(secrets, "os"):  # before 3.11, token_bytes asks it
            secrets.os = types.SimpleNamespace(**dict(shown, urandom=random._urandom))  # type: ignore[attr-defined] # noqa: SLF001

    def seed(self, seed: int, names: list[str]) -> None:
        """Have these draw from streams that follow from a seed, and the others from the system."""
        self._streams = {name: random.Random(f"{name} {seed}") for name in names}  # noqa: S311 - that is the point

    def _source(self, name: str, real: typing.Callable[[int], bytes]) -> typing.Callable[[int], bytes]:
        def urandom(size: int) -> bytes:
            stream = self._streams.get(name)
            if stream is None or size < 1:
                return real(size)
            return stream.getrandbits(8 * size).to_bytes(size, "little")  # as 3.8 has it too

        return urandom


# -------------------------------------------------------------------------------------------------------------- answers


class TooLargeError(Exception):
    """The answer has outgrown what the parent takes."""


class Answer:
    """What the app has said so far; it stays when the app breaks off."""

    def __init__(self, limit: int) -> None:
        self.status: int | None = None
        self.headers: Pairs = []
        self.body = bytearray()
        self.error: list[str] | None = None
        self._limit = limit

    def begin(self, status: object, headers: Pairs) -> None:
        """Take status and headers."""
        if not isinstance(status, int) or not 100 <= status <= 999:  # noqa: PLR2004 - three digits
            raise ValueError(f"{status!r} is no HTTP status")
        self.status, self.headers = int(status), headers

    def add(self, chunk: bytes) -> None:
        """Take a piece of the body. Raises TooLargeError, to make the app stop, once the body is over the limit."""
        room = self._limit - len(self.body)
        self.body += chunk[:room]
        if len(chunk) > room:
            self.fail("too_large", f"the body is larger than {self._limit} bytes")
            raise TooLargeError(self._limit)

    def fail(self, kind: str, message: str) -> None:
        """Note what went wrong; the first thing counts."""
        self.error = self.error or [kind, message]

    def write(self, value: object) -> None:
        """Take what a function returned as a JSON body."""
        self.headers = [("content-type", "application/json")]
        with unlimited_digits():
            JsonWriter(self.add).write(value, "body")


def describe(error: BaseException) -> str:
    """Return type and message of an exception, without memory addresses: those would differ on each side."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of the app that cannot even be shown
        text = "(it has no message: its __str__ fails)"
    return described(type(error).__name__, text)


def described(name: str, text: str) -> str:
    """Return the name of an exception's type and its message, as every one is told."""
    message = f"{name}: {text}" if text else name
    message = re.sub(r"\b0x[0-9a-fA-F]{4,}", "0x…", message)
    return message[:MAX_MESSAGE].encode("utf-8", "replace").decode("utf-8")


def latin(name: bytes, value: bytes) -> tuple[str, str]:
    """Return a header as text: UTF-8, or Latin-1 where it is not."""
    try:
        return name.decode("latin-1"), value.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1"), value.decode("latin-1")


def wire(text: str) -> bytes:
    """Return a header's bytes: Latin-1 where it fits, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


# ----------------------------------------------------------------------------------------------------------------- ASGI


class AsgiHolder:
    """Runs an ASGI app: its lifespan once, an http scope a case."""

    kind = "asgi"

    def __init__(self, app: typing.Callable[..., typing.Any]) -> None:
        self._app = app
        self._state: Header = {}
        self._orders: asyncio.Queue[Header] | None = None
        self._told: asyncio.Queue[Header] | None = None
        self._lifespan: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the app's startup. Raises RuntimeError where the app says that it failed."""
        self._orders, self._told = asyncio.Queue(), asyncio.Queue()
        self._lifespan = asyncio.ensure_future(self._live())
        self._orders.put_nowait({"type": "lifespan.startup"})
        answer = await self._told.get()
        if answer["type"] == "lifespan.startup.failed":
            raise RuntimeError("its startup failed: " + str(answer.get("message") or "without a message"))

    async def _live(self) -> None:
        assert self._orders is not None  # noqa: S101
        assert self._told is not None  # noqa: S101
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._orders.get, self._told.put)
        except Exception:  # noqa: BLE001 - how an app says that it does not know the lifespan protocol
            self._state = {}
        self._told.put_nowait({"type": "ended"})

    async def stop(self) -> None:
        """Run the app's shutdown."""
        if self._orders is not None and self._told is not None and self._lifespan and not self._lifespan.done():
            self._orders.put_nowait({"type": "lifespan.shutdown"})
            await self._told.get()

    async def answer(self, case: Header, body: bytes, answer: Answer) -> None:
        """Send one case."""
        exchange = AsgiExchange(body, answer)
        await self._app(self._scope(case), exchange.receive, exchange.send)
        if answer.status is None:
            answer.fail("protocol", "the app returned without an answer")
        elif not exchange.finished.is_set():
            answer.fail("incomplete_body", "the app returned before the end of its body")

    def _scope(self, case: Header) -> Header:
        raw, _, query = case["path"].partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": case["method"].upper(),
            "scheme": "http",
            "path": urllib.parse.unquote(raw),
            "raw_path": wire(raw),
            "query_string": wire(query),
            "root_path": "",
            "headers": [(wire(name).lower(), wire(value)) for name, value in case["headers"]],
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
            "state": dict(self._state),
        }


class AsgiExchange:
    """The two channels between an ASGI app and its client, for one request."""

    def __init__(self, body: bytes, answer: Answer) -> None:
        self.finished = asyncio.Event()
        self._request: Header | None = {"type": "http.request", "body": body, "more_body": False}
        self._answer = answer

    async def receive(self) -> Header:
        """Return the whole request once; then wait: the client stays until the answer is complete."""
        message, self._request = self._request, None
        if message is not None:
            return message
        await self.finished.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Header) -> None:
        """Take a piece of the answer."""
        if message["type"] == "http.response.start":
            if self._answer.status is not None:
                raise RuntimeError("http.response.start was sent twice")
            headers = [latin(bytes(name), bytes(value)) for name, value in message.get("headers") or ()]
            self._answer.begin(message["status"], headers)
        elif message["type"] == "http.response.body":
            self._take_body(message)
        else:
            raise RuntimeError(f"{message['type']!r} is no message of an HTTP answer")

    def _take_body(self, message: Header) -> None:
        if self._answer.status is None or self.finished.is_set():
            raise RuntimeError("http.response.body was sent before http.response.start, or after the end")
        try:
            self._answer.add(bytes(message.get("body") or b""))
        except TooLargeError:
            self.finished.set()
            raise
        if not message.get("more_body", False):
            self.finished.set()


# ----------------------------------------------------------------------------------------------------------------- WSGI


class WsgiHolder:
    """Runs a WSGI app as PEP 3333 has it."""

    kind = "wsgi"

    def __init__(self, app: typing.Callable[..., typing.Any]) -> None:
        self._app = app

    def answer(self, case: Header, body: bytes, answer: Answer) -> None:
        """Send one case."""
        begin = WsgiStart(answer)
        chunks = self._app(self._environ(case, body), begin)
        try:
            for chunk in chunks:
                if chunk:
                    begin.write(chunk)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        begin.commit()

    def _environ(self, case: Header, body: bytes) -> Header:
        raw, _, query = case["path"].partition("?")
        environ = {
            "REQUEST_METHOD": case["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": urllib.parse.unquote_to_bytes(raw).decode("latin-1"),
            "QUERY_STRING": wire(query).decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in case["headers"]:
            _add_variable(environ, name, wire(value).decode("latin-1"))
        return environ


def _add_variable(environ: Header, name: str, value: str) -> None:
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = "HTTP_" + key
    separator = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = environ[key] + separator + value if key in environ else value


class WsgiStart:
    """`start_response` of one request, and the `write` that it returns."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._head: tuple[str, Pairs] | None = None

    def __call__(self, status: str, headers: Pairs, exc_info: typing.Any = None) -> typing.Callable[[bytes], None]:
        """Note status and headers; they count once the first byte of the body is there."""
        if exc_info is not None and self._answer.status is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._head is not None:
            raise RuntimeError("start_response was called twice")
        self._head = status, list(headers)
        return self.write

    def commit(self) -> None:
        """Send status and headers, unless they are out."""
        if self._answer.status is None:
            if self._head is None:
                raise RuntimeError("the app returned without calling start_response")
            status, headers = self._head
            pairs = [latin(wire(name), wire(value)) for name, value in headers]
            self._answer.begin(int(status.split(" ", 1)[0]), pairs)

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body."""
        if not isinstance(chunk, bytes):
            raise TypeError(f"a WSGI app answers bytes, not {type(chunk).__name__}")
        self.commit()
        self._answer.add(chunk)


# ------------------------------------------------------------------------------------------------------------- function


class FunctionHolder:
    """Calls a function: JSON arguments in, JSON value or exception out."""

    kind = "function"

    def __init__(self, function: typing.Callable[..., typing.Any], loop: asyncio.AbstractEventLoop) -> None:
        self._function = function
        self._hints = annotations_of(function)
        self._loop = loop

    def answer(self, case: Header, body: bytes, answer: Answer) -> None:  # noqa: ARG002 - a call has no path or headers
        """Call the function once."""
        positional, named = self._arguments(body)
        value = self._function(*positional, **named)
        if inspect.isawaitable(value):
            value = self._loop.run_until_complete(_awaited(value))
        answer.write(value)

    def _arguments(self, body: bytes) -> tuple[list[object], dict[str, object]]:
        if not body:
            return [], {}
        with unlimited_digits():
            value = json.loads(body, parse_float=decimal.Decimal)
        if isinstance(value, dict):
            return [], {name: coerce(item, self._hints.get(name, typing.Any)) for name, item in value.items()}
        items = value if isinstance(value, list) else [value]
        kinds = self._positional_kinds(len(items))
        return [coerce(item, kind) for item, kind in zip(items, kinds)], {}  # noqa: B905 - `strict` came with 3.10

    def _positional_kinds(self, count: int) -> list[object]:
        try:
            parameters = list(inspect.signature(self._function).parameters.values())
        except (TypeError, ValueError):  # some builtins have no signature
            parameters = []
        kinds = []
        for parameter in parameters:
            repeat = count if parameter.kind is parameter.VAR_POSITIONAL else 1
            kinds += [self._hints.get(parameter.name, typing.Any)] * repeat
        return (kinds + [typing.Any] * count)[:count]


async def _awaited(value: typing.Any) -> object:
    return await value


def annotations_of(function: typing.Any) -> Header:
    """Return the annotations of a callable's parameters; those that do not resolve are left out."""
    inner = function.func if isinstance(function, functools.partial) else function
    if inspect.isclass(inner):
        inner = inner.__init__
    elif not inspect.isroutine(inner):
        inner = type(inner).__call__
    try:
        return typing.get_type_hints(inner)
    except Exception:  # noqa: BLE001 - a name that exists for type checkers only
        raw = getattr(inner, "__annotations__", {})
        return {name: hint for name, hint in raw.items() if not isinstance(hint, str)}


def coerce(value: typing.Any, kind: typing.Any) -> typing.Any:  # noqa: PLR0911 - one line a kind
    """Turn a parsed JSON value into what an annotation asks for; an unknown annotation leaves it as it is."""
    origin = typing.get_origin(kind)
    if origin is typing.Union or origin is getattr(types, "UnionType", None):
        return _coerce_union(value, typing.get_args(kind))
    if isinstance(value, list) and (origin or kind) in _COLLECTIONS:
        return _coerce_items(value, origin or kind, typing.get_args(kind))
    if isinstance(value, dict) and origin in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        key, item = typing.get_args(kind)
        return {coerce(name, key): coerce(child, item) for name, child in value.items()}
    if inspect.isclass(kind):
        for known, convert in _CONVERTERS:
            if issubclass(kind, known):
                return convert(value, kind)
        if dataclasses.is_dataclass(kind) and isinstance(value, dict):
            return _coerce_fields(value, kind)
        if hasattr(kind, "model_validate") and isinstance(value, dict):
            return typing.cast("typing.Any", kind).model_validate(value)  # decimals as such: a float field takes them
        if hasattr(kind, "_fields") and isinstance(value, (list, dict)):
            return kind(*plain(value)) if isinstance(value, list) else _coerce_fields(value, kind)
    return plain(value)


def plain(value: typing.Any) -> typing.Any:
    """Return a parsed value as `json.loads` gives it: fractions are floats."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def _coerce_union(value: typing.Any, kinds: typing.Sequence[typing.Any]) -> typing.Any:
    if value is None and type(None) in kinds:
        return None
    exact = [kind for kind in kinds if inspect.isclass(kind) and type(plain(value)) is kind]
    for kind in exact or [kind for kind in kinds if kind is not type(None)]:
        with contextlib.suppress(ValueError, TypeError, ArithmeticError, KeyError):
            return coerce(value, kind)
    return plain(value)


_COLLECTIONS: dict[typing.Any, typing.Callable[[typing.Any], typing.Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    deque: deque,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
}


def _coerce_items(value: list[object], collection: typing.Any, kinds: tuple[typing.Any, ...]) -> typing.Any:
    if collection is tuple and kinds and Ellipsis not in kinds:
        pairs = zip(value, list(kinds) + [typing.Any] * len(value))  # noqa: B905 - likewise
        return tuple(coerce(item, kind) for item, kind in pairs)
    kind = kinds[0] if kinds else typing.Any
    return _COLLECTIONS[collection](coerce(item, kind) for item in value)


def _coerce_fields(value: dict[str, object], kind: typing.Any) -> typing.Any:
    hints = typing.get_type_hints(kind)
    return kind(**{name: coerce(item, hints.get(name, typing.Any)) for name, item in value.items()})


def _to_enum(value: typing.Any, kind: typing.Any) -> typing.Any:
    try:
        return kind(plain(value))
    except ValueError:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise


def _to_instant(value: typing.Any, kind: typing.Any) -> typing.Any:
    # Before 3.11 fromisoformat does not know the Z.
    return kind.fromisoformat(re.sub("[zZ]$", "+00:00", value)) if isinstance(value, str) else plain(value)


def _to_decimal(value: typing.Any, kind: typing.Any) -> typing.Any:
    return kind(value) if isinstance(value, (str, int, decimal.Decimal)) and not isinstance(value, bool) else value


def _to_float(value: typing.Any, kind: typing.Any) -> typing.Any:
    return kind(value) if isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool) else value


def _from_text(value: typing.Any, kind: typing.Any) -> typing.Any:
    return kind(value) if isinstance(value, str) else plain(value)


def _to_bytes(value: typing.Any, kind: typing.Any) -> typing.Any:
    if isinstance(value, dict) and list(value) == ["base64"]:
        return kind(base64.b64decode(value["base64"], validate=True))
    return kind(value.encode("utf-8")) if isinstance(value, str) else plain(value)


# In this order: a datetime is a date, and an IntEnum is an int.
_CONVERTERS: tuple[tuple[type, typing.Callable[[typing.Any, typing.Any], typing.Any]], ...] = (
    (enum.Enum, _to_enum),
    (decimal.Decimal, _to_decimal),
    (REAL_TYPES[0], _to_instant),
    (REAL_TYPES[1], _to_instant),
    (datetime.time, _to_instant),
    (uuid.UUID, _from_text),
    (pathlib.PurePath, _from_text),
    (bytes, _to_bytes),
    (float, _to_float),
)


@contextlib.contextmanager
def unlimited_digits() -> typing.Iterator[None]:
    """Read and write integers of any length, without changing that limit for the app."""
    get = getattr(sys, "get_int_max_str_digits", None)
    if get is None:
        yield
        return
    limit = get()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


class NotJsonError(Exception):
    """A value that has no place in a JSON document."""


class JsonWriter:
    """Writes what a function returned. Decimals keep their digits; NaN stays a token, for the comparison to name."""

    def __init__(self, add: typing.Callable[[bytes], object]) -> None:
        self._add = add

    def write(self, value: typing.Any, at: str) -> None:
        """Write one value that stands at a location. Raises NotJsonError for what cannot be written."""
        scalar = self._scalar(value)
        if scalar is not None:
            self._add(scalar.encode("ascii"))
            return
        value = self._unfold(value, at)
        if isinstance(value, collections.abc.Mapping):
            self._members(value, at)
        elif isinstance(value, collections.abc.Iterable) and not isinstance(value, (str, bytes)):
            self._items(value, at)
        else:
            self.write(value, at)

    def _scalar(self, value: typing.Any) -> str | None:  # noqa: PLR0911 - one line a kind
        if isinstance(value, enum.Enum):
            return self._scalar(value.value)
        if value is None or isinstance(value, (bool, int, float)):
            return json.dumps(value)
        if isinstance(value, str):
            return json.dumps(str(value))
        if isinstance(value, decimal.Decimal):
            return self._decimal(value)
        if isinstance(value, (REAL_TYPES[1], datetime.time)):
            return json.dumps(value.isoformat())
        if isinstance(value, datetime.timedelta):
            return seconds_of(value)
        return json.dumps(str(value)) if isinstance(value, (uuid.UUID, pathlib.PurePath)) else None

    @staticmethod
    def _decimal(value: decimal.Decimal) -> str:
        if value.is_finite():
            return str(value)
        return "NaN" if value.is_nan() else ("Infinity" if value > 0 else "-Infinity")

    def _unfold(self, value: typing.Any, at: str) -> typing.Any:  # noqa: C901, PLR0911 - one line a kind
        """Return a mapping, an iterable or a scalar in place of an object that stands for one."""
        if isinstance(value, enum.Enum):
            return value.value
        if value is NotImplemented:
            return {"python": "NotImplemented"}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"base64": base64.b64encode(bytes(value)).decode("ascii")}
        if inspect.isclass(value):
            raise NotJsonError(f"cannot be written as JSON: class {value.__name__} at {at}")
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if can(value, "model_dump"):
            return value.model_dump(mode="json")
        if hasattr(type(value), "__attrs_attrs__"):
            return {field.name: getattr(value, field.name) for field in type(value).__attrs_attrs__}
        if can(value, "_asdict"):
            return of_row(value)
        if can(value, "to_numpy"):  # of a table or a column a list would tell the names alone, or all but these
            raise NotJsonError(f"cannot be written as JSON: type {type(value).__name__}, which has labels, at {at}")
        if can(value, "tolist"):  # NumPy's scalars and arrays
            return of_array(value, at)
        return self._collection(value, at)

    @staticmethod
    def _collection(value: typing.Any, at: str) -> typing.Any:
        """Return a mapping or an iterable in place of what is one, or nearly."""
        if isinstance(value, (set, frozenset)):
            return sorted(value, key=dumped)
        if isinstance(value, collections.abc.Mapping):
            return with_all_values(value)
        if isinstance(value, collections.abc.Sequence) and can(value, "keys"):  # a row of sqlite3
            return by_name(list(getattr(value, "keys")()), value)  # noqa: B009 - no sequence of types has it
        if isinstance(value, collections.abc.Iterable) and not is_opaque(value):
            return value
        raise NotJsonError(f"cannot be written as JSON: type {type(value).__name__} at {at}")

    def _members(self, value: typing.Any, at: str) -> None:
        self._add(b"{")
        for index, (key, item) in enumerate(value.items()):
            name = self._name(key, at)
            self._add((", " if index else "").encode("ascii") + json.dumps(name).encode("ascii") + b": ")
            self.write(item, f"{at}.{name}")
        self._add(b"}")

    def _name(self, key: typing.Any, at: str) -> str:
        if isinstance(key, str) and not isinstance(key, enum.Enum):
            return key
        text = self._scalar(key)
        if text is None:
            raise NotJsonError(f"cannot be written as JSON: a key of type {type(key).__name__} at {at}")
        return str(json.loads(text)) if text.startswith('"') else text

    def _items(self, value: typing.Any, at: str) -> None:
        self._add(b"[")
        for index, item in enumerate(value):
            if index:
                self._add(b", ")
            self.write(item, f"{at}[{index}]")
        self._add(b"]")


def can(value: typing.Any, name: str) -> bool:
    """Tell whether a value has a method; one that raises anything when it is asked for an attribute has none."""
    try:
        return callable(getattr(value, name, None))
    except Exception:  # noqa: BLE001 - a dictionary whose members are its attributes raises KeyError
        return False


def of_row(value: typing.Any) -> typing.Any:
    """Return a named tuple, or a row of SQLAlchemy, by its names: of a row several may have one."""
    named = value._asdict()
    is_whole = not isinstance(value, collections.abc.Sequence) or len(named) == len(value)
    return named if is_whole else by_name(value._fields, value)


def by_name(names: typing.Sequence[str], row: typing.Sequence[typing.Any]) -> typing.Any:
    """Return a row by its names; as pairs, where two values have one name, and as it is where some have none."""
    if len(names) != len(row):
        return row
    apart = dict(zip(names, row))  # noqa: B905 - Python 3.8 has no `strict`
    return apart if len(apart) == len(row) else [list(pair) for pair in zip(names, row)]  # noqa: B905 - likewise


def with_all_values(value: typing.Mapping[typing.Any, typing.Any]) -> typing.Mapping[typing.Any, typing.Any]:
    """Return a mapping that may have several values a name, as of forms and queries, with all of them.

    As any mapping, such a one tells one value a name: Django's and Werkzeug's do, Starlette's and multidict's.
    """
    for name in ("getlist", "getall"):
        if can(value, name):
            several = {key: list(getattr(value, name)(key)) for key in value}
            return {key: one[0] if len(one) == 1 else one for key, one in several.items()}
    return value


def is_opaque(value: typing.Any) -> bool:
    """Tell whether going through a value may tell less than it holds: what is made in C shows nothing else of itself.

    An element of lxml is gone through as the elements in it, without any text.
    """
    known = (collections.abc.Sequence, collections.abc.Set, collections.abc.MappingView, collections.abc.Iterator)
    return not isinstance(value, known) and any(
        not base.__flags__ & MADE_BY_PYTHON for base in type(value).__mro__ if base is not object
    )


MADE_BY_PYTHON = 1 << 9
"""The flag of classes that a program makes, and the interpreter or a library in C does not."""


def seconds_of(value: datetime.timedelta) -> str:
    """Return a duration in seconds, with all its digits: those of centuries, or of pandas, are too many for a float."""
    seconds, nanoseconds = value.total_seconds(), getattr(value, "nanoseconds", 0)
    whole = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
    if not nanoseconds and round(seconds * 10**6) == whole:
        return json.dumps(seconds)
    return pointed(whole * 1000 + nanoseconds, 9)


def pointed(number: int, digits: int) -> str:
    """Return an integer with a decimal point before its last digits."""
    whole, rest = divmod(abs(number), 10**digits)
    return f"{'-' if number < 0 else ''}{whole}.{rest:0{digits}d}"


# ---------------------------------------------------------------------------------------------------------------- NumPy

UNITS = {"W": 604_800, "D": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds in the units of NumPy's durations."""
DIGITS = {"ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15, "as": 18}
"""Digits behind the point in its parts of a second."""


def of_array(value: typing.Any, at: str) -> typing.Any:
    """Return NumPy's scalars and arrays as numbers and lists, with what these lack: names of fields, units of time."""
    dtype: typing.Any = getattr(value, "dtype", None)
    if getattr(dtype, "names", None):
        return list(value) if value.shape else {name: value[name] for name in dtype.names}
    if getattr(dtype, "kind", "") in ("m", "M"):
        return list(value) if value.shape else of_time(value)
    listed = value.tolist()
    if type(listed) is type(value):  # a number of a width that Python has none of
        raise NotJsonError(f"cannot be written as JSON: type {type(value).__name__} at {at}")
    return listed


def of_time(value: typing.Any) -> typing.Any:
    """Return a moment or duration of NumPy as Python's; one that Python has none of (nanoseconds) as text or number."""
    item = value.item()
    if not isinstance(item, int):
        return item
    if value.dtype.kind == "M":
        moment, _, parts = str(value).partition(".")
        parts = parts.rstrip("0")
        return f"{moment}.{parts:0<6}" if parts else moment
    unit, count = sys.modules["numpy"].datetime_data(value.dtype)
    if unit in DIGITS:
        return decimal.Decimal(pointed(item * count, DIGITS[unit]))
    # Of months nobody knows how long they are, and some have no unit at all.
    return item * count * UNITS[unit] if unit in UNITS else {str(value.dtype): item}


def dumped(value: object) -> bytes:
    """Return a value as JSON text, to sort the items of a set by."""
    text = bytearray()
    JsonWriter(text.extend).write(value, "an item of a set")
    return bytes(text)


# -------------------------------------------------------------------------------------------------------------- loading


def load(target: str) -> typing.Any:
    """Import `module:attribute`; the attribute may be dotted."""
    module, _, attribute = target.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


def kind_of(target: typing.Any) -> str:
    """Tell an ASGI or WSGI app from a function by its signature."""
    if inspect.isclass(target):
        return "function"
    names = _parameter_names(target)
    call = type(target).__call__
    if names == ["scope", "receive", "send"]:
        return "asgi"
    if len(names) == 3 and not inspect.isroutine(target) and inspect.iscoroutinefunction(call):  # noqa: PLR2004
        return "asgi"
    if len(names) == 2 and (names[0].startswith("env") or names[1].startswith("start_")):  # noqa: PLR2004
        return "wsgi"
    return "function"


def _parameter_names(target: typing.Any) -> list[str]:
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    placed = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [one.name for one in placed if one.default is one.empty]


class Tree:
    """The files of a commit that a side is made of. What it imports from elsewhere is of no version that was asked for.

    That happens where a project is installed in editable mode, or was installed: both sides then import the same.
    """

    def __init__(self, told: dict[str, str]) -> None:
        self._root, self._repository = (os.path.realpath(told[name]) for name in ("root", "repository"))
        self._name = told["name"]
        self._sources = told["sources"].split(os.pathsep)
        self._seen = {"__main__"}
        self._count = 0
        homes = [os.path.realpath(home) for home in (sys.prefix, sys.base_prefix)]
        self._interpreters = [home for home in homes if home != self._repository]
        self._stray = ""

    def require(self, module: str) -> None:
        """Raise ImportError where the target itself, or anything that is loaded by now, is not of these files."""
        place = _file_of(sys.modules.get(module))
        if place and not _is_below(place, self._root):
            raise ImportError(self._told(module, place))
        if self.stray():
            raise ImportError(self.stray())

    def stray(self) -> str:
        """Return which module was loaded from elsewhere; empty where none was."""
        if not self._stray and len(sys.modules) != self._count:
            self._count = len(sys.modules)
            new = [name for name in list(sys.modules) if name not in self._seen]
            self._seen.update(new)
            places = ((name, _file_of(sys.modules.get(name))) for name in new)
            self._stray = next((self._told(*each) for each in places if self._is_stray(*each)), "")
        return self._stray

    def _is_stray(self, name: str, place: str) -> bool:
        if not place or _is_below(place, self._root):
            return False
        if {"site-packages", "dist-packages"}.isdisjoint(pathlib.PurePath(place).parts):
            of_interpreter = any(_is_below(place, home) for home in self._interpreters)
            return _is_below(place, self._repository) and not of_interpreter
        return "." not in name and self._has_its_own(name)

    def _has_its_own(self, name: str) -> bool:
        """Tell whether the commit has such a package itself, in the folder that nobody looks into by default."""
        there = [pathlib.Path(source, name) for source in self._sources]
        return any(it.with_suffix(".py").is_file() or (it / "__init__.py").is_file() for it in there)

    def _told(self, name: str, place: str) -> str:
        return f"{name} is imported from {place}, which is not of {self._name}"


def _file_of(module: object) -> str:
    """Return the file of a module, without links; what only looks like a module is not asked anything."""
    place = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
    return os.path.realpath(place) if isinstance(place, str) else ""


def _is_below(place: str, folder: str) -> bool:
    return place.startswith(folder + os.sep)


Holder = typing.Union[AsgiHolder, WsgiHolder, FunctionHolder]  # noqa: UP007 - evaluated on Python 3.8 too


def hold(settings: Header, loop: asyncio.AbstractEventLoop, tree: Tree | None) -> Holder:
    """Load the target and wrap it by its kind."""
    sys.path[:0] = settings["paths"]
    sys.argv = [settings["target"]]
    target = load(settings["target"])
    if tree is not None:
        tree.require(settings["target"].partition(":")[0])
    if not callable(target):
        raise TypeError(f"{settings['target']} is a {type(target).__name__}, neither an app nor a function")
    kind = settings["kind"] if settings["kind"] != "auto" else kind_of(target)
    if kind == "asgi":
        holder = AsgiHolder(target)
        loop.run_until_complete(holder.start())
        return holder
    return WsgiHolder(target) if kind == "wsgi" else FunctionHolder(target, loop)


def why_not(error: BaseException) -> str:
    """Return the last lines of the traceback that belong to the app, and the message."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    lines = [f"  {frame.filename}:{frame.lineno}: {frame.line}" for frame in own[-3:]]
    return "\n".join([describe(error), *lines])


# -------------------------------------------------------------------------------------------------------------- serving


Moment = typing.Tuple[Clock, Draws, typing.Optional[Tree]]  # noqa: UP006, UP045 - evaluated on Python 3.8 too


class Worker:
    """Answers one case after another, until it is told to stop."""

    def __init__(self, connection: socket.socket, inbox: Inbox, moment: Moment, holder: Holder, max_body: int) -> None:
        self._connection = connection
        self._inbox = inbox
        self._clock, self._draws, self._tree = moment
        self._holder = holder
        self._max_body = max_body

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer until the parent says stop."""
        if not isinstance(self._holder, AsgiHolder):
            return self._serve(self._holder)
        serving = loop.create_task(self._serve_async(self._holder))
        while not serving.done():
            # A task that the app left behind may raise these through the loop; the next case still has to run.
            with contextlib.suppress(SystemExit, KeyboardInterrupt):
                loop.run_until_complete(serving)
        return None

    def _serve(self, holder: WsgiHolder | FunctionHolder) -> None:
        while True:
            case, body = self._inbox.get()
            if case.get("stop"):
                return
            answer = Answer(self._max_body)
            with self._moment(case, answer) as reply, failing_into(answer):
                holder.answer(case, body, answer)
            self._send(reply, answer)

    async def _serve_async(self, holder: AsgiHolder) -> None:
        while True:
            case, body = await self._inbox.get_async()
            if case.get("stop"):
                return await holder.stop()
            answer = Answer(self._max_body)
            with self._moment(case, answer) as reply, failing_into(answer):
                await holder.answer(case, body, answer)
            self._send(reply, answer)

    @contextlib.contextmanager
    def _moment(self, case: Header, answer: Answer) -> typing.Iterator[Header]:
        """Freeze time and seeds around a case, and measure it; the reply is complete when the block ends."""
        reply: Header = {"n": case["n"]}
        with self._clock.at(case["instant"], tick=case["tick"]) as reply["frozen"]:
            plant(case["seed"])
            self._draws.seed(case["seed"], case["also"])
            begun = now_ns()
            yield reply
            reply["ns"] = now_ns() - begun
        if case["method"] == "HEAD":
            answer.body.clear()  # as a server would
        if self._tree is not None and self._tree.stray():
            answer.fail("exception", self._tree.stray())
        reply.update(status=answer.status, headers=answer.headers, error=answer.error, blind=self._clock.blind())

    def _send(self, reply: Header, answer: Answer) -> None:
        self._connection.sendall(pack(reply, bytes(answer.body)))


@contextlib.contextmanager
def failing_into(answer: Answer) -> typing.Iterator[None]:
    """Turn whatever the app raises into the answer's failure: SystemExit and its kind as well."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001 - the next case has to run
        answer.fail("exception", describe(error))


def why_too_old(version: typing.Sequence[int]) -> str:
    """Return why an interpreter cannot hold anything; empty where it can."""
    told = ".".join(map(str, version[:2]))
    return "" if tuple(version[:2]) >= OLDEST else f"its interpreter is Python {told}, and has to be 3.8 or newer"


def main() -> None:
    """Take the socket whose number is the only argument, and serve it."""
    end_with_parent()
    faulthandler.enable()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    settings, _ = read_frame(connection)
    too_old = why_too_old(sys.version_info[:2])
    if too_old:
        connection.sendall(pack({"failed": too_old}))
        os._exit(1)
    inbox = Inbox(connection)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    clock, draws = Clock(), Draws()
    clock.install(settings["spare"])
    plant_where_numpy_loads()
    try:
        tree = Tree(settings["tree"]) if settings["tree"] else None
        holder = hold(settings, loop, tree)
    except BaseException as error:  # noqa: BLE001 - SystemExit at import as well: the parent has to know why
        connection.sendall(pack({"failed": why_not(error)}))
        os._exit(1)
    connection.sendall(pack({"ready": True, "kind": holder.kind, "clock": clock.note}))
    Worker(connection, inbox, (clock, draws, tree), holder, settings["max_body"]).serve(loop)
    sys.stdout.flush()
    os._exit(0)  # threads that the app left behind do not keep the process


if __name__ == "__main__":
    main()
