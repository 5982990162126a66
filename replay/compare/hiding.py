"""Rules that stand on whole answers: what such a one would hide is asked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from replay.compare.sight import contents
from replay.errors import SettingsError
from replay.locations import Machine, parse_location
from replay.models import RuleSpec

PARTS: Final = ("status", "body")
_EVERY_CASE: Final = frozenset({None, "/**", "* /**"})


def require_evidence(specs: Sequence[RuleSpec], index: int, *, of_golden: bool = False) -> None:
    """Raise SettingsError for a rule that hides every answer whole, where no later one compares anything again.

    One for certain cases only may do so: these then count as skipped. A golden's own rules speak of nothing else.
    """
    spec = specs[index]
    lasting = spec.waive is not None and not of_golden
    if not (spec.ignore or lasting) or (not of_golden and narrowed(spec)) or not hides_answer(spec):
        return
    if not any(compares(later) for later in specs[index + 1 :]):
        fact = "would ignore whatever is answered" if spec.ignore else "would waive whatever differs"
        hint = "name what may differ, as in body.took_ms, or compare something by a later rule"
        raise SettingsError(f"rule at '{spec.at}' {fact}: nothing would be put to the test", hint=hint)


def hides_answer(spec: RuleSpec) -> bool:
    """Tell whether a rule stands on status and body both."""
    return all(reaches(spec, part) for part in PARTS)


def reaches(spec: RuleSpec, part: str) -> bool:
    """Tell whether a rule stands on a whole part of the answer: `body` itself, or all that is in it."""
    start = Machine([parse_location(spec.at)]).start
    return bool(start.key(part).accepts) or (part == "body" and all(it.accepts for it in contents(start)))


def compares(spec: RuleSpec) -> bool:
    """Tell whether a rule holds values against something; one that reads, renames, ignores or waives does not."""
    given = [verb for verb in spec.model_fields_set - _SILENT if not any(getattr(spec, verb) is it for it in _OFF)]
    return bool(given) and not spec.ignore


_OFF: Final = (None, False)
_SILENT: Final = frozenset({
    "at", "on", "where", "why", "tag", "ignore", "waive", "renamed", "must", "as_", "allow",
})  # fmt: skip


def narrowed(spec: RuleSpec) -> bool:
    """Tell whether a rule speaks of certain cases only."""
    scene = parse_location(spec.at).scene
    return spec.on not in _EVERY_CASE or any(it is not None for it in (spec.where, spec.tag, scene))
