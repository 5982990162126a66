"""The payment example: within its budget, all one way, and NO-GO by the key figure alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from examples.payments import provider_a, provider_b, traffic
from tests.examples.conftest import Told

EXAMPLE = Path(__file__).parents[2] / "examples" / "payments"


def test_cheaper_and_within_its_budget_is_still_no_go_where_fewer_payments_are_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replayed: Callable[..., Told]
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "payments", ignore=shutil.ignore_patterns("captures", ".replay"))
    monkeypatch.chdir(tmp_path / "payments")
    traffic.write(Path("captures/day.jsonl.gz"))
    code, criteria, told = replayed()
    assert code == 1
    assert criteria == [
        ("holds", "deviation < 1%"),
        ("holds", "errors <= old"),
        ("holds", "kpi.fee_total <= old + 1%"),
        ("fails", "kpi.auth_rate >= old - 0.5pp"),
    ]
    assert "compared 20000 = matched 19845 + deviating 155" in told
    assert ": -0.7pp, between -0.8" in told


def test_both_providers_decide_alike_save_for_cards_behind_a_co_branded_range() -> None:
    for record in traffic.payments(1_000):
        given = record["request"]["json"]
        old, new = provider_a.authorize(**given), provider_b.authorize(**given)
        behind = (int(given["card"][:6]) - provider_a.SMALLEST) // 100 % 100 == 50
        assert (old["outcome"] == new["outcome"]) or behind


def test_the_traffic_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        traffic.write(tmp_path / name, 50)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
