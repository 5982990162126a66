"""What reports say of noise, line by line."""

from __future__ import annotations

import pytest

from replay.models import Again, Difference, Noise, NoiseRate
from replay.reports.noise import MOST_RATES, again_lines, noise_lines

RATE = NoiseRate("GET /a/*", "body.id", 20, 21, 7, 7)


def test_nothing_is_said_where_old_was_not_asked_again() -> None:
    assert list(noise_lines(None)) == []


def test_both_rates_are_told_place_by_place_and_why_one_is_no_noise() -> None:
    refused = NoiseRate("GET /b", "body.n", 2, 9, 3, 3, "new differs from it more often")
    assert list(noise_lines(Noise(3, 10, 30, 1, 2, (RATE, refused)))) == [
        "old was asked 3 times more at 10 cases: 30 further answers, 1 of which came to nothing and prove nothing",
        "not asked again, since asking may change something: 2 cases",
        "GET /a/* at body.id: old differs in 20 of 21, new in 7 of 7",
        "GET /b at body.n: old differs in 2 of 9, new in 3 of 3; no noise: new differs from it more often",
    ]


def test_an_old_that_is_always_the_same_is_said_to_be_so() -> None:
    assert list(noise_lines(Noise(1, 10, 10, 0, 0)))[1:] == ["it never differed from itself"]


@pytest.mark.parametrize(("rates", "unlisted", "more"), [(MOST_RATES + 2, 0, 2), (50, 7, 57 - MOST_RATES), (1, 3, 3)])
def test_places_that_are_not_shown_are_counted(rates: int, unlisted: int, more: int) -> None:
    lines = list(noise_lines(Noise(3, 10, 30, 0, 0, (RATE,) * rates, unlisted)))
    assert len(lines) == 2 + min(rates, MOST_RATES)
    assert lines[-1].startswith(f"... and {more} more places")


def test_what_old_said_again_is_told_place_by_place() -> None:
    def said(new: object) -> tuple[Difference, ...]:
        return (Difference("body.id", "value", "a", new, "default"),)

    assert list(again_lines(Again((said("b"), said("c"), said("b"), ()), failed=1, unlisted=2))) == [
        'body.id: other than at first in 3 of 4: "b", "c"',
        "4 further answers, 1 like the first",
        "1 asking came to nothing, or to another status: evidence of nothing",
        "2 differences not kept: too many, or too large",
    ]
