"""What a ranking is worth to those who search, for `gain` and for a key figure."""

from __future__ import annotations

from typing import Any


def worth(item: dict[str, Any]) -> int:
    """Return how many of a hundred people who saw an item bought it."""
    return int(item["bought"])


def simulated_clicks(request: dict[str, Any], answer: dict[str, Any]) -> float:  # noqa: ARG001 - both are handed over
    """Return how many clicks an answer would get, on average: the n-th hit is looked at by one in n.

    That is a position-based model of clicks; the chance that somebody who looks also clicks is the share that bought.
    """
    return sum(float(hit["bought"]) / 100 / place for place, hit in enumerate(answer["body"]["hits"], start=1))
