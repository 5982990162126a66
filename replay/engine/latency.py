"""Latency parity: what the run says of both sides' latencies, and which routes carry what parts them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from replay.models import LatencyParity, QuantileParity, Result, RouteLatency
from replay.routes import route_of
from replay.verdict.latency import BEYOND, QUANTILES
from replay.verdict.quantiles import Quantiles, side_interval
from replay.verdict.statistics import CONFIDENCE
from replay.verdict.tails import NEVER, Tails
from replay.verdict.timings import Timings

MOST_ROUTES: Final = 1_000
"""Routes that are told apart; a service that makes them up costs no more memory."""
LISTED: Final = 5
OTHER: Final = "other routes"


@dataclass(slots=True)
class _Sum:
    """Differences in milliseconds, by Welford's way."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.n += 1
        departure = value - self.mean
        self.mean += departure / self.n
        self.squares += departure * (value - self.mean)


class LatencyFigures:
    """Takes results in; memory grows with routes, and not with cases."""

    def __init__(self) -> None:
        self._timings = Timings()
        self._routes: dict[bool, dict[str, _Sum]] = {False: {}, True: {}}

    def add_all(self, results: Iterable[Result]) -> None:
        """Take results in; goldens are few and chosen, and a case that is repeated is the same case."""
        first = [each for each in results if each.case.turn == 1]
        for case, old, new, opened in self._timings.add_all(first):
            if old != NEVER != new:
                routes, route = self._routes[opened], route_of(case.request)
                (routes.get(route) or _begun(routes, route)).add(new - old)

    def parity(self) -> LatencyParity | None:
        """Return the figures; None where too few cases were timed to say anything."""
        sizes, timings = self._timings.judged.sizes, self._timings
        worth = sizes.effective()
        names = [name for name, p in QUANTILES.items() if worth * min(p, 1 - p) >= BEYOND - 1e-9]
        if not names:
            return None
        tails = timings.tails()
        routes = self._carrying(sizes.total / worth)
        return LatencyParity(
            cases=sizes.total,
            worth=worth,
            quantiles=tuple(_quantile(name, tails, worth) for name in names),
            routes=tuple(routes[:LISTED]),
            unlisted=len(routes[LISTED:]),
            recorded=timings.recorded > 0,
            remarks=tuple(timings.remarks()),
        )

    def _carrying(self, hanging_together: float) -> list[RouteLatency]:
        """Return the routes by how much of the difference they carry; cases of one session tell less."""
        found = [
            RouteLatency(route, it.n, it.n * it.mean, it.mean, _error(it, hanging_together))
            for route, it in self._routes[self._timings.opened_all].items()
        ]
        return sorted(found, key=lambda each: (-abs(each.total_ms), each.route))


def _begun(routes: dict[str, _Sum], route: str) -> _Sum:
    return routes.setdefault(route if len(routes) < MOST_ROUTES else OTHER, _Sum())


def _error(sums: _Sum, hanging_together: float) -> float:
    if sums.n < 2:  # noqa: PLR2004 - one case varies by nothing
        return math.inf
    return math.sqrt(sums.squares / (sums.n - 1) / sums.n * hanging_together)


def _quantile(name: str, tails: Tails, worth: float) -> QuantileParity:
    p = QUANTILES[name]
    found = Quantiles(tails, p, CONFIDENCE)
    old, new = found.sides
    return QuantileParity(
        name,
        old,
        side_interval(tails.old, p, CONFIDENCE, worth),
        new,
        side_interval(tails.new, p, CONFIDENCE, worth),
        found.ratio,
        found.ratios(),
        found.difference,
        found.differences(),
    )
