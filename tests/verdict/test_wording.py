"""Figures as a verdict prints them."""

from __future__ import annotations

import pytest

from replay.verdict.wording import percent


@pytest.mark.parametrize("share", [1 - 2**-53, 1 - 1e-15, 1 - 1e-13, 0.9999])
def test_a_share_next_to_the_whole_is_printed_as_such(share: float) -> None:
    assert percent(share, beside=0.005) in {"99.99%", "100%", "99.99999999999%", "99.9999999999999%"}
