"""`replay goldens`: the list of goldens, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replay.cases.chosen import Choice
    from replay.curation.catalogue import Entry, Past
    from replay.models import Case
    from replay.store.base import RunRecord
    from replay.store.sqlite import SqliteStore

_RUNS = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("goldens", epilog="Example: replay goldens --tag money --check")(goldens)


def goldens(
    only: options.Only = None,
    tag: options.Tag = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where anything is wrong.")] = False,
    as_json: options.AsJson = False,
    folder: Annotated[
        Path | None,
        typer.Option("--goldens", metavar="DIR", envvar="REPLAY_GOLDENS", help="List the goldens in DIR."),
    ] = None,
    store: options.Store = None,
) -> None:
    """List goldens with their newest outcome, and find those that say nothing, are double, dead or flaky.

    The last ten runs of the store are looked at, if there is one.
    """
    from replay.cases.chosen import Choice
    from replay.cli.inputs import goldens_folder
    from replay.cli.output import printing
    from replay.curation.catalogue import catalogue

    where = goldens_folder(folder)
    cases = _cases(where)
    past, visited, runs = _past(cases, store)
    choice = Choice(only=tuple(only or ()), tags=tuple(tag or ()))
    entries = _chosen(catalogue(cases, past, visited), choice)
    with printing() as out:
        if as_json:
            out.write(_json(entries, runs))
        else:
            _print(out, entries, runs)
    wrong = any(not finding.is_note for each in entries for finding in each.findings)
    raise typer.Exit(int(check and wrong))


def _cases(folder: Path) -> list[Case]:
    from replay.cases import load_goldens
    from replay.errors import NothingSelectedError

    if not folder.is_dir():
        raise NothingSelectedError(
            "there is no folder with goldens", place=str(folder), hint="`replay promote` makes one"
        )
    return list(load_goldens(folder))


def _chosen(entries: Sequence[Entry], choice: Choice) -> list[Entry]:
    from replay.errors import NothingSelectedError

    found = [each for each in entries if choice.takes(each.case)]
    if not found and str(choice):
        raise NothingSelectedError(f"no golden matches {choice}")
    return found


# ---------------------------------------------------------------------------------------------------------------- past


def _past(cases: Sequence[Case], store: Path | None) -> tuple[dict[str, Past], frozenset[str], int]:
    """Return what the last runs tell of each golden, the routes of the traffic, and how many runs these are."""
    from itertools import islice

    from replay.cli.stored import opened_store, sent_runs
    from replay.store.place import default_store

    if store is None and not default_store().exists():
        return {}, frozenset(), 0
    with opened_store(store) as kept:
        records = list(islice((record for record in sent_runs(kept) if record.summary is not None), _RUNS))
        past = {case.id: _of_golden(kept, records, case) for case in cases}
        return past, _visited(kept, records), len(records)


def _of_golden(kept: SqliteStore, records: Sequence[RunRecord], case: Case) -> Past:
    from replay.cli.stored import is_as_sent, versions_of
    from replay.curation.catalogue import Past

    past = Past()
    for record in records:
        found = (each for each in kept.find(case.id, record.id) if each.case.kind == "golden")
        result = next(found, None)
        if result is None or result.outcome == "skipped":
            past.missed += record.saw_all and not record.narrowed
        elif is_as_sent(result.case, case):
            past.newest = past.newest or result
            past.runs.append((record.id, f"{record.fingerprint.get('rules')}\n{versions_of(record)}", result.outcome))
    return past


def _visited(kept: SqliteStore, records: Sequence[RunRecord]) -> frozenset[str]:
    """Return the routes of the newest run that had any traffic."""
    from replay.routes import route_of

    for record in records:
        stream = kept.results(record.id, bodies=False)
        if found := frozenset(route_of(each.case.request) for each in stream if each.case.kind == "traffic"):
            return found
    return frozenset()


# ------------------------------------------------------------------------------------------------------------- telling


def _print(out: Any, entries: Sequence[Entry], runs: int) -> None:
    from replay.reports.page import columns, write_lines

    width = columns(None)
    write_lines(out, _lines(entries, runs, width), width)


def _lines(entries: Sequence[Entry], runs: int, width: int) -> Iterator[tuple[str, str]]:
    from replay.inert import cut, printable
    from replay.reports.facts import LONGEST
    from replay.reports.page import wrapped

    longest = min(max((len(each.case.id) for each in entries), default=0), 44)
    for each in entries:
        tags = printable(", ".join(each.case.tags), LONGEST)
        outcome = each.outcome or "not run"
        yield cut(f"{printable(each.case.id):<{longest}}  {outcome:<10}  {tags}".rstrip(), width), ""
        for finding in each.findings:
            style = "dim" if finding.is_note else "yellow"
            yield from wrapped(f"{finding.problem}: {printable(finding.fact, LONGEST)}", width, "    ", style, hang=2)
    yield "", ""
    for text in _sums(entries, runs):
        yield from wrapped(text, width, style="bold")


def _sums(entries: Sequence[Entry], runs: int) -> Iterator[str]:
    from collections import Counter

    from replay.counting import counted

    found = Counter(finding.problem for each in entries for finding in each.findings)
    told = ", ".join(f"{problem} {number:,}" for problem, number in found.most_common())
    yield f"{counted(len(entries), 'golden')}: {told or 'nothing is wrong'}"
    if not runs:
        yield "no run is stored: what is double, dead or flaky cannot be told"


def _json(entries: Sequence[Entry], runs: int) -> str:
    from replay.documents.json_text import json_text
    from replay.routes import route_of

    listed = [
        {
            "id": each.case.id,
            "title": each.case.title,
            "tags": list(each.case.tags),
            "route": route_of(each.case.request),
            "outcome": each.outcome,
            "findings": [{"problem": it.problem, "fact": it.fact, "note": it.is_note} for it in each.findings],
        }
        for each in entries
    ]
    return json_text({"runs": runs, "goldens": listed}, spread=True) + "\n"
