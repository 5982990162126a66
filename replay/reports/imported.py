"""What an import found and kept, for the terminal: each file's sum, what was left out, and what the cases are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TextIO

from replay.counting import counted
from replay.inert import printable
from replay.models import Case, Intake
from replay.reports.facts import LONGEST, MOST_LINES, shortened
from replay.reports.page import Line, columns, title, wrapped, write_lines
from replay.routes import route_of

FIRST: Final = 5
"""Requests that are shown as examples."""
_MOST_ROUTES: Final = 100_000
"""Routes that are told apart: paths whose every segment differs must not fill the memory."""
_OTHERS: Final = "(others)"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file: what its format is called, and its reader's own account."""

    form: str
    intake: Intake


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all records: loaded = kept + left out + lost."""

    files: Sequence[Loaded]
    left_out: Mapping[str, int]
    lost: Mapping[str, int]
    kept: int


@dataclass(slots=True)
class Overview:
    """What cases are about: their routes, when they were recorded, whether with answers, and the first of them."""

    cases: int = 0
    answered: int = 0
    first: list[Case] = field(default_factory=list)
    routes: Counter[str] = field(default_factory=Counter)
    earliest: datetime | None = None
    latest: datetime | None = None

    def add(self, case: Case) -> None:
        """Count a case, which holds no secret any more."""
        self.cases += 1
        self.answered += case.recorded is not None
        if len(self.first) < FIRST:
            self.first.append(case)
        route = route_of(case.request)
        self.routes[route if route in self.routes or len(self.routes) < _MOST_ROUTES else _OTHERS] += 1
        if case.freeze is not None:
            self.earliest = min(self.earliest or case.freeze, case.freeze)
            self.latest = max(self.latest or case.freeze, case.freeze)


def write_account(out: TextIO, account: Account, remarks: Sequence[str], *, width: int | None = None) -> None:
    """Write what was read and what became of it, and then what else is to be said."""
    size = columns(width)
    lines: list[Line] = [*_files(account, size), *_beside(account, size)]
    for remark in remarks:
        lines += wrapped(printable(remark), size, hang=2)
    write_lines(out, lines, size)


def write_overview(out: TextIO, overview: Overview, *, width: int | None = None) -> None:
    """Write what the cases are."""
    write_lines(out, _overview(overview), columns(width))


def _files(account: Account, width: int) -> Iterator[Line]:
    """Yield each file with what it held, and the sum of them all where there are several."""
    for file in account.files[:MOST_LINES]:
        yield from wrapped(_sum(file), width, hang=2)
        reasons = Counter(file.intake.skipped).most_common()
        for text in shortened(f"skipped {count:,}: {printable(why, LONGEST)}" for why, count in reasons):
            yield from wrapped(text, width, "  ", hang=2)
    if further := len(account.files) - MOST_LINES:
        yield from [(f"... and {counted(further, 'further file')}", "")] if further > 0 else []
    if len(account.files) > 1:
        intakes = [file.intake for file in account.files]
        loaded, read = sum(it.loaded for it in intakes), sum(it.read for it in intakes)
        yield f"all files: {_summed(loaded, read)}", ""


def _sum(file: Loaded) -> str:
    intake = file.intake
    return f"{printable(intake.file, LONGEST)} ({file.form}): {_summed(intake.loaded, intake.read)}"


def _summed(loaded: int, read: int) -> str:
    return f"{loaded:,} loaded + {read - loaded:,} skipped = {counted(read, 'record')}"


def _beside(account: Account, width: int) -> Iterator[Line]:
    """Yield what was loaded and is not kept."""
    for why, count in account.left_out.items():
        yield from wrapped(f"left out {count:,}: {why}", width, "  ", hang=2)
    for why, count in account.lost.items():
        yield from wrapped(f"not kept {count:,}: {printable(why, LONGEST)}", width, "  ", hang=2)


def _overview(overview: Overview) -> Iterator[Line]:
    yield from title(f"{counted(overview.cases, 'case')}, {overview.answered:,} with the answer that was recorded")
    if overview.earliest is not None and overview.latest is not None:
        yield f"recorded from {overview.earliest.isoformat()} to {overview.latest.isoformat()}", ""
    yield from title(counted(len(overview.routes), "route"))
    most = overview.routes.most_common(MOST_LINES)
    for route, count in most:
        yield f"{count:>9,}  {printable(route, LONGEST)}", ""
    if rest := overview.cases - sum(count for _, count in most):
        yield f"{rest:>9,}  on {counted(len(overview.routes) - len(most), 'further route')}", ""
    yield from title(f"The first {counted(len(overview.first), 'case')}")
    for case in overview.first:
        yield f"{printable(case.id, LONGEST)}", "bold"
        yield f"  {printable(_told(case), LONGEST)}", ""


def _told(case: Case) -> str:
    request, answer = case.request, case.recorded
    sent = f"{request.method} {request.path}"
    size = f", {len(request.body):,} bytes" if request.body else ""
    back = f" -> {answer.status}, {len(answer.body):,} bytes" if answer is not None else ""
    return f"{sent}{size}{back}"
