"""From settings and flags to a plan: everything that can be wrong is found here, before anything is sent."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from replay import __version__
from replay.cases.chosen import Choice, Chosen
from replay.cli.checking import check_case
from replay.cli.confiding import Uses, with_secrets
from replay.cli.fingerprint import SHARD, Manner, fingerprint
from replay.cli.given import given_secrets
from replay.cli.inputs import Inputs, inputs_of
from replay.cli.labels import labels_of
from replay.cli.masking import key_warnings, masked_sides, parting_words, redactor_for
from replay.cli.pacing import Pacing
from replay.cli.sides import Sides, behind, from_working_tree, one_commit, planned_sides
from replay.compare import Comparison
from replay.config import Project, Settings, load_project
from replay.engine import Plan, Referee, Sending
from replay.engine.grouping import Grouping
from replay.engine.pacing import AsRecorded, Pace
from replay.engine.sessions import SessionsTogether
from replay.errors import NothingSelectedError, SettingsError
from replay.models import SIDES, Order, Side, TargetSpec
from replay.privacy.forms import text_replacer
from replay.services.commands import from_elsewhere
from replay.store.base import RunRecord
from replay.targets.reshaping import Shape
from replay.targets.routing import deprived
from replay.verdict import Criterion, default_criteria, gate_sentences, named_groups, parse_criteria


@dataclass(frozen=True, slots=True)
class Flags:
    """What was typed after `replay run`; None and empty mean that the settings decide."""

    old: str | None = None
    new: str | None = None
    traffic: tuple[str, ...] = ()
    goldens: str | None = None
    choice: Choice = field(default_factory=Choice)
    pacing: Pacing = field(default_factory=Pacing)
    noise: int | None = None
    writable: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    gate: str | None = None
    collect: bool = False
    store: Path | None = None
    seed: int | None = None
    freeze: datetime | None = None
    env: str | None = None
    check: bool = True
    skip_bad: bool = False
    sends: bool = False
    """Something is going to be sent, for which secrets have to be read."""
    both: Side | None = None
    """The side that stands in both places, where it is held against itself."""


PART: Final = "only a part was asked for, by"


def project_for(flags: Flags) -> Project:
    """Read the settings that hold in this folder."""
    return load_project(Path.cwd(), environment=os.environ, env=flags.env)


def make_plan(project: Project, flags: Flags) -> Plan:
    """Decide everything. Raise InputError, with its place, for whatever makes no sense."""
    settings = project.settings
    pace, (repeat, seconds) = flags.pacing.pace(), flags.pacing.turns()
    planned = planned_sides(project, flags.old, flags.new, flags.writable)
    sides = planned.specs
    noise = _noise(project, flags, sides)
    inputs = inputs_of(project, flags.traffic, flags.goldens)
    sources = inputs.sources(skip_bad=flags.skip_bad)
    chosen = Chosen(sources, flags.choice)
    uses = Uses(project)
    total = chosen.count(partial(check_case, project, shapes_of(sides), uses)) if flags.check else None
    if not flags.check:
        uses.foresee(chosen)
    chosen.require_different()
    if isinstance(pace, AsRecorded) and not any(case.kind == "traffic" and case.freeze for case in chosen):
        raise SettingsError("--speed keeps to recorded times, and no record has one", hint="give --rate 10/s instead")
    # What was counted need not be opened once more to see whether there is anything.
    empty = next(iter(chosen), None) is None if total is None else total == 0
    if empty and not (flags.collect and flags.choice.shard):
        raise _nothing_selected(flags, chosen)
    criteria = _criteria(settings, flags, inputs)
    seed = settings.seed if flags.seed is None else flags.seed
    instant = flags.freeze or settings.freeze
    confidence = with_secrets(uses, sides, sends=flags.sends, both=flags.both)
    planned = replace(planned, specs=confidence.sides)
    redactor = redactor_for(project, given_secrets(confidence.sides) | confidence.values)
    hide, masks = redactor.line, masked_sides(redactor, sides, sources)
    concurrency = _under_way(flags, sides, pace)
    bases: dict[Side, str | None] = {side: sides[side].base if side in sides else None for side in SIDES}
    order = flags.pacing.who_first(settings.order)
    manner = Manner(seed, instant, settings.tick, settings.seed_also, noise, order, repeat, seconds)
    clean = text_replacer(redactor.tokeniser, project.secrets)
    record = replace(
        _record(project, flags, sides, chosen, criteria, manner),
        warnings=(
            *uses.warnings(),
            *_sending_warnings(flags, planned),
            *_order_warnings(sides, order),
            *key_warnings(masks),
        ),
        musts=must_names(settings, clean),
        whole=not (str(flags.choice.unsharded) or flags.traffic or flags.goldens is not None),
    )
    return Plan(
        record=record,
        cases=SessionsTogether(chosen) if _by_session(sides) else chosen,
        sides=planned.showing(hide),
        stage=planned.stage(hide, instant or record.started),
        secrets=confidence.sources,
        referee=Referee(
            Comparison(project.rules, bases, record.started.date()),
            project.error_when,
            Grouping(settings.groups, named_groups(criteria)),
            project.kpis,
            masks,
        ),
        criteria=criteria,
        sending=Sending(
            seed=seed,
            instant=instant or record.started,
            concurrency=concurrency,
            order=order,
            pace=pace,
            warmup=flags.pacing.warmup,
            workers=_workers(flags, sides, concurrency),
            noise=noise,
            recheck=settings.recheck,
            rebind=settings.rebind,
            tick=settings.tick,
            seed_also=settings.seed_also,
        ),
        total=total * repeat if total is not None and repeat is not None and seconds is None else None,
        repeat=repeat,
        seconds=seconds,
        redact=redactor.result,
        parting=partial(parting_words, redactor, forked=_workers(flags, sides, concurrency) > 1),
        warnings=tuple(judging_warnings(settings, criteria, record.started.date())),
    )


def judging_warnings(settings: Settings, criteria: Sequence[Criterion], today: date) -> Iterator[str]:
    """Yield what a reader of a verdict by these settings has to know, since it makes the verdict worth less."""
    if criteria and not settings.cut_when:
        sentences = ", ".join(criterion.sentence for criterion in criteria)
        yield f"no cut_when is written, so the default was judged: {sentences}"
    yield from _vacuous(settings, criteria)
    yield from _expired(settings, today)


def must_names(settings: Settings, clean: Callable[[str], str]) -> tuple[str, ...]:
    """Return the rules whose intended change has to be seen, named as the stored results name them."""
    return tuple(clean(rule.name) for rule in settings.compare if rule.must)


def _sending_warnings(flags: Flags, planned: Sides) -> Iterator[str]:
    """Yield what makes any verdict on what is sent worth less."""
    if str(flags.choice):
        yield f"{PART} {flags.choice}: the verdict speaks of no other case"
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


def _of_commits(planned: Sides) -> Iterator[str]:
    """Yield what of a side that is a commit is not of it."""
    for side, commit in planned.commits.items():
        if commit.unsaved:
            yield f"{side} is {commit.name} without the changes that are not committed; `.` is the tree with them"
        if file := from_working_tree(planned.specs[side], commit):
            yield f"{side} is started with {file}, which is of the working tree and not of {commit.name}"


def _same(planned: Sides) -> Iterator[str]:
    """Yield how little two sides that are one tell of a cut-over."""
    if behind(planned.specs["old"]) == behind(planned.specs["new"]):
        yield "old and new are the same: this shows what differs from call to call, and no cut-over"
    elif commit := one_commit(planned):
        yield f"old and new are both {commit}, and nothing is changed: all that may differ is what git does not know"


def _order_warnings(sides: Mapping[Side, TargetSpec], order: Order) -> Iterator[str]:
    if order == "old-first" and "old" in sides and not sides["old"].recorded:
        yield "old was asked first in every case, so new may have found caches warm: no latency is compared fairly"


def _under_way(flags: Flags, sides: Mapping[Side, TargetSpec], pace: Pace) -> int:
    """Return how many cases may be under way: one where a side is reset, which must not happen amid another case."""
    return 1 if any(spec.reset is not None for spec in sides.values()) else flags.pacing.under_way(pace)


def _by_session(sides: Mapping[Side, TargetSpec]) -> bool:
    return any(spec.reset is not None and spec.reset.between == "sessions" for spec in sides.values())


def _workers(flags: Flags, sides: Mapping[Side, TargetSpec], concurrency: int) -> int:
    """Return from how many processes to send: no more than cases may be under way, or a side may be asked at once."""
    at_once = [1 if spec.paced_by_clock else spec.max_inflight or concurrency for spec in sides.values()]
    return min(flags.pacing.workers, concurrency, *at_once)


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


def _noise(project: Project, flags: Flags, sides: Mapping[Side, TargetSpec]) -> int:
    """Return how many times more old is asked. Raise SettingsError where there is nobody to ask."""
    given = flags.noise is not None
    times = flags.noise if flags.noise is not None else project.settings.noise
    place = "--noise" if given or project.file is None else f"{project.file.name}: noise"
    if times and "old" not in sides:
        raise SettingsError("there is no old side that could be asked again", place=place, hint="give --old URL")
    if times and sides["old"].recorded:
        fact = "old is recorded, and says the same however often it is asked"
        raise SettingsError(fact, place=place, hint="give --old URL, or --noise 0")
    return times


# --------------------------------------------------------------------------------------------------------------- cases


def shapes_of(sides: Mapping[Side, TargetSpec]) -> dict[Side, Shape]:
    """Return what reshapes the requests of each side that has a `via`."""
    return {side: Shape(spec.via) for side, spec in sides.items() if spec.via is not None}


def _nothing_selected(flags: Flags, chosen: Chosen) -> NothingSelectedError:
    narrowed = str(flags.choice)
    if narrowed:
        read = sum(intake.read for intake in chosen.intakes)
        return NothingSelectedError(
            f"none of {read} cases is selected by {narrowed}", hint="`*` matches any part of an id"
        )
    held = "; ".join(f"{it.file} has none, {sum(it.skipped.values())} records skipped" for it in chosen.intakes)
    hint = "see why records are skipped" if held else "name --goldens DIR or --traffic FILE; `replay init` begins"
    return NothingSelectedError(f"there is no case to replay{': ' + held if held else ''}", hint=hint)


# ------------------------------------------------------------------------------------------------------------ criteria


def _criteria(settings: Settings, flags: Flags, inputs: Inputs) -> tuple[Criterion, ...]:
    if flags.gate is not None or settings.gates:
        return parse_criteria(gate_sentences(settings.gates, flags.gate), settings.terms)
    return parse_criteria(default_criteria(goldens=inputs.goldens is not None, traffic=bool(inputs.traffic)))


def _record(
    project: Project,
    flags: Flags,
    sides: Mapping[Side, TargetSpec],
    chosen: Chosen,
    criteria: Sequence[Criterion],
    manner: Manner,
) -> RunRecord:
    settings = project.settings
    sentences = [criterion.sentence for criterion in criteria]
    started = datetime.now(UTC)
    run = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    labels = labels_of(sides, flags.labels)
    found = fingerprint(run, settings, sides, chosen.digest, sentences, manner, labels, project.root)
    shard = "/".join(map(str, flags.choice.shard)) if flags.choice.shard else None
    return RunRecord(
        id=run,
        started=started,
        fingerprint=found | {SHARD: shard or ""},
        criteria={flags.gate or "": tuple(sentences)},
        criteria_hash=found["criteria"],
        gate=flags.gate,
        narrowed=str(flags.choice),
        shard=shard,
        collect=flags.collect,
        settings={
            "decision": settings.decision,
            "owner": settings.owner,
            "instant": (manner.instant or started).isoformat(),
            "seed": manner.seed,
            "env": flags.env,
        },
        version=__version__,
        labels=labels,
    )
