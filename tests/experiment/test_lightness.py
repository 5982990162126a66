"""What a program has to load for experiments that agree: next to nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import replay.experiment

HEAVY = (
    "pydantic",
    "httpx",
    "sqlite3",
    "jsonschema",
    "yaml",
    "replay.models",
    "replay.compare",
    "replay.store",
    "typer",
)
PROGRAM = """
import sys
from replay.experiment import Log, flush, report_to
report_to(Log())
flush()
print(*[name for name in sys.argv[1:] if name in sys.modules])
"""


def test_reporting_is_ready_without_any_heavy_library() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


TELLING = """
import random, sys
random.seed(5)
before = random.getstate()
import logging, replay.experiment.pytest_plugin
from replay.experiment import Captured, Experiment, Log, Stored, flush, report_to
report_to(Log(), Stored(sys.argv[1] + "/s.sqlite"), Captured(sys.argv[1] + "/c.jsonl"))
logging.disable()
for _ in range(3):
    Experiment("rule", lambda: 1, lambda: 2)()
assert flush(50)
print(random.getstate() == before, "rich" in sys.modules)
"""


def test_nothing_that_is_loaded_to_examine_and_to_tell_draws_from_the_programs_own_chance(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TELLING, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True False\n"


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in replay.experiment.__all__ if not callable(getattr(replay.experiment, name))] == []
    assert set(replay.experiment.__all__) == set(replay.experiment._HOMES)
