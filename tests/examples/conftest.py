"""Running an example in its folder as its README says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from replay.cli import main

Told = tuple[int | str | None, list[tuple[str, str]], str]
"""The exit code, how each criterion stands, and all that was printed, with single blanks."""


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run `replay run`, or with arguments another command, in the folder where the test is."""

    def run_it(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["replay", *(arguments or ("run", "--concurrency", "2"))])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capsys.readouterr().out
        criteria = re.findall(r"^  (holds|fails|undecided) +(.*)$", out, re.MULTILINE)
        return ended.value.code, criteria, " ".join(out.split())

    return run_it
