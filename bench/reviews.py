"""`replay review` of many results: how long until a cause is shown, and until a rule was tried on all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.dual import FailedRunError
from bench.meter import cost_of
from replay.causes import Causes
from replay.models import Case, Counts, Difference, Observation, Request, Result, SideInfo, Summary
from replay.store.base import RunRecord
from replay.store.sqlite import SqliteStore

_REPLAY: Final = (sys.executable, "-c", "from replay.cli import main; main()", "review", "--cause", "1")
_LIMIT_S: Final = 600.0
_EVERY: Final = 100
"""One result in so many deviates."""
_DONE: Final = {"a cause shown": "makes sense: --promote", "a rule tried": "Settles"}
_BEGUN: Final = datetime(2024, 2, 29, tzinfo=UTC)


def measure(folder: Path, *, results: int) -> dict[str, Any]:
    """Store so many results, and review the first cause: look at it, then have a rule for it tried."""
    (folder / "replay.yaml").write_text("old: http://127.0.0.1:9\nnew: http://127.0.0.1:9\n", encoding="utf-8")
    _store(folder / ".replay" / "runs.sqlite", results)
    rows, failed = [], dict[str, str]()
    for step, flags in (("a cause shown", ()), ("a rule tried", ("--tolerate",))):
        try:
            rows.append({"step": step} | _took(folder, flags, _DONE[step]))
        except FailedRunError as error:
            failed[step] = str(error)
    return {"results": results, "rows": rows, "failed": failed}


def _took(folder: Path, flags: tuple[str, ...], said: str) -> dict[str, Any]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80", "REPLAY_MASK_KEY": "a key of the bench"}
    cost = cost_of([*_REPLAY, *flags], limit_s=_LIMIT_S, cwd=folder, env=environment)
    if cost.exit_code != 0 or said not in cost.output:
        raise FailedRunError(f"`replay review` ended with {cost.exit_code}: {cost.output.strip()[-300:]}")
    return {"wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "peak_bytes": cost.peak_bytes}


def _store(path: Path, count: int) -> None:
    """Write a store with one run of so many results, closed as a run is."""
    path.parent.mkdir()
    with SqliteStore.open(path) as store:
        store.begin(RunRecord("bench", _BEGUN, settings={"seed": 0, "instant": _BEGUN.isoformat()}))
        causes = Causes()
        for piece in _pieces(count):
            store.add("bench", piece)
            for result in piece:
                causes.add(result)
        deviating = -(-count // _EVERY)
        side = SideInfo("http://127.0.0.1:9", "not frozen")
        counts = Counts(loaded=count, compared=count, matched=count - deviating, deviating=deviating)
        clusters = causes.clusters(lambda identity: store.find(identity)[0])
        store.finish(
            "bench", "complete", Summary("bench", _BEGUN, _BEGUN, True, side, side, counts, clusters=clusters), None
        )


def _pieces(count: int, size: int = 1_000) -> Iterator[list[Result]]:
    for start in range(0, count, size):
        yield [_result(number) for number in range(start, min(count, start + size))]


def _result(number: int) -> Result:
    case = Case(f"c-{number}", "traffic", f"bench:{number}", Request(path=f"/orders/{number}"))
    old, new = number / 10, number / 10 + (0.01 if number % _EVERY == 0 else 0)
    one, other = _answer(old), _answer(new)
    if old == new:
        return Result(case, "match", one, other)
    found = Difference("body.fee", "value", old, new, "default: values are equal")
    return Result(case, "deviation", one, other, (found,))


def _answer(fee: float) -> Observation:
    return Observation(200, (("content-type", "application/json"),), f'{{"fee":{fee!r}}}'.encode())
