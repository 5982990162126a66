"""How a side is reached is checked before anything is sent, told in every report, and its secrets are kept nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.cli.side_secrets import given_secrets
from replay.models import TargetSpec
from replay.store import SqliteStore

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve

RUN = ("run", "--traffic", "c.jsonl", "--report", "json:report.json")
PASSWORD = "correct-horse-battery"  # what no file may hold
LOGIN = """
  headers: {authorization: "Bearer {{token}}"}
  login: {path: /login, json: {user: me, password: %s}, capture: {token: body.token}}
"""


def settings(desk: Desk, old: str, new: str, more: str = "") -> None:
    desk.write("replay.yaml", f"old: {old}\nnew:\n  url: {new}\n{more}")
    desk.capture("c.jsonl", desk.requests(3))


@pytest.mark.parametrize(("more", "fact"), [
    ("  tls: {ca: certs/gone.pem}\n", "certs/gone.pem: new: tls.ca cannot be read: no such file or directory"),
    ("  tls: {key: k.pem}\n", "new: tls.key needs tls.cert"),
    ("  tls: {verify: no}\n", "replay.yaml:4:17: new.tls.verify: input should be a valid boolean"),
    ("  connect: nowhere\n", "replay.yaml:3:3: connect is no host:port"),
    ("  rate: 20\n", "replay.yaml:4:9: new.rate: '20' is no rate; write 200/s, 90/m or 1000/h"),
    ("  retry: {tries: 5}\n", "replay.yaml:4:11: unknown key 'tries'"),
    ("  max_inflight: 0\n", "replay.yaml:4:17: new.max_inflight: input should be greater than or equal to 1"),
    ("  login: {path: /login}\n", "key 'capture' is missing"),
    ("  unix: s\n  connect: h:1\n", "connect and unix both say where to connect to"),
])  # fmt: skip
def test_what_cannot_work_ends_with_2_and_a_place(desk: Desk, serve: Serve, more: str, fact: str) -> None:
    with serve() as old:
        settings(desk, old.url, "https://127.0.0.1:1", more)
        ended = desk.cli(*RUN)
    assert ended.code == 2
    assert fact in " ".join(ended.err.split())
    assert old.seen == []


@pytest.mark.parametrize("env", ["{A=B: c}", '{"": c}', '{A: "b\\0c"}'])
@pytest.mark.parametrize("kind", ["function: 'shop:f'", "run: python3 shop.py"])
def test_a_variable_that_no_process_can_have_ends_with_2_and_a_place(desk: Desk, kind: str, env: str) -> None:
    desk.write("replay.yaml", f"old: http://127.0.0.1:1\nnew: {{{kind}, env: {env}}}\n")
    desk.capture("c.jsonl", desk.requests(3))
    ended = desk.cli(*RUN)
    assert ended.code == 2, ended.text
    assert "replay.yaml:2:" in ended.err
    assert "a variable has a name without =" in ended.err


def test_paths_are_relative_to_the_settings(desk: Desk, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(desk, "http://127.0.0.1:1", "https://localhost:1", "  tls: {ca: certs/ca.pem}\n")
    desk.write("certs/ca.pem", certificate.with_name("certificate.pem").read_text())
    desk.write("below/c.jsonl", Path("c.jsonl").read_text())
    monkeypatch.chdir("below")
    assert desk.cli(*RUN).code == 3


def test_a_side_that_was_not_verified_is_told_in_every_report(desk: Desk) -> None:
    settings(desk, "http://127.0.0.1:1", "https://127.0.0.1:1", "  tls: {verify: false}\n")
    reports = ("--report", "markdown:r.md", "--report", "junit:r.xml")
    ended = desk.cli(*RUN, *reports)
    story = "the certificate of new was not verified"
    for text in (ended.out, *(Path(name).read_text() for name in ("report.json", "r.md", "r.xml"))):
        assert story in " ".join(text.split())


def test_two_addresses_of_one_name_are_two_sides_and_are_named(desk: Desk, serve: Serve) -> None:
    with serve() as old, serve() as new:
        desk.write(
            "replay.yaml",
            f"old: {{url: 'http://shop.test', connect: '127.0.0.1:{old.port}'}}\n"
            f"new: {{url: 'http://shop.test', connect: '127.0.0.1:{new.port}'}}\n",
        )
        desk.capture("c.jsonl", desk.requests(3))
        ended = desk.cli(*RUN)
    assert "old and new are the same" not in ended.text
    assert len(old.seen) == len(new.seen) == 3
    assert {headers["Host"] for _, _, headers in (*old.seen, *new.seen)} == {"shop.test"}
    sides = json.dumps(desk.report())
    assert f"http://shop.test at 127.0.0.1:{old.port}" in sides + ended.out
    assert f"http://shop.test at 127.0.0.1:{new.port}" in sides + ended.out


def test_a_login_that_fails_ends_with_2_before_any_case(desk: Desk, serve: Serve) -> None:
    with serve() as old, serve(lambda _target: b'{"no": "token"}') as new:
        settings(desk, old.url, new.url, LOGIN % PASSWORD)
        ended = desk.cli(*RUN)
    assert ended.code == 2
    assert "new cannot start: login: the answer holds no text" in " ".join(ended.err.split())
    assert old.seen == []
    assert new.targets == ["/login"]


@pytest.mark.parametrize("written", [PASSWORD, "'${SHOP_PASSWORD}'"])
def test_what_a_login_sends_is_kept_nowhere(
    desk: Desk, serve: Serve, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    answer = json.dumps({"token": "token-4711", "you_said": PASSWORD}).encode()
    with serve(lambda _target: answer) as old, serve(lambda _target: answer) as new:
        settings(desk, old.url, new.url, LOGIN % written)
        desk.cli(*RUN, "--store", "s.db")
    with SqliteStore.open("s.db", create=False) as store:
        kept = repr(list(store.runs())) + repr(list(store.results(next(iter(store.runs())).id)))
    assert "you_said" in kept
    assert PASSWORD not in kept + Path("report.json").read_text()


@pytest.mark.parametrize(("sent", "secret"), [
    ("path: '/login?user=me&client_secret=hunter2%2Fhunter2'", "hunter2/hunter2"),
    ("path: /login\n    text: 'grant_type=password&client_secret=hunter2hunter2'", "hunter2hunter2"),
    ("path: /login\n    text: 'user=me&pwd=hunter2+hunter2'", "hunter2 hunter2"),
    ('path: /login\n    text: \'{"user": "me", "client_secret": "hunter2hunter2"}\'', "hunter2hunter2"),
    ("path: /login\n    text: hunter2-hunter2-c2VjcmV0==", "hunter2-hunter2-c2VjcmV0=="),
    ("path: /login\n    json: {user: me, password: 12345678}", "12345678"),
    ("path: /login\n    json: {user: me, pin_token: 1234.567890}", "1234.567890"),
    ("path: /login\n    json: {user: me, auth: hunter2hunter2}", "hunter2hunter2"),
    ("path: /login\n    json: hunter2hunter2", "hunter2hunter2"),
    ("path: /login\n    form: {user: me, pwd: hunter2hunter2}", "hunter2hunter2"),
])  # fmt: skip
def test_whatever_way_a_login_sends_a_secret_it_is_kept_nowhere(
    desk: Desk, serve: Serve, sent: str, secret: str
) -> None:
    answer = json.dumps({"token": "token-4711", "you_said": secret}).encode()
    login = f'  headers: {{authorization: "Bearer {{{{token}}}}"}}\n  login:\n    {sent}\n'
    with serve(lambda _target: answer) as old, serve(lambda _target: answer) as new:
        settings(desk, old.url, new.url, f"{login}    capture: {{token: body.token}}\n")
        assert desk.cli(*RUN, "--store", "s.db").code in (0, 3)
    with SqliteStore.open("s.db", create=False) as store:
        kept = repr(list(store.results(next(iter(store.runs())).id)))
    assert "you_said" in kept
    assert secret not in kept + Path("report.json").read_text()


@pytest.mark.parametrize("sent", [
    {"path": "/login?user=somebody&password=hunter2hunter2"},
    {"path": "/login", "text": "user=somebody&password=hunter2hunter2"},
    {"path": "/login", "json": {"user": "somebody", "count": 12345678, "password": "hunter2hunter2"}},
])  # fmt: skip
def test_what_a_login_sends_under_harmless_names_may_be_kept(sent: dict[str, Any]) -> None:
    side = TargetSpec.model_validate({"url": "http://a.test", "login": {**sent, "capture": {"token": "body"}}})
    assert given_secrets({"new": side}) == {"hunter2hunter2"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_token_that_a_service_repeats_is_kept_nowhere(desk: Desk, serve: Serve, workers: str) -> None:
    answer = json.dumps({"token": "token-4711-nobody", "you_showed": "Bearer token-4711-nobody"}).encode()
    with serve(lambda _target: answer) as old, serve(lambda _target: answer) as new:
        settings(desk, old.url, new.url, LOGIN % PASSWORD)
        desk.cli(*RUN, "--store", "s.db", "--workers", workers)
    with SqliteStore.open("s.db", create=False) as store:
        kept = repr(list(store.results(next(iter(store.runs())).id)))
    assert "you_showed" in kept
    assert "token-4711" not in kept + Path("report.json").read_text()


def test_a_run_goes_on_only_with_the_login_that_it_began_with(desk: Desk, serve: Serve) -> None:
    def answer(_target: str) -> bytes:
        return b'{"token": "token-4711"}'

    with serve(answer) as old, serve(answer, lasts=5) as new:
        settings(desk, old.url, new.url, LOGIN % PASSWORD)
        desk.capture("c.jsonl", desk.requests(60))
        assert "not completed" in desk.cli(*RUN).out
        settings(desk, old.url, new.url, LOGIN % "another-password")
        desk.capture("c.jsonl", desk.requests(60))
        ended = desk.cli(*RUN, "--resume")
    assert ended.code == 2
    assert "headers, variables and commands" in " ".join(ended.err.split())
