"""`pytest tests/scenarios --renew` writes what is expected anew; read the diff before you commit it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="Write report.txt and exit_code of each scenario anew.")
