"""Reports: what a run found, for a terminal, a program, a CI server or a pull request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from replay.reports.base import Report
from replay.reports.json_report import JsonReport
from replay.reports.junit import JunitReport
from replay.reports.markdown import MarkdownReport
from replay.reports.terminal import TerminalReport

REPORTS: Final[Mapping[str, Callable[[], Report]]] = {
    "terminal": TerminalReport,
    "json": JsonReport,
    "junit": JunitReport,
    "markdown": MarkdownReport,
}

__all__ = ["REPORTS", "JsonReport", "JunitReport", "MarkdownReport", "Report", "TerminalReport"]
