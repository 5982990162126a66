"""The tables of the page on performance, between its markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

BEGIN: Final = "<!-- bench: begin -->"
END: Final = "<!-- bench: end -->"
_MEGABYTE: Final = 2**20


def write(page: Path, results: Mapping[str, Any]) -> None:
    """Put the tables of these results between the markers; raises ValueError for a page without them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no markers for the tables")
    page.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n{END}{after}", encoding="utf-8")


def tables(results: Mapping[str, Any]) -> str:
    """Return all figures that there are as Markdown, and what could not be measured."""
    found = [(part, make(results[part])) for part, make in _PARTS.items() if part in results]
    parts = [_about(results, [part for part, _ in found]), *(text for _, text in found), _missing(results)]
    return "\n".join(part for part in parts if part)


def _about(results: Mapping[str, Any], parts: Sequence[str]) -> str:
    machine = results["machine"]
    loads = ", ".join(f"{part} {results[part]['at'][:10]} at {results[part]['load_before']:.1f}" for part in parts)
    system = f"{machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}"
    return f"Measured on {system}. Date and load when each part began: {loads}. Median (least to most).\n"


def _sending(sending: Mapping[str, Any]) -> str:
    cells = [
        (row["answer"], row["sender"], _spread(row["cpu_us"], 1), _times(row["times_wrk"]), _times(row["times_hey"]),
         _megabytes(row["peak_bytes"]))
        for row in sorted(sending["rows"], key=lambda row: (row["answer"], row["cpu_us"]["median"]))
    ]  # fmt: skip
    return _table(("Answer", "Sender", "CPU µs a request", "times wrk", "times hey", "Peak MB"), cells)


def _dual(dual: Mapping[str, Any]) -> str:
    cells = [
        (row["bodies"], f"{row['size_kb']} KB", str(row["workers"]), _spread(row["cpu_us_per_case"], 0),
         _spread(row["cases_per_s"], 0), _spread(row["start_cpu_s"], 2), _megabytes(row["peak_bytes"]))
        for row in dual["rows"]
    ]  # fmt: skip
    head = ("Size", "`--workers`", "CPU µs a case", "Cases a second", "CPU s to start", "Peak MB")
    return _table((f"Bodies, {dual['cases']} cases", *head), cells)


def _compare(compare: Mapping[str, Any]) -> str:
    cells = [
        (row["documents"], row["way"], _spread(row["cpu_us"], 0), _times(row["times_parsing"]))
        for row in compare["rows"]
    ]  # fmt: skip
    return _table(("Documents", "Compared by", "CPU µs", "times parsing"), cells)


def _masking(masking: Mapping[str, Any]) -> str:
    cells = [(row["bodies"], row["holds"], _spread(row["cpu_us"], 0)) for row in masking["rows"]]
    return _table(("Masked", "It holds", "CPU µs a body"), cells)


def _latency(latency: Mapping[str, Any]) -> str:
    cells = [
        (f"{row['load']:.0%}, {row['rate']:.0f} cases/s", row["side"], f"{row['p50_ms']:.2f}", f"{row['p50_off']:+.1%}",
         f"{row['p99_ms']:.2f}", f"{row['p99_off']:+.1%}")
        for row in latency["rows"]
    ]  # fmt: skip
    table = _table(("Of the client's top rate", "Side", "p50 ms", "off", "p99 ms", "off"), cells)
    return "\n".join(filter(None, (table, _timetable(latency["timetable"]))))


def _timetable(kept: Mapping[str, Any] | None) -> str:
    if kept is None:
        return ""
    late = kept["late_ms"]
    rates = f"{kept['planned_per_second']:.0f} cases a second planned, {kept['achieved_per_second']:.0f} achieved"
    loop = f"Open loop, {kept['requests_per_second']} requests a second: {rates}"
    return f"{loop}; begun late by p50 {late['p50']:.2f} ms, p99 {late['p99']:.2f} ms.\n"


def _many(many: Mapping[str, Any]) -> str:
    if many["failed"]:
        return ""
    title = f"Tenth of {many['cases']:,} cases"
    cells = [(str(n), f"{each['cpu_us']:.0f}", f"{each['per_s']:.0f}") for n, each in enumerate(many["tenths"], 1)]
    peaks = [_megabytes(many[name]) for name in ("peak_bytes", "few_peak_bytes")]
    memory = f"Memory at its peak: {peaks[0]} MB, with {many['few']:,} cases {peaks[1]} MB.\n"
    return f"{_table((title, 'CPU µs a case', 'Cases a second'), cells)}\n{memory}"


def _import(imports: Mapping[str, Any]) -> str:
    cells = [
        (row["form"], f"{row['bytes_per_record']:,.0f}", f"{row['cpu_us_per_record']:.0f}",
         "" if row["records_per_s"] is None else f"{row['records_per_s']:,.0f}", _megabytes(row["few_peak_bytes"]),
         _megabytes(row["peak_bytes"]))
        for row in imports["rows"]
    ]  # fmt: skip
    memory = (f"Peak MB, {imports[name]:,} records" for name in ("few", "many"))
    return _table(("Imported", "Bytes a record", "CPU µs a record", "Records a second", *memory), cells)


def _review(reviews: Mapping[str, Any]) -> str:
    cells = [
        (row["step"], f"{row['wall_s']:.2f}", f"{row['cpu_s']:.2f}", _megabytes(row["peak_bytes"]))
        for row in reviews["rows"]
    ]
    return _table((f"Review of {reviews['results']:,} results", "s", "CPU s", "Peak MB"), cells)


def _curate(curate: Mapping[str, Any]) -> str:
    cells = [
        (row["step"], f"{row['wall_s']:.2f}", f"{row['cpu_s']:.2f}", _megabytes(row["peak_bytes"]),
         "" if row["sends"] is None else f"{row['sends']}")
        for row in curate["rows"]
    ]  # fmt: skip
    return _table((f"Curating, {curate['cases']:,} captured cases", "s", "CPU s", "Peak MB", "Cases sent"), cells)


def _record(record: Mapping[str, Any]) -> str:
    if not record["rows"]:
        return ""
    straight = [("straight", _spread(record["straight"], 0), "", "")]
    through = [
        (f"through the proxy, {row['state']}", _spread(row["per_second"], 0), f"{row['kept'] / row['seen']:.0%}",
         _megabytes(row["peak_bytes"]))
        for row in record["rows"]
    ]  # fmt: skip
    rates = _table(("16 connections, 1 KB", "Requests a second", "Kept", "Peak MB"), [*straight, *through])
    cells = [(row["way"], _spread(row["p50_ms"], 2), _spread(row["p99_ms"], 2)) for row in record["added"]]
    paced = f"{record['rate']:.0f} requests a second"
    return f"{rates}\n{_table((paced, 'p50 ms', 'p99 ms'), cells)}"


def _inside(inside: Mapping[str, Any]) -> str:
    cells = [
        ("none" if row["mode"] == "none" else f"{row['mode']}, {row['sample']:.0%} compared",
         _spread(row["per_second"], 0), _spread(row["p99_ms"], 2))
        for row in inside["rows"]
    ]  # fmt: skip
    return _table(("A web service with an experiment", "Requests a second", "p99 ms"), cells)


def _experiment(experiment: Mapping[str, Any]) -> str:
    cells = [(row["way"], _spread(row["us"], 2)) for row in experiment["rows"]]
    return _table(("An experiment, in the caller's thread", "µs of CPU beyond the functions"), cells)


def _missing(results: Mapping[str, Any]) -> str:
    told = [results[part].get(name, {}) for part in _PARTS if part in results for name in ("missing", "failed")]
    reasons = {what: why for each in told for what, why in each.items()}
    if not reasons:
        return ""
    return "Not measured:\n\n" + "".join(f"- {what}: {' '.join(why.split())}\n" for what, why in reasons.items())


def _table(head: Iterable[str], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    titles = tuple(head)
    rule = ("---", *("---:" for _ in titles[1:]))
    return "".join("| " + " | ".join(row) + " |\n" for row in (titles, rule, *rows))


def _spread(spread: Mapping[str, float] | None, digits: int) -> str:
    if spread is None:
        return ""
    median, least, most = (f"{spread[name]:.{digits}f}" for name in ("median", "least", "most"))
    return f"{median} ({least} to {most})"


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / _MEGABYTE:.0f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


_PARTS: Final = {"sending": _sending, "dual": _dual, "compare": _compare, "masking": _masking, "latency": _latency,
                 "import": _import, "review": _review, "curate": _curate, "many": _many, "record": _record,
                 "inside": _inside, "experiment": _experiment}  # fmt: skip
"""How each part of the results is shown, in the order of the page."""
