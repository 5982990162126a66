"""What is sent where: order, sides, hosts, methods and secrets; and what a run costs in memory."""

from __future__ import annotations

import random
import socket
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.store.bodies import unpack

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve

SECRET = "s3cr3t-4711-bearer"  # what no file may hold
RUN = ("run", "--traffic", "c.jsonl", "--report", "json:report.json")


# ---------------------------------------------------------------------------------------------------------------- order


def test_one_at_a_time_keeps_the_order_of_the_file(desk: Desk, serve: Serve) -> None:
    records = desk.requests(40)
    random.Random(1).shuffle(records)  # noqa: S311 - any order
    desk.capture("c.jsonl", records)
    with serve() as old, serve() as new:
        desk.cli(*RUN, "--old", old.url, "--new", new.url, "--concurrency", "1")
    expected = [record["request"]["path"] for record in records]
    assert old.targets == new.targets == expected
    assert [each["id"] for each in desk.report()["results"]] == [record["id"] for record in records]


def test_cases_of_one_session_are_sent_in_their_order(desk: Desk, serve: Serve) -> None:
    sessions = random.Random(2).choices("abc", k=60)  # noqa: S311 - any order
    desk.capture("c.jsonl", ({**each, "session": name} for each, name in zip(desk.requests(60), sessions, strict=True)))
    with serve(delay=0.002) as old, serve() as new:
        desk.cli(*RUN, "--old", old.url, "--new", new.url, "--concurrency", "16")
    for service in (old, new):
        sent: dict[str, list[int]] = defaultdict(list)
        for target in service.targets:
            sent[sessions[int(target[1:])]].append(int(target[1:]))
        assert all(numbers == sorted(numbers) for numbers in sent.values())
        assert sum(map(len, sent.values())) == 60


def test_outcomes_do_not_depend_on_concurrency(desk: Desk) -> None:
    desk.write(
        "draws.py",
        "import random, datetime\n\n\ndef old(n=0):\n    return [random.random(), str(datetime.datetime.now())]\n\n\n"
        "def new(n=0):\n    return [random.random() if n % 7 else 0, str(datetime.datetime.now())]\n",
    )
    desk.write("replay.yaml", "old: draws:old\nnew: draws:new\nfreeze: 2024-02-29T23:59:59Z\n")
    desk.capture("c.jsonl", ({"id": f"c-{n}", "request": {"method": "POST", "json": {"n": n}}} for n in range(50)))
    reports = []
    for concurrency in ("1", "16"):
        desk.cli(*RUN, "--concurrency", concurrency)
        reports.append({each["id"]: (each["outcome"], each["differences"]) for each in desk.report()["results"]})
    assert reports[0] == reports[1]
    deviating = {name for name, (outcome, _) in reports[0].items() if outcome == "deviation"}
    assert deviating == {f"c-{n}" for n in range(0, 50, 7)}


# --------------------------------------------------------------------------------------------------------------- safety


@pytest.mark.parametrize("flags", [[], ["--writable", "old"], ["--writable", "new"]])
def test_an_unsafe_method_is_sent_to_no_side_unless_both_are_writable(
    desk: Desk, serve: Serve, flags: list[str]
) -> None:
    methods = ["GET", "POST", "DELETE", "PUT", "post"]
    desk.capture("c.jsonl", ({"id": each, "request": {"method": each, "path": "/"}} for each in methods))
    with serve() as old, serve() as new:
        assert desk.cli(*RUN, "--old", old.url, "--new", new.url, *flags).code == 3
    assert [method for method, _, _ in old.seen + new.seen] == ["GET", "GET"]
    counts = desk.report()["counts"]
    assert (counts["loaded"], counts["compared"], counts["skipped"]) == (5, 1, 4)


def test_writable_sides_get_unsafe_methods(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", [{"id": "post", "request": {"method": "POST", "path": "/", "json": {}}}])
    with serve() as old, serve() as new:
        desk.cli(*RUN, "--old", old.url, "--new", new.url, "--writable", "both")
    assert [method for method, _, _ in old.seen + new.seen] == ["POST", "POST"]


def test_a_writable_route_opens_no_other_route(desk: Desk, serve: Serve) -> None:
    paths = ["/open/x", "/open/../admin", "/open/%2e%2e/admin", "/admin"]
    desk.capture("c.jsonl", ({"id": path, "request": {"method": "POST", "path": path}} for path in paths))
    with serve() as old, serve() as new:
        side = "{{url: '{}', writable: [POST /open/**]}}"
        desk.write("replay.yaml", f"old: {side.format(old.url)}\nnew: {side.format(new.url)}\n")
        desk.cli(*RUN)
    assert old.targets == new.targets == ["/open/x"]


def test_a_case_names_no_other_host(desk: Desk, serve: Serve) -> None:
    with serve() as old, serve() as new, serve() as other:
        host = f"127.0.0.1:{other.port}"
        paths = [f"//{host}/x", f"/@{host}/x", f"/http://{host}/x"]
        desk.capture("c.jsonl", ({"id": path, "request": {"path": path, "headers": {"host": host}}} for path in paths))
        desk.cli(*RUN, "--old", old.url, "--new", new.url)
    assert other.seen == []
    # Python's server takes one of two leading slashes away.
    for service in (old, new):
        assert sorted(target.lstrip("/") for target in service.targets) == sorted(path.lstrip("/") for path in paths)


@pytest.mark.parametrize("path", ["http://127.0.0.1:1/x", "@127.0.0.1/x", "x", "/a b", "/a\r\nHost: evil", "/ü"])
def test_a_path_that_is_none_is_refused(desk: Desk, serve: Serve, path: str) -> None:
    desk.capture("c.jsonl", [*desk.requests(1), {"id": "bad", "request": {"path": path}}])
    with serve() as service:
        assert desk.cli(*RUN, "--old", service.url, "--new", service.url).code == 2
    assert service.seen == []


def written(folder: Path) -> bytes:
    """Return all that stands in the files of a folder, and what the store holds packed, unpacked."""
    # What Python has compiled is the test's own; some machines have it keep none of that.
    pieces = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    with closing(sqlite3.connect(folder / ".replay" / "runs.sqlite")) as store:
        columns_of_tables = (
            "data, size FROM pages",
            "bodies, bodies_size FROM pages",
            "data, size FROM bodies",
            "doc, size FROM runs",
        )
        for columns in columns_of_tables:
            pieces += [unpack(data, size) for data, size in store.execute(f"SELECT {columns}")]
    return b"\n".join(pieces)


def test_a_side_s_headers_go_to_that_side_and_into_no_file(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_TOKEN", SECRET)
    desk.capture("c.jsonl", desk.requests(5))
    reports = ["--report", "junit:r.xml", "--report", "markdown:r.md", "--report", "terminal:r.txt"]
    with serve() as old, serve(lambda _target: f"you sent Bearer {SECRET}".encode()) as new:
        headers = "{authorization: 'Bearer ${NEW_TOKEN}'}"
        desk.write("replay.yaml", f"old: {old.url}\nnew: {{url: '{new.url}', headers: {headers}}}\n")
        desk.cli(*RUN)
        # Whoever reads meanwhile keeps the log of the store beside it: what is in it was written, too.
        with closing(sqlite3.connect(".replay/runs.sqlite")) as reader:
            reader.execute("SELECT count(*) FROM runs").fetchone()
            ended = desk.cli(*RUN, *reports)
            assert Path(".replay/runs.sqlite-wal").stat().st_size > 0
            assert SECRET.encode() not in written(Path())
        shown = desk.cli("show", "c-1")
        promoted = desk.cli("promote", "c-1")
        # What new answered is kept as a token only, which no answer can ever meet.
        expecting = desk.cli("promote", "c-1", "--name", "another", "--expect", "new")
    assert (shown.code, promoted.code, expecting.code) == (0, 0, 2)
    assert {headers.get("authorization") for _, _, headers in new.seen} == {f"Bearer {SECRET}"}
    assert all(SECRET not in str(headers) for _, _, headers in old.seen)
    assert SECRET not in ended.text + shown.text + promoted.text + expecting.text
    everything = written(Path())
    assert b"you sent Bearer " in everything
    assert SECRET.encode() not in everything


def test_a_recorded_secret_reaches_both_sides_and_no_file(desk: Desk, serve: Serve) -> None:
    record = {"id": "c", "request": {"path": "/", "headers": {"Authorization": f"Bearer {SECRET}"}}}
    path = desk.capture("c.jsonl", [record])
    with serve() as old, serve(lambda _target: SECRET.encode()) as new:
        ended = desk.cli(*RUN, "--old", old.url, "--new", new.url)
    assert all(headers["Authorization"] == f"Bearer {SECRET}" for _, _, headers in old.seen + new.seen)
    path.unlink()
    assert SECRET not in ended.text
    assert SECRET.encode() not in written(Path())


# -------------------------------------------------------------------------------------------------------------- dry run


def test_a_dry_run_sends_and_writes_nothing(desk: Desk, serve: Serve) -> None:
    desk.capture("c.jsonl", [*desk.requests(3), {"id": "p", "request": {"method": "POST", "path": "/"}}])
    with serve() as old, serve() as new:
        ended = desk.cli(*RUN, "--old", old.url, "--new", new.url, "--dry-run")
    assert ended.code == 0
    assert old.seen + new.seen == []
    assert {path.name for path in Path().iterdir()} == {"c.jsonl"}
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert f"old GET 3 127.0.0.1:{old.port}" in lines
    assert f"new GET 3 127.0.0.1:{new.port}" in lines
    assert "skipped 1: POST is not sent to a live old that is not writable" in lines


def test_a_dry_run_names_no_recording_among_what_is_sent(desk: Desk) -> None:
    desk.project(goldens=0)
    desk.capture("c.jsonl", desk.requests(2, response={"status": 200, "text": "x"}))
    ended = desk.cli(*RUN, "--old", "recorded", "--dry-run")
    assert "recorded" not in ended.out
    assert "sides:new" in ended.out


# --------------------------------------------------------------------------------------------------------------- memory

MEASURED = r"""
import re, resource, sys
from pathlib import Path
from replay.cli import main
try:
    main()
finally:
    # Linux counts in the peak of the process that started this one, the tests', which says nothing of a run.
    status = Path("/proc/self/status")
    own = re.search(r"VmHWM:\s*(\d+)", status.read_text()) if status.exists() else None
    print("PEAK", own[1] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def peak_mb(name: str) -> float:
    """Return how much memory a run over a capture took at most."""
    command = [sys.executable, "-c", MEASURED, "run", "--traffic", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3)
    kilobytes = int(done.stderr.split("PEAK ")[1])
    return kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024)


def test_what_the_tests_hold_is_no_memory_of_a_run(desk: Desk) -> None:
    desk.project(settings="old: recorded\nnew: sides:new\ncompare:\n  - {at: status, ignore: true}\n", goldens=0)
    response = {"status": 200, "json": {"n": 1}, "headers": {"content-type": "application/json"}}
    desk.capture("c.jsonl", [{"request": {"method": "POST", "path": "/", "json": {"n": 1}}, "response": response}])
    held = bytearray(b"x") * (200 << 20)
    assert peak_mb("c.jsonl") < len(held) >> 20


def test_memory_does_not_grow_with_the_number_of_cases(desk: Desk) -> None:
    desk.project(settings="old: recorded\nnew: sides:new\ncompare:\n  - {at: status, ignore: true}\n", goldens=0)
    text = "x" * 2000

    def record(number: int) -> dict[str, Any]:
        response = {"status": 200, "json": {"n": number}, "headers": {"content-type": "application/json"}}
        request = {"method": "POST", "path": "/", "json": {"n": number}, "headers": {"x-pad": text}}
        return {"request": request, "response": response, "correlation_id": f"k-{number}"}

    desk.capture("few.jsonl", map(record, range(200)))
    desk.capture("many.jsonl", map(record, range(2500)))
    assert peak_mb("many.jsonl") < peak_mb("few.jsonl") + 25


# --------------------------------------------------------------------------------------------------------- environment


def test_proxy_variables_send_nothing_elsewhere(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.capture("c.jsonl", desk.requests(2))
    with serve() as old, serve() as new, socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen()
        proxy.settimeout(0.05)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        desk.cli(*RUN, "--old", old.url, "--new", new.url)
        with pytest.raises(TimeoutError):
            proxy.accept()
    assert len(old.seen) == len(new.seen) == 2


def test_what_a_variable_puts_into_a_rule_is_in_no_report_and_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_KEY", SECRET)
    rule = "{at: body, map: [['${OLD_KEY}', changed]], must: true}"
    desk.project(f"compare: [{rule}]\ncut_when: [goldens pass]\n")
    desk.write("sides.py", f"def old(n=0):\n    return {SECRET!r}\n\n\ndef new(n=0):\n    return 'changed'\n")
    ended = desk.cli("run", "--report", "json:r.json", "--report", "junit:r.xml")
    shown = desk.cli("show", "g0")
    Path("sides.py").unlink()
    assert (ended.code, ended.out.split()[0]) == (0, "GO")
    assert SECRET not in ended.text + shown.text
    assert SECRET.encode() not in written(Path())
