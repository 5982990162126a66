"""Sides that the tool starts: from the command to a verdict, and nothing is ever left behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from replay.services.clock import libfaketime
from replay.store import SqliteStore

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")

PROGRAMS: Final = Path(__file__).parents[1] / "services" / "programs"
INTERPRETER: Final = shlex.quote(sys.executable)
CLOCK: Final = shlex.quote(f"{PROGRAMS}/clock.py")
PYTHON: Final = f"{INTERPRETER} {CLOCK} {{port}}"
WITHIN: Final = PYTHON.replace("'", '\\"')
"""The same within single quotes within double ones, as in what a shell is told in YAML."""
REPORT: Final = ("--report", "json:report.json")
SETTINGS: Final = """
old: {{run: "{old}", ready: /}}
new: {{run: "{new}"{more}}}
freeze: 2024-02-29T23:59:59Z
cut_when: [goldens pass]
"""

needs_faketime = pytest.mark.skipif(libfaketime() is None, reason="NOT TESTED: libfaketime (apt install faketime)")


def project(
    desk: Desk, *, old: str = PYTHON, new: str = PYTHON, more: str = "", instants: tuple[str, ...] = ()
) -> None:
    desk.write("replay.yaml", SETTINGS.format(old=old, new=new, more=more))
    for number, instant in enumerate(instants or ("2024-02-29T23:59:59Z",)):
        desk.write(f"goldens/{number}.yaml", f"title: Now\nfreeze: {instant}\nrequest: {{path: /}}\n")


def run(desk: Desk, *flags: str) -> Ended:
    return desk.cli("run", *flags, *REPORT)


def alive(marker: str) -> list[int]:
    """Return the processes that were started in the test's own folder."""
    here, found = os.fsencode(Path.cwd()), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            mine = os.fsencode(os.readlink(entry / "cwd")).startswith(here)  # noqa: PTH115 - bytes are compared
            if mine and marker in (entry / "cmdline").read_text("latin-1"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def long_run(desk: Desk, *, cases: int = 5000) -> subprocess.Popen[str]:
    """Begin a run that lasts."""
    Path("replay.yaml").write_text(Path("replay.yaml").read_text().replace("cut_when: [goldens pass]\n", ""))
    desk.capture("c.jsonl", desk.requests(cases))
    return desk.spawn("run", "--traffic", "c.jsonl")


def until(holds: Callable[[], object], *, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def was_awaited(told: str) -> bool:
    """Return whether an error says what was lacking: whichever side was being waited for at that moment, and why."""
    return re.search(r"it was interrupted before anything was sent: (old|new) was not ready yet, \w+", told) is not None


LANGUAGES: Final = {
    "python": (sys.executable, PYTHON),
    "node": ("node", f"node '{PROGRAMS}/clock.js' {{port}}"),
    "java": ("java", f"java -XX:TieredStopAtLevel=1 '{PROGRAMS}/Clock.java' {{port}}"),
    "perl": ("perl", f"perl '{PROGRAMS}/clock.pl' {{port}}"),
}


@needs_faketime
@pytest.mark.parametrize("language", ["node", "java", "perl"])
def test_a_service_started_once_answers_at_the_instant_of_each_case(desk: Desk, language: str) -> None:
    program, command = LANGUAGES[language]
    if shutil.which(program) is None:
        pytest.skip(f"NOT TESTED: a service in {language}, for there is no {program}")
    project(
        desk, new=command, instants=("2024-02-29T23:59:59.250Z", "2038-01-19T03:14:08Z", "2024-02-29T23:59:59.250Z")
    )
    for number, now in enumerate(("2024-02-29T23:59:59.250Z", "2038-01-19T03:14:08.000Z", "2024-02-29T23:59:59.250Z")):
        with Path(f"goldens/{number}.yaml").open("a") as golden:
            golden.write(f"expect: {{status: 200, json: {{now: {now}, timer: true}}}}\n")
    ended = run(desk)
    assert ended.code == 0, ended.text
    assert desk.report()["clock"] == {"old": "frozen", "new": "frozen"}
    assert alive("clock") == []
    assert len(list(Path(".replay").glob("*.log"))) == 2


def test_without_libfaketime_python_obeys_nevertheless(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", "off")
    project(desk, instants=("2024-02-29T23:59:59.250Z", "2038-01-19T03:14:08Z"))
    for number, now in enumerate(("2024-02-29T23:59:59.250Z", "2038-01-19T03:14:08.000Z")):
        with Path(f"goldens/{number}.yaml").open("a") as golden:
            golden.write(f"expect: {{status: 200, json: {{now: {now}, timer: true}}}}\n")
    ended = run(desk)
    assert ended.code == 0, ended.text
    assert desk.report()["clock"] == {"old": "frozen", "new": "frozen"}


def test_a_program_that_obeys_nothing_is_not_called_frozen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_FAKETIME", "off")
    # -I: whatever is on PYTHONPATH is not looked at, as in a program of another language.
    project(desk, new=f"{INTERPRETER} -I {CLOCK} {{port}}")
    ended = run(desk)
    assert ended.code == 1
    assert desk.report()["clock"] == {"old": "frozen", "new": "not frozen"}
    assert "not frozen, libfaketime is not installed" in " ".join(ended.out.split())


def test_a_clock_that_is_to_be_left_alone_is(desk: Desk) -> None:
    project(desk, more=", freeze: false")
    assert run(desk).code == 1
    assert desk.report()["clock"] == {"old": "frozen", "new": "not frozen"}
    assert desk.report()["clock_notes"]["new"] == "freeze: false leaves its clock alone"


def test_the_clock_of_a_command_that_is_told_the_time_is_not_said_to_be_left_alone(desk: Desk) -> None:
    project(desk, more=", clock_secret: a-secret-of-enough-letters")
    told = " ".join(run(desk).out.split())
    assert desk.report()["clock"]["new"] == "not frozen"
    assert "freeze: false" not in told


def test_connections_are_kept_while_the_clock_moves(desk: Desk) -> None:
    project(desk, instants=("2024-02-29T23:59:59Z", "2038-01-19T03:14:08Z", "2001-02-03T04:05:06Z"))
    assert run(desk, "--concurrency", "1").code == 0
    with SqliteStore.open(".replay/runs.sqlite", create=False) as store:
        (result,) = store.find("2", next(iter(store.runs())).id)
    assert result.new is not None
    assert result.new.header("x-on-this-connection") == "3"


@pytest.mark.parametrize(("new", "more", "facts"), [
    ("sh -c 'echo now; exit 3'", "", ["new cannot start: it ended before it was ready: exit code 3", "| now"]),
    ("sh -c '(setsid sleep 60 &)'", "", ["before it was ready: exit code 0", "stay in the foreground"]),
    ("sleep 60", ", ready: {within: 300ms}", ["it was not ready within 0.3 s: nobody listens on port", "$PORT"]),
    (PYTHON, ", ready: {line: never, within: 500ms}", ["no line of its output holds 'never'", "other side's: .replay"]),
    (PYTHON, ", setup: ['echo begun', 'sh -c \"exit 4\"']", ["its setup failed: sh: exit code 4", "| begun"]),
    ("no-such-program-of-ours", "", ["no-such-program-of-ours: no such file or directory"]),
])  # fmt: skip
def test_a_command_that_does_not_get_ready_ends_with_2_and_its_output(
    desk: Desk, new: str, more: str, facts: list[str]
) -> None:
    project(desk, new=new, more=more)
    ended = run(desk)
    assert ended.code == 2, ended.text
    for fact in facts:
        assert fact in ended.err
    assert alive("clock.py") == []
    assert not Path("report.json").exists()


@pytest.mark.parametrize(("new", "more", "facts"), [
    (PYTHON, ", cwd: gone", ["/gone is not there"]),
    (PYTHON + " && true", "", ["replay.yaml:3:6: '&&' is for a shell, and none runs this", "sh -c"]),
    ("A=1 " + PYTHON, "", ["'A=' is for a shell", "use env:"]),
    ("python3 $X", "", ["'$X' is for a shell"]),
    ("sh -c 'oh", "", ["cannot be split into words: no closing quotation"]),
    (PYTHON, ", at: 'git:main'", ["git:main: new: this folder is in no git repository"]),
    (PYTHON, ", at: 'venv:gone'", ["no virtual environment in", "python -m venv"]),
    (PYTHON, ", at: 'hg:tip'", ["'hg:tip' is no place that code is had from", "git:REF"]),
    (PYTHON, ", tls: {verify: false}", ["tls is for a side with a URL, and this one has run"]),
    (PYTHON, ", ready: health", ["a path begins with /"]),
    (PYTHON, ", ready: /a b", ["percent-encode spaces"]),
    (PYTHON, ", ready: /ä", ["percent-encode spaces"]),
    (PYTHON, ", reset: {request: POST reset}", ["new.reset.request"]),
    (PYTHON, ", port: 0", ["new.port"]),
])  # fmt: skip
def test_a_command_that_makes_no_sense_ends_with_2_before_anything_is_started(
    desk: Desk, new: str, more: str, facts: list[str]
) -> None:
    project(desk, old="sh -c 'touch started'", new=new, more=more)
    ended = desk.cli("run")
    assert ended.code == 2, ended.text
    for fact in facts:
        assert fact in " ".join(ended.err.split())
    assert not Path("started").exists()


def test_a_port_that_is_taken_is_named(desk: Desk, serve: Callable[..., object]) -> None:
    with serve() as other:  # type: ignore[attr-defined]
        project(desk, more=f", port: {other.port}")
        ended = run(desk)
    assert ended.code == 2
    assert f"somebody listens on port {other.port} already" in ended.err


def test_two_sides_on_one_port_are_refused(desk: Desk) -> None:
    desk.write("replay.yaml", "old: {run: a, port: 8080}\nnew: {run: b, port: 8080}\n")
    desk.write("goldens/0.yaml", "title: x\nrequest: {path: /}\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "both sides listen on port 8080" in ended.err


def test_a_command_that_never_stops_printing_is_ended_nevertheless(desk: Desk) -> None:
    project(desk, new=f"sh -c 'yes & exec {WITHIN}'")
    assert run(desk).code == 0
    assert alive("yes") == []
    assert all(log.stat().st_size < 3_000_000 for log in Path(".replay").glob("*.log"))


def test_a_port_that_is_lost_at_the_last_moment_is_changed_for_another(desk: Desk) -> None:
    desk.write(
        "clash.sh",
        "[ -e tried ] || { touch tried; echo 'bind: Address already in use'; exit 1; }\n"
        f"exec {PYTHON.replace('{port}', '$1')}\n",
    )
    project(desk, new="sh clash.sh {port}")
    assert run(desk).code == 0
    assert Path("tried").exists()


def test_the_port_that_a_command_wants_by_itself_is_the_one_that_is_named(
    desk: Desk, serve: Callable[..., object]
) -> None:
    with serve() as other:  # type: ignore[attr-defined]
        for said in (
            f"listen tcp 127.0.0.1:{other.port}: bind: address already in use",
            f"Port {other.port} is in use",
        ):
            project(desk, new=f"sh -c 'echo {said}; exit 1'")
            ended = run(desk)
            assert ended.code == 2
            fact = f"it ended before it was ready, for port {other.port} is in use already: exit code 1"
            assert fact in ended.err
            assert "hint: end what listens there, or have it listen on {port}" in ended.err


def test_what_an_earlier_start_printed_is_not_taken_for_this_ones(desk: Desk) -> None:
    project(desk, new="sh -c 'exit 1'")
    desk.write(".replay/runs.sqlite-doctor.new.log", "bind: address already in use\nan earlier one\n")
    told = desk.cli("doctor", "--json").out
    assert "it ended before it was ready: exit code 1" in told
    assert "an earlier one" not in told


def test_lines_without_end_and_escapes_are_told_whole_and_within_bounds(desk: Desk) -> None:
    project(desk, new=f"{INTERPRETER} -c 'print((chr(27) + chr(32)) * 100_000, end=chr(7)); exit(1)'")
    ended = run(desk)
    assert ended.code == 2
    (line,) = [line for line in ended.err.splitlines() if line.startswith("  | \\x1b")]
    assert len(line) <= 204
    assert set(line.removeprefix("  | ").replace(" ... ", " ").removesuffix("...").split()) == {"\\x1b"}


def test_a_command_that_crashes_half_way_is_named_with_its_last_words(desk: Desk) -> None:
    project(desk)
    desk.capture(
        "c.jsonl",
        [{"id": "well", "request": {"path": "/"}}, {"id": "bad", "request": {"path": "/crash"}}, *desk.requests(60)],
    )
    ended = run(desk, "--traffic", "c.jsonl", "--concurrency", "1", "--goldens", "goldens")
    assert ended.code in (1, 3), ended.text
    report = desk.report()
    kinds = {each["id"]: (each["error"] or {}).get("kind") for each in report["results"]}
    assert kinds["bad"] == "crashed"
    assert "about to crash" in desk.cli("show", "bad").out
    assert len(kinds) < 40
    assert "gave no answer any more after case well" in " ".join(ended.out.split())
    assert alive("clock.py") == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("when", ["starting", "sending"])
def test_a_signal_leaves_nothing_behind(desk: Desk, number: signal.Signals, code: int, when: str) -> None:
    project(desk, more=", ready: {line: never}" if when == "starting" else "")
    process = long_run(desk)
    assert until(lambda: len(alive("clock.py")) == 2)
    if when == "sending":
        assert until(lambda: any("GET /1 " in log.read_text() for log in Path(".replay").glob("*.log")))
    process.send_signal(number)
    ended = desk.ended(process)
    assert ended.code == code
    assert alive("clock.py") == []
    if when == "starting":
        assert was_awaited(ended.err)
        assert "hint: its output: .replay" in ended.err


def test_a_signal_at_the_moment_of_a_fork_ends_one_run_and_not_two(desk: Desk) -> None:
    # As a terminal does it: to the whole group, to which the new process belongs as long as it has none of its own.
    interrupt = "os.register_at_fork(after_in_child=functools.partial(os.killpg, 0, signal.SIGINT))"
    project(desk)
    command = [
        sys.executable,
        "-c",
        f"import functools, os, signal; {interrupt}; from replay.cli import main; main()",
        "run",
    ]
    desk.started.append(subprocess.Popen(command, stdout=-1, stderr=-1, text=True, start_new_session=True))
    ended = desk.ended(desk.started[-1])
    assert (ended.code, ended.err.count("it was interrupted")) == (130, 1)
    assert was_awaited(ended.err)
    assert alive("clock.py") == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_does_not_wait_for_an_app_that_is_being_loaded(desk: Desk, workers: str) -> None:
    desk.write("slow.py", "import time\nprint('begun', flush=True)\nopen('begun', 'w').close()\ntime.sleep(600)\n")
    desk.write("replay.yaml", "old: {app: 'slow:app'}\nnew: {app: 'slow:app'}\n")
    desk.write("goldens/0.yaml", "title: x\nrequest: {path: /}\n")
    process = desk.spawn("run", "--workers", workers)
    assert until(Path("begun").exists)
    process.send_signal(signal.SIGINT)
    ended = desk.ended(process)
    assert ended.code == 130
    assert "error: it was interrupted before anything was sent: old was being started" in ended.err
    assert until(lambda: alive("worker.py") == [])


def test_a_second_signal_waits_for_no_command_that_does_not_end(desk: Desk) -> None:
    stubborn = "sh -c 'trap : TERM; touch begun; while :; do sleep 0.05; done'"
    project(desk, old=stubborn, more=", ready: {line: never}")
    desk.write("replay.yaml", Path("replay.yaml").read_text("utf-8").replace("ready: /", "grace: 2s"))
    process = desk.spawn("run")
    # Both have been begun: else the second signal would come with the first, and be none of its own.
    assert until(lambda: Path("begun").exists() and alive("clock.py"))
    process.send_signal(signal.SIGINT)
    assert until(lambda: alive("clock.py") == [] and len(alive("trap")) == 1)
    process.send_signal(signal.SIGINT)
    ended = desk.ended(process)
    assert ended.code == 130
    assert was_awaited(ended.err)
    assert until(lambda: alive("trap") == [])


@pytest.mark.parametrize(("signals", "code"), [([signal.SIGINT], 130), ([signal.SIGINT, signal.SIGTERM], 143)])
def test_a_signal_while_sides_end_takes_nothing_from_a_run_that_has_sent_everything(
    desk: Desk, signals: list[signal.Signals], code: int
) -> None:
    wait = "sh -c 'touch ending; until [ -e over ]; do sleep 0.02; done'"
    project(desk, more=f', teardown: ["{wait}"]')
    process = desk.spawn("run")
    assert until(Path("ending").exists)
    for each in signals:
        process.send_signal(each)
    if len(signals) == 1:
        Path("over").touch()  # The first one waits for what ends, the second one does not.
    ended = desk.ended(process)
    assert ended.code == code, ended.text
    assert "1 of 1 goldens pass" in " ".join(ended.out.split())
    assert "goldens pass" in desk.cli("report").out
    Path("over").touch()
    assert until(lambda: alive("clock.py") == [] and alive("until") == [])


def test_what_a_killed_run_has_started_ends_with_it_and_the_run_can_go_on(desk: Desk) -> None:
    project(desk)
    process = long_run(desk, cases=40)
    assert until(lambda: any("GET /10 " in log.read_text() for log in Path(".replay").glob("*.log")))
    process.kill()
    process.wait()
    assert until(lambda: alive("clock.py") == [])
    ended = run(desk, "--traffic", "c.jsonl", "--resume")
    assert ended.code == 3, ended.text  # 40 clean cases prove too little
    assert desk.report()["counts"]["matched"] == 40
    assert alive("clock.py") == []


def test_what_is_left_behind_even_so_is_ended_at_the_next_start(desk: Desk) -> None:
    project(desk)
    process = long_run(desk)
    assert until(lambda: any("GET /1 " in log.read_text() for log in Path(".replay").glob("*.log")))
    services = alive("clock.py")
    records = [json.loads(each.read_text()) for each in Path(os.environ["REPLAY_CACHE"], "started").glob("*.json")]
    for keeper in {record["keeper"] for record in records}:
        os.kill(keeper, signal.SIGKILL)
    process.kill()
    process.wait()
    assert set(alive("clock.py")) >= set(services)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        cleaned = desk.cli("clean")
        assert "left behind: 2 ended" in cleaned.out
        assert until(lambda: alive("clock.py") == [])
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_command_whose_keeper_was_killed_ends_with_the_run(desk: Desk) -> None:
    project(desk)
    process = long_run(desk)
    assert until(lambda: any("GET /1 " in log.read_text() for log in Path(".replay").glob("*.log")))
    records = [json.loads(each.read_text()) for each in Path(os.environ["REPLAY_CACHE"], "started").glob("*.json")]
    os.kill(records[0]["keeper"], signal.SIGKILL)
    process.send_signal(signal.SIGINT)
    assert desk.ended(process).code == 130
    assert alive("clock.py") == []


def test_parts_of_a_command_may_live_elsewhere_and_are_sent_nothing_unsafe_unasked(
    desk: Desk, serve: Callable[..., object]
) -> None:
    requests = [("GET", "/users/7"), ("POST", "/users/8"), ("POST", "/users/9"), ("POST", "/9")]
    desk.capture("c.jsonl", [{"id": f"{m} {p}", "request": {"method": m, "path": p}} for m, p in requests])
    with serve() as people:  # type: ignore[attr-defined]
        routes = f"routes: [{{on: /users/**, url: '{people.url}', path: /v2/people/**}}]"
        project(desk, more=f", {routes}, writable: [POST /users/8], freeze: false")
        dry = desk.cli("run", "--traffic", "c.jsonl", "--dry-run")
        ended = run(desk, "--traffic", "c.jsonl")
    told = [" ".join(line.split()) for line in dry.out.splitlines()]
    assert f"new GET 1 {people.url.removeprefix('http://')}" in told
    assert f"new POST 1 {PYTHON}" in told
    assert "skipped 1: POST is not sent to a live new that is not writable" in told
    skipped = [each["id"] for each in desk.report()["results"] if each["outcome"] == "skipped"]
    assert skipped == ["POST /users/9"]
    assert sorted(people.targets) == ["/v2/people/7", "/v2/people/8"]
    assert f"{CLOCK} {{port}} and {people.url}; clock" in " ".join(ended.out.split())


def test_children_that_leave_their_group_are_ended_too(desk: Desk) -> None:
    project(desk, new=f"sh -c '(setsid sleep 77 &) ; exec {WITHIN}'")
    assert run(desk).code == 0
    assert alive("77") == []


@pytest.mark.parametrize("how", ["env -i", "perl -e '$0 = q(-) x 9999; sleep 78' --"])
def test_daemons_that_have_lost_their_mark_are_ended_too(desk: Desk, how: str) -> None:
    # Servers as PostgreSQL and nginx write their names over their variables.
    desk.write("daemon.sh", f"(setsid {how} sleep 78 &) >/dev/null 2>&1\nexec {PYTHON.replace('{port}', '$PORT')}\n")
    project(desk, new="sh daemon.sh")
    assert run(desk).code == 0
    assert alive("sleep") == alive("----") == []


def test_setup_and_teardown_are_carried_out_around_a_command(desk: Desk) -> None:
    desk.write("prepare.sh", "echo on $1 > prepared\n")
    desk.write("serve.sh", f"[ -e prepared ] && exec {PYTHON.replace('{port}', '$PORT')}\n")
    project(desk, new="sh serve.sh", more=", setup: ['sh prepare.sh {port}'], teardown: touch over")
    assert run(desk).code == 0
    assert Path("over").exists()
    assert Path("prepared").read_text().startswith("on ")


def test_a_teardown_that_fails_is_told_at_the_end_and_in_the_report_and_changes_no_verdict(desk: Desk) -> None:
    project(desk, more=", teardown: ['true', 'sh -c \"exit 3\"']")
    ended = desk.cli("run", "--report", "json:report.json")
    told = "the teardown of new failed, at sh -c 'exit 3'"
    assert ended.code == 0
    assert told in " ".join(ended.err.split())
    assert told in " ".join(ended.out.split())
    (warning,) = [each for each in desk.report()["warnings"] if told in each]
    log = Path(warning.partition("'exit 3': ")[2].removesuffix(" says how"))
    assert "teardown, sh: exit code 3" in log.read_text("utf-8")


def test_the_doctor_tells_of_a_teardown_that_fails(desk: Desk) -> None:
    project(desk, more=", teardown: ['sh -c \"exit 3\"']")
    ended = desk.cli("doctor")
    assert "the teardown of new failed, at sh -c 'exit 3'" in " ".join(ended.err.split())


@pytest.mark.parametrize(("flags", "more", "told"), [
    ((), "", ""),
    (("--seed", "7"), "", "old and new"),
    (("--seed", "7"), ", env: {FAKERANDOM_SEED: '0x1'}", "old"),
])  # fmt: skip
def test_a_seed_that_reaches_a_command_as_a_header_alone_is_told(
    desk: Desk, flags: tuple[str, ...], more: str, told: str
) -> None:
    project(desk, more=more)
    ended = desk.cli("run", *flags)
    found = re.search("the seed reaches (.+?) as a header alone", " ".join(ended.out.split()))
    assert (ended.code, found[1] if found is not None else "") == (0, told)


def test_a_command_that_does_not_end_by_itself_is_killed_after_its_grace(desk: Desk) -> None:
    project(desk, new=f"sh -c 'trap echo\\\\ no TERM; while :; do {WITHIN}; done'", more=", grace: 200ms")
    assert run(desk).code == 0
    assert alive("clock.py") == []


def test_a_program_that_is_not_of_the_virtual_environment_is_told(desk: Desk) -> None:
    venv.create("empty", with_pip=False)
    project(desk, new=f"env {PYTHON}", more=", at: venv:empty")
    assert "its virtual environment has no" not in " ".join(run(desk).out.split())
    # Whatever is on the way to the programs of this system: `nice` is everywhere, and in no virtual environment.
    project(desk, new=f"nice {PYTHON}", more=", at: venv:empty")
    ended = run(desk)
    assert ended.code == 0, ended.text
    assert "/nice: its virtual environment has no nice" in " ".join(ended.out.split())


def test_a_case_before_1970_is_not_sent_at_some_other_time(desk: Desk) -> None:
    project(desk, instants=("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"))
    ended = run(desk)
    assert ended.code == 3, ended.text
    assert [each["outcome"] for each in desk.report()["results"]] == ["both_error", "match"]
    assert "cannot stand before 1970" in " ".join(desk.cli("show", "0").out.split())


def test_a_dry_run_starts_nothing(desk: Desk) -> None:
    project(desk, new="sh -c 'touch started'")
    ended = desk.cli("run", "--dry-run")
    assert ended.code == 0
    assert "GET" in ended.out
    assert not Path("started").exists()


def test_several_processes_share_one_command(desk: Desk) -> None:
    project(desk, more=", freeze: false")
    desk.write(
        "replay.yaml",
        f'old: {{run: "{PYTHON}", freeze: false}}\nnew: {{run: "{PYTHON}", freeze: false}}\n'
        "compare: [{at: body.now, ignore: true}]\n",
    )
    desk.capture("c.jsonl", desk.requests(40))
    ended = run(desk, "--traffic", "c.jsonl", "--workers", "2", "--concurrency", "8")
    assert ended.code == 3  # 40 clean cases prove nothing
    assert desk.report()["counts"]["matched"] == 40
    assert all(log.read_text().count("listening") == 1 for log in Path(".replay").glob("*.log"))


def test_secrets_do_not_stand_in_logs_errors_and_reports(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "correct-horse-battery")
    desk.write(
        "replay.yaml",
        "old: http://127.0.0.1:9\nnew:\n"
        "  run: [sh, -c, 'echo got $0 and api_key=abcdef123456; env | grep DB_; exit 1', '${SHOP_KEY}',\n"
        "        --db-password, staple-staple]\n"
        "  env: {DB_PASSWORD: staple-staple}\n",
    )
    desk.write("goldens/0.yaml", "title: x\nrequest: {path: /}\n")
    ended = run(desk)
    kept = ended.text + "".join(log.read_text() for log in Path(".replay").glob("*.log"))
    assert "got tok_" in kept
    assert "DB_PASSWORD=tok_" in kept
    assert "--db-password tok_" in run(desk, "--dry-run").out
    for secret in ("correct-horse", "abcdef123456", "staple-staple"):
        assert secret not in kept
    assert all(log.stat().st_mode & 0o777 == 0o600 for log in Path(".replay").glob("*.log"))


@needs_faketime
def test_the_doctor_starts_what_it_examines_and_ends_it(desk: Desk) -> None:
    project(desk)
    examined = desk.cli("doctor")
    told = " ".join(examined.out.split())
    assert told.count("answers GET / with 200") == 2
    assert told.count("is started for the run, and may be sent everything") == 2
    assert "obeys" in told or "stand" in told
    assert alive("clock.py") == []


def test_another_command_is_another_version(desk: Desk) -> None:
    for new in (PYTHON, f"{PYTHON} --other"):
        project(desk, new=new)
        settings = Path("replay.yaml").read_text("utf-8")
        desk.write("replay.yaml", settings.replace("goldens pass", "goldens pass for 2 runs"))
        ended = run(desk)
        assert ended.code == 3, ended.text
        assert "1 of 2 runs in a row hold" in " ".join(ended.out.split())
    assert run(desk).code == 0
    runs = [each["run"] for each in json.loads(desk.cli("history", "--json").out)["runs"]]
    assert "differ in: version of new" in desk.cli("judge", *runs).err
