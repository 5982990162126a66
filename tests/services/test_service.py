"""One command, seen from the run that needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from replay.models import TargetSpec
from replay.services.service import Service, Surroundings


def test_what_a_command_lacks_is_told_from_before_its_start(tmp_path: Path) -> None:
    surroundings = Surroundings(tmp_path / "a.log", str, datetime(2024, 2, 29, tzinfo=UTC))
    assert Service("new", TargetSpec(run="true"), surroundings).lacks == "it has not been started yet"
