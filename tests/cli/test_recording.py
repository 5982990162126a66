"""`replay record`: traffic passes whatever becomes of what is kept of it, and the sums add up."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from replay.cases import open_traffic
from replay.cli.planning import Flags, project_for
from replay.cli.recording_plan import Asked, bound, listen_at, prepared
from replay.errors import InputError
from replay.models import Case
from tests.cli.conftest import Desk, Ended, Serve

SUMS = re.compile(r"seen ([\d,]+) = kept ([\d,]+) \+ not kept ([\d,]+)")


class Recorded:
    """A recording that runs."""

    def __init__(self, desk: Desk, process: subprocess.Popen[str]) -> None:
        self._desk = desk
        self.process = process
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 30)[0]
        self.first = process.stdout.readline()
        found = re.match(r"(http://127\.0\.0\.1:\d+) ", self.first)
        assert found is not None, self.first + process.communicate(timeout=10)[1]
        self.url = found[1]

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """Send a request; return what is answered, also where that is an error."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            asked = urllib.request.Request(self.url + path, body, fields)  # noqa: S310 - our own server
            with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.read()

    def end(self, number: int = signal.SIGINT) -> Ended:
        """End it by a signal."""
        self.process.send_signal(number)
        return self._desk.ended(self.process)


@contextmanager
def recording(desk: Desk, *arguments: str, **options: Any) -> Iterator[Recorded]:
    recorded = Recorded(desk, desk.spawn("record", "--listen", "127.0.0.1:0", *arguments, **options))
    try:
        yield recorded
    finally:
        if recorded.process.poll() is None:
            recorded.end()


def cases() -> list[Case]:
    """Return all that was kept."""
    return [case for file in sorted(Path("captures").glob("*")) for case in open_traffic(file)]


def sums(ended: Ended) -> list[int]:
    found = SUMS.search(ended.out)
    assert found is not None, ended.text
    seen, kept, lost = (int(number.replace(",", "")) for number in found.groups())
    assert seen == kept + lost
    return [seen, kept, lost]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_traffic_is_passed_on_and_kept_without_secrets(desk: Desk, serve: Serve, number: int) -> None:
    with serve(lambda target: f"you asked for {target}, ann@shop.test".encode()) as service:
        with recording(desk, "--upstream", service.url, "--session", "cookie:sid") as recorded:
            assert (
                recorded.ask("/1?token=geheim", Cookie="sid=s3cr3t") == b"you asked for /1?token=geheim, ann@shop.test"
            )
            recorded.ask("/2", b"{}", Cookie="sid=s3cr3t", X_Request_Id="mine")
            ended = recorded.end(number)
        assert (ended.code, sums(ended)) == (0, [2, 2, 0])
        first, second = cases()
        assert [first.request.method, second.request.method] == ["GET", "POST"]
        assert [first.correlation_id, second.correlation_id] == [service.seen[0][2]["X-Request-Id"], "mine"]
        assert first.session == second.session is not None
    (file,) = Path("captures").iterdir()
    assert (file.stat().st_mode & 0o777, file.name) == (0o600, "recorded-0001.jsonl.zst")
    replayed = str([first, second])
    assert [word in replayed for word in ("geheim", "s3cr3t", "ann@")] == [False] * 3


def test_what_was_recorded_is_replayed_against_another_side(desk: Desk, serve: Serve) -> None:
    with serve() as old, serve(lambda target: target.replace("/3", "/three").encode()) as new:
        with recording(desk, "--upstream", old.url) as recorded:
            for number in range(5):
                recorded.ask(f"/{number}")
        run = desk.cli(
            "run", "--old", "recorded", "--new", new.url, "--traffic", "captures/*", "--report", "json:r.json"
        )
        assert run.code == 1
        counts = desk.report("r.json")["counts"]
        assert (counts["compared"], counts["deviating"], old.targets[:5]) == (5, 1, [f"/{n}" for n in range(5)])


def test_an_upstream_that_is_down_is_told_and_counted(desk: Desk) -> None:
    with recording(desk, "--upstream", "http://127.0.0.1:9") as recorded:
        assert b"connection refused" in recorded.ask("/")
        ended = recorded.end()
    assert (ended.code, sums(ended)) == (0, [1, 0, 1])
    assert "no answer: the upstream cannot be reached: connection refused" in " ".join(ended.out.split())
    assert list(Path("captures").iterdir()) == []


def test_copies_are_answered_at_once_and_kept(desk: Desk) -> None:
    with recording(desk, "--mirror") as recorded:
        assert recorded.ask("/1", b"abc") == b""
        ended = recorded.end()
    (case,) = cases()
    assert (sums(ended), case.request.body, case.recorded) == ([1, 1, 0], b"abc", None)


def test_a_host_that_nobody_named_is_refused(desk: Desk, serve: Serve) -> None:
    with serve() as service, recording(desk, "--upstream", service.url, "--allow-host", "*.shop.test") as recorded:
        assert b"--allow-host" in recorded.ask("/", Host="evil.test")
        assert recorded.ask("/", Host="www.shop.test") == b"/"
        assert sums(recorded.end()) == [2, 1, 1]


def test_settings_say_what_is_kept_and_flags_add_to_it(desk: Desk, serve: Serve) -> None:
    with serve() as service:
        desk.write(
            "replay.yaml",
            f"old: {service.url}\nrecord:\n  scope: [/orders/**]\n  exclude: [vip]\n  max_body: 10B\n"
            "groups:\n  vip: {where: \"request.headers.x-tenant == 'acme'\"}\n",
        )
        with recording(desk, "--exclude", "GET /orders/9") as recorded:
            for path, tenant in (("/orders/1", "a"), ("/orders/2", "acme"), ("/orders/9", "a"), ("/health", "a")):
                recorded.ask(path, X_Tenant=tenant)
            recorded.ask("/orders/3", b"12345678901")
            ended = recorded.end()
        assert sums(ended) == [5, 1, 4]
        assert [case.request.path for case in cases()] == ["/orders/1"]
        for reason in ("excluded: vip", "excluded: GET /orders/9", "out of scope", "larger than --max-body"):
            assert f"1  {reason}" in ended.out


def test_a_full_disk_stops_no_traffic(desk: Desk, serve: Serve) -> None:
    def little() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    with serve(lambda target: (target * 1_000).encode()) as service:
        with recording(desk, "--upstream", service.url, "--out", "c.jsonl", preexec_fn=little) as recorded:
            answers = [recorded.ask(f"/{number}") for number in range(5)]
            ended = recorded.end()
        assert (ended.code, sums(ended)) == (3, [5, 0, 5])
        assert "cannot be written: file too large" in ended.out
        assert answers == [(f"/{number}" * 1_000).encode() for number in range(5)]


def test_it_ends_when_its_time_is_over(desk: Desk, serve: Serve) -> None:
    with serve() as service, recording(desk, "--upstream", service.url, "--for", "50ms") as recorded:
        assert desk.ended(recorded.process).code == 0


def test_a_second_signal_is_not_waited_on(desk: Desk) -> None:
    with recording(desk, "--mirror") as recorded:
        address = ("127.0.0.1", int(recorded.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
            assert recorded.ask("/") == b""
            recorded.process.send_signal(signal.SIGINT)
            with contextlib.suppress(OSError):
                for _ in range(10_000):
                    socket.create_connection(address, timeout=20).close()
            ended = recorded.end()
        assert (ended.code, sums(ended)) == (130, [2, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "where is traffic to be passed on to?"),
        (["--upstream", "ftp://x"], "'ftp' is no scheme"),
        (["--upstream", "http://127.0.0.1:9/base"], "paths are passed on as they come"),
        (["--upstream", "http://user:pw@127.0.0.1:9"], "a URL must not hold credentials"),
        (["--mirror", "--upstream", "http://127.0.0.1:9"], "--mirror passes nothing on"),
        (["--mirror", "--sample", "5"], "--sample: '5' is no share"),
        (["--mirror", "--sticky", "x-user"], "--sticky: 'x-user' is no place of a name"),
        (["--mirror", "--session", "sid"], "--session: 'sid' is no place of a name"),
        (["--mirror", "--exclude", "vips"], "--exclude: 'vips' is nothing that an expression can ask about"),
        (["--mirror", "--max-body", "1"], "--max-body: '1' is no size"),
        (["--mirror", "--budget", "0MB"], "--budget: '0MB' is no size"),
        (["--mirror", "--for", "soon"], "--for: 'soon' is no duration"),
        (["--mirror", "--for", "0s"], "--for: 0s is no time at all"),
        (["--mirror", "--listen", "8090"], "this is no HOST:PORT"),
        (["--mirror", "--listen", "127.0.0.1:99999"], "this is no HOST:PORT"),
        (["--mirror", "--listen", "192.0.2.1:0"], "cannot listen at 192.0.2.1:0"),
        (["--mirror", "--out", "/proc/none/c.jsonl"], "/proc/none/c.jsonl"),
        (["--mirror", "--out", "."], ".: this is a folder"),
        (["--mirror", "--sticky", "header:x-user"], "there is no --sample"),
    ],
)
def test_what_makes_no_sense_is_told_before_anybody_connects(desk: Desk, arguments: list[str], said: str) -> None:
    ended = desk.cli("record", *(() if "--listen" in arguments else ("--listen", "127.0.0.1:0")), *arguments)
    assert (ended.code, said in " ".join(ended.err.split()), ended.out) == (2, True, "")


def test_a_capture_that_cannot_be_made_is_told_before_anybody_can_connect() -> None:
    """Held where the last thing is decided: the port is taken then, and whoever calls it is refused."""
    with bound("127.0.0.1:0") as sock:
        with pytest.raises(InputError):
            prepared(Asked(out="/proc/none/c.jsonl", file_size="1MB", mirror=True), project_for(Flags()), sock)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(sock.getsockname(), timeout=20)
        listen_at(sock, "")
        socket.create_connection(sock.getsockname(), timeout=20).close()


def test_settings_that_keep_users_together_without_a_sample_are_told(desk: Desk) -> None:
    desk.write("replay.yaml", "record: {sticky: cookie:sid}\n")
    said = "sticky: cookie:sid has no say"
    for flags, told in ((), True), (("--sample", "100%"), True), (("--sample", "50%"), False):
        ended = desk.ended(desk.spawn("record", "--mirror", "--listen", "127.0.0.1:0", "--for", "1ms", *flags))
        assert (ended.code, said in " ".join(ended.out.split())) == (0, told)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sample: '5'", "replay.yaml:2:11: '5' is no share"),
        ("sticky: sid", "replay.yaml:2:11: 'sid' is no place of a name"),
        ("exclude: [GET /x, 'status ==']", "replay.yaml:2:"),
        ("scope: [vip]", "replay.yaml:2:"),
        ("budget: much", "replay.yaml:2:"),
        ("scoop: [/x]", "replay.yaml:2:"),
    ],
)
def test_settings_that_make_no_sense_are_told_with_their_place(desk: Desk, line: str, said: str) -> None:
    desk.write("replay.yaml", f"record:\n  {line}\n")
    ended = desk.cli("record", "--mirror", "--listen", "127.0.0.1:0")
    assert (ended.code, said in " ".join(ended.err.split())) == (2, True)


def test_files_are_numbered_on_and_none_is_written_over(desk: Desk) -> None:
    for _ in range(2):
        with recording(desk, "--mirror", "--out", "day.jsonl") as recorded:
            recorded.ask("/")
    assert sorted(path.name for path in Path().glob("day*")) == ["day-0001.jsonl", "day-0002.jsonl"]
    header, record = Path("day-0001.jsonl").read_text("utf-8").splitlines()
    assert json.loads(header)["made_by"].startswith("replay record")
    assert json.loads(header)["mask"]["key"]
    assert set(json.loads(record)) == {"id", "request", "at", "correlation_id"}


def keeper_of(process: int) -> int:
    """Return the process that keeps what another one passes on."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == process:
                return int(stat.parent.name)
    raise AssertionError


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="NOT TESTED: only /proc tells whose child a process is"
)
def test_a_keeper_that_was_killed_stops_no_traffic(desk: Desk, serve: Serve) -> None:
    with serve() as service, recording(desk, "--upstream", service.url) as recorded:
        assert recorded.ask("/1") == b"/1"
        os.kill(keeper_of(recorded.process.pid), signal.SIGKILL)
        assert recorded.ask("/2") == b"/2"
        ended = recorded.end()
        assert (ended.code, sums(ended)[0]) == (3, 2)
        assert "the process that keeps has ended" in ended.out
