"""What property tests draw hangs on nothing but themselves, so that no run fails where another has passed."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FEWEST, MOST = 10**9, 10**12


def drawn() -> list[int]:
    """Return what a property test draws."""
    numbers: list[int] = []

    @settings(max_examples=300)
    @given(st.integers(FEWEST, MOST))
    def note(number: int) -> None:
        numbers.append(number)

    note()
    return numbers


def test_the_same_is_drawn_again_once_other_modules_were_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    if pytestconfig.getoption("hypothesis_profile") == "explore":
        pytest.skip("to draw others is what exploring is for")
    before = drawn()
    (tmp_path / "of_many_figures.py").write_text(f"FIGURES = {list(range(FEWEST, FEWEST + 100))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("of_many_figures")
    assert drawn() == before
