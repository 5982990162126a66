"""Each folder is one run of the whole command line: what it is given, what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

import replay
from replay.cli import main
from replay.models import OutcomeName

HERE: Final = Path(__file__).parent
SCENARIOS: Final = sorted(path.parent.name for path in HERE.glob("*/replay.yaml"))
COMPARED: Final[frozenset[OutcomeName]] = frozenset({"match", "deviation", "noise", "waived"})
ERRORED: Final[frozenset[OutcomeName]] = frozenset({"new_error", "old_error", "both_error"})

CHANGING: Final = (
    (re.compile(r"p50 [\d.]+ p95 [\d.]+ p99 [\d.]+ [mu]s +\|"), "p50 p95 p99 MS |"),
    (re.compile(r"p95 of new [^|]+\|"), "p95 of new RATIO |"),
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}"), "RUN"),
    (re.compile(r"p50 [\d.]+ p95 [\d.]+ p99 [\d.]+ [mu]s"), "p50 p95 p99 MS"),
    (re.compile(r"(?<=\nLatency parity\n)(?:  .*\n)+"), "  FIGURES\n"),
)
"""What differs from run to run, and what stands for it."""


def normalised(text: str) -> str:
    for pattern, name in CHANGING:
        text = pattern.sub(name, text)
    return text


@cache
def report_schema() -> Any:
    return json.loads((Path(replay.__file__).parent / "schemas" / "report.json").read_text("utf-8"))


def replayed(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Carry `replay run` out in a folder; return its exit code, and what it printed."""
    flags = (folder / "flags").read_text("utf-8").split() if (folder / "flags").exists() else []
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    # One case at a time: reports name examples in the order in which results came.
    fixed = ["--concurrency", "1", "--report", "json:report.json"]
    monkeypatch.setattr(sys, "argv", ["replay", "run", *fixed, *flags])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, normalised(out + err)


def assert_sound(report: Any, code: int) -> None:
    """Hold a report to what is true of every run."""
    jsonschema.validate(report, report_schema())
    counts, results = report["counts"], report["results"]
    assert counts["loaded"] == counts["compared"] + counts["errored"] + counts["skipped"]
    assert counts["compared"] == counts["matched"] + counts["deviating"] + counts["noise"] + counts["waived"]
    assert counts["compared"] == sum(each["outcome"] in COMPARED for each in results)
    assert counts["errored"] == sum(each["outcome"] in ERRORED for each in results)
    not_sent = sum(cases for reason, cases in report["skipped"].items() if reason.startswith("not sent:"))
    assert counts["loaded"] == len(results) + not_sent
    assert (not_sent == 0) == report["complete"]
    assert len({each["id"] for each in results}) == len(results)
    causes = [each["cause"] for each in results if "cause" in each]
    assert len(causes) == counts["deviating"] + counts["errored"]
    assert [causes.count(place) for place in range(len(report["clusters"]))] == [
        each["cases"] for each in report["clusters"]
    ]
    assert report["exit_code"] == code == {"GO": 0, "NO-GO": 1, "INCONCLUSIVE": 3}[report["verdict"]]
    assert report["verdict"] != "GO" or (counts["compared"] > 0 and report["complete"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_it_is_written_down(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    folder = tmp_path / name
    shutil.copytree(HERE / name, folder)
    code, text = replayed(folder, capsys, monkeypatch)
    if request.config.getoption("--renew", default=False):
        (HERE / name / "report.txt").write_text(text, "utf-8")
        (HERE / name / "exit_code").write_text(f"{code}\n", "utf-8")
    assert text == (HERE / name / "report.txt").read_text("utf-8")
    assert f"{code}\n" == (HERE / name / "exit_code").read_text("utf-8")
    assert "Traceback" not in text
    if (folder / "report.json").exists():
        assert_sound(json.loads((folder / "report.json").read_text("utf-8")), code)
