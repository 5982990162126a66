"""Services that keep something are given their first state back between cases or sessions."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended

COUNTER: Final = """
import sys
from pathlib import Path
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

kept = Path(sys.argv[2])


class Counter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/broken":
            self.send_error(503)
            return
        count = int(kept.read_text()) + 1 if kept.exists() else 1
        if self.path == "/reset":
            count = 0
        kept.write_text(str(count))
        body = str(count).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Counter).serve_forever()
"""


def project(desk: Desk, reset: str, *, sessions: bool = False) -> None:
    """Old counts anew for every case, or session, as `reset` has it; new always counts up to 1."""
    desk.write("counter.py", COUNTER)
    desk.write("replay.yaml", f'new: {{run: "{shlex.quote(sys.executable)} counter.py {{port}} count"{reset}}}\n')
    kept = ["a", "b", "a", "b"] if sessions else [None] * 3
    records: list[dict[str, Any]] = [
        {"id": f"c-{n}", "request": {"path": "/"}, "session": name} for n, name in enumerate(kept)
    ]
    counts = ["1", "1", "2", "2"] if sessions else ["1"] * 3
    for record, count in zip(records, counts, strict=True):
        record["response"] = {"status": 200, "text": count}
    desk.capture("c.jsonl", [{k: v for k, v in record.items() if v is not None} for record in records])


def run(desk: Desk, *more: str) -> Ended:
    flags = ("--old", "recorded", "--traffic", "c.jsonl", "--report", "json:report.json")
    return desk.cli("run", *flags, *more)


def outcomes(desk: Desk) -> list[str]:
    return sorted(each["outcome"] for each in desk.report()["results"])


def test_without_a_reset_cases_see_what_earlier_ones_left(desk: Desk) -> None:
    project(desk, "")
    run(desk)
    assert outcomes(desk) == ["deviation", "deviation", "match"]


@pytest.mark.parametrize("reset", ["rm -f count", "{request: POST /reset}", "{run: [rm, -f, count]}"])
def test_a_reset_between_cases_gives_each_the_first_state(desk: Desk, reset: str) -> None:
    project(desk, f", reset: {reset}")
    run(desk)
    assert outcomes(desk) == ["match"] * 3


def test_a_reset_between_sessions_leaves_each_whole_although_they_are_recorded_in_turns(desk: Desk) -> None:
    project(desk, ", reset: {run: rm -f count, between: sessions}", sessions=True)
    run(desk)
    assert outcomes(desk) == ["match"] * 4


def test_a_session_that_is_sent_once_more_begins_with_the_first_state_again(desk: Desk) -> None:
    project(desk, ", reset: {run: rm -f count, between: sessions}", sessions=True)
    said = [{"id": n, "session": "a", "request": {"path": "/"}, "response": {"status": 200, "text": n}} for n in "12"]
    desk.capture("c.jsonl", said)
    run(desk, "--repeat", "2")
    assert outcomes(desk) == ["match"] * 4


def test_the_variables_of_this_tool_are_none_of_a_resets_business(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_KEY", "0" * 64)
    project(desk, "")
    reset = "[sh, -c, 'env > seen; exit 1']"
    desk.write("replay.yaml", f"new: {{url: 'http://127.0.0.1:1', reset: {{run: {reset}}}}}\n")
    run(desk)
    seen = Path("seen").read_text()
    assert "PATH=" in seen
    assert "REPLAY_KEY" not in seen


@pytest.mark.parametrize(("reset", "told"), [
    ('sh -c "echo no database; exit 3"', "reset: sh ended with 3: no database"),
    ('sh -c "yes | head -n 200000; echo no room; exit 3"', "y | y | no room"),
    ("{request: POST /broken}", "reset: POST /broken answered 503"),
    ("{run: sleep 60, timeout: 300ms}", "reset: it was not over within 0.3 s"),
    ("no-such-program-of-ours", "reset: no-such-program-of-ours: no such file or directory"),
])  # fmt: skip
def test_a_reset_that_fails_is_an_error_of_its_side_at_every_case(desk: Desk, reset: str, told: str) -> None:
    project(desk, f", reset: {reset}".replace("'", "''"))
    ended = run(desk)
    assert ended.code in (1, 3)
    assert outcomes(desk) == ["new_error"] * 3
    assert told in " ".join(desk.cli("show", "c-0").out.split())


def test_a_reset_is_over_when_it_ends_whatever_it_leaves_running(desk: Desk) -> None:
    project(desk, ", reset: {run: 'sh -c \"rm -f count; sleep 97 & exit 0\"', timeout: 5s}")
    run(desk)
    assert outcomes(desk) == ["match"] * 3


def test_a_scenario_keeps_its_state_from_step_to_step(desk: Desk) -> None:
    project(desk, ", reset: rm -f count")
    for name in ("a", "b"):
        steps = "".join(f"  - {{name: s{n}, request: {{path: /}}, expect: {{text: '{n}'}}}}\n" for n in (1, 2, 3))
        desk.write(f"goldens/{name}.yaml", f"title: Count\nsteps:\n{steps}")
    ended = desk.cli("run")
    assert ended.code == 0, ended.text
    assert "2 of 2 goldens pass" in ended.out
