"""`replay mask` cleans files that are there already, and `--check` fails where one is not clean."""

from __future__ import annotations

import gzip
import json
import re
import stat
from pathlib import Path

import pytest

from replay.cases import open_traffic, read_golden
from replay.cases.capture import CaptureFile
from tests.cli.conftest import Desk

PLANTED = ("alice@shop.example", "hunter22", "4111 1111 1111 1111", "abcdef123456", "sid-987654321")
GOLDEN = """\
# ask alice@shop.example about this one
title: A login
request:
  method: POST
  path: /login?user=alice%40shop.example
  headers: {authorization: "Bearer abcdef123456", x-a: 'b'}   # a comment that stays
  json: {email: alice@shop.example, password: 'hunter22', "n": 1, phone: 491701234567, total: 9.90}
expect:
  status: 200
  headers: [[set-cookie, sid=sid-987654321; Path=/]]
  json:
    note: |
      Dear alice@shop.example,
        you sent abcdef123456

    card: "4111 1111 1111 1111"
"""
RECORDS = [
    {
        "request": {
            "method": "POST",
            "path": "/login?user=alice%40shop.example",
            "headers": {"authorization": "Bearer abcdef123456", "content-type": "application/json"},
            "text": '{"email": "alice@shop.example", "password": "hunter22", "total": 9.90}',
        },
        "response": {
            "status": 200,
            "headers": [["set-cookie", "sid=sid-987654321; Path=/"]],
            "text": "4111 1111 1111 1111",
        },
    },
    {"id": "clean", "request": {"path": "/"}},
]  # fmt: skip
HAR = {
    "log": {
        "version": "1.2",
        "creator": {"name": "x", "version": "1"},
        "entries": [
            {
                "startedDateTime": "2024-02-29T00:00:00Z",
                "time": 5,
                "request": {
                    "method": "POST", "httpVersion": "HTTP/1.1",
                    "url": "https://shop.example/login?user=alice%40shop.example",
                    "headers": [{"name": "Authorization", "value": "Bearer abcdef123456"}],
                    "cookies": [{"name": "sid", "value": "sid-987654321", "path": "/"}],
                    "queryString": [{"name": "user", "value": "alice@shop.example"}],
                    "postData": {"mimeType": "application/json", "text": '{"password": "hunter22"}'},
                },
                "response": {
                    "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
                    "headers": [{"name": "Set-Cookie", "value": "sid=sid-987654321; Path=/"}],
                    "content": {"mimeType": "text/plain", "text": "4111 1111 1111 1111 for sid-987654321"},
                },
            }
        ],
    }
}  # fmt: skip
CASSETTE = """\
interactions:
- request:
    body: '{"password": "hunter22"}'
    headers:
      Authorization: [Bearer abcdef123456]
      Cookie: [sid=sid-987654321]
    method: POST
    uri: https://shop.example/login?user=alice%40shop.example
  response:
    body: {string: 'paid by 4111 1111 1111 1111'}
    headers: {Content-Type: [text/plain]}
    status: {code: 200, message: OK}
version: 1
"""
MONKEYS = "\n\N{MONKEY FACE}\N{SEE-NO-EVIL MONKEY}\N{HEAR-NO-EVIL MONKEY}\n"
BODY = '{"password": "hunter22", "card": "4111 1111 1111 1111"}'
GOR = (
    "1 aaaaaaaaaaaaaaaaaaaaaaaa 1700000000000000000\nPOST /login?user=alice%40shop.example HTTP/1.1\r\n"
    "Host: shop.example\r\nAuthorization: Bearer abcdef123456\r\nCookie: sid=sid-987654321\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}{MONKEYS}"
    "2 aaaaaaaaaaaaaaaaaaaaaaaa 1700000000100000000\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    f"12\r\nalice@shop.example\r\n0\r\n\r\n{MONKEYS}"
)  # fmt: skip
CURL = (
    "curl -X POST 'https://shop.example/login?user=alice%40shop.example' -H 'Authorization: Bearer abcdef123456' "
    "-b 'sid=sid-987654321' -u carol:hunter22 -d 'card=4111 1111 1111 1111'\n"
)
LOG = '1.2.3.4 - - [29/Feb/2024:00:00:00 +0000] "GET /?user=alice%40shop.example&token=abcdef123456 HTTP/1.1" 200 5\n'
FILES = {
    "t.jsonl": "".join(json.dumps(each) + "\n" for each in [{"replay_capture": 1}, *RECORDS]),
    "goldens/login.yaml": GOLDEN,
    "t.har": json.dumps(HAR, indent=2),
    "cassette.yaml": CASSETTE,
    "t.gor": GOR,
    "curl.sh": CURL,
    "access.log": LOG * 3,
    "lines.json": '{"email": "alice@shop.example"}\n{"n": 1.50}\n',
    "cut.jsonl": '{"replay_capture": 1}\n{"request": {"path": "/?m=alice@shop.example", "headers": {"cookie": "s=1',
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_cleaned_in_place_and_is_clean_then(desk: Desk, name: str) -> None:
    desk.write(name, FILES[name])
    Path(name).chmod(0o640)
    before = desk.cli("mask", "--check", name)
    assert before.code == 1
    ended = desk.cli("mask", name)
    assert ended.code == 0, ended.err
    for value in PLANTED:
        assert value not in before.text + ended.text + Path(name).read_text()
    assert stat.S_IMODE(Path(name).stat().st_mode) == 0o640
    again = Path(name).read_bytes()
    assert desk.cli("mask", "--check", name).code == 0
    assert "nothing to mask" in desk.cli("mask", name).out
    assert Path(name).read_bytes() == again
    assert [each.name for each in Path(name).parent.iterdir()] == [Path(name).name]


@pytest.mark.parametrize("name", ["t.jsonl", "t.har", "cassette.yaml", "t.gor", "curl.sh", "access.log"])
def test_what_is_cleaned_can_be_read_as_before(desk: Desk, name: str) -> None:
    desk.write(name, FILES[name])
    before = list(open_traffic(name))
    desk.cli("mask", name)
    after = list(open_traffic(name))
    assert len(before) == len(after) > 0
    for old, new in zip(before, after, strict=True):
        assert [header for header, _ in old.request.headers] == [header for header, _ in new.request.headers]
        assert (old.recorded is None) == (new.recorded is None)
        if old.recorded is not None and new.recorded is not None:
            assert old.recorded.status == new.recorded.status
            assert len(old.recorded.body) > 0
            assert len(new.recorded.body) > 0


def test_comments_and_layout_of_a_golden_stay(desk: Desk) -> None:
    path = desk.write("goldens/login.yaml", GOLDEN)
    desk.cli("mask", str(path))
    old, new = GOLDEN.splitlines(), path.read_text().splitlines()
    assert len(old) == len(new)
    changed = [number for number, pair in enumerate(zip(old, new, strict=True), start=1) if pair[0] != pair[1]]
    assert changed == [1, 5, 6, 7, 10, 13, 14, 16]
    assert new[5].endswith("x-a: 'b'}   # a comment that stays")
    case = read_golden(path.read_text(), "login", path)
    assert case.request.body is not None
    assert json.loads(case.request.body)["total"] == 9.9
    assert isinstance(json.loads(case.request.body)["phone"], int)


def test_a_check_tells_file_place_and_kind(desk: Desk) -> None:
    desk.write("goldens/login.yaml", GOLDEN)
    desk.write("t.jsonl", FILES["t.jsonl"])
    desk.write("replay.yaml", "traffic: [t.jsonl]\n")
    ended = desk.cli("mask", "--check")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0] == "goldens/login.yaml:1:1: 1 email"
    assert "goldens/login.yaml:16:11: 1 card" in lines
    (record,) = [line for line in lines if line.startswith("t.jsonl:2:")]
    assert record.endswith(
        "in request.path, request.headers.authorization, request.body, response.headers.set-cookie, response.body"
    )
    assert "2 files checked" in lines[-1]


def test_what_the_settings_keep_is_no_fault(desk: Desk) -> None:
    desk.write("goldens/a.yaml", "request: {path: /, json: {to: help@shop.example, name: Ann}}\n")
    assert desk.cli("mask", "--check").code == 1
    desk.write("replay.yaml", "keep: [{value: 'help@*'}]\n")
    assert desk.cli("mask", "--check").code == 0
    desk.write("replay.yaml", "keep: [{value: 'help@*'}]\nmask: [{at: body.name}]\n")
    assert desk.cli("mask", "--check").out.startswith("goldens/a.yaml:1:56: 1 secret\n")


def test_one_value_has_one_token_in_all_files(desk: Desk) -> None:
    for name in ("goldens/login.yaml", "t.jsonl", "t.har", "cassette.yaml"):
        desk.write(name, FILES[name])
    desk.cli("mask", "goldens", "t.jsonl", "t.har", "cassette.yaml")
    golden = read_golden(Path("goldens/login.yaml").read_text(), "login", Path("goldens/login.yaml"))
    token = golden.request.path.partition("user=")[2]
    assert token.startswith("tok_")
    assert all(token in Path(name).read_text() for name in ("t.jsonl", "t.har", "cassette.yaml"))


def test_a_capture_tells_by_which_key_it_was_masked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("t.jsonl", FILES["t.jsonl"])
    desk.cli("mask", "t.jsonl")
    (first,) = CaptureFile("t.jsonl").facts.values()
    assert set(first) == {"key"}
    with Path("t.jsonl").open("a") as file:
        file.write(json.dumps(RECORDS[0]) + "\n")
    monkeypatch.setenv("REPLAY_MASK_KEY", "another key")
    desk.cli("mask", "t.jsonl")
    assert CaptureFile("t.jsonl").facts == {"mask": {"key": "several"}}


def test_a_packed_capture_stays_packed_and_a_link_stays_a_link(desk: Desk) -> None:
    Path("t.jsonl.gz").write_bytes(gzip.compress(FILES["t.jsonl"].encode()))
    Path("link.jsonl.gz").symlink_to("t.jsonl.gz")
    desk.cli("mask", "link.jsonl.gz")
    assert Path("link.jsonl.gz").is_symlink()
    assert b"hunter22" not in gzip.decompress(Path("t.jsonl.gz").read_bytes())


def test_elsewhere_the_file_stays_and_the_other_one_is_its_owners_alone(desk: Desk) -> None:
    desk.write("t.jsonl", FILES["t.jsonl"])
    assert desk.cli("mask", "t.jsonl", "--out", "clean/t.jsonl").code == 0
    assert Path("t.jsonl").read_text() == FILES["t.jsonl"]
    assert stat.S_IMODE(Path("clean/t.jsonl").stat().st_mode) == 0o600
    assert "hunter22" not in Path("clean/t.jsonl").read_text()
    ended = desk.cli("mask", "t.jsonl", "--out", "clean/t.jsonl")
    assert (ended.code, "there is a file here already" in ended.err) == (2, True)


def test_a_file_that_cannot_be_read_stays_as_it_is(desk: Desk) -> None:
    desk.write("a.yaml", "a: alice@shop.example\n  b: [\n")
    Path("t.jsonl.gz").write_bytes(gzip.compress(FILES["t.jsonl"].encode() * 99)[:-20])
    for name in ("a.yaml", "t.jsonl.gz"):
        before = Path(name).read_bytes()
        for flags in (["mask", name], ["mask", "--check", name]):
            ended = desk.cli(*flags)
            assert ended.code == 2
            assert name in ended.err
            assert "alice" not in ended.err
        assert Path(name).read_bytes() == before
    assert sorted(each.name for each in Path().iterdir()) == ["a.yaml", "t.jsonl.gz"]


@pytest.mark.parametrize(
    ("flags", "fact"),
    [
        ([], "no file is named"),
        (["nowhere.har"], "there is no such file"),
        (["--check", "x*.har"], "there is no such file"),
        (["--check"], "there is no file to look at"),
        (["--check", ".", "--out", "x"], "--check writes nothing"),
        (["/dev/null"], "error: /dev/null: "),  # Who may not write there is told that first.
        (["--check", "/dev/null"], "is a device"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, flags: list[str], fact: str) -> None:
    ended = desk.cli("mask", *flags)
    assert ended.code == 2
    assert fact in ended.err


def test_without_a_key_it_says_that_tokens_equal_no_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLAY_MASK_KEY")
    for name in ("a.txt", "b.txt"):
        desk.write(name, "alice@shop.example\n")
    ended = desk.cli("mask", "a.txt", "b.txt")
    assert "set REPLAY_MASK_KEY" in ended.out
    assert Path("a.txt").read_text() == Path("b.txt").read_text()


def test_a_private_key_that_lies_across_two_pieces_is_found(desk: Desk) -> None:
    lines = "x" * 79 + "\n"
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 20 + "-----END PRIVATE KEY-----\n"
    desk.write("a.txt", lines * ((1 << 20) // 80 - 2) + key + lines)
    assert desk.cli("mask", "a.txt").code == 0
    assert "MIIEvQ" not in Path("a.txt").read_text()


def test_the_columns_of_a_long_table_are_known_in_all_of_its_pieces(desk: Desk) -> None:
    rows = f"ann,{'as it is ' * 500},\n" * 300
    desk.write("users.csv", f"user,note,password\nbob,,hunter21\n{rows}eve,,hunter22\n")
    assert desk.cli("mask", "users.csv", "--out", "clean.csv").code == 0
    kept = Path("clean.csv").read_text()
    assert re.fullmatch(rf"user,note,password\nbob,,tok_\w{{16}}\n{rows}eve,,tok_\w{{16}}\n", kept)
