"""What a program has to load for experiments that agree: next to nothing."""

from __future__ import annotations

import subprocess
import sys

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


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in replay.experiment.__all__ if not callable(getattr(replay.experiment, name))] == []
    assert set(replay.experiment.__all__) == set(replay.experiment._HOMES)
