"""Recorded files of every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from replay.cases import Source, open_traffic


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    """Write a file, and open it as recorded traffic."""

    def open_it(data: bytes, **flags: Any) -> Source:
        path = tmp_path / "recorded"
        path.write_bytes(data)
        return open_traffic(path, **flags)

    return open_it
