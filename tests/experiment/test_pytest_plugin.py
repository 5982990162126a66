"""What pytest does with experiments, by runs of pytest on small test files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

PROGRAM = """
import threading
from replay import Experiment

gate = threading.Event()

def rounded(cents):
    return cents // 10

def rounded_anew(cents):
    return round(cents / 10)

def broken(cents):
    raise LookupError(f"nothing for {cents}")

round_off = Experiment("round-off", old=rounded, new=rounded_anew, to=())
afterwards = Experiment("afterwards", old=rounded, new=rounded_anew, mode="after", to=())
both_broken = Experiment("both-broken", old=broken, new=broken, to=())
new_broken = Experiment("new-broken", old=rounded, new=broken, to=())
uncomparable = Experiment("uncomparable", old=lambda: iter([1]), new=lambda: iter([1]), to=())
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test file with the plugin, and return how it ended."""

    def run_it(tests: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(program=PROGRAM, test_it=f"import pytest\nfrom program import *\n{tests}")
        options = ["-pno:replay", "-preplay.experiment.pytest_plugin", "-pno:xdist", "-pno:cacheprovider", "-Wdefault"]
        return pytester.runpytest_inprocess(*options, *arguments)

    return run_it


def test_a_test_whose_experiment_disagreed_fails_though_it_passes(run: Run) -> None:
    ended = run("def test_it():\n    assert round_off(19) == 1\n")
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*old and new disagreed 1 time:*", "*round-off: body is 1 in old and 2 in new*"])


def test_a_test_whose_experiment_agreed_passes(run: Run) -> None:
    run("def test_it():\n    assert round_off(11) == 1\n").assert_outcomes(passed=1)


def test_a_disagreement_is_told_by_the_test_in_which_it_was_and_by_no_later_one(run: Run) -> None:
    ended = run("def test_a():\n    round_off(19)\n\ndef test_b():\n    round_off(11)\n")
    ended.assert_outcomes(failed=1, passed=1)


def test_what_runs_after_the_answer_is_waited_for(run: Run) -> None:
    run("def test_it():\n    assert afterwards(19) == 1\n").assert_outcomes(failed=1)


def test_a_disagreement_in_a_fixture_that_ends_is_an_error_of_the_test(run: Run) -> None:
    fixture = "@pytest.fixture\ndef rounding():\n    yield\n    round_off(19)\n\n"
    run(f"{fixture}def test_it(rounding):\n    pass\n").assert_outcomes(passed=1, errors=1)


def test_both_failing_alike_is_no_disagreement_and_new_failing_alone_is_one(run: Run) -> None:
    both = "def test_both():\n    with pytest.raises(LookupError):\n        both_broken(1)\n\n"
    ended = run(f"{both}def test_new():\n    assert new_broken(10) == 1\n")
    ended.assert_outcomes(passed=1, failed=1)
    ended.stdout.fnmatch_lines(["*new-broken: new failed: LookupError: nothing for 10*"])


def test_what_nobody_could_compare_is_a_warning(run: Run) -> None:
    ended = run("def test_it():\n    uncomparable()\n")
    ended.assert_outcomes(passed=1, warnings=1)
    ended.stdout.fnmatch_lines(["*not compared: uncomparable: *gone through once only*"])


@pytest.mark.parametrize(("names", "passed"), [("True", 1), ("'round-off'", 1), ("['other']", 0)])
def test_a_marker_says_which_experiments_may_disagree(run: Run, names: str, passed: int) -> None:
    ended = run(f"@pytest.mark.replay(may_disagree={names})\ndef test_it():\n    round_off(19)\n")
    ended.assert_outcomes(passed=passed, failed=1 - passed)


@pytest.mark.parametrize(("choice", "warned"), [("warn", 1), ("off", 0)])
def test_the_settings_may_let_such_tests_pass(run: Run, choice: str, warned: int) -> None:
    ended = run("def test_it():\n    round_off(19)\n", "-o", f"replay_experiments={choice}")
    ended.assert_outcomes(passed=1, warnings=warned)


def test_a_setting_that_is_none_ends_before_any_test(run: Run) -> None:
    ended = run("def test_it():\n    pass\n", "-o", "replay_experiments=maybe")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["*replay_experiments is 'maybe', and none of fail, warn, off*"])


def test_a_marker_freezes_time_and_plants_a_seed_for_one_test(run: Run) -> None:
    tests = """
import datetime, random
random.seed(1)
drawn = []

@pytest.mark.replay(freeze="2024-02-29T23:59:59Z", seed=7)
@pytest.mark.parametrize("n", [1, 2])
def test_it(n):
    assert datetime.datetime.now(datetime.timezone.utc).isoformat() == "2024-02-29T23:59:59+00:00"
    drawn.append(random.random())

def test_after():
    assert datetime.datetime.now().year > 2024
    assert drawn[0] == drawn[1] != random.random() == random.Random(1).random()
"""
    run(tests).assert_outcomes(passed=3)


def test_a_seed_of_numpy_holds_for_that_test_alone(run: Run) -> None:
    pytest.importorskip("numpy")
    tests = """
import numpy
drawn = []
before = numpy.random.get_state()[1].tolist()

@pytest.mark.replay(seed=7)
@pytest.mark.parametrize("n", [1, 2])
def test_it(n):
    drawn.append(numpy.random.random())

def test_after():
    assert drawn[0] == drawn[1]
    assert numpy.random.get_state()[1].tolist() == before
"""
    run(tests).assert_outcomes(passed=3)


def test_a_marker_that_says_something_else_is_refused(run: Run) -> None:
    ended = run("@pytest.mark.replay(frozen=1)\ndef test_it():\n    pass\n")
    assert ended.ret != pytest.ExitCode.OK
    ended.stdout.fnmatch_lines(["*@pytest.mark.replay takes freeze, may_disagree, seed, tick, by name*"])


def test_a_run_without_experiments_loads_nothing_of_them(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text("import sys\n\ndef test_it():\n    assert 'replay.experiment.reporting' not in sys.modules\n")
    options = ["-pno:replay", "-preplay.experiment.pytest_plugin", "-pno:cacheprovider", "-q"]
    done = subprocess.run([sys.executable, "-m", "pytest", *options, file], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_whoever_installs_replay_has_the_plugin() -> None:
    assert [it.value for it in entry_points(group="pytest11", name="replay")] == ["replay.experiment.pytest_plugin"]


@pytest.mark.parametrize(("program", "loaded"), [("from replay import Experiment", True), ("", False)])
def test_what_examines_is_loaded_before_a_test_where_there_are_experiments(
    pytester: pytest.Pytester, program: str, *, loaded: bool
) -> None:
    test = f"def test_it(): assert ('replay.experiment.examining' in sys.modules) is {loaded}"
    pytester.makepyfile(test_it=f"import sys\n{program}\n{test}\n")
    pytester.runpytest_subprocess("-pno:xdist", "-pno:cacheprovider").assert_outcomes(passed=1)
