"""Recorded files of every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from replay.cases import Source, open_traffic


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    """Write a file, and open it as recorded traffic."""

    def open_it(data: bytes, **flags: bool) -> Source:
        path = tmp_path / "recorded"
        path.write_bytes(data)
        return open_traffic(path, **flags)

    return open_it
