"""A side that is a URL gets each case as it stands, with the headers of its moment, and its own headers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from replay.errors import InputError, SettingsError
from replay.models import Case, Headers, Observation, Request, TargetSpec
from replay.targets.base import Moment, Target, observed
from replay.targets.http import HttpTarget

MOMENT = Moment(datetime(2024, 2, 29, tzinfo=UTC), 7)


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; `/frozen` says that it obeyed the instant, `/moved` sends elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps([self.requestline, self.headers.items()]).encode()
        self.send_response(302 if "moved" in self.path else 200)
        if "frozen" in self.path:
            self.send_header("Replay-Clock", "frozen")
        self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "session=1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def carry(case: Case, moment: Moment) -> Headers:
    return (("Replay-Case", case.id), ("Replay-Seed", str(moment.seed)), ("traceparent", "00-derived"))


def case_of(*headers: tuple[str, str], path: str = "/x") -> Case:
    return Case("a/b", "golden", "a/b", Request("GET", path, headers))


def send(spec: TargetSpec, *cases: Case, **options: Any) -> list[Observation]:
    async def scenario() -> list[Observation]:
        target: Target = HttpTarget(spec, **options)
        await target.start()
        observations = [await observed(target, case, MOMENT) for case in cases]
        await target.close()
        await target.close()
        return observations

    return asyncio.run(scenario())


def received(observation: Observation) -> list[tuple[str, str]]:
    return [(name, value) for name, value in json.loads(observation.body)[1]]


def test_the_headers_of_the_moment_follow_those_of_the_case(url: str) -> None:
    (observation,) = send(TargetSpec(url=url), case_of(("Host", "h"), ("A", "1")), moment_headers=carry)
    moment = [("Replay-Case", "a/b"), ("Replay-Seed", "7"), ("traceparent", "00-derived")]
    assert received(observation) == [("Host", "h"), ("A", "1"), *moment]


def test_a_trace_that_the_case_brings_is_passed_on_unchanged(url: str) -> None:
    (observation,) = send(TargetSpec(url=url), case_of(("TraceParent", "00-captured")), moment_headers=carry)
    traces = [field for field in received(observation) if field[0].lower() == "traceparent"]
    assert traces == [("TraceParent", "00-captured")]


def test_the_headers_of_the_side_beat_those_of_the_case(url: str) -> None:
    spec = TargetSpec(url=url, headers={"authorization": "Bearer mine"})
    (observation,) = send(spec, case_of(("Host", "h"), ("Authorization", "Bearer captured")))
    assert received(observation) == [("Host", "h"), ("authorization", "Bearer mine")]


def test_the_clock_is_frozen_where_the_answer_says_so(url: str) -> None:
    obeyed, ignored = send(TargetSpec(url=url), case_of(path="/frozen"), case_of())
    assert (obeyed.clock_frozen, ignored.clock_frozen) == (True, False)


def test_a_side_that_did_not_answer_says_nothing_of_its_clock() -> None:
    (observation,) = send(TargetSpec(url="http://127.0.0.1:1"), case_of())
    assert observation.error is not None
    assert observation.error.kind == "refused"
    assert observation.clock_frozen is None


def test_a_redirect_is_recorded_and_not_followed_and_no_cookie_is_kept(url: str) -> None:
    moved, after = send(TargetSpec(url=url), case_of(path="/moved"), case_of())
    assert (moved.status, moved.header("location")) == (302, "/elsewhere")
    assert "cookie" not in {name.lower() for name, _ in received(after)}


def test_proxy_variables_are_ignored(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    (observation,) = send(TargetSpec(url=url), case_of())
    assert observation.status == 200


def test_the_path_of_the_url_stands_before_that_of_the_case(url: str) -> None:
    (observation,) = send(TargetSpec(url=url + "/base/"), case_of(path="/x?y=1"))
    assert json.loads(observation.body)[0] == "GET /base/x?y=1 HTTP/1.1"


def test_the_limits_of_the_settings_hold(url: str) -> None:
    (observation,) = send(TargetSpec(url=url, max_body=5, timeout=timedelta(seconds=1)), case_of())
    assert observation.error is not None
    assert (observation.error.kind, len(observation.body)) == ("too_large", 5)


def test_a_target_is_named_by_its_url_and_lives_elsewhere() -> None:
    target = HttpTarget(TargetSpec(url="HTTP://LocalHost:80/base/"))
    assert (target.name, target.kind) == ("http://localhost/base", "live")


@pytest.mark.parametrize(
    "spec",
    [
        TargetSpec(recorded=True),
        TargetSpec(url="localhost"),
        TargetSpec(url="http://user:secret@h"),
        TargetSpec(url="http://h", headers={"Connection": "close"}),
        TargetSpec(url="http://h", headers={"Content-Length": "1"}),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_sent(spec: TargetSpec) -> None:
    with pytest.raises(SettingsError):
        HttpTarget(spec)


def test_a_header_of_the_side_that_would_break_the_message_is_refused() -> None:
    with pytest.raises(InputError):
        HttpTarget(TargetSpec(url="http://h", headers={"X": "a\r\nb"}))
