"""Weeks of made-up pull requests: the same ones for the same seed, and in the first the one that octavia meant."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from examples.drafts.rules import Change, PullRequest

BEGINNING: Final = datetime(2024, 2, 26, tzinfo=UTC)
DAYS: Final = 7
A_DAY: Final = 900
SEED: Final = 20240226
AUTHORS: Final = ("ada", "ben", "chloé", "dmitri", "emre", "fatou", "grace", "hiro")
FOLDERS: Final = ("api/", "billing/", "docs/", "web/", "migrations/")
ASKED: Final = PullRequest(4217, "octavia", (Change("web/menu.ts", 12), Change("web/pnpm.lock", 11_804)))
"""A dozen lines by hand and a lock file: what was computed through a draft, which took her a quarter of an hour."""


def week(number: int = 1) -> Iterator[tuple[datetime, PullRequest]]:
    """Yield the pull requests of a week, counted from 1, and when each was opened, in that order."""
    chance = random.Random(SEED + number)  # noqa: S311 - made-up traffic
    before = (number - 1) * DAYS * A_DAY
    for pr in range(before + 1, before + DAYS * A_DAY + 1):
        moment = BEGINNING + timedelta(days=(pr - 1) / A_DAY)
        yield moment, ASKED if pr == ASKED.number else _pull_request(chance, pr)


def _pull_request(chance: random.Random, number: int) -> PullRequest:
    changes = tuple(_change(chance) for _ in range(chance.choice((1, 1, 2, 3, 5, 8, 60))))
    labels = ("urgent",) if chance.random() < 0.05 else ()
    return PullRequest(number, chance.choice(AUTHORS), changes, labels, conflicts=chance.random() < 0.1)


def _change(chance: random.Random) -> Change:
    folder = chance.choices(FOLDERS, weights=(30, 20, 20, 29, 1))[0]
    return Change(f"{folder}part{chance.randrange(100)}.py", 1 + int(chance.expovariate(1 / 90)))
