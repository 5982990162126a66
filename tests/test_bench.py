"""The bench runs, and its figures have the shape that its readers expect."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import masking
from bench.dual import Workload, rows_of
from bench.many import Look, tenths
from bench.meter import Cost, Spread

ROOT = Path(__file__).resolve().parent.parent
PAGE = "# Before\n<!-- bench: begin -->\nold tables\n<!-- bench: end -->\nafter\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Return the results of the smallest bench there is, and the page that it wrote its tables into."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed: the bench was NOT run (apt-get install nginx-light)")
    folder = tmp_path_factory.mktemp("bench")
    out, page = folder / "results.json", folder / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    command = [sys.executable, "-m", "bench", "--quick", "--seconds", "0.05", "--cases", "20"]
    command += ["--senders", "callbacks,coroutines,hey", "--many", "40", "--out", str(out), "--page", str(page)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=180, env=dict(os.environ), check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text(encoding="utf-8")), page.read_text(encoding="utf-8")


def test_each_of_our_own_ways_of_sending_has_its_cost(made: tuple[dict[str, Any], str]) -> None:
    results, _ = made
    rows = {(row["sender"], row["answer"]): row for row in results["sending"]["rows"]}
    for sender in ("callbacks", "coroutines"):
        for answer in ("1 KB", "1 KB, no head like another"):
            row = rows[sender, answer]
            assert row["requests"] > 0
            assert 0 < row["cpu_us"]["least"] <= row["cpu_us"]["median"] <= row["cpu_us"]["most"]


def test_whoever_was_not_measured_is_named_with_the_reason(made: tuple[dict[str, Any], str]) -> None:
    results, _ = made
    assert {"goreplay", "wrk"} <= set(results["sending"]["missing"])
    assert results["sending"]["missing"]["wrk"] == "it was not asked for"


def test_each_kind_of_bodies_was_compared_and_has_its_cost(made: tuple[dict[str, Any], str]) -> None:
    results, _ = made
    assert results["dual"]["failed"] == {}
    rows = results["dual"]["rows"]
    assert {row["bodies"] for row in rows if row["workers"] == 1} == {
        "equal", "ignored", "deviating", "unlike", "unlike-ignored"
    }  # fmt: skip
    assert all(row["start_cpu_s"]["median"] > 0 for row in rows)


def test_one_process_is_measured_beside_two(made: tuple[dict[str, Any], str]) -> None:
    results, page = made
    rows = [row for row in results["dual"]["rows"] if (row["bodies"], row["size_kb"]) == ("equal", 1)]
    assert [row["workers"] for row in rows] == [1, 2]
    assert all(row["cases_per_s"] is None or row["cases_per_s"]["median"] > 0 for row in rows)
    assert "| Size | `--workers` | CPU µs a case | Cases a second |" in page


def test_a_rate_is_told_where_the_cases_take_longer_than_the_start() -> None:
    few, many = (Cost("", 0, cpu_s=cpu, wall_s=wall, peak_bytes=None) for cpu, wall in ((1.0, 1.0), (3.0, 2.0)))
    [row] = rows_of({Workload("equal", 1, workers=2): [(few, many), (many, few)]}, cases=1000)
    assert row["cases_per_s"] == vars(Spread.of([1000.0]))
    assert row["cpu_us_per_case"]["most"] == 2000


def test_importing_is_measured_for_each_format_with_few_and_with_many_records(
    made: tuple[dict[str, Any], str],
) -> None:
    results, page = made
    assert results["import"]["failed"] == {}
    assert (results["import"]["few"], results["import"]["many"]) == (20, 200)
    assert [row["form"] for row in results["import"]["rows"]] == ["log", "gor", "har"]
    assert all(row["bytes_per_record"] > 100 for row in results["import"]["rows"])
    assert "| Imported | Bytes a record | CPU µs a record |" in page


def test_a_review_is_measured_until_a_cause_is_shown_and_until_a_rule_was_tried(
    made: tuple[dict[str, Any], str],
) -> None:
    results, page = made
    assert (results["review"]["results"], results["review"]["failed"]) == (200, {})
    assert [row["step"] for row in results["review"]["rows"]] == ["a cause shown", "a rule tried"]
    assert "| Review of 200 results | s | CPU s | Peak MB |" in page


def test_choosing_and_shrinking_are_measured_with_how_many_cases_were_sent(made: tuple[dict[str, Any], str]) -> None:
    results, page = made
    assert (results["curate"]["cases"], results["curate"]["failed"]) == (200, {})
    assert [row["step"] for row in results["curate"]["rows"]] == ["coverage", "suggest", "shrink"]
    assert 0 < results["curate"]["rows"][-1]["sends"] <= 60
    assert "| Curating, 200 captured cases | s | CPU s | Peak MB | Cases sent |" in page


def test_comparing_is_measured_beside_parsing_and_whoever_else_is_installed(made: tuple[dict[str, Any], str]) -> None:
    results, page = made
    rows = {(row["documents"], row["way"]): row for row in results["compare"]["rows"]}
    for documents in ("11 KB of JSON", "11 KB of JSON with booleans"):
        assert rows[documents, "json.loads of both sides"]["times_parsing"] == 1
        assert rows[documents, "replay, both sides parsed, 800 rules"]["cpu_us"]["median"] > 0
    assert ("deepdiff" in results["compare"]["missing"]) is (importlib.util.find_spec("deepdiff") is None)
    assert "| replay, both sides parsed, 800 rules |" in page


def test_the_latency_that_is_reported_is_held_against_the_known_delay(made: tuple[dict[str, Any], str]) -> None:
    latency = made[0]["latency"]
    assert latency["failed"] == {}
    assert [(row["load"], row["side"]) for row in latency["rows"]] == [
        (load, side) for load in (0.1, 0.5, 0.9) for side in ("old", "new")
    ]
    for row in latency["rows"]:
        assert 1 <= row["cases"] <= 20
        assert row["p50_true_ms"] >= latency["delay_ms"]
        assert row["p50_off"] == pytest.approx(row["p50_ms"] / row["p50_true_ms"] - 1)


def test_the_lateness_of_an_open_loop_is_told(made: tuple[dict[str, Any], str]) -> None:
    kept = made[0]["latency"]["timetable"]
    assert (kept["name"], kept["requests_per_second"], kept["late_ms"]["n"]) == ("1000/s", 2000, 20)
    assert "Open loop, 2000 requests a second" in made[1]


def test_recording_is_measured_beside_asking_straight(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--quick", "--parts", "record", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    if "nginx is not installed" in done.stderr:
        pytest.skip("nginx is not installed: the bench was NOT run (apt-get install nginx-light)")
    record = json.loads(out.read_text(encoding="utf-8"))["record"]
    if "record" in record["missing"]:
        pytest.skip(f"recording was NOT measured: {record['missing']['record']}")
    (row,) = record["rows"]
    assert (record["missing"], 0 < row["kept"] <= row["seen"], row["per_second"]["median"] > 0) == ({}, True, True)
    assert [each["way"] for each in record["added"]] == ["straight", "through the proxy"]
    assert "| through the proxy, keeping everything |" in done.stdout


def test_parts_are_measured_anew_beside_those_that_were(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    out.write_text(
        json.dumps({"sending": {"rows": [], "missing": {"a peer": "it was away"}, "at": "", "load_before": 0}})
    )
    command = [sys.executable, "-m", "bench", "--quick", "--cases", "2", "--parts", "compare", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    if "nginx is not installed" in done.stderr:
        pytest.skip("nginx is not installed: the bench was NOT run (apt-get install nginx-light)")
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["sending"]["missing"] == {"a peer": "it was away"}
    assert results["compare"]["rows"]
    assert "- a peer: it was away" in done.stdout


def test_a_part_that_there_is_not_is_refused() -> None:
    command = [sys.executable, "-m", "bench", "--parts", "dual,sleeping"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no part 'sleeping'" in done.stderr


def test_a_long_run_is_looked_at_by_tenths(made: tuple[dict[str, Any], str]) -> None:
    many = made[0]["many"]
    assert (many["cases"], many["few"]) == (40, 40)
    assert many["failed"] or many["peak_bytes"] > 0


def test_each_tenth_has_the_rate_and_the_cost_of_its_own_cases() -> None:
    starting = 30.0
    looks = [Look(0, 0.0, 0.0)]
    looks += [Look(n * 50, starting + n * 0.5 + max(0, n - 10) * 0.5, starting + n * 0.005) for n in range(1, 21)]
    found = tenths(looks, cases=1000)
    assert [round(each["cpu_us"]) for each in found] == [100] * 10
    assert [round(each["per_s"]) for each in found] == [100] * 5 + [50] * 5


def test_the_tables_replace_what_stood_between_the_markers(made: tuple[dict[str, Any], str]) -> None:
    _, page = made
    assert page.startswith("# Before\n<!-- bench: begin -->\n")
    assert page.endswith("<!-- bench: end -->\nafter\n")
    assert "old tables" not in page
    assert "| callbacks |" in page


def test_masking_is_measured_on_bodies_that_hold_something_and_on_such_that_do_not() -> None:
    rows = masking.measure(repeats=1)["rows"]
    assert len(rows) == 6
    assert {row["holds"] for row in rows} == {"one address", "nothing personal"}
    assert all(row["cpu_us"]["median"] > 0 for row in rows)


def test_an_experiment_is_measured_beside_whoever_else_is_installed(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--quick", "--parts", "experiment", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(out.read_text(encoding="utf-8"))["experiment"]
    rows = {row["way"]: row["us"]["median"] for row in measured["rows"]}
    assert rows["replay, not sampled"] < rows["replay, compared inline"]
    assert ("laboratory" in measured["missing"]) is (importlib.util.find_spec("laboratory") is None)
    assert "| replay, compared afterwards |" in done.stdout
