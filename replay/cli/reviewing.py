"""A run under review: what could be done about each cause, what that would do, and what was done so far."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from replay.causes import Naming
from replay.curation.changes import Change, Desk
from replay.curation.effects import Effect, Evidence, Judge, effect, with_own_rules
from replay.curation.reach import reach_of
from replay.curation.remedies import Remedy, Said, Verb, offered, remedy
from replay.curation.sightings import Sightings, sightings
from replay.errors import InputError
from replay.models import Cluster, OutcomeName, Result
from replay.store.base import RunRecord
from replay.store.experiments import experiment_of
from replay.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from replay.cli.present import Present
    from replay.compare.scrutiny import Finding
    from replay.config import Project

Action = Literal["promote", Verb]
FULL_LOOK: Final = 20_000
"""Cases of a cause whose values are looked at before a rule is proposed."""


_ANYTHING: Final = frozenset({"hides", "wide"})
"""What reading a rule finds of one that lets nearly anything pass."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be written, and what that would do."""

    action: Action
    change: Change
    effect: Effect | None = None
    """None for a promotion, which changes no rule."""
    notes: tuple[str, ...] = ()
    accepts_anything: bool = False
    """What the rule lets pass is nearly anything that could ever stand there."""

    @property
    def hides_others(self) -> bool:
        """Tell whether cases of other causes would lose something too, or may do so unseen."""
        return self.effect is not None and bool(self.effect.hidden or self.effect.unknown)


class Review:
    """One run, cause by cause. Nothing is written but by `write`, and `undo` gives each file what it held."""

    def __init__(self, kept: SqliteStore, record: RunRecord, env: str | None, folder: Callable[[], Path]) -> None:
        self._kept = kept
        self.record = record
        self._env = env or record.settings.get("env")
        self._folder = folder
        self._project: Project | None = None
        self.today = datetime.now(UTC).date()
        self.desk = Desk()
        self.clusters: tuple[Cluster, ...] = record.summary.clusters if record.summary is not None else ()
        self._evidence = Evidence(self._results, self.clusters, lambda identity: kept.find(identity, record.id))

    def _results(self, outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:
        # Where nothing was equal by a rule or a default, no match can come to deviate by another rule.
        accepted = self.record.summary is not None and bool(self.record.summary.accepted)
        wanted = outcomes if outcomes is None or accepted else [each for each in outcomes if each != "match"]
        return self._kept.results(self.record.id, wanted, bodies=bodies)

    @property
    def project(self) -> Project:
        """Return the settings as they are now."""
        from replay.config import load_project

        if self._project is None:
            self._project = load_project(Path.cwd(), environment=os.environ, env=self._env)
        return self._project

    def example(self, place: int) -> Result:
        """Return the case that the cause is shown by. Raise InputError where the store has lost it."""
        found = self._kept.find(self.clusters[place].example, self.record.id)
        if not found:
            raise InputError(f"the store has no case '{self.clusters[place].example}' any more")
        naming = self._naming.anew()
        return next((each for each in found if naming.place(each) == place), found[0])

    @cached_property
    def _naming(self) -> Naming:
        # With 10,000 causes it takes a second to make.
        return Naming(self.clusters)

    def offers(self, place: int) -> tuple[Action, ...]:
        """Return what makes sense for a cause, as its example shows it."""
        seen = sightings(self.clusters[place], [self.example(place)])
        promotable: tuple[Action, ...] = ("promote",) if self.clusters[place].promotable else ()
        return promotable if experiment_of(self.record) is not None else (*promotable, *offered(seen))

    def sightings(self, place: int) -> Sightings:
        """Return what the cases of a cause show."""
        return sightings(self.clusters[place], self._evidence.of(place, FULL_LOOK))

    # ------------------------------------------------------------------------------------------------------ proposing

    def propose_rule(self, place: int, verb: Verb, said: Said) -> Proposal:
        """Return the rules for a cause and what they would do. Raise InputError where there is to be none."""
        if experiment_of(self.record) is not None:
            hint = "say so in `compare=[...]` of the experiment; the settings have no word there"
            raise InputError("the rules of an experiment stand in its program", hint=hint)
        from replay.cli.editing import golden_change, settings_change

        found = remedy(verb, self.sightings(place), said)
        if found.golden is not None:
            change = golden_change(self.project, self._folder(), found)
            after = with_own_rules(_judge(self._present(self.project)), found.golden, found.rules)
        else:
            change, changed = settings_change(self.project, self._env, found)
            after = _judge(self._present(changed))
        before, reaches = self._before(found)
        told = effect(self._evidence, place, before, after, reaches=reaches)
        _require_use(told)
        findings = list(self._findings(found))
        notes = (f"the rule {each.fact}: {each.remedy}" for each in findings)
        return Proposal(verb, change, told, (*found.notes, *notes), any(each.problem in _ANYTHING for each in findings))

    def propose_golden(
        self, place: int, *, why: str = "", name: str | None = None, expect: Literal["old", "new"] | None = None
    ) -> Proposal:
        """Return the golden that a case of the cause becomes. Raise InputError where none can."""
        from replay.cli.promoting import new_golden, notes_of, promotion_of, session_before

        wanted = self.clusters[place].promotable
        if wanted is None:
            raise InputError(
                "no case of this cause can become a golden: they are goldens already, or both sides failed"
            )
        case = next((each for each in self._kept.find(wanted, self.record.id) if each.case.kind == "traffic"), None)
        if case is None:
            raise InputError(f"the store has no case '{wanted}' any more")
        folder = self._folder()
        before = session_before(self._kept, self.record, case, None)
        made = promotion_of(
            self.record, case, folder, cause=place, why=why or None, name=name, expect=expect, before=before
        )
        return Proposal("promote", new_golden(made, folder), None, tuple(notes_of(made)))

    def _findings(self, found: Remedy) -> Iterator[Finding]:
        """Yield what reading the rules shows. Raise InputError for one that hides whole bodies."""
        from replay.compare.scrutiny import scrutinise

        mine = () if found.golden is not None else self.project.settings.compare
        for each in scrutinise((*mine, *found.rules), self.today, of_golden=found.golden is not None):
            if each.index < len(mine):
                continue
            if each.grave:
                raise InputError(f"the rule {each.fact}", hint=each.remedy)
            yield each

    def _before(self, found: Remedy) -> tuple[Judge, Callable[[Result], bool]]:
        """Return what judges without the rules that are proposed, and which cases those could touch.

        Any case, where what the run found is not what is found by now.
        """
        present = self._present(self.project)
        if present.changed_since(self.record):
            return _judge(present), lambda _result: True
        return lambda result: result, reach_of(found.rules)

    def _present(self, project: Project) -> Present:
        from replay.cli.present import present_of

        return present_of(project, self.record, self.today)

    # -------------------------------------------------------------------------------------------------------- writing

    def write(self, proposal: Proposal) -> None:
        """Write what was proposed. Raise InputError where the file has changed meanwhile."""
        self.desk.make(proposal.change)
        self._project = None

    def undo(self) -> Change:
        """Take the last change back. Raise InputError where the file has changed meanwhile."""
        self._project = None
        return self.desk.take_back()


def _require_use(told: Effect) -> None:
    """Raise InputError for a rule that makes no case of the cause any better."""
    if told.cases and told.already == told.cases:
        raise InputError(f"the rules of now settle all {told.cases:,} cases of this cause already")
    if told.does_nothing:
        fact = "the rule would settle none of these cases"
        raise InputError(f"{fact}: another one, or an expectation, has the last word")


def _judge(present: Present) -> Judge:
    """Return what judges by these rules; None for a case in which tokens would be looked at."""
    from replay.engine.rejudging import Rejudge

    rejudge = Rejudge(present.watched, lambda result: result, None, same_rules=False)

    def judged(result: Result) -> Result | None:
        kept = rejudge.kept
        found = rejudge.judged(result)
        return None if rejudge.kept > kept else found

    return judged


def cause_called(clusters: tuple[Cluster, ...], name: str) -> int:
    """Return the place of a cause by its number, its title or a part of it. Raise InputError for none, or several."""
    if name.isdecimal() and 0 < int(name) <= len(clusters):
        return int(name) - 1
    exact = [place for place, each in enumerate(clusters) if each.title == name]
    found = exact or [place for place, each in enumerate(clusters) if name in each.title]
    if len(found) == 1:
        return found[0]
    told = [f"{place + 1}: {clusters[place].title}" for place in (found or range(len(clusters)))[:5]]
    fact = f"'{name}' is part of {len(found)} causes" if found else f"no cause of this run is called '{name}'"
    raise InputError(fact, hint=f"give its number: {'; '.join(told)}" if told else "it has no causes")
