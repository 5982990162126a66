"""Frozen clocks as a run reports them: services that obey, that refuse, that do so at times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Clocked, Desk, Serve

SECRET: Final = "a secret that both of them know"
PAUSING: Final = """
import time

def call():
    before = time.time()
    time.sleep(0.002)
    return time.time() - before > 0
"""
BOTH: Final = """
frozen = FrozenTimeWSGI(app)
def both(environ, start_response):
    return (app if environ["PATH_INFO"] == "/1" else frozen)(environ, start_response)
"""


@pytest.fixture(scope="module")
def service(clocked: Clocked) -> Iterator[str]:
    with clocked(SECRET) as url:
        yield url


SETTINGS: Final = """
freeze: 2024-02-29T23:59:59Z
old: {{url: "{url}", clock_secret: "${{CLOCK_SECRET}}"}}
new: {{url: "{url}"{more}}}
traffic: day.jsonl
cut_when: ["deviation < 99%"]
"""


def told(desk: Desk, url: str, more: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a run over three cases says of both clocks, and why."""
    monkeypatch.setenv("CLOCK_SECRET", SECRET)
    desk.capture("day.jsonl", desk.requests(3))
    desk.write("replay.yaml", SETTINGS.format(url=url, more=more))
    ended = desk.cli("run", "--report", "json:report.json")
    assert ended.code in (0, 1, 3), ended.text
    kept = b"".join(path.read_bytes() for path in desk.write("x", "").resolve().parent.glob("**/*") if path.is_file())
    assert SECRET.encode() not in kept + ended.text.encode()
    report = desk.report()
    return report["clock"], report["clock_notes"]


def test_a_service_that_shares_the_secret_obeys(desk: Desk, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, notes = told(desk, service, ', clock_secret: "${CLOCK_SECRET}"', monkeypatch)
    assert (clock, notes) == ({"old": "frozen", "new": "frozen"}, {})
    assert desk.report()["counts"]["matched"] == 3


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("", "the service refused: no proof"),
        (", clock_secret: another secret of this length", "the service refused: the proof is wrong: the two secrets"),
    ],
)
def test_a_service_that_does_not_is_not_frozen_and_says_why(
    desk: Desk, service: str, more: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, notes = told(desk, service, more, monkeypatch)
    assert clock == {"old": "frozen", "new": "not frozen"}
    assert notes["new"].startswith(why)


def test_a_side_that_obeys_at_times_is_not_frozen(
    desk: Desk, clocked: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clocked(SECRET, BOTH, "both") as url:
        clock, notes = told(desk, url, ', clock_secret: "${CLOCK_SECRET}"', monkeypatch)
    assert clock == {"old": "not frozen", "new": "not frozen"}
    assert notes["new"] == "1 of 3 answers show no frozen clock: the service does not obey the Replay-Time header"


def test_a_secret_that_could_be_guessed_is_refused_before_anything_is_sent(desk: Desk) -> None:
    desk.capture("day.jsonl", desk.requests(1))
    desk.write("replay.yaml", 'new: {url: "http://127.0.0.1:1", clock_secret: hunter2}\nold: http://127.0.0.1:1\n')
    ended = desk.cli("run", "--traffic", "day.jsonl")
    assert ended.code == 2
    assert "clock_secret has fewer than 16 characters" in ended.err
    assert "hunter2" not in ended.text


def test_clocks_that_tick_are_said_to(desk: Desk) -> None:
    desk.project("tick: true\n")
    desk.cli("run", "--report", "json:report.json")
    assert set(desk.report()["clock_notes"].values()) == {"and running on from the instant"}


@pytest.mark.parametrize("change", ["tick: true\n", "seed_also: [uuid4]\n", ""])
def test_a_run_does_not_go_on_under_other_clocks_or_seeds(desk: Desk, serve: Serve, change: str) -> None:
    with serve(lasts=0) as gone:
        desk.capture("c.jsonl", desk.requests(30))
        settings = f"old: {gone.url}\nnew: {gone.url}/new\nfreeze: 2024-02-29T23:59:59Z\n"
        desk.write("replay.yaml", settings)
        assert desk.cli("run", "--traffic", "c.jsonl").code == 3
        desk.write("replay.yaml", settings + change)
        ended = desk.cli("run", "--traffic", "c.jsonl", "--resume")
    assert (ended.code, "changed since are seed" in ended.err) == ((2, True) if change else (3, False))


def test_two_sides_of_which_one_alone_is_frozen_are_warned_of(desk: Desk, serve: Serve) -> None:
    desk.write("sides.py", "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'/0']\n")
    desk.capture("c.jsonl", desk.requests(1))
    with serve() as new:
        sides = "--old", "sides:app", "--new", new.url
        ended = desk.cli("run", "--traffic", "c.jsonl", *sides, "--freeze", "2024-02-29T23:59:59Z")
    assert "old was at the instants of the cases and new was not" in " ".join(ended.out.split())


def test_of_cases_without_an_instant_nobody_claims_to_know_whether_clocks_stood_still(
    desk: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("sides.py", "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'/0']\n")
    desk.capture("c.jsonl", desk.requests(1))
    desk.write("replay.yaml", "tick: true\n")
    monkeypatch.setenv("COLUMNS", "300")
    with serve() as new:
        # Nothing is frozen: the case's instant is that of the run's start, and the `Date` of the answer soon after it.
        ended = desk.cli(
            "run", "--traffic", "c.jsonl", "--old", "sides:app", "--new", new.url, "--report", "json:report.json"
        )
    note = "as far as a Date can tell so near the real time: give cases an instant of their own (`freeze`)"
    assert desk.report()["clock_notes"]["new"] == note
    assert f"clock: not frozen, {note}" in ended.out
    assert "old was at the instants of the cases, and whether new was cannot be told from its answers" in ended.out


def test_a_golden_may_have_its_own_clock_run_on(desk: Desk) -> None:
    desk.write("sides.py", PAUSING)
    desk.write("goldens/still.yaml", "request: {}\nexpect: {json: false}\n")
    desk.write("goldens/running.yaml", "tick: true\nrequest: {}\nexpect: {json: true}\n")
    assert desk.cli("run", "--new", "sides:call", "--freeze", "2024-02-29").code == 0
