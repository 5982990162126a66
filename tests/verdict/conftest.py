"""`pytest tests/verdict --times 20` simulates twenty times as many runs."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="How many times as many runs to simulate.")
