"""The KPIs of a run, in lines that every report for people shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from replay.counting import counted
from replay.inert import printable
from replay.models import Json, Kpi
from replay.reports.facts import LONGEST, number, share

_REASONS: Final = 3


def kpi_lines(kpis: Iterable[Kpi]) -> Iterator[str]:
    """Yield each KPI: what it is on both sides, how far apart they are, and whatever has no figure."""
    for kpi in kpis:
        yield f"{printable(kpi.name, LONGEST)}: {_sides(kpi)}"
        yield f"  {kpi.kind} of {printable(kpi.of, LONGEST)}" + "".join(f"; {remark}" for remark in _remarks(kpi))


def _sides(kpi: Kpi) -> str:
    return f"{sides(kpi)}: {beside(kpi)}, n {kpi.n:,}" if beside(kpi) else sides(kpi)


def sides(kpi: Kpi) -> str:
    """Return what a KPI is on both sides."""
    if kpi.old is None or kpi.new is None or kpi.interval is None:
        return "no case tells anything of it"
    return f"old {_figure(kpi, kpi.old)}, new {_figure(kpi, kpi.new)}"


def beside(kpi: Kpi) -> str:
    """Return how far apart both sides are, with the interval; empty where no case tells."""
    if kpi.old is None or kpi.new is None or kpi.interval is None:
        return ""
    low, high = (_beside(kpi, bound) for bound in kpi.interval)
    return f"{_beside(kpi, kpi.difference)}, between {low} and {high}"


def _figure(kpi: Kpi, value: Json) -> str:
    """Return a figure; a sum of decimals, which may be money, with all its digits."""
    if kpi.kind == "share":
        return share(float(value))
    return f"{value:,f}" if isinstance(value, Decimal) else number(float(value))


def _beside(kpi: Kpi, value: Json) -> str:
    sign = "+" if value > 0 else ""
    if kpi.kind == "share":
        return f"{sign}{100 * float(value):.3g}pp"
    if not math.isfinite(value):
        return "unbounded"
    return f"{sign}{_figure(kpi, value)}"


def _remarks(kpi: Kpi) -> Iterator[str]:
    for side, cases in kpi.failed.items():
        yield f"{counted(cases, 'case')} failed on {side}" + (" sides" if side == "both" else " alone")
    reasons = sorted(kpi.faults.items(), key=lambda it: (-it[1], it[0]))
    for reason, answers in reasons[:_REASONS]:
        example = f", for example {printable(kpi.examples[reason], LONGEST)}" if reason in kpi.examples else ""
        yield f"no figure in {counted(answers, 'answer')} of {printable(reason, LONGEST)}{example}"
    if len(reasons) > _REASONS:
        yield f"and for {len(reasons) - _REASONS:,} more reasons"
