"""`{{secret.NAME}}`: live credentials are put into what is sent, and nowhere else."""

from __future__ import annotations

import json
import sqlite3
import stat
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from replay.services.processes import born
from replay.store.bodies import unpack
from tests.cli.conftest import Desk

A, B = "s3cret & <A> of old/1", "another-one-of-new"
REPORTS = [f"--report={kind}:report.{kind}" for kind in ("json", "junit", "markdown")]
FROM_A = "secrets:\n  api: {env: TOKEN_A}\n"


@dataclass
class Echo:
    """A service that answers with what it was sent, the credentials too, and keeps it."""

    url: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    says: str = ""
    """What it answers with instead."""

    @property
    def last(self) -> dict[str, Any]:
        """Return what it was sent last."""
        return self.sent[-1]


@contextmanager
def echo() -> Iterator[Echo]:
    """Serve on a free port."""
    kept = Echo()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            kept.sent.append({"path": self.path, "headers": dict(self.headers.items()), "body": body})
            content = json.dumps({"body": body, "authorization": self.headers.get("authorization")}).encode()
            content = kept.says.encode() or content
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 - as the base class has it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Pair:
    """Two such services, and the desk from which they are asked."""

    desk: Desk
    old: Echo
    new: Echo

    def settings(self, more: str, *, side: str = "") -> None:
        """Write settings with both services as sides that may be sent everything."""
        sides = "".join(
            f"{name}: {{url: '{it.url}', writable: true{side}}}\n"
            for name, it in (("old", self.old), ("new", self.new))
        )
        self.desk.write("replay.yaml", sides + "seed: 1\n" + more)

    def golden(self, text: str, name: str = "g") -> None:
        """Write a golden."""
        self.desk.write(f"goldens/{name}.yaml", text)


@pytest.fixture
def pair(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Two echoes, and two variables with secrets."""
    monkeypatch.setenv("TOKEN_A", A)
    monkeypatch.setenv("TOKEN_B", B)
    with echo() as old, echo() as new:
        yield Pair(desk, old, new)


def written() -> bytes:
    """Return all that lies in this folder, and in the store, packed or not."""
    files = [path.read_bytes() for path in Path().rglob("*") if path.is_file()]
    with closing(sqlite3.connect(".replay/runs.sqlite")) as database:
        for data, size, bodies, bodies_size in database.execute("SELECT data, size, bodies, bodies_size FROM pages"):
            files += [unpack(data, size), unpack(bodies, bodies_size)]
    return b"\n".join(files)


def refused(pair: Pair, *flags: str) -> str:
    """Run, see that it was refused before anything was sent, and return what was said."""
    ended = pair.desk.cli("run", *flags)
    assert (ended.code, pair.old.sent, pair.new.sent) == (2, [], []), ended.text
    assert A not in ended.text
    return ended.err


# ----------------------------------------------------------------------------------------------------------------- sent


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        ("{path: '/x?key={{secret.api}}'}", {"path": "/x?key=s3cret%20%26%20%3CA%3E%20of%20old%2F1"}),
        ("{path: /x, query: {key: 'v {{secret.api}}'}}", {"path": "/x?key=v%20s3cret%20%26%20%3CA%3E%20of%20old%2F1"}),
        ("{path: '/{{secret.api}}/x'}", {"path": "/s3cret%20%26%20%3CA%3E%20of%20old%2F1/x"}),
        ("{method: POST, json: {a: ['{{secret.api}}', 'x{{secret.api}}']}}", {"body": json.dumps({"a": [A, "x" + A]})}),
        ("{method: POST, form: {a: '{{secret.api}}'}}", {"body": "a=s3cret+%26+%3CA%3E+of+old%2F1"}),
        ("{method: POST, text: 'a {{secret.api}}'}", {"body": f"a {A}"}),
        (
            "{method: POST, headers: {content-type: text/xml}, text: '<a>{{secret.api}}</a>'}",
            {"body": "<a>s3cret &amp; &lt;A&gt; of old/1</a>"},
        ),
    ],
    ids=["query", "query-encoded", "path", "json", "form", "text", "xml"],
)
def test_a_secret_is_put_where_its_name_stands_as_that_place_spells_it(
    pair: Pair, request_: str, sent: Mapping[str, str]
) -> None:
    pair.settings(FROM_A)
    pair.golden(f"request: {request_}\n")
    assert pair.desk.cli("run").code == 0
    for side in (pair.old, pair.new):
        found = {key: side.last[key] for key in sent}
        if "json" in side.last["headers"].get("Content-Type", ""):
            assert json.loads(found["body"]) == json.loads(sent["body"])
        else:
            assert found == sent


def test_it_is_put_into_headers(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.golden("request: {headers: {Authorization: 'Bearer {{secret.api}}', X-Key: '{{secret.api}}'}}\n")
    assert pair.desk.cli("run").code == 0
    headers = pair.new.last["headers"]
    assert (headers["Authorization"], headers["X-Key"]) == (f"Bearer {A}", A)


def test_each_side_is_sent_its_own_alone(pair: Pair) -> None:
    pair.settings("secrets:\n  api: {old: {env: TOKEN_A}, new: {env: TOKEN_B}}\n")
    pair.golden("request: {headers: {Authorization: 'Bearer {{secret.api}}'}}\n")
    pair.desk.cli("run", *REPORTS)
    assert pair.old.last["headers"]["Authorization"] == f"Bearer {A}"
    assert pair.new.last["headers"]["Authorization"] == f"Bearer {B}"
    assert A.encode() not in (content := written())
    assert B.encode() not in content


def test_every_step_of_a_scenario_may_name_one(pair: Pair) -> None:
    pair.settings(FROM_A)
    step = "{{name: {}, request: {{method: POST, json: {{key: '{{{{secret.api}}}}'}}}}}}"
    pair.golden(f"steps:\n  - {step.format('a')}\n  - {step.format('b')}\n")
    assert pair.desk.cli("run").code == 0
    assert [json.loads(it["body"]) for it in pair.new.sent] == [{"key": A}] * 2


def test_no_service_has_one_filled_in_by_what_it_answers(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.old.says = pair.new.says = '{"k": "{{secret.api}}"}'
    second = "{name: b, request: {path: '/{{k}}', headers: {x-key: '{{secret.api}}'}}}"
    pair.golden(f"steps:\n  - {{name: a, capture: {{k: body.k}}, request: {{path: /}}}}\n  - {second}\n")
    assert pair.desk.cli("run", "--report=json:report.json").code == 3
    assert [it["error"]["kind"] for it in pair.desk.report()["results"]] == ["capture"]
    assert len(pair.new.sent) == 1


def test_a_side_may_name_one_in_its_headers(pair: Pair) -> None:
    pair.settings(FROM_A, side=", headers: {authorization: 'Bearer {{secret.api}}'}")
    pair.golden("request: {path: /}\n")
    assert pair.desk.cli("run", *REPORTS).code == 0
    assert pair.new.last["headers"]["authorization"] == f"Bearer {A}"
    assert A.encode() not in written()


def test_a_side_that_is_held_against_itself_is_sent_its_own_alone(pair: Pair) -> None:
    pair.settings("secrets:\n  api: {old: {env: TOKEN_A}, new: {env: TOKEN_B}}\n")
    pair.golden("request: {headers: {x-key: '{{secret.api}}'}}\n")
    assert pair.desk.cli("noise").code == 0
    assert {it["headers"]["x-key"] for it in pair.old.sent} == {A}
    assert {it["headers"]["x-key"] for it in pair.new.sent} == {B}


@pytest.mark.parametrize("said", ["", "secrets:\n  api: {env: TOKEN_A, traffic: false}\n"])
def test_what_was_recorded_as_text_becomes_no_golden_in_which_it_would_be_filled_in(pair: Pair, said: str) -> None:
    pair.settings(said)
    pair.desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/?note={{secret.api}}"}}])
    pair.desk.cli("run", "--traffic", "t.jsonl")
    assert "{{secret.api}}" in pair.new.last["path"]
    for flags in ([], ["--traffic", "t.jsonl"]):
        ended = pair.desk.cli("promote", "c", *flags)
        assert ended.code == 2
        assert "it was recorded with {{secret.api}} as text" in " ".join(ended.err.split())
    assert not list(Path("goldens").rglob("*.yaml"))


def test_the_smallest_request_is_looked_for_with_it(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.new.says = '{"k": 1}'
    pair.golden("request: {path: '/?a=1&k={{secret.api}}', headers: {x-key: '{{secret.api}}'}}\n")
    ended = pair.desk.cli("shrink", "g")
    assert ended.code == 0, ended.err
    assert pair.new.sent[0]["headers"]["x-key"] == A
    assert A not in ended.text + json.dumps([path.read_text("latin-1") for path in Path(".replay").glob("*")])


def test_nor_does_it_where_what_is_left_of_it_is_the_smallest_request(pair: Pair) -> None:
    pair.settings("secrets:\n  api: {env: TOKEN_A, traffic: false}\n")
    pair.new.says = '{"k": 1}'
    pair.desk.capture("t.jsonl", [{"id": "c", "request": {"path": "/{{secret.api}}?a=1"}}])
    ended = pair.desk.cli("shrink", "c", "--traffic", "t.jsonl", "--write")
    assert ended.code == 2, ended.text
    assert "it was recorded with {{secret.api}} as text" in " ".join(ended.err.split())
    assert not list(Path("goldens").rglob("*.yaml"))


def test_variants_are_sent_with_it(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.golden("request: {path: '/?a=1', headers: {x-key: '{{secret.api}}'}}\n")
    ended = pair.desk.cli("vary", "g", "--kind", "paging", "--kind", "sizes", "--out", "v.jsonl")
    assert ended.code == 0, ended.err
    assert len(pair.new.sent) > 4
    assert {it["headers"]["x-key"] for it in pair.new.sent} == {A}
    assert A not in ended.text + Path("v.jsonl").read_text("utf-8")


def test_several_processes_send_it_too(pair: Pair) -> None:
    pair.settings(FROM_A)
    for name in "abcd":
        pair.golden("request: {headers: {X-Key: '{{secret.api}}'}}\n", name)
    assert pair.desk.cli("run", "--workers", "2", "--concurrency", "2").code == 0
    assert [it["headers"]["X-Key"] for it in pair.new.sent] == [A] * 4
    assert A.encode() not in written()


def test_a_run_goes_on_with_a_secret_that_was_renewed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.settings(FROM_A, side=", headers: {x-key: '{{secret.api}}'}")
    pair.golden("request: {path: /}\n")
    assert pair.desk.cli("run").code == 0
    with closing(sqlite3.connect(".replay/runs.sqlite")) as database, database:
        database.execute("UPDATE runs SET state = 'interrupted'")
    monkeypatch.setenv("TOKEN_A", "a renewed one")
    ended = pair.desk.cli("run", "--resume")
    assert "cannot go on" not in ended.text


# --------------------------------------------------------------------------------------------------------------- hidden


def test_no_file_and_no_output_holds_it_although_the_service_repeats_it(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.golden(
        "request:\n  method: POST\n  headers: {authorization: 'Bearer {{secret.api}}'}\n"
        "  json: {pin: '{{secret.api}}'}\n"
    )
    ended = pair.desk.cli("run", *REPORTS)
    told = ended.text + pair.desk.cli("show", "g").text + pair.desk.cli("run", "--dry-run").text
    content = written()
    for form in (A, json.dumps(A)[1:-1], json.dumps(json.dumps(A)[1:-1])[1:-1]):
        assert form not in told
        assert form.encode() not in content
    assert "{{secret.api}}" in told


def test_nor_the_password_that_is_in_it_in_base64(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_A", b64encode(b"alice:hunter2-of-alice").decode())
    pair.settings(FROM_A)
    pair.golden("request: {headers: {authorization: 'Basic {{secret.api}}'}}\n")
    pair.old.says = pair.new.says = '{"you": "are alice, by hunter2-of-alice"}'
    assert pair.desk.cli("run", *REPORTS).code == 0
    assert b"hunter2-of-alice" not in written()


def test_what_is_stored_names_it_and_can_be_made_a_golden(pair: Pair) -> None:
    pair.settings(FROM_A.replace("A}", "A, traffic: true}"))
    pair.desk.capture("t.jsonl", [{"id": "c", "request": {"headers": {"authorization": "Bearer {{secret.api}}"}}}])
    pair.desk.cli("run", "--traffic", "t.jsonl")
    assert pair.desk.cli("promote", "c").code == 0
    assert "Bearer {{secret.api}}" in next(Path("goldens").rglob("*.yaml")).read_text()


def test_a_dry_run_reads_no_secret_and_says_which_a_run_would(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_A")
    pair.settings("secrets:\n  api: {env: TOKEN_A}\n  other: {env: TOKEN_B}\n")
    pair.golden("request: {path: '/?k={{secret.api}}'}\n")
    ended = pair.desk.cli("run", "--dry-run")
    assert "secret api from the variable TOKEN_A, which was not read" in ended.out
    assert (ended.code, "other" in ended.out) == (0, False)


# -------------------------------------------------------------------------------------------------------- refused names


def test_a_name_that_no_secret_has_is_told_with_its_line(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.golden("title: A slip\nrequest:\n  headers:\n    x-key: '{{secret.apii}}'\n")
    told = refused(pair)
    assert "goldens/g.yaml:4:12: there is no secret 'apii'" in told
    assert "known are: api" in told


@pytest.mark.parametrize("name", ["", "a-b c", "api.key", "'x'"])
def test_whatever_begins_as_a_secret_is_never_sent_as_text(pair: Pair, name: str) -> None:
    pair.settings("")
    pair.golden(f'request: {{headers: {{x-key: "{{{{secret.{name.split(maxsplit=1)[0] if name else name}}}}}"}}}}\n')
    assert "there is no secret" in refused(pair)


def test_a_variable_that_is_not_set_is_told_with_the_line_that_needs_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOKEN_A")
    pair.settings(FROM_A)
    pair.golden("request:\n  path: '/?k={{secret.api}}'\n")
    assert refused(pair) == (
        "error: goldens/g.yaml:2:9: secret 'api': the variable TOKEN_A is not set\n  hint: export TOKEN_A=...\n"
    )


def test_a_secret_that_no_selected_case_names_is_not_read(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_A")
    pair.settings(FROM_A)
    pair.golden("request: {path: '/?k={{secret.api}}'}\n", "a")
    pair.golden("request: {path: /}\n", "b")
    assert pair.desk.cli("run", "--only", "b").code == 0


def test_what_is_expected_holds_none(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.golden("request: {path: /}\nexpect:\n  json: {k: '{{secret.api}}'}\n")
    assert "goldens/g.yaml:3:13: '{{secret.api}}' is put into what is sent" in refused(pair)


def test_a_side_for_which_there_is_none_is_named(pair: Pair) -> None:
    pair.settings("secrets:\n  api: {new: {env: TOKEN_A}}\n")
    pair.golden("request: {path: '/?k={{secret.api}}'}\n")
    assert "the secret 'api' has nothing for old" in refused(pair)


def test_a_place_in_the_settings_where_none_is_put_is_named(pair: Pair) -> None:
    pair.settings(FROM_A, side=", clock_secret: '{{secret.api}} and more'")
    pair.golden("request: {path: /}\n")
    assert "old: clock_secret names the secret 'api', and none is put there" in refused(pair)


def test_a_header_takes_no_secret_of_several_lines(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_A", "line one\nline two")
    pair.settings(FROM_A)
    pair.golden("request:\n  headers:\n    x-key: '{{secret.api}}'\n")
    assert "goldens/g.yaml:3:12: the secret 'api' has several lines" in refused(pair)


# -------------------------------------------------------------------------------------------------------------- traffic


@pytest.mark.parametrize(("said", "sent"), [("true", A), ("false", "{{secret.api}}")])
def test_in_traffic_the_settings_say_whether_a_name_is_meant(pair: Pair, said: str, sent: str) -> None:
    pair.settings(f"secrets:\n  api: {{env: TOKEN_A, traffic: {said}}}\n")
    pair.desk.capture("t.jsonl", [{"request": {"headers": {"x-key": "{{secret.api}}"}}}])
    pair.desk.cli("run", "--traffic", "t.jsonl")
    assert pair.new.last["headers"]["x-key"] == sent


def test_where_they_do_not_say_nothing_is_sent(pair: Pair) -> None:
    pair.settings(FROM_A)
    pair.desk.capture("t.jsonl", [{"request": {}}, {"request": {"headers": {"x-key": "{{secret.api}}"}}}])
    told = refused(pair, "--traffic", "t.jsonl")
    assert "t.jsonl:3: traffic names the secret 'api': whoever was recorded may have written that" in told


def test_other_text_that_looks_like_one_is_sent_as_it_is_and_said(pair: Pair) -> None:
    pair.settings("")
    pair.desk.capture("t.jsonl", [{"request": {"headers": {"x-key": "{{secret.zzz}}"}}}])
    ended = pair.desk.cli("run", "--traffic", "t.jsonl")
    assert pair.new.last["headers"]["x-key"] == "{{secret.zzz}}"
    assert "which is no secret of the settings and is sent as text" in " ".join(ended.out.split())


def test_traffic_that_is_not_checked_beforehand_fails_where_a_name_is_not_known(pair: Pair) -> None:
    pair.settings("secrets:\n  api: {env: TOKEN_A, traffic: true}\n")
    names = ("api", "apii")
    pair.desk.capture("t.jsonl", [{"id": n, "request": {"path": f"/?k={{{{secret.{n}}}}}"}} for n in names])
    ended = pair.desk.cli(
        "run", "--traffic", "t.jsonl", "--no-check", "--concurrency", "1", "--report=json:report.json"
    )
    assert ended.code == 3
    assert [it["outcome"] for it in pair.desk.report()["results"]] == ["match", "both_error"]
    assert len(pair.new.sent) == 1


# ---------------------------------------------------------------------------------------------------------- other hosts


def test_a_route_to_another_host_is_sent_none(pair: Pair) -> None:
    with echo() as elsewhere:
        route = f"routes: [{{on: /out/**, url: '{elsewhere.url}'}}]"
        pair.settings(FROM_A, side=f", {route}")
        pair.golden("request: {path: /out/a, headers: {authorization: 'Bearer {{secret.api}}'}}\n", "a")
        pair.golden("request: {path: '/out/b', headers: {x-note: '{{secret.api}}'}}\n", "b")
        ended = pair.desk.cli("run", "--report=json:report.json")
    assert ended.code == 3
    assert [it["outcome"] for it in pair.desk.report()["results"]] == ["match", "both_error"]
    assert [it["path"] for it in elsewhere.sent] == ["/out/a"] * 2
    assert A not in json.dumps(elsewhere.sent)


def test_nor_is_it_sent_those_of_the_sides_headers(pair: Pair) -> None:
    with echo() as elsewhere:
        route = f"routes: [{{on: /out/**, url: '{elsewhere.url}'}}]"
        pair.settings(FROM_A, side=f", headers: {{x-note: '{{{{secret.api}}}}'}}, {route}")
        pair.golden("request: {path: /out/a}\n")
        pair.golden("request: {path: /a}\n", "h")
        assert pair.desk.cli("run").code == 0
    assert A not in json.dumps(elsewhere.sent)
    assert pair.new.last["headers"]["x-note"] == A


def test_unless_the_route_says_so(pair: Pair) -> None:
    with echo() as elsewhere:
        route = f"routes: [{{on: /out/**, url: '{elsewhere.url}', credentials: true}}]"
        pair.settings(FROM_A, side=f", {route}")
        pair.golden("request: {path: /out/b, headers: {x-note: '{{secret.api}}'}}\n")
        assert pair.desk.cli("run").code == 0
    assert elsewhere.sent[0]["headers"]["x-note"] == A


# -------------------------------------------------------------------------------------------------------------- sources


Sent = Callable[[str], str]


@pytest.fixture
def sent(pair: Pair) -> Sent:
    """Return how to send a secret from a source, and see what the service got; or what was said instead."""

    def send(source: str) -> str:
        pair.settings(f"secrets:\n  api: {source}\n")
        pair.golden("request: {method: POST, json: {k: '{{secret.api}}'}}\n")
        ended = pair.desk.cli("run")
        if ended.code == 2:
            assert pair.new.sent == []
            return ended.err
        assert ended.code == 0, ended.text
        return str(json.loads(pair.new.last["body"])["k"])

    return send


def private(name: str, content: bytes, mode: int = 0o600) -> None:
    """Write a file with a secret."""
    Path(name).write_bytes(content)
    Path(name).chmod(mode)


def python(code: str) -> str:
    """Return a command that runs a line of Python, as settings have it."""
    return json.dumps([sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"from-a-file", "from-a-file"),
        (b"from-a-file\n", "from-a-file"),
        (b"from-a-file\r\n", "from-a-file"),
        (b"from-a-file\n\n", "from-a-file\n"),
        (b" two lines\nof it\n", " two lines\nof it"),
    ],
)
def test_a_file_holds_the_secret_and_perhaps_one_line_end(sent: Sent, content: bytes, value: str) -> None:
    private("key.txt", content)
    assert sent("{file: key.txt}") == value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file key.txt holds nothing"),
        (b"\n", "the file key.txt holds nothing"),
        (b"12345", "fewer than 6 characters"),
        (b"\xff" * 9, "the file key.txt is no UTF-8"),
        (b"x" * 70_000, "the file key.txt is larger than 64 KB"),
    ],
    ids=["empty", "a line end", "short", "no text", "large"],
)
def test_what_is_no_secret_is_refused_without_a_word_of_it(sent: Sent, content: bytes, told: str) -> None:
    private("key.txt", content)
    assert told in sent("{file: key.txt}")


def test_a_file_that_is_not_there_or_is_no_file_is_named(sent: Sent) -> None:
    assert "key.txt: cannot be read: no such file" in sent("{file: key.txt}")
    Path("folder").mkdir()
    assert "folder: is a folder, not a file" in sent("{file: folder}")


def test_a_file_that_everybody_can_read_is_refused(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: Path("key.txt").stat().st_uid or 1)
    private("key.txt", b"from-a-file", 0o644)
    told = sent("{file: key.txt}")
    if Path("key.txt").stat().st_uid:
        assert "key.txt can be read or changed by everybody" in told
        assert "chmod 600 key.txt" in told
        Path("key.txt").chmod(stat.S_IRUSR)
    assert sent("{file: key.txt}") == "from-a-file"


def test_a_command_prints_it(sent: Sent) -> None:
    assert sent(f"{{command: {python('print(chr(115) * 9)')}}}") == "sssssssss"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; print('s3cret-out'); sys.exit('s3cret-err')", "its command ended with 1"),
        ("pass", "its command printed nothing"),
        ("while 1: print('s3cret-out' * 999)", "is larger than 64 KB"),
        ("import sys; sys.stdin.read(); print(end='')", "its command printed nothing"),
    ],
    ids=["fails", "silent", "endless", "asks"],
)
def test_a_command_that_gives_none_is_told_without_what_it_printed(sent: Sent, code: str, told: str) -> None:
    found = sent(f"{{command: {python(code)}}}")
    assert told in found
    assert "s3cret-" not in found


def test_a_command_that_hangs_is_ended_in_time_with_what_it_started(sent: Sent) -> None:
    command = json.dumps(["sh", "-c", "sleep 60 & echo $! > pid; wait"])
    assert "its command was not over within 0.5 s" in sent(f"{{command: {command}, timeout: 500ms}}")
    pid = int(Path("pid").read_text())
    for _ in range(1000):  # the system takes its time to bury what was killed
        if not born(pid):
            break
        Event().wait(0.01)
    assert not born(pid)


def test_a_command_that_is_not_there_is_told(sent: Sent) -> None:
    assert "its command cannot be started: no such file" in sent("{command: no-such-program-here}")


def test_a_command_is_carried_out_once(pair: Pair) -> None:
    code = "open('log', 'a').write('x'); print('printed-once')"
    pair.settings(f"secrets:\n  api: {{command: {python(code)}}}\n")
    for name in "ab":
        pair.golden("request: {headers: {x-key: '{{secret.api}}'}}\n", name)
    assert pair.desk.cli("run").code == 0
    assert Path("log").read_text() == "x"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{}", "a secret comes from one of env, file and command"),
        ("{env: A, file: b}", "a secret comes from one of env, file and command"),
        ("{env: A, old: {env: B}}", "old and new have their own"),
        ("{env: A, timeout: 1s}", "timeout goes with command"),
        ("{command: 'a | b'}", "is for a shell"),
        ("{env: 'A B'}", "secrets.api.env"),
    ],
)
def test_a_source_that_makes_no_sense_is_told_with_its_line(pair: Pair, source: str, told: str) -> None:
    pair.settings(f"secrets:\n  api: {source}\n")
    pair.golden("request: {path: /}\n")
    found = refused(pair)
    assert "replay.yaml:5:" in found
    assert told in found or "env" in found
