"""Measure, write the results as JSON and, if asked, into a page. `python -m bench --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import (
    compare,
    curating,
    dual,
    experiment,
    imports,
    inside,
    latency,
    many,
    masking,
    page,
    recording,
    reviews,
    sending,
)
from bench.answers import SIZES_KB
from bench.dual import Bench
from bench.servers import CannotStartError, nginx, slow_server

_HERE: Final = Path(__file__).parent
_ERROR: Final = 2
PARTS: Final = (
    "sending",
    "dual",
    "compare",
    "masking",
    "latency",
    "import",
    "review",
    "curate",
    "record",
    "inside",
    "experiment",
)
"""What is measured, in this order: the rates of the latencies are shares of what the dual runs came to."""

_LONG: Final = ("record", "inside")
"""Even at their shortest these take 15 seconds more: where all is to be quick, `--parts` has to ask for them."""

Sides = tuple[Bench, Bench]
"""Services that answer at once, and services that take their time."""


def main(arguments: list[str]) -> int:
    """Return 0, or 2 where a server cannot run here; what a peer lacks is in the results."""
    chosen = _parser().parse_args(arguments)
    # A tool that is installed is not compiled anew each time that it starts.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if chosen.quick:
        chosen.seconds, chosen.repeats, chosen.cases = min(chosen.seconds, 0.3), 1, min(chosen.cases, 200)
        chosen.records, chosen.results = min(chosen.records, 200), min(chosen.results, 200)
    if chosen.quick and chosen.parts == [*PARTS]:
        chosen.parts = [part for part in chosen.parts if part not in _LONG]
    chosen.parts = [*chosen.parts, *(["many"] if chosen.many and "many" not in chosen.parts else [])]
    sizes = SIZES_KB[:1] if chosen.quick else SIZES_KB
    try:
        results = measured(chosen, sizes_kb=sizes)
    except CannotStartError as error:
        sys.stderr.write(f"bench: {error}\n")
        return _ERROR
    chosen.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if chosen.page is not None:
        page.write(chosen.page, results)
    sys.stdout.write(page.tables(results))
    return 0


def measured(chosen: argparse.Namespace, *, sizes_kb: Sequence[int]) -> dict[str, Any]:
    """Return the figures of the chosen parts, beside those of the others as `--out` has them; all parts otherwise."""
    results = _before(chosen) | {"version": 5, "machine": _machine()}
    with ExitStack() as stack:
        folder, work = (Path(stack.enter_context(TemporaryDirectory(prefix="bench-"))) for _ in range(2))

        @cache
        def sides() -> Sides:
            fast = Bench(work, *stack.enter_context(nginx(folder)))
            return fast, Bench(work, *(stack.enter_context(slow_server(latency.DELAY_MS)) for _ in range(2)))

        for part in chosen.parts:
            about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load_before": os.getloadavg()[0]}
            results[part] = about | _part(part, chosen, results, sides, sizes_kb)
    return results


def _before(chosen: argparse.Namespace) -> dict[str, Any]:
    if set(PARTS) <= set(chosen.parts) or not chosen.out.exists():
        return {}
    return dict(json.loads(chosen.out.read_bytes()))


def _imports(chosen: argparse.Namespace) -> dict[str, Any]:
    with TemporaryDirectory(prefix="bench-") as folder:
        return imports.measure(Path(folder), many=chosen.records)


def _reviews(chosen: argparse.Namespace) -> dict[str, Any]:
    with TemporaryDirectory(prefix="bench-") as folder:
        return reviews.measure(Path(folder), results=chosen.results)


def _curating(chosen: argparse.Namespace) -> dict[str, Any]:
    with TemporaryDirectory(prefix="bench-") as folder:
        return curating.measure(Path(folder), cases=chosen.results)


_ALONE: Final[Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]]] = {
    "compare": lambda chosen: compare.measure(repeats=chosen.repeats),
    "masking": lambda chosen: masking.measure(repeats=chosen.repeats),
    "import": _imports,
    "review": _reviews,
    "curate": _curating,
    "experiment": lambda chosen: experiment.measure(repeats=chosen.repeats),
    "inside": lambda chosen: inside.measure(repeats=chosen.repeats, seconds=chosen.seconds),
}
"""The parts that ask none of the two sides."""


def _part(
    part: str,
    chosen: argparse.Namespace,
    results: dict[str, Any],
    sides: Callable[[], Sides],
    sizes_kb: Sequence[int],
) -> dict[str, Any]:
    seconds, repeats, cases = chosen.seconds, chosen.repeats, chosen.cases
    if part in _ALONE:
        return _ALONE[part](chosen)
    fast, slow = sides()
    if part == "sending":
        return sending.measure(fast.old, seconds=seconds, repeats=repeats, sizes_kb=sizes_kb, only=chosen.senders)
    if part == "dual":
        return dual.measure(fast, cases=cases, repeats=repeats, sizes_kb=sizes_kb)
    if part == "many":
        return many.measure(fast, cases=chosen.many)
    if part == "record":
        return recording.measure(fast, repeats=repeats, quick=chosen.quick)
    rows = results.get("dual", {}).get("rows", ())
    us = rows[0]["cpu_us_per_case"]["median"] if rows else None
    return latency.measure(slow, fast, cases=cases, us_per_case=us)


def _machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version()}  # fmt: skip


def _parts(text: str) -> list[str]:
    if unknown := set(text.split(",")) - set(PARTS):
        raise argparse.ArgumentTypeError(f"there is no part '{unknown.pop()}'")
    return [part for part in PARTS if part in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="What sending and comparing cost, beside others.")
    parser.add_argument("--quick", action="store_true", help="once, briefly, and only 1 KB: some 30 seconds")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each sender sends at a time")
    parser.add_argument("--repeats", type=int, default=7, help="how often everything is measured, in turn")
    parser.add_argument("--senders", type=lambda text: text.split(","), help="only these, such as callbacks,wrk,hey")
    parser.add_argument("--cases", type=int, default=5000, help="how many cases a dual run has")
    parser.add_argument("--records", type=int, default=100_000, help="how many records are imported of each format")
    parser.add_argument("--results", type=int, default=100_000, help="how many results a run has that is "
                        "reviewed, and captured cases are chosen from")  # fmt: skip
    parser.add_argument("--parts", type=_parts, default=[*PARTS], help=f"only these of {','.join(PARTS)}; the others "
                        "stay as --out has them")  # fmt: skip
    parser.add_argument("--many", type=int, default=0, help="also a run of so many cases, looked at by tenths")
    parser.add_argument("--out", type=Path, default=_HERE / "results.json", help="where the figures go")
    parser.add_argument("--page", type=Path, help="a page whose tables are to be replaced")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
