"""The settings of now as terms for judging stored runs again, and what is kept and said of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

from replay.cli.caveats import judging_warnings
from replay.cli.criteria import criteria_for, require_one_basis
from replay.cli.fingerprint import CODE, KPIS, criteria_digest, kpis_digest, rules_digest
from replay.cli.masking import redactor_for
from replay.cli.planning import must_names
from replay.cli.present import Present, present_rules
from replay.cli.side_secrets import given_secrets
from replay.config import Settings
from replay.engine.grouping import Grouping
from replay.engine.judging import Judged, NewTerms, judged_together
from replay.engine.rejudging import Rejudge
from replay.errors import InputError
from replay.models import SIDES, Basis, Result, RuleSpec, Side, Summary, Verdict
from replay.store.base import RunRecord
from replay.store.sqlite import SqliteStore
from replay.verdict import Criterion, default_criteria, named_groups, parse_criteria
from replay.verdict.changes import changes

SIDES_OF: Final = (*SIDES, *(f"{CODE} {side}" for side in SIDES))
"""The digests that tell whether runs put the same to the test."""


@dataclass(frozen=True, slots=True)
class Court:
    """The settings of now, as terms; `rules` and `kpis` are digests of them."""

    terms: NewTerms
    rules: str
    kpis: str
    env: str | None = None
    """Which settings were laid over; without a word from the user, those that the run had."""

    @property
    def basis(self) -> Basis:
        """Return by what is judged."""
        return Basis(tuple(criterion.sentence for criterion in self.terms.criteria), self.terms.gate, self.rules)

    def verdict(self, each: Judged) -> Verdict:
        """Return a run's verdict, with what was written otherwise when its first case was sent."""
        return replace(each.verdict, changes=changes(each.record.begun_under, self.basis))

    def answer(self, runs: Sequence[Judged]) -> tuple[Summary, Verdict]:
        """Return the summary and the verdict of all runs together."""
        if len(runs) == 1:
            return runs[0].summary, self.verdict(runs[0])
        summary, verdict = judged_together(runs, self.terms)
        told = dict.fromkeys(change for each in runs for change in self.verdict(each).changes)
        return summary, replace(verdict, changes=tuple(told))

    def judged(self, each: Judged) -> RunRecord:
        """Return the record of a run as it is to be kept."""
        record, basis = each.record, self.basis
        digest = criteria_digest(basis.criteria)
        return replace(
            record,
            settings={**record.settings, "env": self.env},
            criteria={basis.gate or "": basis.criteria},
            criteria_hash=digest,
            gate=basis.gate,
            fingerprint=dict(record.fingerprint) | {"rules": self.rules, KPIS: self.kpis, "criteria": digest},
            musts=self.terms.musts,
            summary=each.summary,
            verdict=self.verdict(each),
            before=(*record.before, record.basis),
        )


def court_for(
    kept: SqliteStore, records: Sequence[RunRecord], sentences: tuple[str, ...], gate: str | None, env: str | None
) -> Court:
    """Read the settings of this folder. Raise InputError for what makes no sense in them, or in what was typed."""
    require_one_basis(sentences, gate)
    today = datetime.now(UTC).date()
    env = env or records[0].settings.get("env")
    present = present_rules(env, records[0], today)
    rules = rules_digest(present.project.settings)
    same = all(record.fingerprint.get("rules") == rules for record in records)
    settings = present.project.settings
    criteria = criteria_for(settings, gate, partial(_default, kept, records), typed=sentences)
    kpis = kpis_digest(settings)
    defined = all(record.fingerprint.get(KPIS) == kpis for record in records)
    known = same and all(named_groups(criteria) <= _groups_of(settings, record) for record in records)
    grouping = None if known else Grouping(settings.groups, named_groups(criteria))
    terms = NewTerms(
        criteria=criteria,
        rejudge=Rejudge(present.watched, _redactor(present), grouping, same_rules=same),
        gate=gate,
        kpis=settings.kpis,
        rules=rules,
        anew=not (known and defined) or any(map(_may_judge_otherwise, settings.compare)),
        musts=must_names(settings, present.clean),
        warnings=tuple(_warnings(settings, sentences, criteria, today)),
    )
    return Court(terms, rules, kpis, env)


def _groups_of(settings: Settings, record: RunRecord) -> frozenset[str]:
    """Return the groups that a run's results know of."""
    try:
        return named_groups(parse_criteria(record.basis.criteria, settings.terms))
    except InputError:  # It speaks of what the settings do not have any more.
        return frozenset()


def _default(kept: SqliteStore, records: Sequence[RunRecord]) -> Sequence[str]:
    """Return what must hold by default of the kinds of cases that the runs have."""
    # Goldens come first, so that the kinds are soon known.
    found: set[str] = set()
    for record in records:
        for result in kept.results(record.id, bodies=False):
            found.add(result.case.kind)
            if result.case.kind == "traffic":
                break
    return default_criteria(goldens="golden" in found, traffic="traffic" in found)


def _warnings(
    settings: Settings, sentences: tuple[str, ...], criteria: Sequence[Criterion], today: date
) -> Iterator[str]:
    if sentences:
        yield "the criteria were given with --criterion, and stand in no file"
        settings = settings.model_copy(update={"cut_when": sentences})
    yield from judging_warnings(settings, criteria, today)


def _may_judge_otherwise(rule: RuleSpec) -> bool:
    """Tell whether a rule that reads as before may judge otherwise: by its day, or by code that it names."""
    return rule.waive is not None or rule.via is not None or (rule.rank is not None and rule.rank.gain is not None)


def _redactor(present: Present) -> Callable[[Result], Result]:
    """Return what takes secrets out that the settings bring in; those that were sent are tokens already."""
    settings = present.project.settings
    sides = {side: spec for side, spec in (("old", settings.old), ("new", settings.new)) if spec is not None}
    known = given_secrets(sides)  # type: ignore[arg-type]  # mypy takes the names for str
    return redactor_for(present.project, known).result


def require_alike(records: Iterable[RunRecord]) -> None:
    """Raise InputError where runs put something else to the test, so that no verdict speaks of them together."""
    first, *others = records
    for other in others:
        unlike = [name for name in SIDES_OF if first.fingerprint.get(name) != other.fingerprint.get(name)]
        unlike += [f"version of {side}" for side in SIDES if _version(first, side) != _version(other, side)]
        if unlike:
            fact = f"runs {first.id} and {other.id} differ in: {', '.join(unlike)}"
            raise InputError(fact, hint="judge them one by one: together they are evidence for no one thing")


def _version(record: RunRecord, side: Side) -> tuple[str, ...]:
    """Return which version was put to the test, and what was started for it: digests know no commands."""
    if record.summary is None:
        return ()
    info = record.summary.old if side == "old" else record.summary.new
    return info.version, info.target
