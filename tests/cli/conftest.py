"""The command line as people meet it: in this process where that is enough, in one of its own where signals count."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from replay.cli import main

ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1", "REPLAY_CONCURRENCY": "2"}
"""Two cases at a time: more would start more worker processes, which is what most of a short run's time goes into."""

CAPTURE_HEAD = '{"replay_capture": 1}\n'
SETTINGS = "old: sides:old\nnew: sides:new\nfreeze: 2024-02-29T23:59:59Z\nseed: 7\n"
SIDES = """
def old(n=0):
    return {"n": n}


def new(n=0):
    return {"n": n}


def regressed(n=0):
    return {"n": n + 1 if n == 2 else n}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Return all of it."""
        return self.out + self.err


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without the variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("REPLAY_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path.with_name(f"{tmp_path.name}-cache")))


class Desk:
    """An empty folder with somebody in it who types commands."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.started: list[subprocess.Popen[str]] = []

    def cli(self, *arguments: str) -> Ended:
        """Run a command in this process. No command ever prints a traceback."""
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["replay", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        code = ended.value.code
        return Ended(code if isinstance(code, int) else int(code is not None), out, err)

    def spawn(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        command = [sys.executable, "-c", "from replay.cli import main; main()", *arguments]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        self.started.append(subprocess.Popen(command, **options))
        return self.started[-1]

    def ended(self, process: subprocess.Popen[str], *, seconds: float = 30) -> Ended:
        """Wait for a command that was started."""
        out, err = process.communicate(timeout=seconds)
        assert "Traceback" not in (out or "") + (err or "")
        return Ended(process.returncode, out or "", err or "")

    def write(self, name: str, text: str) -> Path:
        """Write a file, with the folders above it."""
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def project(self, more: str = "", *, settings: str = SETTINGS, goldens: int = 2) -> None:
        """Write a project with two functions that agree, and so many goldens."""
        self.write("sides.py", SIDES)
        self.write("replay.yaml", settings + more)
        for number in range(1, goldens + 1):
            self.write(f"goldens/n/{number}.yaml", f"title: Number {number}\nrequest: {{json: {{n: {number}}}}}\n")

    def capture(self, name: str, records: Iterable[Mapping[str, Any]]) -> Path:
        """Write records as a capture."""
        return self.write(name, CAPTURE_HEAD + "".join(json.dumps(record) + "\n" for record in records))

    def requests(self, count: int, **more: Any) -> list[dict[str, Any]]:
        """Return so many records of GET requests to /0, /1, ... with the ids c-0, c-1, ..."""
        return [{"id": f"c-{n}", "request": {"path": f"/{n}"}, **more} for n in range(count)]

    def report(self, name: str = "report.json") -> Any:
        """Return a JSON report that was written."""
        return json.loads(Path(name).read_text("utf-8"))


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Sit down at an empty folder; no command outlives the test."""
    desk = Desk(capsys, monkeypatch)
    yield desk
    for process in desk.started:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


# -------------------------------------------------------------------------------------------------------------- servers


@dataclass
class Service:
    """A real HTTP server on loopback. It keeps what it was asked: method, target and headers."""

    port: int
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        """Return the paths that it was asked for, in order."""
        return [target for _, target, _ in self.seen]

    def wait_for(self, count: int, *, seconds: float = 20) -> None:
        """Wait until it was asked so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, timeout=seconds)


Serve = Callable[..., AbstractContextManager[Service]]


@contextmanager
def serve(
    answer: Callable[[str], bytes] = lambda target: target.encode(),
    *,
    delay: float = 0.0,
    lasts: int | None = None,
    status: Callable[[bytes], int] = lambda _body: 200,
    kind: str = "text/plain",
) -> Iterator[Service]:
    """Serve on a free port; after `lasts` requests nobody listens there any more."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_anything(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            with service.changed:
                over = lasts is not None and len(service.seen) >= lasts
                if not over:
                    service.seen.append((self.command, self.path, dict(self.headers.items())))
                    service.changed.notify_all()
            if over:
                self.close_connection = True
                server.socket.close()
                return
            if delay:
                threading.Event().wait(delay)
            body = answer(self.path)
            self.send_response(status(body))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = do_PUT = handle_anything  # noqa: N815 - the library's names

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    server = _Server(("127.0.0.1", 0), Handler)
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.stop()
        thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients of these tests go away at any moment."""


@pytest.fixture(name="serve")
def serve_fixture() -> Serve:
    return serve


# ------------------------------------------------------------------------------------------------- services with clocks


CLOCKED = """
import json, random, time
from wsgiref.simple_server import WSGIRequestHandler, make_server
from replay.determinism.middleware import FrozenTimeWSGI

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([time.time(), random.random()]).encode()]

class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass
%s
server = make_server("127.0.0.1", 0, %s, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""

Clocked = Callable[..., AbstractContextManager[str]]


@contextmanager
def clocked(secret: str, more: str = "", app: str = "FrozenTimeWSGI(app)") -> Iterator[str]:
    """Run a service behind the middleware in a process of its own, with a secret in its environment; yield its URL."""
    environment = {**os.environ, "REPLAY_DETERMINISM_SECRET": secret}
    command = [sys.executable, "-c", CLOCKED % (more, app)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 30)[0]
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.fixture(name="clocked", scope="session")
def clocked_fixture() -> Clocked:
    return clocked
