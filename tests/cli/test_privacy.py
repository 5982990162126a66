"""Personal data and secrets reach no file that a run writes, and still tell old from new."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from replay.store.bodies import unpack
from tests.cli.conftest import Desk, Serve

JSON = "application/json"
CARD = "4111 1111 1111 1111"
REPORTS = [f"--report={kind}:report.{kind}" for kind in ("json", "junit", "markdown")]


def person(name: str, pan: int = 0) -> bytes:
    return json.dumps(
        {"mail": f"{name}@shop.example", "password": f"{name}-hunter2", "card": CARD} | ({"pan": pan} if pan else {})
    ).encode()


def written() -> bytes:
    """Return all that lies in this folder below no hidden name, and in the store, packed or not."""
    files = [path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    with closing(sqlite3.connect(".replay/runs.sqlite")) as database:
        for data, size, bodies, bodies_size in database.execute("SELECT data, size, bodies, bodies_size FROM pages"):
            files += [unpack(data, size), unpack(bodies, bodies_size)]
    return b"\n".join(files)


@pytest.fixture
def people(desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Run one case of which old says alice where new says bob."""
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/?user=carol%40shop.example&phone=%2B491701234567"}}])
    with serve(lambda _: person("alice"), kind=JSON) as old, serve(lambda _: person("bob"), kind=JSON) as new:
        ended = desk.cli("run", "--old", old.url, "--new", new.url, "--traffic", "t.jsonl", *REPORTS)
        assert ended.code == 1, ended.err
        desk.write("out.txt", ended.out + ended.err)
    return desk


def test_no_file_that_a_run_writes_holds_any(people: Desk) -> None:
    people.write("case.txt", people.cli("show", "c").out)
    content = written()
    assert b"@example.invalid" in content
    for value in (b"alice", b"bob", b"carol", b"hunter2", b"1111 1111", b"491701234567"):
        assert value not in content


def test_that_old_said_something_else_than_new_is_still_a_deviation(people: Desk) -> None:
    (result,) = people.report()["results"]
    assert result["outcome"] == "deviation"
    assert [each["at"] for each in result["differences"]] == ["body.mail", "body.password"]
    assert all(each["old"] != each["new"] for each in result["differences"])


def test_it_is_one_as_well_where_it_is_judged_again(people: Desk) -> None:
    assert people.cli("judge", "--report", "json:again.json").code == 1
    (result,) = people.report("again.json")["results"]
    assert [each["at"] for each in result["differences"]] == ["body.mail", "body.password"]


def test_a_rule_that_asks_a_token_more_than_equality_changes_nothing(people: Desk) -> None:
    people.write("replay.yaml", 'compare:\n  - {at: body.mail, matches: ".*@shop[.]example"}\n')
    assert people.cli("judge", "--report", "json:again.json").code == 1
    (result,) = people.report("again.json")["results"]
    assert [each["at"] for each in result["differences"]] == ["body.mail", "body.password"]


def test_what_is_equal_stays_equal(desk: Desk, serve: Serve) -> None:
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/"}}])
    with serve(lambda _: person("alice"), kind=JSON) as old, serve(lambda _: person("alice"), kind=JSON) as new:
        flags = ["--old", old.url, "--new", new.url, "--traffic", "t.jsonl"]
        desk.cli("run", *flags, "--report", "json:report.json")
    assert desk.report()["counts"]["matched"] == 1
    desk.cli("judge", "--report", "json:again.json")
    assert desk.report("again.json")["counts"]["matched"] == 1


def test_a_rule_that_asks_the_number_of_a_card_for_its_size_changes_nothing(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/"}}])
    desk.write("replay.yaml", "compare: [{at: body.pan, within: 1}]\n")
    answers = (lambda _: person("alice", 4111111111111111)), (lambda _: person("alice", 5555555555554444))
    with serve(answers[0], kind=JSON) as old, serve(answers[1], kind=JSON) as new:
        assert desk.cli("run", "--old", old.url, "--new", new.url, "--traffic", "t.jsonl").code == 1
    desk.write("replay.yaml", "compare: [{at: body.pan, within: 9000000000000000}]\n")
    assert desk.cli("judge", "--report", "json:again.json").code == 1
    (result,) = desk.report("again.json")["results"]
    assert [each["at"] for each in result["differences"]] == ["body.pan"]


def test_rules_of_the_settings_mask_and_keep_in_every_file(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    desk.write(
        "replay.yaml",
        "mask:\n  - {at: body.customer.name}\n  - {match: 'EMP-[0-9]{6}', as: employee}\n"
        "keep:\n  - {value: '*@help.example'}\n",
    )
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/"}}])

    def answer(name: str) -> bytes:
        customer = {"name": name, "mail": f"{name}@shop.example", "help": "desk@help.example"}
        return json.dumps({"customer": customer, "by": "EMP-123456"}).encode()

    with serve(lambda _: answer("Bo"), kind=JSON) as old, serve(lambda _: answer("Al"), kind=JSON) as new:
        ended = desk.cli("run", "--old", old.url, "--new", new.url, "--traffic", "t.jsonl", *REPORTS)
    assert ended.code == 1, ended.err
    desk.write("case.txt", desk.cli("show", "c").out)
    Path("replay.yaml").unlink()
    content = written()
    assert b"desk@help.example" in content
    for value in (b'"Bo"', b'"Al"', b"@shop.example", b"EMP-"):
        assert value not in content
    (result,) = desk.report()["results"]
    assert [each["at"] for each in result["differences"]] == ["body.customer.name", "body.customer.mail"]


@pytest.mark.parametrize(
    ("line", "place", "fact"),
    [
        ("mask: [{at: status}]", "replay.yaml:1:8", "nothing at 'status' can be masked"),
        ("mask:\n  - {at: body.x}\n  - {kind: card}", "replay.yaml:3:5", "is on anyway"),
        ("mask: [{atx: body.x}]", "replay.yaml:1:9", "unknown key 'atx'"),
        ("keep: [{value: '*'}]", "replay.yaml:1:8", "keeps everything"),
        ("keep: [{kind: phones}]", "replay.yaml:1:8", "there is no kind 'phones'"),
        ("mask: [{match: '('}]", "replay.yaml:1:8", "the pattern cannot be read"),
        ("mask: {at: body.x}", "replay.yaml:1:7", "mask"),
        ("mask_key_file: nowhere.key", "nowhere.key", "cannot be read"),
        ("mask_key_file: .", "", "the key"),
    ],
)
def test_a_rule_that_makes_no_sense_ends_a_run_before_anything_is_sent(
    desk: Desk, line: str, place: str, fact: str
) -> None:
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/"}}])
    desk.write("replay.yaml", line + "\n")
    ended = desk.cli("run", "--old", "recorded", "--new", "http://127.0.0.1:9", "--traffic", "t.jsonl")
    assert ended.code == 2
    assert place in ended.err
    assert fact in ended.err


def test_the_key_comes_from_a_file_that_only_its_owner_reads(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/?user=carol%40shop.example"}}])
    for name in ("one.key", "two.key"):
        desk.write(name, "a key in a file\n")
        Path(name).chmod(0o600)
    with serve(lambda _: person("alice"), kind=JSON) as new:
        flags = ["--old", new.url, "--new", new.url, "--traffic", "t.jsonl", "--report", "json:r.json"]
        tokens = []
        for name in ("one.key", "two.key"):
            monkeypatch.setenv("REPLAY_MASK_KEY_FILE", name)
            desk.cli("run", *flags)
            tokens.append(desk.cli("show", "c").out)
        assert "tok_" in tokens[0]
        assert [line for line in tokens[0].splitlines() if "tok_" in line] == [
            line for line in tokens[1].splitlines() if "tok_" in line
        ]
        Path("two.key").chmod(0o644)
        ended = desk.cli("run", *flags)
    assert ended.code == 2
    assert "everybody may read the key" in ended.err
    assert "chmod 600 two.key" in ended.err


@pytest.mark.parametrize("folder", ["goldens", "captures", ".replay"])
def test_a_key_beside_what_it_keeps_secret_is_refused(desk: Desk, folder: str) -> None:
    desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/"}}])
    desk.write("replay.yaml", f"traffic: [captures/*.jsonl]\nmask_key_file: {folder}/mask.key\n")
    desk.write(f"{folder}/mask.key", "a key")
    Path(folder, "mask.key").chmod(0o600)
    ended = desk.cli("run", "--old", "recorded", "--new", "http://127.0.0.1:9", "--traffic", "t.jsonl")
    assert ended.code == 2
    assert f"the key lies in {folder}/" in ended.err


PLANTED = {
    "path": "alice.path@shop.example",
    "query": "bob.query@shop.example",
    "token": "queryTOKEN123456",
    "header": "carol.header@shop.example",
    "bearer": "bearerTOKEN123456",
    "cookie": "cookieTOKEN123456",
    "key": "AKIAIOSFODNN7EXAMPLE",
    "sent": "sentPASSWORD1234",
    "card": "5555555555554444",
    "iban": "DE89370400440532013000",
    "form": "dora.form@shop.example",
    "answer": "erin.answer@shop.example",
    "answered": "answeredSECRET12",
    "set": "setCOOKIE12345678",
    "inner": "finn.inner@shop.example",
    "base64": "gina.base64@shop.example",
    "name": "Heidi Rule-Named",
    "recorded": "ivan.recorded@shop.example",
    "given": "givenTOKEN12345678",
}


def test_no_file_of_a_run_with_something_in_every_place_holds_any_of_it(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store with its -wal, reports, journals of workers, a masked capture: all are searched, unpacked too."""
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    monkeypatch.setenv("GIVEN", PLANTED["given"])
    record = {
        "id": "all",
        "request": {
            "method": "POST",
            "path": f"/users/{PLANTED['path']}?mail={PLANTED['query']}&access_token={PLANTED['token']}",
            "headers": {
                "content-type": "application/json",
                "authorization": f"Bearer {PLANTED['bearer']}",
                "cookie": f"sid={PLANTED['cookie']}",
                "x-note": f"for {PLANTED['header']} with {PLANTED['key']}",
            },
            "text": json.dumps({"password": PLANTED["sent"], "card": PLANTED["card"], "iban": PLANTED["iban"]}),
        },
        "response": {"status": 200, "headers": {}, "text": PLANTED["recorded"]},
    }
    form = {"id": "form", "request": {"method": "POST", "path": "/f", "text": f"mail={PLANTED['form']}&password=x"}}
    form["request"]["headers"] = {"content-type": "application/x-www-form-urlencoded"}  # type: ignore[index]
    desk.capture("t.jsonl", [record, form])

    def answer(side: str) -> bytes:
        inner = json.dumps({"mail": PLANTED["inner"], "side": side})
        data = base64.b64encode(f"to {PLANTED['base64']} from {side}".encode()).decode()
        told = {"mail": PLANTED["answer"], "token": PLANTED["answered"] + side, "event": inner, "data": data}
        return json.dumps(told | {"who": PLANTED["name"], "cookie": PLANTED["set"], "side": side}).encode()

    with serve(lambda _: answer("old"), kind=JSON) as old, serve(lambda _: answer("new"), kind=JSON) as new:
        desk.write(
            "replay.yaml",
            f"old: {{url: '{old.url}', headers: {{x-api-key: '${{GIVEN}}'}}}}\nnew: {{url: '{new.url}'}}\n"
            "mask: [{at: body.who}]\ncut_when: [deviation < 50%]\n",
        )
        for workers in ("1", "2"):
            flags = ["--traffic", "t.jsonl", "--writable", "both", "--workers", workers, "--concurrency", "2"]
            ended = desk.cli("run", *flags, *REPORTS)
            assert ended.code == 3, ended.err  # two cases settle nothing
            desk.write(f"out{workers}.txt", ended.out + ended.err)
        desk.write("show.txt", desk.cli("show", "all").out)
        desk.write("judged.txt", desk.cli("judge", "--report", "json:again.json").out)
    desk.cli("mask", "t.jsonl", "--out", "masked/t.txt")
    Path("t.jsonl").unlink()
    Path("replay.yaml").unlink()
    content = written()
    assert content.count(b"tok_") > 100
    found = [place for place, value in PLANTED.items() if value.encode() in content]
    assert found == []
    spelled = [place for place, value in PLANTED.items() if base64.b64encode(value.encode())[:-4] in content]
    assert spelled == []
