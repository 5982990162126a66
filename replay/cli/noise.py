"""`replay noise`: each side against itself, and rules for what differs all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replay.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from replay.cli.planning import Flags
    from replay.config import Project
    from replay.curation.proposals import Proposal, Proposals, Refusal
    from replay.engine.plan import Plan, Selected
    from replay.models import Case, Intake, Side
    from replay.sampling import Portion

_EXAMPLE = 60


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("noise", epilog="Example: replay noise --traffic day.har > noise.patch && patch -p0 < noise.patch")(
        noise
    )


def noise(
    old: options.Old = None,
    new: options.New = None,
    traffic: options.Traffic = None,
    goldens: options.Goldens = None,
    only: options.Only = None,
    tag: options.Tag = None,
    shard: options.Shard = None,
    limit: options.Limit = None,
    skip_bad: options.SkipBad = False,
    times: Annotated[
        int,
        typer.Option(metavar="N", min=2, max=20, help="Ask each side N times.", rich_help_panel="How they are sent"),
    ] = 5,
    concurrency: options.Concurrency = None,
    seed: options.Seed = None,
    freeze: options.Freeze = None,
    env: options.Env = None,
) -> None:
    """Ask each side several times, and propose rules for what differs: a patch to replay.yaml."""
    from replay.cli.flags import choice_of, instant_of
    from replay.cli.pacing import Pacing
    from replay.cli.planning import Flags, project_for
    from replay.curation.proposals import Proposals

    flags = Flags(
        old=old,
        new=new,
        traffic=tuple(traffic or ()),
        goldens=goldens,
        choice=choice_of(only, tag, shard, limit),
        pacing=Pacing(concurrency=concurrency),
        noise=times - 2,
        collect=True,
        seed=seed,
        freeze=instant_of(freeze),
        env=env,
        skip_bad=skip_bad,
        sends=True,
    )
    project = project_for(flags)
    proposals = Proposals()
    for side, plan in _plans(project, flags):
        _ask(side, plan, proposals)
    _print(project, proposals)


# -------------------------------------------------------------------------------------------------------------- asking


def _plans(project: Project, flags: Flags) -> list[tuple[Side, Plan]]:
    """Return a plan for each side that can be asked again, with that side in both places; all checked beforehand."""
    from dataclasses import replace

    from replay.cli.planning import make_plan
    from replay.cli.sides import given_side
    from replay.errors import NothingSelectedError, SettingsError
    from replay.models import SIDES

    plans: list[tuple[Side, Plan]] = []
    for side in SIDES:
        spec = given_side(side, flags.old, flags.new, project)
        if spec is None or spec.recorded:
            continue
        settings = project.settings.model_copy(update={"old": spec, "new": spec})
        plan = make_plan(replace(project, settings=settings), replace(flags, old=None, new=None, both=side))
        safe = _OnlySafe(plan.cases)
        total = sum(1 for _ in safe)
        if not total:
            fact = "no case may be sent several times: their methods may change something"
            raise NothingSelectedError(fact, hint="name traffic with GET, HEAD or OPTIONS in it")
        plans.append((side, replace(plan, cases=safe, total=total)))
    if not plans:
        raise SettingsError("there is no side that could be asked several times", hint="give --old URL or --new URL")
    return plans


class _OnlySafe:
    """The cases that change nothing, however often they are sent; read anew at every iteration."""

    def __init__(self, cases: Selected) -> None:
        self._cases = cases

    def __iter__(self) -> Iterator[Case]:
        return _safe(self._cases)

    def part(self, portion: Portion) -> Iterator[Case]:
        return _safe(self._cases.part(portion))

    @property
    def intakes(self) -> list[Intake]:
        return list(self._cases.intakes)


def _safe(cases: Selected | Iterator[Case]) -> Iterator[Case]:
    from replay.engine.again import may_repeat

    return filter(may_repeat, cases)


def _ask(side: Side, plan: Plan, proposals: Proposals) -> None:
    """Carry a plan out in a store of its own: what a side says to itself is no run that anybody wants to see again."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from replay.cli.progress import Progress
    from replay.engine import Run
    from replay.errors import RunError
    from replay.store.sqlite import SqliteStore

    with TemporaryDirectory(prefix="replay-noise-") as folder, SqliteStore.open(Path(folder) / "runs.sqlite") as store:
        with Progress(plan.total) as progress:
            finished = Run(plan, store, progress.watch, progress.stop).carry_out()
        if finished.signalled is not None:
            raise typer.Exit(128 + finished.signalled)
        if not finished.summary.complete:
            why = "; ".join(finished.summary.skipped)
            raise RunError(f"{side} could not be asked to the end: {why}", hint="is it there, and reachable?")
        for result in store.results(plan.record.id):
            proposals.add(side, result)
        counts = finished.summary.counts
    told = (
        f"{counts.loaded:,} cases, {counts.errored:,} of them failed" if counts.errored else f"{counts.loaded:,} cases"
    )
    _say(f"{side} against itself: {told}")


# -------------------------------------------------------------------------------------------------------------- telling


def _print(project: Project, proposals: Proposals) -> None:
    """Print the patch on standard output, and what speaks for it, or against a rule, on standard error."""
    from replay.cli.output import printing

    made, refused = proposals.made()
    for proposal in made:
        _say_proposal(proposal)
    for refusal in refused:
        _say_refusal(refusal)
    if proposals.unlisted:
        _say(f"and {proposals.unlisted:,} differences at further locations, which are not looked at")
    if not made and not refused:
        _say("nothing differs: no rule is needed")
    if made:
        with printing() as out:
            out.write(_patch(project, [proposal.text for proposal in made]))


def _say_proposal(proposal: Proposal) -> None:
    rule = proposal.rule
    where = f"{rule.on} at {rule.at}" if rule.on else rule.at
    _say(f"proposed: {where}: {rule.why}")
    _say_examples(proposal.examples)


def _say_examples(examples: Iterable[tuple[Any, Any]]) -> None:
    from replay.documents.showing import shown_change

    for old, new in examples:
        if text := shown_change(old, new, _EXAMPLE):
            _say(f"  for example {text}")


def _say_refusal(refusal: Refusal) -> None:
    _say(f"refused: {refusal.at}: {refusal.evidence}\n  since {refusal.why}\n  instead: {refusal.instead}")
    _say_examples(refusal.examples[:1])


def _say(text: str) -> None:
    from replay.cli.output import say

    say(text)


def _patch(project: Project, rules: list[str]) -> str:
    """Return the change to the settings; the rules alone where there are none that could be patched."""
    from replay.curation.changes import unified
    from replay.curation.patching import with_rules

    alone = with_rules("", rules).lstrip()
    file = project.file
    if file is None or file.suffix == ".toml":
        return alone
    with file.open(encoding="utf-8", newline="") as opened:
        before = opened.read()
    after = with_rules(before, rules)
    if not _says(after, project, rules):
        _say(f"{file.name} is written in a way that cannot be patched safely: put these rules in by hand")
        return alone
    return unified(_from_here(file), before, after)


def _says(text: str, project: Project, rules: list[str]) -> bool:
    """Tell whether changed settings say what they said, and these rules behind it; `replay run` reads them so.

    Where an environment's settings name rules of their own, those are the ones that count, and not these.
    """
    import os
    from functools import partial

    from replay.config import load_project
    from replay.errors import InputError

    load = partial(load_project, project.root, environment=os.environ, file=project.file)
    before = load().settings
    try:
        after = load(read=lambda _file: text.encode()).settings
    except InputError:
        return False
    kept = after.model_copy(update={"compare": after.compare[: len(before.compare)]})
    added = len(after.compare) - len(before.compare)
    return kept == before and added == len(rules) and before.compare == project.settings.compare


def _from_here(path: Path) -> str:
    import os

    return os.path.relpath(path).replace(os.sep, "/")
