"""The rules as they are now, ready to be asked about answers that were stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from replay.cli.fingerprint import rules_digest
from replay.cli.masking import key_for
from replay.compare import Comparison, TracedBook, traced_book
from replay.config import Project, load_project
from replay.engine import Referee
from replay.engine.rejudging import Watched
from replay.expressions import parse_expression
from replay.models import RuleSpec, Side, TargetSpec
from replay.privacy import Tokeniser
from replay.privacy.forms import text_replacer
from replay.store.base import RunRecord

CHANGED = "the rules have changed since that run; these are the present ones"
TOKENS = "secrets are tokens in the store, so a rule that looks at one may judge it otherwise here than in a run"


@dataclass(frozen=True, slots=True)
class Present:
    """The settings of this folder, and what judges by them; `clean` takes secrets out of what is printed."""

    project: Project
    book: TracedBook
    referee: Referee
    bases: Mapping[Side, str | None]
    today: date
    clean: Callable[[str], str]

    @property
    def rules(self) -> tuple[RuleSpec, ...]:
        """Return the settings' rules in order."""
        return self.project.settings.compare

    @property
    def watched(self) -> Watched:
        """Return the rules as judging again takes them."""
        settings = self.project.settings
        used = {rule.on for rule in settings.compare}
        named = [group for name, group in settings.groups.items() if name in used]
        asked = [*(rule.where for rule in settings.compare), *(group.where for group in named), settings.error_when]
        comparison = Comparison(self.project.rules, self.bases, self.today)
        quick = Referee(comparison, self.project.error_when, kpis=self.project.kpis)
        expressions = tuple(parse_expression(text) for text in asked if text)
        return Watched(quick, self.referee, lambda: self.book.trace, expressions)

    def changed_since(self, record: RunRecord) -> bool:
        """Tell whether a run was judged by other rules."""
        return record.fingerprint.get("rules") != rules_digest(self.project.settings)


def present_rules(env: str | None, record: RunRecord | None, today: date) -> Present:
    """Read the settings of this folder, and make their rules ready; waivers are held against `today`.

    Links are relative to where the sides stood in the run, or stand in the settings.
    """
    return present_of(load_project(Path.cwd(), environment=os.environ, env=env), record, today)


def present_of(project: Project, record: RunRecord | None, today: date) -> Present:
    """Make the rules of these settings ready, as `present_rules` does."""
    settings = project.settings
    book = traced_book(settings.compare, settings.groups, project.root)
    bases: dict[Side, str | None] = {"old": _base(settings.old), "new": _base(settings.new)}
    if record is not None and record.summary is not None:
        targets: dict[Side, str] = {"old": record.summary.old.target, "new": record.summary.new.target}
        # What follows the URL tells where it is connected to, or where its routes lead.
        urls = {side: target.partition(" ")[0] for side, target in targets.items()}
        bases |= {side: url for side, url in urls.items() if url.startswith(("http://", "https://"))}
    return Present(
        project=project,
        book=book,
        referee=Referee(Comparison(book, bases, today), project.error_when),
        bases=bases,
        today=today,
        clean=text_replacer(Tokeniser(key_for(project).key), project.secrets),
    )


def _base(spec: TargetSpec | None) -> str | None:
    return spec.base if spec is not None else None
