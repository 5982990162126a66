"""The search example: another order that holds as a whole, and a guardrail that one category breaks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from examples.search import evidence, make
from tests.examples.conftest import Told

EXAMPLE = Path(__file__).parents[2] / "examples" / "search"


def test_one_category_breaks_the_guardrail_that_holds_over_all_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replayed: Callable[..., Told]
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "search", ignore=shutil.ignore_patterns("captures", ".replay"))
    monkeypatch.chdir(tmp_path / "search")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "evidence", raising=False)
    make.write(Path())
    code, criteria, told = replayed()
    assert code == 1
    assert criteria == [
        ("holds", "errors <= old"),
        ("holds", "rank.overlap >= 0.66"),
        ("holds", "share of rank.tau >= 60%"),
        ("holds", "rank.ndcg >= old - 0.05 per category"),
        ("holds", "kpi.clicks >= old - 5%"),
        ("fails", "rank.overlap >= 0.66 per category"),
    ]
    assert "2 of 3 parts hold; not met by books (mean 0.5531 over 207 lists" in told
    assert "clicks: old 0.4023, new 0.4002" in told


def test_the_catalogue_is_what_the_script_makes(tmp_path: Path) -> None:
    make.write(tmp_path)
    assert (tmp_path / "catalogue.json").read_text("utf-8") == (EXAMPLE / "catalogue.json").read_text("utf-8")


def test_a_hit_further_down_is_clicked_less() -> None:
    hits = [{"bought": 10}, {"bought": 50}]
    first = evidence.simulated_clicks({}, {"body": {"hits": hits}})
    assert first == pytest.approx(0.1 + 0.25)
    assert evidence.simulated_clicks({}, {"body": {"hits": hits[::-1]}}) == pytest.approx(0.5 + 0.05)
