"""Goldens: what is read, what is refused, and where the error points."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from replay.cases import load_goldens, rule_place
from replay.errors import DocumentError, Place
from replay.models import Case, Expectation

FULL = """\
# yaml-language-server: $schema=../../replay/schemas/golden.json
title: A subscription that renews on a leap day
why: INC-1042 charged twice on 29 February
tags: [leap-day, money]
freeze: 2024-02-29T23:59:59Z
seed: 7
session: s-1
request:
  method: POST
  path: /subscriptions/renew
  headers: {X-Request-Id: r-1}
  json: {plan: pro, price: 9.90, country: NO}
expect:
  status: 200
  headers: {content-type: application/json}
  json: {next: "2025-02-28", total: 9.90}
compare:
  - {at: body.total, within: 0.01}
  - at: body.reason
    map: [["05", do_not_honor], [10.00, 9.99]]
"""


def write(folder: Path, name: str, text: str | bytes = "request: {path: /}\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def only(folder: Path, text: str | bytes) -> Case:
    write(folder, "g.yaml", text)
    [case] = load_goldens(folder)
    return case


def error_of(folder: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        list(load_goldens(folder))
    assert caught.value.exit_code == 2
    return caught.value


def test_a_golden_is_read_in_full(tmp_path: Path) -> None:
    path = write(tmp_path, "checkout/leap-day.yaml", FULL)
    [case] = load_goldens(tmp_path)
    assert (case.id, case.kind, case.identity, case.place) == (
        "checkout/leap-day",
        "golden",
        "checkout/leap-day",
        str(path),
    )
    assert (case.title, case.why) == (
        "A subscription that renews on a leap day",
        "INC-1042 charged twice on 29 February",
    )
    assert (case.tags, case.seed, case.session) == (("leap-day", "money"), 7, "s-1")
    assert case.freeze == datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert case.request.body == b'{"plan":"pro","price":9.90,"country":"NO"}'
    assert case.request.headers == (("X-Request-Id", "r-1"), ("Content-Type", "application/json"))
    assert case.correlation_id == "r-1"
    assert case.expect == Expectation(
        200, (("content-type", "application/json"),), b'{"next":"2025-02-28","total":9.90}'
    )
    assert case.recorded is None
    assert [rule.at for rule in case.rules] == ["body.total", "body.reason"]
    assert case.rules[0].within == Decimal("0.01")
    assert case.rules[1].map == (("05", "do_not_honor"), (Decimal("10.00"), Decimal("9.99")))
    assert type(case.rules[1].map[0][1]) is str


def test_a_rule_that_is_found_wrong_later_is_found_in_its_file(tmp_path: Path) -> None:
    case = only(tmp_path, FULL)
    assert rule_place(case, "compare", 1) == Place(str(tmp_path / "g.yaml"), 19, 5)
    (tmp_path / "g.yaml").unlink()
    assert rule_place(case, "compare", 1) == Place(str(tmp_path / "g.yaml"))


def test_goldens_come_by_id_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/z.yml", "a/b.c.yaml", "README.md", ".hidden.yaml", ".git/x.yaml", "data.json", "C.YAML"):
        write(tmp_path, name)
    source = load_goldens(tmp_path)
    assert [case.id for case in source] == ["C", "a/b.c", "a/z", "b"]
    assert (source.intake.loaded, source.intake.read) == (4, 4)


def test_a_folder_without_goldens_yields_none(tmp_path: Path) -> None:
    assert list(load_goldens(tmp_path)) == []


def test_a_folder_that_is_missing_or_a_file_is_an_error(tmp_path: Path) -> None:
    assert "no such file" in str(error_of(tmp_path / "missing"))
    assert "not a directory" in str(error_of(write(tmp_path, "file.yaml")))


@pytest.mark.parametrize(
    "names",
    [
        ("a.yaml", "a.yml"),
        ("x/Case.yaml", "x/case.yaml"),
        ("é.yaml", "e\u0301.yaml"),
        ("STRASSE.yaml", "straße.yaml"),
        ("D/x.yaml", "d/x.yaml"),
    ],
)
def test_twins_are_an_error_that_names_both(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        write(tmp_path, name)
    if not all(path in tmp_path.rglob("*.y*ml") for path in map(tmp_path.joinpath, names)):
        pytest.skip("this file system knows no such twins")
    message = str(error_of(tmp_path))
    assert all(str(tmp_path / name) in message for name in names)


def test_a_name_that_cannot_be_printed_is_an_error_that_does_not_echo_it(tmp_path: Path) -> None:
    write(tmp_path, "a\x1b[31m.yaml")
    assert "\x1b" not in str(error_of(tmp_path))


def test_a_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("request: {}")
    assert "cannot be printed" in str(error_of(tmp_path))


def test_a_symlink_loop_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a/g.yaml")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    assert "leads back" in str(error_of(tmp_path))


def test_a_symlink_to_itself_or_to_nothing_is_an_error(tmp_path: Path) -> None:
    for name, goal in (("self.yaml", "self.yaml"), ("gone.yaml", "nowhere")):
        folder = tmp_path / name.removesuffix(".yaml")
        folder.mkdir()
        (folder / name).symlink_to(folder / goal)
        assert f"{folder / name}: cannot be read" in str(error_of(folder))


def test_a_pipe_or_a_folder_with_a_goldens_name_is_no_golden_and_never_blocks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "is a pipe, not a file" in str(error_of(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_golden_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "g.yaml").chmod(0)
    assert "permission denied" in str(error_of(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("request: {pth: /}", "1:11: unknown key 'pth'\n  hint: did you mean 'path'?"),
        ("requst: {}", "1:1: unknown key 'requst'\n  hint: did you mean 'request'?"),
        ("title: x", "1:1: the document: neither request nor steps says what is sent"),
        ("request:", "1:1: the document: neither request nor steps"),
        ("request: [json]", "1:10: request: must be a mapping"),
        ("request: json", "1:10: request: must be a mapping"),
        ("request: {}\nsetps: []", "2:1: unknown key 'setps'"),
        ("steps: []", "1:8: steps: "),
        ("request: {}\neach: []", "2:7: each has no row"),
        ("request: {}\nexpect: {stauts: 200}", "2:10: unknown key 'stauts'\n  hint: did you mean 'status'?"),
        ("request: {}\nexpect: {status: 20}", "2:18: expect.status:"),
        ("request: {}\nexpect: {status: 200, json: {}, text: x}", "2:9: expect: json and text are both a body"),
        ("request: {}\ncompare:\n  - {at: a, ignroe: true}", "3:13: unknown key 'ignroe'\n  hint: did you mean"),
        ("request: {}\nfreeze: 2024-02-30T00:00:00Z", "2:9: freeze: '2024-02-30T00:00:00Z' is no instant"),
        ("request: {}\nfreeze: 2024-02-29T00:00:00", "2:9: freeze: '2024-02-29T00:00:00' has no offset"),
        ("request: {}\nseed: -1", "2:7: seed:"),
        ("request: {}\nseed: 4294967296", "2:7: seed:"),
        ("request: {}\ntitle: 42", "2:8: title: input should be a valid string\n  hint: put it in quotes"),
        ("request: {}\ntags: [a, 404]", "2:11: tags[1]: input should be a valid string"),
        ("request:\n  json: {a: [1, NaN]}", "2:17: NaN is no JSON"),
        ("request:\n  json: {a: -Infinity}", "2:13: -Infinity is no JSON"),
        ("request:\n  json: .inf", "2:9: .inf is no JSON"),
        ("request:\n  json: 1e400", "2:9: 1e400 overflows"),
        ("request: {}\nexpect: {json: [1e400]}", "2:17: 1e400 overflows"),
        ("request: {json: !!binary aGk=}", "1:17: binary has no place in JSON"),
        ("request:\n  path: http://other.test/", "2:9: request.path: must begin with /"),
        ("request:\n  path: '@other.test/'", "2:9: request.path: must begin with /"),
        ("request:\n  path: /a b", "2:9: request.path: holds a space"),
        ('request:\n  path: "/a\\r\\nX: y"', "2:9: request.path: holds a space, a control character"),
        ("request:\n  path: /é", "2:9: request.path: holds"),
        ('request:\n  method: "GET /x HTTP/1.1\\r\\n"', "2:11: request.method: 'GET /x HTTP/1.1\\r\\n' is no method"),
        ('request:\n  headers: {a: "x\\r\\ny: z"}', "2:12: request.headers: header a holds a control character"),
        ('request:\n  headers: {"a\\r\\nb": x}', "2:12: request.headers: header name 'a\\r\\nb' is no token"),
        ("request:\n  headers: {a: [x, y]}\n  headers: {}", "3:3: key 'headers' stands here again"),
        ("request: {file: ../secret.txt}", "1:10: file '../secret.txt' lies outside the golden's folder"),
        ("request: {file: /etc/hostname}", "1:10: file '/etc/hostname' lies outside the golden's folder"),
        ("request: {file: missing.bin}", "1:10: file 'missing.bin' cannot be read"),
        ("- request: {}", "1:1: the document is a list"),
        ("", "1:1: the document is empty"),
    ],
)  # fmt: skip
def test_a_bad_golden_is_an_error_with_file_line_column_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "g.yaml", text)
    error = str(error_of(tmp_path))
    assert error.startswith(f"{tmp_path / 'g.yaml'}:{message}")
    assert error.replace("\n", "").isprintable()


def test_quoted_text_that_looks_like_a_bad_number_is_text(tmp_path: Path) -> None:
    case = only(tmp_path, "request:\n  json: {a: 'NaN', b: \"1e400\", c: '.inf'}")
    assert case.request.body == b'{"a":"NaN","b":"1e400","c":".inf"}'


def test_values_are_never_reinterpreted(tmp_path: Path) -> None:
    case = only(
        tmp_path, "request:\n  json: [NO, on, 012, 1_000, 12:30:00, 2024-02-29, 1.10, 0x1F, ~, null, +49, -0, 1e5]"
    )
    assert case.request.body == b'["NO","on","012","1_000","12:30:00","2024-02-29",1.10,"0x1F","~",null,"+49",-0,1e5]'


def test_an_integer_of_5000_digits_is_sent_exactly(tmp_path: Path) -> None:
    case = only(tmp_path, "request: {json: " + "9" * 5000 + "}")
    assert case.request.body == b"9" * 5000


def test_an_iterated_folder_yields_the_same_again(tmp_path: Path) -> None:
    write(tmp_path, "g.yaml", FULL)
    source = load_goldens(tmp_path)
    assert list(source) == list(source)


def test_the_digest_changes_with_content_ids_and_bodies_only(tmp_path: Path) -> None:
    golden = write(tmp_path, "g.yaml", "request: {file: body.bin}")
    body = write(tmp_path, "body.bin", b"one")
    first = load_goldens(tmp_path).digest
    write(tmp_path, "README.md", "unrelated")
    assert load_goldens(tmp_path).digest == first
    body.write_bytes(b"two")
    second = load_goldens(tmp_path).digest
    golden.rename(tmp_path / "h.yaml")
    third = load_goldens(tmp_path).digest
    assert len({first, second, third}) == 3


def test_hundreds_of_goldens_load_in_moments(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"g{number}.yaml").write_text(FULL)
    started = time.monotonic()
    assert load_goldens(tmp_path).digest
    assert time.monotonic() - started < 10  # a smoke test: alone it takes a fifth of a second


@pytest.mark.parametrize("change", [
    lambda folder: (folder / "b.yaml").write_text("request: {path: /other}\n"),
    lambda folder: (folder / "b.yaml").unlink(),
    lambda folder: (folder / "c.yaml").write_text("request: {path: /c}\n"),
])  # fmt: skip
def test_a_folder_that_changes_between_two_readings_is_refused(tmp_path: Path, change: Callable[[Path], None]) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"request: {{path: /{name}}}\n")
    goldens = load_goldens(tmp_path)
    assert len(list(goldens)) == len(list(goldens)) == 2
    change(tmp_path)
    with pytest.raises(DocumentError, match="has changed since it was first read"):
        list(goldens)
