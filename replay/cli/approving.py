"""Goldens held against what was answered in a stored run, and their files with what they may expect from now on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any, Final

from replay.cases import load_goldens, read_goldens
from replay.cases.chosen import Choice
from replay.cli.present import Present, present_rules
from replay.cli.stored import same_request, versions_of
from replay.curation.approving import Answers, Approval, Source, approval
from replay.curation.changes import Change, Desk, held
from replay.curation.csv_rows import require_same_rows, with_expected
from replay.curation.rewriting import with_value
from replay.curation.stating import Rules
from replay.documents import read_yaml
from replay.errors import InputError, NothingSelectedError, SettingsError
from replay.inert import printable
from replay.models import Case, Expectation, Result
from replay.store.base import RunRecord
from replay.store.sqlite import SqliteStore

_SOURCES: Final[tuple[Source, ...]] = ("new", "old", "both")
_AS_IT_IS: Final = Approval()
_EARLIER: Final = 5
"""Earlier runs of the same versions that are looked at."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A golden, and what it may expect; or why nothing of it can be approved."""

    case: Case
    approval: Approval = _AS_IT_IS
    refused: str = ""
    error: InputError | None = None
    """Why its file could not be written."""

    @property
    def expects(self) -> bool:
        """Tell whether the golden expects anything so far."""
        return expects(self.case)


def source_called(text: str) -> Source:
    """Return whose answers are approved. Raise SettingsError for another word."""
    for source in _SOURCES:
        if text == source:
            return source
    raise SettingsError(f"--from {printable(text, 100)}: there is no such side", hint="write new, old or both")


class Approving:
    """The goldens of a folder beside what a store holds of them."""

    def __init__(self, kept: SqliteStore, run: str | None, env: str | None, folder: Path) -> None:
        self._kept = kept
        self._run = run
        self._folder = folder
        record = kept.run(run)
        self._present: Present = present_rules(env or record.settings.get("env"), record, datetime.now(UTC).date())

    def approved(self, patterns: tuple[str, ...], source: Source) -> list[Approved]:
        """Return what becomes of each golden that is named, else of each that expects something.

        Raise NothingSelectedError for a pattern that names none.
        """
        if not self._folder.is_dir():
            raise NothingSelectedError("there is no folder with goldens", place=str(self._folder))
        goldens = list(load_goldens(self._folder))
        for pattern in patterns:
            if not any(map(Choice(only=(pattern,)).takes, goldens)):
                raise NothingSelectedError(f"no golden is called '{printable(pattern, 100)}'", place=str(self._folder))
        choice = Choice(only=patterns)
        chosen = [case for case in goldens if (choice.takes(case) if patterns else expects(case))]
        return [self._one(case, source) for case in chosen]

    def _one(self, case: Case, source: Source) -> Approved:
        try:
            answers = self._answers(case)
            rules = Rules(self._present.book, self._present.referee.comparison)
            return Approved(case, approval(case, answers, source, rules))
        except InputError as error:
            return Approved(case, refused=f"{error.fact}{f' ({error.hint})' if error.hint else ''}")

    def _answers(self, case: Case) -> Answers:
        """Return what the newest run was answered to a golden, and earlier ones of the same versions.

        Raise InputError where there is none of its present request.
        """
        if case.steps and "#" in case.id:
            raise InputError("it is a scenario with rows", hint="write `expect` at its steps")
        found = self._stored(case)
        result, versions = next(found, (None, ""))
        if result is None:
            raise InputError("no stored run has it", hint="`replay run` sends it")
        if result.skipped is not None:
            raise InputError(f"it was not compared: {result.skipped}")
        if not same_request(result.case, case):
            raise InputError("its request has changed since it was sent", hint="`replay run` sends it again")
        alike = (each for each, theirs in found if theirs == versions and same_request(each.case, case))
        earlier = [Answers(each.old, each.new) for each in islice(alike, _EARLIER) if each.skipped is None]
        departed = frozenset(each.at for each in result.differences if each.against == "old")
        return Answers(result.old, result.new, departed, earlier)

    def _stored(self, case: Case) -> Iterator[tuple[Result, str]]:
        """Yield the results of a golden, the newest first, with the versions that were put to the test."""
        for record, versions in self._records:
            for result in self._kept.find(case.id, record.id):
                if result.case.kind == "golden":
                    yield result, versions

    @cached_property
    def _records(self) -> list[tuple[RunRecord, str]]:
        """Return the run that was named and those before it, the newest first."""
        records = list(self._kept.runs())
        named = self._kept.run(self._run).id if self._run is not None else records[0].id
        from_here = dropwhile(lambda record: record.id != named, records)
        return [(record, versions_of(record)) for record in from_here]


def expects(case: Case) -> bool:
    """Tell whether a golden expects anything, be it at a step."""
    return any(each is not None for each in (case.expect, *(step.expect for step in case.steps)))


# ------------------------------------------------------------------------------------------------------------- writing


def written(found: Sequence[Approved], desk: Desk) -> list[Approved]:
    """Write what may be expected from now on, file by file; what could not be written is told with its error."""
    by_file: dict[Path, list[Approved]] = {}
    for each in found:
        if each.approval.expect:
            # As people would type it from here.
            by_file.setdefault(Path(os.path.relpath(each.case.place)), []).append(each)
    errors: dict[str, InputError] = {}
    for path, approved in by_file.items():
        try:
            desk.make(_change(path, approved))
        except InputError as error:
            errors |= dict.fromkeys((each.case.id for each in approved), error)
    return [replace(each, error=errors.get(each.case.id)) for each in found]


def _change(path: Path, approved: Sequence[Approved]) -> Change:
    before = held(path) or b""
    try:
        each = read_yaml(before, str(path)).mapping().get("each")
        if isinstance(each, str):
            return _csv_change(path, path.parent / each, approved)
        text = before.decode("utf-8")
        for one in approved:
            for step, expect in one.approval.expect.items():
                text = with_value(text, _way(one.case, step, before, path), expect)
        after = text.encode()
        _require_same(read_goldens(before, _name(approved), path), read_goldens(after, _name(approved), path), approved)
    except (InputError, LookupError, UnicodeDecodeError):
        hint = "write `expect` by hand"
        raise InputError("is written in a way that cannot be changed safely", place=str(path), hint=hint) from None
    return Change(path, before, after)


def _name(approved: Sequence[Approved]) -> str:
    return approved[0].case.id.partition("#")[0]


def _way(case: Case, step: str, data: bytes, path: Path) -> tuple[str | int, ...]:
    """Return where in its file a golden's expectation stands: at its step, or in its row."""
    if step:
        return ("steps", [each.name for each in case.steps].index(step), "expect")
    return ("each", _row(case, data, path), "expect") if "#" in case.id else ("expect",)


def _row(case: Case, data: bytes, path: Path) -> int:
    rows = [each.id for each in read_goldens(data, case.id.partition("#")[0], path)]
    return rows.index(case.id)


def _csv_change(golden: Path, path: Path, approved: Sequence[Approved]) -> Change:
    before = held(path) or b""
    text = before.decode("utf-8")
    data = held(golden) or b""
    for one in approved:
        text = with_expected(text, _row(one.case, data, golden), _cells(one))
    require_same_rows(before.decode("utf-8"), text, [_row(one.case, data, golden) for one in approved])
    return Change(path, before, text.encode())


def _cells(approved: Approved) -> Mapping[str, Any]:
    expect = approved.approval.expect[""]
    if "headers" in expect:
        raise LookupError("headers")
    return expect


def _require_same(before: Sequence[Case], after: Sequence[Case], approved: Sequence[Approved]) -> None:
    """Raise InputError unless goldens say what they said, save for what they expect where that was approved."""
    wanted = {(each.case.id, step) for each in approved for step in each.approval.expect}
    for one, other in _paired(before, after):
        alike = one.bare == other.bare
        pairs = zip(_expected(one), _expected(other), strict=True) if alike else ()
        changed = {(one.id, step) for (step, was), (_, is_now) in pairs if was != is_now}
        if not alike or changed != {each for each in wanted if each[0] == one.id}:
            raise InputError("it would say something else")


def _expected(case: Case) -> Iterator[tuple[str, Expectation | None]]:
    """Yield what a golden expects, and what each of its steps does."""
    yield "", case.expect
    yield from ((step.name, step.expect) for step in case.steps)


def _paired(before: Sequence[Case], after: Sequence[Case]) -> Iterator[tuple[Case, Case]]:
    if len(before) != len(after):
        raise InputError("it would make other cases")
    yield from zip(before, after, strict=True)
