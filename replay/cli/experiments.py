"""The runs that experiments in a program make: which of them are to be judged, by what, and what is told of that."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from replay.cli.criteria import criteria_for, require_one_basis
from replay.cli.fingerprint import criteria_digest
from replay.cli.output import printing, say
from replay.cli.progress import Progress
from replay.cli.reporting import Reports, write_and_print
from replay.config import Settings, load_project
from replay.engine.experiments import Inquest, is_open, judged_experiment
from replay.engine.grouping import Grouping
from replay.errors import InputError, SettingsError
from replay.models import WORST_FIRST
from replay.store.base import RunRecord
from replay.store.claim import claimed
from replay.store.experiments import experiment_of
from replay.store.sqlite import SqliteStore
from replay.verdict import default_criteria, named_groups


def name_of(record: RunRecord) -> str:
    """Return the experiment that made a run; empty where none did."""
    run = experiment_of(record)
    return "" if run is None else run.name


def runs_of(kept: SqliteStore, patterns: Iterable[str] = ()) -> list[RunRecord]:
    """Return the runs of experiments of these names, of all without any, day by day.

    Raise InputError where there is none.
    """
    wanted = tuple(patterns)
    records = [record for record in kept.runs() if experiment_of(record) is not None]
    found = [it for it in records if not wanted or any(fnmatchcase(name_of(it), pattern) for pattern in wanted)]
    if not found:
        names = sorted({name_of(record) for record in records})
        fact = f"there is no experiment called {' or '.join(wanted)}" if wanted else "the store holds no experiment"
        hint = (
            f"those there are: {', '.join(names[:10])}" if names else "`report_to(Stored())` in the program keeps them"
        )
        raise InputError(fact, place=str(kept.path), hint=hint)
    return sorted(found, key=_when)


def _when(record: RunRecord) -> tuple[str, datetime]:
    run = experiment_of(record)
    return ("" if run is None else run.day.isoformat()), record.started


def newest_of_each(records: Iterable[RunRecord]) -> dict[str, RunRecord]:
    """Return the newest run of each experiment, by its name."""
    return {name_of(record): record for record in sorted(records, key=_when)}


# -------------------------------------------------------------------------------------------------------------- judging


class ExperimentJudge:
    """Judges runs of experiments by the settings of this folder, or by the criteria that were given."""

    def __init__(
        self,
        kept: SqliteStore,
        now: datetime,
        *,
        sentences: Sequence[str] = (),
        gate: str | None = None,
        env: str | None = None,
    ) -> None:
        require_one_basis(sentences, gate)
        self._kept, self._now, self._sentences, self._gate, self._env = kept, now, tuple(sentences), gate, env
        self._settings = load_project(Path.cwd(), environment=os.environ, env=env).settings

    def judged(self, records: Sequence[RunRecord], *, named: bool) -> dict[str, RunRecord]:
        """Judge runs, the older ones first, and return those that decide, each by what it is called.

        Where they were `named`, each is judged and decides, by its id; else those that are open are judged, and the
        newest of each experiment decides, by its name.
        """
        inquests = {name: self._inquest(name) for name in newest_of_each(records)}
        newest = {record.id for record in self._newest(records).values()}
        due = [it for it in records if named or it.id in newest or is_open(self._kept, it)]
        with ExitStack() as stack:
            for record in due:
                stack.enter_context(claimed(self._kept.path, record.id))
            progress = stack.enter_context(Progress(sum(self._kept.count(it.id) for it in due), "judging"))
            # The older ones first: criteria over several days rest on what is kept of those.
            done = [judged_experiment(self._kept, it, inquests[name_of(it)], progress.watch) for it in due]
        return {record.id: record for record in done} if named else self._newest(done)

    def _newest(self, records: Sequence[RunRecord]) -> dict[str, RunRecord]:
        """Return the newest run of each experiment; of one day, one that holds calls and not only tells of losses."""
        held = sorted(records, key=lambda it: (_when(it)[0], self._kept.count(it.id) > 0, it.started))
        return {name_of(record): record for record in held}

    def _inquest(self, name: str) -> Inquest:
        gate = self._gate_of(name)
        default = partial(default_criteria, goldens=False, traffic=True)
        criteria = criteria_for(self._settings, gate, default, typed=self._sentences)
        for group in sorted(named_groups(criteria)):
            _require_told_by_tag(self._settings, group)
        return Inquest(
            criteria=criteria,
            now=self._now,
            grouping=Grouping(self._settings.groups, named_groups(criteria)),
            gate=gate,
            owner=self._settings.owner,
            criteria_hash=criteria_digest([criterion.sentence for criterion in criteria]),
            env=self._env,
            warnings=("the criteria were given with --criterion, and stand in no file",) if self._sentences else (),
        )

    def _gate_of(self, name: str) -> str | None:
        """Return the gate that was asked for, else the one that is called as the experiment, if there is one."""
        if self._gate is not None or self._sentences:
            return self._gate
        return name if name and name in self._settings.gates else None


def _require_told_by_tag(settings: Settings, group: str) -> None:
    """Raise SettingsError for a group of which bodies tell: calls that agree hold none, so that it would lose those."""
    spec = settings.groups[group]
    if spec.where is not None or spec.by is not None:
        fact = (
            f"groups.{group}: whether a call of an experiment belongs to it cannot be told: calls that agree are kept"
        )
        hint = "say `tag: NAME` of the experiment, or give each its own gate in cut_when, called as the experiment"
        raise SettingsError(f"{fact} without arguments and answers", hint=hint)


def _require_one(records: Sequence[RunRecord], *, named: bool) -> None:
    """Raise SettingsError where more than one run decides, since a report is of one."""
    names = sorted(newest_of_each(records))
    if named and len(records) > 1:
        raise SettingsError("--report: one file cannot hold several runs of experiments", hint="name one RUN")
    if len(names) > 1:
        hint = f"name --experiment: {', '.join(names)}"
        raise SettingsError("--report: one file cannot hold several experiments", hint=hint)


def judge_experiments(
    judge: ExperimentJudge, kept: SqliteStore, records: Sequence[RunRecord], reports: Reports, *, named: bool = False
) -> int:
    """Judge, print the runs that decide, and return the exit code of the worst of these."""
    if reports:
        _require_one(records, named=named)
    found = judge.judged(records, named=named)
    for place, record in enumerate(found.values()):
        if place:
            with printing() as out:
                out.write("\n")
        if record.summary is not None and record.verdict is not None:
            write_and_print(reports, record.summary, kept.results(record.id, bodies=False), record.verdict)
    verdicts = [record.verdict for record in found.values() if record.verdict is not None]
    if len(verdicts) > 1:
        say("".join(f"{name}: {it.verdict.state}\n" for name, it in found.items() if it.verdict is not None))
    return min(verdicts, key=lambda verdict: WORST_FIRST.index(verdict.state)).exit_code
