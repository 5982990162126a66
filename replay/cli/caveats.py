"""What makes a verdict worth less, as far as it is known before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from replay.cli.fingerprint import code_of
from replay.cli.sides import Sides, behind, from_working_tree, one_commit, shapes_of, without_place
from replay.config import Settings
from replay.models import Order, Side, TargetSpec
from replay.services.commands import from_elsewhere
from replay.services.git import Commit, has_folder
from replay.services.imports import taken_from
from replay.targets.routing import deprived
from replay.verdict import Criterion

PART: Final = "only a part was asked for, by"
_DRAWS: Final = "FAKERANDOM_SEED"
"""What has libfaketime make the randomness of a command determinate."""


def judging_warnings(settings: Settings, criteria: Sequence[Criterion], today: date) -> Iterator[str]:
    """Yield what a reader of a verdict by these settings has to know, since it makes the verdict worth less."""
    if criteria and not settings.cut_when:
        sentences = ", ".join(criterion.sentence for criterion in criteria)
        yield f"no cut_when is written, so the default was judged: {sentences}"
    yield from _vacuous(settings, criteria)
    yield from _expired(settings, today)


def _vacuous(settings: Settings, criteria: Sequence[Criterion]) -> Iterator[str]:
    """Yield each criterion about a category that only a rule could show, where there is no such rule."""
    shown = {"schema": any(rule.schema_ is not None for rule in settings.compare)}
    shown["rank"] = any(rule.rank is not None for rule in settings.compare)
    for criterion in criteria:
        if criterion.clause.family == "category" and not shown.get(criterion.clause.name, True):
            fact = f"no rule has a `{criterion.clause.name}`, so that it holds whatever new does"
            yield f"{criterion.sentence}: {fact}; write the rule, or take it out"


def _expired(settings: Settings, today: date) -> Iterator[str]:
    """Yield each waiver that accepts nothing any more."""
    for rule in settings.compare:
        if rule.waive is not None and not rule.waive.holds_on(today):
            waiver = f"the waiver of {rule.waive.owner} at {rule.at} expired on {rule.waive.until}"
            yield f"{waiver}: what differs there counts again; give it a new day and reason, or take it out"


def sending_warnings(chosen: str, planned: Sides, order: Order) -> Iterator[str]:
    """Yield what makes any verdict on what is sent worth less; `chosen` are the flags that chose some of the cases."""
    if chosen:
        yield f"{PART} {chosen}: the verdict speaks of no other case"
    sides = planned.specs
    yield from _same(planned) if "old" in sides else ()
    for side, shape in shapes_of(sides).items():
        if shape.answers:
            yield f"{shape.name} reshapes what {side} answers before it is compared; what it takes away never differs"
    for side, spec in sides.items():
        if program := from_elsewhere(spec):
            yield f"{side} is started by {program}: its virtual environment has no {Path(program).name}"
        if hosts := deprived(spec):
            hint = "`credentials: true` on a route would send them"
            yield f"credentials of {side} do not go to {', '.join(hosts)}; {hint}"
        if spec.tls is not None and not spec.tls.verify:
            yield f"the certificate of {side} was not verified: anybody on the way could have answered in its place"
    yield from _of_commits(planned)
    if order == "old-first" and "old" in sides and not sides["old"].recorded:
        yield "old was asked first in every case, so new may have found caches warm: no latency is compared fairly"


def unseeded(sides: Mapping[Side, TargetSpec]) -> Iterator[str]:
    """Yield a warning for commands that a wanted seed reaches as a header alone, which no middleware obeys unproved."""
    left = [it for it, spec in sides.items() if spec.run and spec.clock_secret is None and _DRAWS not in spec.env]
    if left:
        hint = "which a command by itself does not read: `clock_secret` has a middleware obey it (docs/clock.md)"
        yield f"the seed reaches {' and '.join(left)} as a header alone, {hint}"


def _of_commits(planned: Sides) -> Iterator[str]:
    """Yield what of a side that is a commit is not of it."""
    for side, commit in planned.commits.items():
        if commit.unsaved:
            yield f"{side} is {commit.name} without the changes that are not committed; `.` is the tree with them"
        if file := from_working_tree(planned.specs[side], commit):
            yield f"{side} is started with {file}, which is of the working tree and not of {commit.name}"
        if astray := _astray(planned.specs[side], commit):
            fact = f"the Python of {side} has {', '.join(astray)} from the working tree, installed in editable mode"
            yield f"{fact}: it may not be of {commit.name}; install it in `setup`, or name its folder in PYTHONPATH"


def _astray(spec: TargetSpec, commit: Commit) -> list[str]:
    """Return what a command imports from the working tree, whatever the commit holds; workers look for themselves."""
    if spec.run is None or "PYTHONPATH" in spec.env:
        return []
    taken = taken_from(commit.repository, spec)
    return taken.astray(folder for folder in taken.folders if has_folder(commit, folder))


def _same(planned: Sides) -> Iterator[str]:
    """Yield a warning where both sides are the same thing: such a run says nothing about a cut-over."""
    if behind(planned.specs["old"]) == behind(planned.specs["new"]):
        yield "old and new are the same: this shows what differs from call to call, and no cut-over"
    elif commit := one_commit(planned):
        yield f"old and new are both {commit}, and nothing is changed: all that may differ is what git does not know"
    elif _copied(planned):
        yield "old and new have the same code in two folders: all that may differ is what it imports or reads elsewhere"


def _copied(planned: Sides) -> bool:
    """Tell whether the sides are one app or function in two folders whose modules hold the same."""
    old, new = planned.specs["old"], planned.specs["new"]
    parted = all((spec.at or "").startswith("path:") for spec in (old, new))
    return parted and without_place(old) == without_place(new) and "" != code_of(old) == code_of(new)
