"""A rate is so many in a time, and nothing else."""

from __future__ import annotations

import pytest

from replay.models import TargetSpec, parse_rate

BEYOND = [f"0.{'0' * 300}1/s", f"{'9' * 400}/s"]
"""Rates that no timer counts."""


@pytest.mark.parametrize(
    ("text", "rate"), [("20/s", 20.0), ("0.5/s", 0.5), ("600/m", 10.0), ("90/h", 0.025), (" 20/s ", 20.0)]
)
def test_a_rate_is_read_as_so_many_a_second(text: object, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "20", 20, "fast", "-1/s", "0/s", "0/h", "1e9/s", "20/d", "20/s/s", *BEYOND])
def test_what_is_no_rate_is_refused_with_how_to_write_one(text: object) -> None:
    with pytest.raises(ValueError, match="is no rate; write 200/s, 90/m or 1000/h"):
        parse_rate(text)


def test_settings_keep_a_rate_as_so_many_a_second() -> None:
    spec = TargetSpec.model_validate({"url": "http://h", "rate": "600/m"})
    assert spec.rate == 10.0
