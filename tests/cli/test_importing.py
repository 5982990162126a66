"""`replay import`: every record loaded or counted, one capture without secrets, and nothing at all where it fails."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from replay.cases import TRAFFIC, CaptureFile, open_traffic
from replay.store.bodies import unpack
from tests.cases.recordings.samples import SAMPLES, flow, gor, netstring, payload
from tests.cli.conftest import Desk, Serve

SID = "s3cr3t-session-of-ann"
CSRF = "csrf-9f8e7d6c5b4a"
HEAD = f"Host: shop.test\r\nCookie: sid={SID}; theme=dark; csrf={CSRF}\r\n"


def visit(number: int, moment: int) -> bytes:
    """Return a request with cookies, of which one is repeated in its path, and the answer that repeats another."""
    key = f"{number:024x}"
    body = json.dumps({"session": SID, "n": number})
    asked = payload(1, key, f"GET /cart/{number}?token={CSRF} HTTP/1.1\r\n{HEAD}\r\n", moment)
    said = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    return gor(asked, payload(2, key, said, moment + 1_000_000))


def shop(visits: int = 3) -> bytes:
    """Return a file of GoReplay's in which a shop is visited so many times, a day apart."""
    return b"".join(visit(number, 1_709_251_199_500_000_000 + number * 86_400 * 10**9) for number in range(visits))


@pytest.fixture
def recorded(desk: Desk) -> Desk:
    """Have one file of every format at hand."""
    for name, data in SAMPLES.items():
        Path(f"sample.{name}").write_bytes(data)
    Path("shop.gor").write_bytes(shop())
    return desk


# What becomes of it


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_imported_is_what_would_be_replayed(recorded: Desk, name: str) -> None:
    ended = recorded.cli("import", f"sample.{name}", "--out", "c.jsonl.zst")
    assert ended.code == 0, ended.err
    assert f"sample.{name} ({TRAFFIC[name].form}): 1 loaded + 0 skipped = 1 record" in ended.out  # type: ignore[attr-defined]
    [read], [kept] = open_traffic(f"sample.{name}"), open_traffic("c.jsonl.zst")
    assert (kept.request, kept.recorded, kept.freeze) == (read.request, read.recorded, read.freeze)


def test_each_file_is_accounted_for_and_all_of_them(recorded: Desk) -> None:
    Path("f.mitm").write_bytes(netstring(flow()) + netstring(flow(kind="tcp")) + netstring(flow(kind="tcp")))
    ended = recorded.cli("import", "f.mitm", "shop.gor", "--out", "all.jsonl")
    assert ended.out.splitlines()[:5] == [
        "f.mitm (mitmproxy flows): 1 loaded + 2 skipped = 3 records",
        "  skipped 2: tcp flow",
        "shop.gor (GoReplay): 3 loaded + 0 skipped = 3 records",
        "all files: 4 loaded + 2 skipped = 6 records",
        "all.jsonl holds 4 cases, in 1.6 kB.",
    ]
    assert [case.id for case in open_traffic("all.jsonl")] == ["f.mitm:1", *(f"shop.gor:{n}" for n in (1, 2, 3))]


def test_one_file_gives_the_capture_its_name(recorded: Desk) -> None:
    assert recorded.cli("import", "shop.gor").code == 0
    assert CaptureFile("captures/shop.jsonl.zst").facts["made_by"]
    assert "what is it called" in recorded.cli("import", "shop.gor", "sample.har").err


def test_where_a_file_lay_is_not_told_unless_two_have_one_name(recorded: Desk) -> None:
    for folder in ("ann", "bob"):
        recorded.write(f"{folder}/day.curl", f"curl http://shop.test/{folder}\n")
    recorded.cli("import", "ann/day.curl", "--out", "1.jsonl")
    recorded.cli("import", "ann/day.curl", "bob/day.curl", "--out", "2.jsonl")
    ids = [[case.id for case in open_traffic(name)] for name in ("1.jsonl", "2.jsonl")]
    assert ids == [["day.curl:1"], ["ann/day.curl:1", "bob/day.curl:1"]]


def test_the_capture_keeps_sessions_and_can_be_replayed(recorded: Desk, serve: Serve) -> None:
    recorded.write("a.log", SAMPLES["log"].decode() * 3)
    recorded.cli("import", "a.log", "--out", "c.jsonl")
    assert len({case.session for case in open_traffic("c.jsonl")}) == 1
    with serve(lambda _: b"x") as old, serve(lambda _: b"x") as new:
        recorded.cli("run", "--old", old.url, "--new", new.url, "--traffic", "c.jsonl", "--report=json:report.json")
    counts = recorded.report()["counts"]
    assert (counts["loaded"], counts["matched"]) == (3, 3)


def test_no_cookie_is_anywhere_in_capture_store_reports_or_what_is_printed(recorded: Desk, serve: Serve) -> None:
    said = recorded.cli("import", "shop.gor", "--out", "shop.jsonl").text
    said += recorded.cli("import", "shop.gor", "shop.jsonl", "--dry-run").text
    reports = [f"--report={kind}:report.{kind}" for kind in ("json", "junit", "markdown")]
    # Only where the case shows the cookie can it be known in an answer that repeats it.
    for traffic, answer in (("shop.jsonl", b"{}"), ("shop.gor", SID.encode())):
        with serve(lambda _: b"{}") as old, serve(lambda _, answer=answer: answer) as new:
            said += recorded.cli("run", "--old", old.url, "--new", new.url, "--traffic", traffic, *reports).text
        files = [path for path in Path().rglob("*") if path.is_file() and path.suffix != ".gor"]
        found = b"".join([said.encode(), *(path.read_bytes() for path in files)])
        with closing(sqlite3.connect(".replay/runs.sqlite")) as store:
            for data, size, bodies, length in store.execute("SELECT data, size, bodies, bodies_size FROM pages"):
                found += unpack(data, size) + unpack(bodies, length)
        assert b"tok_" in found
        assert [value for value in (SID, CSRF) if value.encode() in found] == []


# Which cases


def test_cases_are_taken_by_time_and_route_and_what_is_left_out_is_counted(recorded: Desk) -> None:
    flags = ("--since", "2024-03-01T23:59:59Z", "--until", "2024-03-02T23:59:59Z", "--on", "GET /cart/*")
    ended = recorded.cli("import", "shop.gor", "sample.curl", "sample.log", *flags, "--out", "c.jsonl")
    assert "  left out 2: recorded at another time\n  left out 2: on another route\n" in ended.out
    assert [case.request.path.partition("?")[0] for case in open_traffic("c.jsonl")] == ["/cart/1"]


def test_what_was_recorded_without_a_time_is_not_taken_for_one(recorded: Desk) -> None:
    ended = recorded.cli("import", "sample.curl", "--since", "2024-01-01", "--out", "c.jsonl")
    assert (ended.code, Path("c.jsonl").exists()) == (2, False)
    assert "left out: with no time recorded" in ended.err


def test_two_files_that_hold_the_same_would_count_twice_and_are_refused(recorded: Desk) -> None:
    Path("again.gor").write_bytes(shop())
    ended = recorded.cli("import", "shop.gor", "again.gor", "--out", "c.jsonl")
    assert (ended.code, Path("c.jsonl").exists()) == (2, False)
    assert "holds the same as shop.gor" in ended.err


# Only a look


def test_a_look_shows_routes_times_and_first_requests_and_writes_nothing(recorded: Desk) -> None:
    before = sorted(Path().rglob("*"))
    ended = recorded.cli("import", "shop.gor", "--dry-run")
    assert ended.code == 0
    assert sorted(Path().rglob("*")) == before
    assert ended.out.startswith("shop.gor (GoReplay): 3 loaded + 0 skipped = 3 records\nNothing was written.\n")
    for said in (
        "3 cases, 3 with the answer that was recorded",
        "recorded from 2024-02-29T23:59:59.500000+00:00 to 2024-03-02T23:59:59.500000+00:00",
        "        3  GET /cart/*",
        "shop.gor:1\n  GET /cart/0?token=tok_",
    ):
        assert said in ended.out


def test_what_a_stranger_recorded_is_inert_in_the_terminal(desk: Desk) -> None:
    desk.capture("c.jsonl", [{"id": "\x1b[31mred\u202e", "request": {"path": "/"}}])
    out = desk.cli("import", "c.jsonl", "--dry-run").out
    assert "\x1b" not in out
    assert "\u202e" not in out


# Formats


def test_a_format_can_be_named(recorded: Desk) -> None:
    recorded.write("x", "\n# a paste\nexport A=1\ncurl http://shop.test/a\n")
    assert recorded.cli("import", "x", "--format", "curl", "--out", "c.jsonl").code == 0
    assert "there is no format 'pcap'" in recorded.cli("import", "x", "--format", "pcap").err


def test_a_log_can_be_read_in_the_format_it_was_written_in(desk: Desk) -> None:
    desk.write("own.log", '2024-02-29T23:59:59+00:00|GET /a?b=1 HTTP/2.0|"curl/8"\n')
    flags = ("--log-format", '$time_iso8601|$request|"$http_user_agent"', "--out", "c.jsonl")
    assert "no known format" in desk.cli("import", "own.log").err
    assert desk.cli("import", "own.log", *flags).code == 0
    [case] = open_traffic("c.jsonl")
    assert (case.request.path, case.request.header("user-agent")) == ("/a?b=1", "curl/8")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--format", "gor", "--log-format", "$request"), "only a log has a log format"),
        (("--log-format", "$status"), "tells no request"),
        (("--since", "yesterday"), "--since: 'yesterday' is no instant"),
        (("--on", "cart"), "'cart' is no route"),
    ],
)
def test_flags_that_make_no_sense_are_told(recorded: Desk, flags: tuple[str, ...], message: str) -> None:
    ended = recorded.cli("import", "sample.log", *flags, "--out", "c.jsonl")
    assert (ended.code, message in ended.err, Path("c.jsonl").exists()) == (2, True, False)


# Failing


def test_what_is_there_stays_unless_it_is_to_be_replaced(recorded: Desk) -> None:
    recorded.write("c.jsonl", "mine")
    ended = recorded.cli("import", "shop.gor", "--out", "c.jsonl")
    assert (ended.code, Path("c.jsonl").read_text()) == (2, "mine")
    assert "c.jsonl: there is a file here already\n  hint: name another one, or add --force" in ended.err
    assert recorded.cli("import", "shop.gor", "--out", "c.jsonl", "--force").code == 0
    assert len(list(open_traffic("c.jsonl"))) == 3


def test_a_bad_record_is_told_and_nothing_is_written_unless_bad_ones_are_skipped(recorded: Desk) -> None:
    recorded.write("bad.jsonl", '{"replay_capture": 1}\n{"request": {"path": "/a"}}\n{"request": 7}\n')
    ended = recorded.cli("import", "shop.gor", "bad.jsonl", "--out", "new/c.jsonl")
    assert (ended.code, list(Path("new").rglob("*"))) == (2, [])
    assert "bad.jsonl:3" in ended.err
    ended = recorded.cli("import", "shop.gor", "bad.jsonl", "--skip-bad", "--out", "new/c.jsonl")
    assert (ended.code, len(list(open_traffic("new/c.jsonl")))) == (0, 4)
    assert "  skipped 1: invalid_record" in ended.out


def test_an_empty_capture_is_not_made(recorded: Desk) -> None:
    Path("f.mitm").write_bytes(netstring(flow(kind="tcp")))
    ended = recorded.cli("import", "f.mitm", "--out", "c.jsonl")
    assert (ended.code, Path("c.jsonl").exists()) == (2, False)
    assert "there is no case to keep: f.mitm has 0, and 1 skipped" in ended.err
    assert recorded.cli("import", "f.mitm", "--dry-run").code == 0


@pytest.mark.parametrize("name", ["folder", "pipe", "/dev/zero", "loop", "missing", "-", "empty", "image.png"])
def test_what_is_no_recording_is_refused(desk: Desk, name: str) -> None:
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("empty").touch()
    Path("image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = desk.cli("import", name, "--out", "c.jsonl")
    assert (ended.code, Path("c.jsonl").exists()) == (2, False)
    assert ended.err.startswith("error: ")


def test_a_disk_that_takes_no_more_leaves_nothing(recorded: Desk) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        ended = recorded.cli("import", "shop.gor", "--out", "new/c.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (ended.code, list(Path("new").rglob("*"))) == (3, [])
    assert "new/c.jsonl: nothing is written: file too large" in ended.err


def test_without_a_key_it_is_said_that_the_tokens_are_like_no_others(
    recorded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "REPLAY_MASK_KEY" in recorded.cli("import", "shop.gor", "--out", "1.jsonl").out
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    for name in ("2.jsonl", "3.jsonl"):
        assert "REPLAY_MASK_KEY" not in recorded.cli("import", "shop.gor", "--out", name).out
    keys = [CaptureFile(f"{number}.jsonl").facts["mask"]["key"] for number in (1, 2, 3)]
    assert keys[1] == keys[2] != keys[0]
    first, second, third = (Path(f"{number}.jsonl").read_bytes() for number in (1, 2, 3))
    assert second == third != first


def test_tokens_of_several_keys_are_said_to_be_of_none(recorded: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, source in (("one", "shop.gor"), ("one", "shop.gor.jsonl"), ("other", "shop.gor.jsonl")):
        monkeypatch.setenv("REPLAY_MASK_KEY", key)
        assert recorded.cli("import", source, "--out", f"{source}.jsonl", "--force").code == 0
        key_of = CaptureFile(f"{source}.jsonl").facts["mask"]["key"]
        assert (key_of == "several") == (key == "other")


def test_what_the_settings_mask_and_keep_is_masked_and_kept(recorded: Desk) -> None:
    recorded.write("replay.yaml", "old: http://a\nnew: http://b\nmask: [{at: body.n}]\n")
    recorded.capture("c.jsonl", [{"request": {"path": "/a"}, "response": {"status": 200, "json": {"n": "Ann"}}}])
    recorded.cli("import", "c.jsonl", "--out", "d.jsonl")
    assert "Ann" not in Path("d.jsonl").read_text()
