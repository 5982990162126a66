"""Latency parity, as reports for people tell it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from replay.inert import printable
from replay.models import LatencyParity, RouteLatency
from replay.reports.matrix import laid_out
from replay.reports.units import Unit, unit_of

_LONGEST: Final = 60
_WIDEST: Final = 200


def latency_lines(parity: LatencyParity | None) -> Iterator[str]:
    """Yield both sides' quantiles and how new's stand to old's, and the routes that carry the difference."""
    if parity is None:
        return
    worth = f", worth {parity.worth:,.0f}" if parity.cases - parity.worth >= 1 else ""
    cases = f"the same {parity.cases:,} cases{worth}"
    yield f"in {_unit(parity).name}, over {cases}; in brackets what holds with 95% confidence"
    yield from laid_out(latency_table(parity))
    if parity.recorded:
        yield "old's were recorded elsewhere, so the comparison proves nothing"
    for place, route in enumerate(parity.routes):
        yield ("carried by " if place == 0 else "           ") + _carried(route)
    if parity.unlisted:
        yield f"           and {parity.unlisted:,} more"
    yield from (printable(remark, _WIDEST) for remark in parity.remarks)


def latency_table(parity: LatencyParity) -> list[list[str]]:
    """Return the quantiles as a table, headings first, in the unit that suits them."""
    unit = _unit(parity)

    def told(value: float) -> str:
        return _three(unit.of(value)) if math.isfinite(value) else "-"

    rows = [
        [
            it.name,
            f"{told(it.old)} {_between(*map(told, it.old_bounds))}",
            f"{told(it.new)} {_between(*map(told, it.new_bounds))}",
            f"{beside(it.ratio)} {_between(*map(beside, it.ratio_bounds))}",
        ]
        for it in parity.quantiles
    ]
    return [["", "old", "new", "new beside old"], *rows]


def _unit(parity: LatencyParity) -> Unit:
    return unit_of(value for it in parity.quantiles for value in (it.old, it.new))


def _carried(it: RouteLatency) -> str:
    sure = "" if it.clear else " (may be chance)"
    total = f"{_signed(it.total_ms / 1000)} s in {it.cases:,} cases"
    return f"{printable(it.route, _LONGEST)}: {_signed(it.mean_ms)} ms a case, {total}{sure}"


def _between(low: str, high: str) -> str:
    return f"[{low} {high}]"


def beside(ratio: float) -> str:
    """Return how far new lies above old or below, in per cent."""
    return f"{_signed(100 * (ratio - 1))}%" if 0 < ratio < math.inf else "-"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{_three(value)}"


def _three(value: float) -> str:
    """Return three digits that count, or the whole number where it has more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value + 0.0:.3g}"  # noqa: PLR2004
