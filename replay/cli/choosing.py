"""What `coverage` and `suggest` have in common: goldens and traffic, read once and gathered by what they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from replay.cases import load_goldens, open_traffic
from replay.cli.inputs import inputs_of, project_of_folders
from replay.cli.masking import redactor_for
from replay.cli.progress import Progress
from replay.cli.stored import sent_runs
from replay.curation.gathering import Gathering
from replay.errors import InputError, NothingSelectedError
from replay.models import Case, Observation, Result
from replay.store.place import default_store
from replay.store.sqlite import SqliteStore

_MOST_RUNS: Final = 20
_MOST_OTHERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """A closed gathering, and how many goldens nothing tells the answers of."""

    found: Gathering
    unanswered: int


def gathered(traffic: Sequence[str], goldens: str | None, store: Path | None, *, skip_bad: bool) -> Gathered:
    """Read goldens and traffic, of the settings unless they are given. Raise InputError where there is no traffic."""
    project = project_of_folders()
    files = inputs_of(project, traffic).traffic
    if not files:
        raise InputError(
            "there is no traffic to look at", hint="name some: --traffic FILE, or `traffic:` in replay.yaml"
        )
    folder = inputs_of(project, (), goldens).goldens
    found, redactor = Gathering(), redactor_for(project)
    unanswered = _add_goldens(found, folder, store) if folder is not None else 0
    with Progress(None, "reading") as progress:
        for file in files:
            for case in open_traffic(file, skip_bad=skip_bad).without_identity():
                # Masked before it is looked at: what is found is printed.
                found.add(redactor.case(case))
                progress.tick()
    if not found.routes:
        # Of nothing, all is shown: that must not pass for a share that is reached.
        raise NothingSelectedError("there is no captured case to look at", hint="name traffic with cases in it")
    found.close()
    return Gathered(found, unanswered)


def _add_goldens(found: Gathering, folder: Path, store: Path | None) -> int:
    """Take in the goldens of a folder; return of how many nothing tells what they are answered."""
    answers, unanswered = _answers(store), 0
    for case in load_goldens(folder):
        answer = answers.get(case.id) or _expected(case)
        unanswered += answer is None
        found.add_golden(case, answer)
    return unanswered


def _expected(case: Case) -> Observation | None:
    expect = case.expect
    return None if expect is None else Observation(expect.status, expect.headers, expect.body or b"")


def _answers(store: Path | None) -> Mapping[str, Observation]:
    """Return what goldens were answered in the newest run that had any, by their ids; by old where it answered."""
    path = store or default_store()
    if not path.exists():
        return {}
    with SqliteStore.open(path, create=False) as kept:
        found = (dict(_of_goldens(kept.results(record.id))) for record in islice(sent_runs(kept), _MOST_RUNS))
        return next(filter(None, found), {})


def _of_goldens(results: Iterable[Result]) -> Iterator[tuple[str, Observation]]:
    """Yield the answers to goldens, which a run sends first; so many others in a row mean that no more come."""
    others = 0
    for result in results:
        answer = result.old or result.new
        others = 0 if result.case.kind == "golden" else others + 1
        if not others and answer is not None:
            yield result.case.id, answer
        if others > _MOST_OTHERS:
            return
