"""What of the settings has changed since a run was judged: its report is of then, and says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from replay.cli.criteria import criteria_for
from replay.cli.fingerprint import rules_digest
from replay.config import Settings, load_project
from replay.errors import InputError
from replay.models import Basis
from replay.store.base import RunRecord
from replay.store.experiments import experiment_of
from replay.verdict import default_criteria
from replay.verdict.changes import changes

REMEDY: Final = "`replay judge` judges it by those"


def changed_since(record: RunRecord) -> Iterator[str]:
    """Yield what the settings say now and a run was not judged by; nothing where there are none, or none that hold."""
    try:
        project = load_project(Path.cwd(), environment=os.environ, env=record.settings.get("env"))
        now = Basis(_sentences(project.settings, record), record.gate, _rules(project.settings, record))
    except InputError as error:
        yield f"whether this run was judged by what the settings say now is not known: {error.fact}"
        return
    if project.file is None:
        return
    for change in changes(record.basis, now):
        if change.what == "rules":
            yield f"this run was judged by other rules than the settings have now; {REMEDY}"
        else:
            told = change.before or "no such criterion", change.after or "no such criterion"
            yield f"this run was judged by: {told[0]}; the settings say now: {told[1]}; {REMEDY}"


def _rules(settings: Settings, record: RunRecord) -> str:
    """Return the digest of the rules; those of an experiment stand in the program, and not in the settings."""
    return rules_digest(settings) if experiment_of(record) is None else record.basis.rules


def _sentences(settings: Settings, record: RunRecord) -> tuple[str, ...]:
    criteria = criteria_for(settings, record.gate, partial(_default, record))
    return tuple(criterion.sentence for criterion in criteria)


def _default(record: RunRecord) -> tuple[str, ...]:
    """Return what must hold by default of a run like this one."""
    judged = record.basis.criteria
    of_goldens, of_traffic = (default_criteria(goldens=it, traffic=not it) for it in (True, False))
    # Which kinds of cases a run has tell its criteria, unless others were written.
    return tuple(each for each in (*of_goldens, *of_traffic) if each in judged) or (*of_goldens, *of_traffic)
