"""Programs of our own in several languages, and a cache that is the test's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is started and checked out below the test's folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("REPLAY_CACHE", str(folder))
    return folder


@pytest.fixture
def programs() -> Path:
    """Return the folder with the programs."""
    return PROGRAMS
