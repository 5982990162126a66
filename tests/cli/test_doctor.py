"""`replay doctor`: what it finds, what it says, and that it does no harm."""

from __future__ import annotations

import json
import shlex
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from replay.engine.doctor.clocks import apart

if TYPE_CHECKING:
    from tests.cli.conftest import Clocked, Desk, Ended, Serve

SECRET: Final = "a secret that both of them know"
CLOSED: Final = "http://127.0.0.1:1"


@contextmanager
def answering(
    *, ahead: float = 0, status: int = 200, date: str | None = None, tls: Path | None = None, **fields: str
) -> Iterator[str]:
    """Serve on loopback, with a clock that is so many seconds ahead; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp
            return formatdate(time.time() + ahead, usegmt=True) if date is None else date

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
            yield f"{scheme}://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def found(ended: Ended) -> dict[tuple[str, str], tuple[str, str]]:
    """Return state and fact of each finding, by side and check."""
    return {(it["side"], it["check"]): (it["state"], it["fact"]) for it in json.loads(ended.out)["findings"]}


def examined(desk: Desk, *sides: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what is found of new, or of old and new, given by their URLs."""
    names = ("--new",) if len(sides) == 1 else ("--old", "--new")
    ended = desk.cli("doctor", "--json", *(word for pair in zip(names, sides, strict=True) for word in pair))
    states = {state for state, _ in found(ended).values()}
    assert ended.code == (3 if "mend" in states else 0)
    return found(ended)


def settings(desk: Desk, new: str, more: str = "") -> dict[tuple[str, str], tuple[str, str]]:
    desk.write("replay.yaml", f"new: {{{new}}}\n{more}")
    ended = desk.cli("doctor", "--json")
    assert ended.code in (0, 3), ended.err
    return found(ended)


def test_where_all_is_well_it_says_so_first_and_exits_with_0(
    desk: Desk, clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    with clocked(SECRET) as old, clocked(SECRET) as new:
        sides = [f'{side}: {{url: "{url}", clock_secret: "${{SECRET}}"}}' for side, url in (("old", old), ("new", new))]
        desk.write("replay.yaml", "\n".join([*sides, "cut_when: [goldens pass]"]))
        ended = desk.cli("doctor")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "All is well, 2 things to know."  # wsgiref closes its connections
    assert ended.out.count("well  frozen time  obeys the instant of a case\n") == 2
    assert ended.out.count("note  keep-alive   closes its connection after an answer\n") == 2
    assert SECRET not in ended.text
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_side_that_is_down_is_named_with_what_to_do(desk: Desk) -> None:
    with answering() as old:
        ended = desk.cli("doctor", "--old", old, "--new", CLOSED)
    assert ended.code == 3
    page = ended.out.partition("\nnew\n")[2]
    assert ended.out.startswith("1 thing to mend, ")
    assert page.startswith(
        "  mend  reach        does not answer: connection refused\n"
        "                     hint: start it, or correct the host and the port\n"
    )


def test_a_clock_that_is_90_seconds_behind_is_found_on_its_side_and_between_both(desk: Desk) -> None:
    with answering() as old, answering(ahead=-90) as new:
        seen = examined(desk, old, new)
    assert seen["old", "skew"][0] == "well"
    assert seen["new", "skew"] in [("mend", f"its clock is {n} s behind this machine's") for n in (89, 90, 91)]
    assert seen["old and new", "clocks"] in [
        ("mend", f"the clock of new is {n} s behind that of old") for n in (89, 90, 91)
    ]


def test_a_clock_that_ignores_the_headers_has_to_be_known(desk: Desk) -> None:
    with answering() as old, answering() as new:
        seen = examined(desk, old, new)
    assert {seen[side, "frozen time"] for side in ("old", "new")} == {("note", "ignores the instant of a case")}
    assert seen["old and new", "clocks"] == ("well", "old and new have the same time, to 2 s")


def test_one_clock_that_obeys_and_one_that_does_not_is_to_mend(desk: Desk) -> None:
    with answering(Replay_Clock="frozen") as old, answering() as new:
        ended = desk.cli("doctor", "--old", old, "--new", new)
    assert ended.code == 3
    assert "old obeys frozen time and new does not: the two see different times" in " ".join(ended.out.split())


def test_a_service_that_is_always_frozen_shows_it_by_its_date(desk: Desk) -> None:
    with answering(date="Sat, 03 Feb 2001 04:05:06 GMT") as new:
        seen = examined(desk, new)
    assert seen["new", "frozen time"] == ("well", "obeys the instant of a case, as its Date headers show")
    assert seen["new", "skew"][0] == "mend"


def test_a_secret_that_the_service_does_not_share_is_to_mend(desk: Desk, clocked: Clocked) -> None:
    with clocked("another secret of this length") as url:
        seen = settings(desk, f'url: "{url}", clock_secret: "{SECRET}"')
    why = "does not obey the instant of a case: the service refused: the proof is wrong: the two secrets differ"
    assert seen["new", "frozen time"] == ("mend", why)


@pytest.mark.parametrize(
    ("status", "state"), [(200, "well"), (404, "well"), (302, "well"), (401, "note"), (503, "mend")]
)
def test_what_a_side_answers_tells_whether_it_is_well(desk: Desk, status: int, state: str) -> None:
    with answering(status=status) as new:
        assert examined(desk, new)["new", "reach"][0] == state


def test_a_clock_that_cannot_be_read_is_said_to(desk: Desk) -> None:
    with answering(date="soon") as new:
        fact = "sends no Date header, so that its clock cannot be read"
        assert examined(desk, new)["new", "skew"] == ("note", fact)


def test_what_a_service_says_of_its_clock_is_printed_inert(desk: Desk) -> None:
    with answering(Replay_Clock="refused, \x9b31mred") as new:
        ended = desk.cli("doctor", "--new", new)
    assert "\x9b" not in ended.out
    assert "refused: \\x9b31mred" in " ".join(ended.out.split())


def test_a_side_that_never_answers_is_not_waited_for(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = desk.cli("doctor", "--new", url, "--within", "100ms", "--json")
    assert found(ended)["new", "reach"] == ("mend", "does not answer: after 0.1 s not a byte of the answer had come")


def test_nothing_but_safe_requests_is_sent_and_no_login(desk: Desk, serve: Serve) -> None:
    login = (
        'login: {path: /login, form: {a: b}, capture: {token: body.token}}, headers: {x-mine: "{{token}}", x-own: "1"}'
    )
    with serve() as new:
        settings(desk, f'url: "{new.url}", {login}, writable: true, retry: {{}}')
    assert {(method, target) for method, target, _ in new.seen} == {("GET", "/")}
    assert len(new.seen) == 2
    assert all(headers.get("x-own") == "1" and "x-mine" not in headers for _, _, headers in new.seen)


@pytest.mark.parametrize(
    ("writable", "expected"),
    [
        ("false", ("well", "gets GET, HEAD and OPTIONS; other cases are skipped, and counted")),
        ("true", ("note", "is writable: every method is sent")),
        ("[POST /search]", ("well", "is writable for POST /search, and nothing else")),
    ],
)
def test_what_may_be_written_is_told(desk: Desk, writable: str, expected: tuple[str, str]) -> None:
    assert settings(desk, f"url: {CLOSED}, writable: {writable}")["new", "writes"] == expected


def test_every_host_of_a_side_is_asked(desk: Desk) -> None:
    with answering() as mono:
        seen = settings(desk, f'url: "{mono}", routes: [{{on: /users/**, url: "{CLOSED}"}}]')
    assert seen["new", "reach"][0] == "well"
    assert seen["new /users/**", "reach"] == ("mend", "does not answer: connection refused")


def test_an_app_is_asked_and_a_function_is_not_called(desk: Desk) -> None:
    desk.project()
    desk.write("sides.py", "def old(n=0):\n    raise SystemExit('called')\n\ndef new(n=0):\n    return n\n")
    seen = found(desk.cli("doctor", "--json"))
    assert seen["old", "reach"] == ("well", "sides:old is loaded; a function is not called to see what it does")
    assert seen["old", "frozen time"][0] == seen["new", "frozen time"][0] == "well"


def test_an_app_that_does_not_load_is_to_mend(desk: Desk) -> None:
    desk.write("broken.py", "raise RuntimeError('no database')\n")
    state, fact = examined(desk, "broken:app")["new", "reach"]
    assert state == "mend"
    assert "no database" in fact


def test_a_recording_is_not_asked(desk: Desk) -> None:
    assert examined(desk, "recorded", CLOSED)["old", "reach"] == ("well", "is recorded: there is nobody to ask")


# --------------------------------------------------------------------------------------------------------- certificates


def certified(desk: Desk, url: str, tls: str) -> tuple[str, str]:
    return settings(desk, f'url: "{url}", tls: {{{tls}}}')["new", "tls"]


def test_a_certificate_is_told_by_name_and_days(desk: Desk, certificate: Path) -> None:
    with answering(tls=certificate) as url:
        state, fact = certified(desk, url, f"ca: {certificate.with_name('certificate.pem')}")
    assert state == "well"
    assert fact.startswith("TLSv1.3, certificate for localhost, ")
    assert fact.endswith(" days left, until 2099-12-31")


def test_a_certificate_that_has_ended_is_to_mend(desk: Desk, expired_certificate: Path) -> None:
    with answering(tls=expired_certificate) as url:
        state, fact = certified(desk, url, f"ca: {expired_certificate.with_name('certificate.pem')}")
    assert (state, fact) == ("mend", "certificate verify failed: certificate has expired")


def test_an_unknown_authority_is_to_mend_and_so_is_not_to_look(desk: Desk, certificate: Path) -> None:
    with answering(tls=certificate) as url:
        unknown, unseen = examined(desk, url)["new", "tls"], certified(desk, url, "verify: false")
    assert unknown == ("mend", "certificate verify failed: self-signed certificate")
    assert unseen[0] == "mend"
    assert "is not verified" in unseen[1]


# ----------------------------------------------------------------------------------------------------------------- here


def test_a_store_that_is_none_is_to_mend(desk: Desk) -> None:
    desk.write("runs.sqlite", "not a database, and long enough to be looked at as one" * 20)
    before = Path("runs.sqlite").read_bytes()
    seen = found(desk.cli("doctor", "--json", "--new", CLOSED, "--store", "runs.sqlite"))
    assert seen["", "store"][0] == "mend"
    assert Path("runs.sqlite").read_bytes() == before


def test_a_store_with_runs_is_told_and_one_that_is_not_there_is_not_made(desk: Desk) -> None:
    desk.project()
    assert found(desk.cli("doctor", "--json"))["", "store"] == (
        "well",
        ".replay/runs.sqlite will be made by the first run",
    )
    assert not Path(".replay").exists()
    desk.cli("run")
    assert found(desk.cli("doctor", "--json"))["", "store"] == ("well", ".replay/runs.sqlite, 1 run")


def test_a_key_for_masks_is_told_and_never_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", SECRET)
    ended = desk.cli("doctor", "--json", "--new", CLOSED)
    assert found(ended)["", "masks"][1].startswith("secrets become tokens before anything is written, under the key ")
    assert SECRET not in ended.text


@pytest.mark.parametrize("arguments", [("--within", "0s"), ("--within", "soon"), ("--new", "ftp://x"), ()])
def test_what_makes_no_sense_ends_with_2(desk: Desk, arguments: tuple[str, ...]) -> None:
    ended = desk.cli("doctor", *arguments)
    assert (ended.code, ended.out) == (2, "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.4, "3 s ahead of"),
        (-90, "90 s behind"),
        (-179, "179 s behind"),
        (180, "3 min ahead of"),
        (-7200, "120 min behind"),
        (14_400, "4 h ahead of"),
        (86_400 * 365, "365 days ahead of"),
    ],
)
def test_how_far_clocks_are_apart_is_said_in_words(seconds: float, words: str) -> None:
    assert apart(seconds) == words


# ------------------------------------------------------------------------------------------------- commands


COMMAND: Final = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_): pass

if len(sys.argv) > 2: sys.exit("no database here")
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def commanded(desk: Desk, arguments: str) -> Ended:
    desk.write("served.py", COMMAND)
    desk.write(
        "replay.yaml", f'new: {{run: "{shlex.quote(sys.executable)} served.py {{port}}{arguments}", ready: /health}}\n'
    )
    return desk.cli("doctor", "--json")


def test_a_command_is_started_and_asked_for_the_path_that_says_that_it_is_ready(desk: Desk) -> None:
    state, fact = found(commanded(desk, ""))["new", "reach"]
    assert (state, fact.startswith("answers GET /health with 200")) == ("well", True)


def test_a_command_that_does_not_start_is_to_mend_and_says_what_it_printed(desk: Desk) -> None:
    ended = commanded(desk, " broken")
    assert ended.code == 3
    state, fact = found(ended)["commands", "start"]
    assert state == "mend"
    assert fact == "new cannot start: it ended before it was ready: exit code 1; it printed: no database here"
    assert found(ended)["", "disk"][0] == "well"
