"""Goldens held against what was answered in a stored run: what they may expect from now on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import dropwhile, islice
from pathlib import Path
from typing import Final

from replay.cases import load_goldens
from replay.cases.chosen import Choice
from replay.cli.present import Present, present_rules
from replay.cli.stored import same_request, versions_of
from replay.curation.approving import Answers, Approval, Source, approval
from replay.curation.stating import Rules
from replay.errors import InputError, NothingSelectedError, SettingsError
from replay.inert import printable
from replay.models import Case, Result
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
