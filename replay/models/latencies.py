"""How fast both sides answered the same cases."""

from __future__ import annotations

from dataclasses import dataclass

Bounds = tuple[float, float]
"""Between which values a figure truly lies; infinite where nothing bounds it."""


@dataclass(frozen=True, slots=True)
class QuantileParity:
    """One quantile of both sides in milliseconds, and how new's stands to old's; each with its interval."""

    name: str
    old: float
    old_bounds: Bounds
    new: float
    new_bounds: Bounds
    ratio: float
    """New's over old's."""
    ratio_bounds: Bounds
    difference: float
    """New's less old's, in milliseconds."""
    difference_bounds: Bounds


@dataclass(frozen=True, slots=True)
class RouteLatency:
    """How much longer new takes on one route: over its cases in all, and for each with its standard error."""

    route: str
    cases: int
    total_ms: float
    mean_ms: float
    error_ms: float

    @property
    def clear(self) -> bool:
        """Tell whether it is more than chance, also among many routes."""
        return abs(self.mean_ms) > 4 * self.error_ms


@dataclass(frozen=True, slots=True)
class LatencyParity:
    """Both sides' latencies over the cases of the traffic that both answered in time."""

    cases: int
    worth: float
    """How many independent cases they are worth."""
    quantiles: tuple[QuantileParity, ...]
    """Those of which so many cases can tell."""
    routes: tuple[RouteLatency, ...] = ()
    """The routes that carry most of the difference, whichever way."""
    unlisted: int = 0
    """Further routes."""
    recorded: bool = False
    """Old's latencies were recorded elsewhere."""
    remarks: tuple[str, ...] = ()
    """Which cases are in no figure."""
