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
from replay.cli.caveats import judging_warnings, sending_warnings, unseeded
from replay.cli.checking import check_case, is_spared
from replay.cli.confiding import Uses, with_secrets
from replay.cli.criteria import criteria_for
from replay.cli.fingerprint import SHARD, Manner, fingerprint
from replay.cli.inputs import Inputs, inputs_of
from replay.cli.labels import labels_of
from replay.cli.masking import key_warnings, masked_sides, parting_words, redactor_for
from replay.cli.pacing import Pacing
from replay.cli.side_secrets import given_secrets
from replay.cli.sides import Sides, planned_sides, shapes_of
from replay.compare import Comparison
from replay.config import Project, Settings, load_project
from replay.engine import Plan, Referee, Sending
from replay.engine.grouping import Grouping
from replay.engine.masked import MaskedSides
from replay.engine.pacing import AsRecorded, Pace
from replay.engine.sessions import SessionsTogether
from replay.errors import NothingSelectedError, SettingsError
from replay.models import SIDES, Side, TargetSpec
from replay.privacy.forms import text_replacer
from replay.store.base import RunRecord
from replay.verdict import Criterion, default_criteria, named_groups


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


def project_for(flags: Flags) -> Project:
    """Read the settings that hold in this folder."""
    return load_project(Path.cwd(), environment=os.environ, env=flags.env)


def make_plan(project: Project, flags: Flags) -> Plan:
    """Decide everything. Raise InputError, with its place, for whatever makes no sense."""
    settings, pacing = project.settings, flags.pacing
    pace, (repeat, seconds) = pacing.pace(), pacing.turns()
    planned = planned_sides(project, flags.old, flags.new, flags.writable)
    noise = _noise(project, flags, planned.specs)
    inputs = inputs_of(project, flags.traffic, flags.goldens)
    sources = inputs.sources(skip_bad=flags.skip_bad)
    uses = Uses(project)
    chosen = Chosen(sources, flags.choice)
    total = _checked(project, flags, chosen, planned.specs, uses)
    _require_times(pace, chosen)
    criteria = _criteria(settings, flags, inputs)
    confidence = with_secrets(uses, planned.specs, sends=flags.sends, both=flags.both)
    planned = replace(planned, specs=confidence.sides)
    redactor = redactor_for(project, given_secrets(confidence.sides) | confidence.values)
    masks = masked_sides(redactor, planned.specs, sources)
    manner = _manner(settings, flags, noise)
    record = replace(
        _record(project, flags, planned.specs, chosen, criteria, manner),
        warnings=(*uses.warnings(), *_sending_warnings(settings, flags, planned, manner), *key_warnings(masks)),
        musts=must_names(settings, text_replacer(redactor.tokeniser, project.secrets)),
        whole=not (str(flags.choice.unsharded) or flags.traffic or flags.goldens is not None),
    )
    sending = _sending(settings, flags, planned.specs, pace, manner, record.started)
    return Plan(
        record=record,
        cases=SessionsTogether(chosen) if _by_session(planned.specs) else chosen,
        sides=planned.showing(redactor.line),
        stage=planned.stage(redactor.line, sending.instant),
        secrets=confidence.sources,
        referee=_referee(project, planned.specs, criteria, record.started.date(), masks),
        criteria=criteria,
        sending=sending,
        total=total * repeat if total is not None and repeat is not None and seconds is None else None,
        repeat=repeat,
        seconds=seconds,
        redact=redactor.results,
        parting=partial(parting_words, redactor, forked=sending.workers > 1),
        warnings=tuple(judging_warnings(settings, criteria, record.started.date())),
    )


def _checked(
    project: Project, flags: Flags, chosen: Chosen, sides: Mapping[Side, TargetSpec], uses: Uses
) -> int | None:
    """Look at every chosen case, and return how many there are; None where none was to be looked at before it is sent.

    Raise NothingSelectedError where there is none, unless a shard that only collects may be empty.
    """
    total = None
    if flags.check:
        shapes = shapes_of(sides)
        total = chosen.count(partial(check_case, project, shapes, uses), partial(is_spared, shapes))
    else:
        uses.foresee(chosen)
    chosen.require_different()
    # What was counted need not be opened once more to see whether there is anything.
    empty = next(iter(chosen), None) is None if total is None else total == 0
    if empty and not (flags.collect and flags.choice.shard):
        raise _nothing_selected(flags, chosen)
    if chosen.unmet:
        # Others did take cases: those that this one was meant to take would be missed by nobody.
        raise NothingSelectedError(f"no case is selected by {chosen.unmet[0]}", hint=f"{_PATTERNS}; or leave it out")
    return total


def _require_times(pace: Pace, chosen: Chosen) -> None:
    """Raise SettingsError for a pace that keeps to recorded times where no chosen case has one."""
    if isinstance(pace, AsRecorded) and not any(case.kind == "traffic" and case.freeze for case in chosen):
        raise SettingsError("--speed keeps to recorded times, and no record has one", hint="give --rate 10/s instead")


def _sending_warnings(settings: Settings, flags: Flags, planned: Sides, manner: Manner) -> Iterator[str]:
    yield from sending_warnings(str(flags.choice), planned, manner.order)
    if flags.seed is not None or not settings.model_fields_set.isdisjoint({"seed", "seed_also"}):
        yield from unseeded(planned.specs)


def _manner(settings: Settings, flags: Flags, noise: int) -> Manner:
    repeat, seconds = flags.pacing.turns()
    seed = settings.seed if flags.seed is None else flags.seed
    order = flags.pacing.who_first(settings.order)
    instant = flags.freeze or settings.freeze
    return Manner(seed, instant, settings.tick, settings.seed_also, noise, order, repeat, seconds)


def _referee(
    project: Project,
    sides: Mapping[Side, TargetSpec],
    criteria: Sequence[Criterion],
    today: date,
    masks: MaskedSides | None,
) -> Referee:
    bases: dict[Side, str | None] = {side: sides[side].base if side in sides else None for side in SIDES}
    comparison = Comparison(project.rules, bases, today)
    grouping = Grouping(project.settings.groups, named_groups(criteria))
    return Referee(comparison, project.error_when, grouping, project.kpis, masks)


def _sending(
    settings: Settings,
    flags: Flags,
    sides: Mapping[Side, TargetSpec],
    pace: Pace,
    manner: Manner,
    started: datetime,
) -> Sending:
    concurrency = _under_way(flags, sides, pace)
    return Sending(
        seed=manner.seed,
        instant=manner.instant or started,
        concurrency=concurrency,
        order=manner.order,
        pace=pace,
        warmup=flags.pacing.warmup,
        workers=_workers(flags, sides, concurrency),
        noise=manner.noise,
        recheck=settings.recheck,
        rebind=settings.rebind,
        tick=settings.tick,
        seed_also=settings.seed_also,
    )


def must_names(settings: Settings, clean: Callable[[str], str]) -> tuple[str, ...]:
    """Return the rules whose intended change has to be seen, named as the stored results name them."""
    return tuple(clean(rule.name) for rule in settings.compare if rule.must)


def _under_way(flags: Flags, sides: Mapping[Side, TargetSpec], pace: Pace) -> int:
    """Return how many cases may be under way: one where a side is reset, which must not happen amid another case."""
    return 1 if any(spec.reset is not None for spec in sides.values()) else flags.pacing.under_way(pace)


def _by_session(sides: Mapping[Side, TargetSpec]) -> bool:
    return any(spec.reset is not None and spec.reset.between == "sessions" for spec in sides.values())


def _workers(flags: Flags, sides: Mapping[Side, TargetSpec], concurrency: int) -> int:
    """Return from how many processes to send: no more than cases may be under way, or a side may be asked at once."""
    at_once = [1 if spec.paced_by_clock else spec.max_inflight or concurrency for spec in sides.values()]
    return min(flags.pacing.workers, concurrency, *at_once)


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

_PATTERNS: Final = "`*` matches any part of an id"
_TAGS: Final = "goldens have `tags: [NAME]`; `replay goldens` tells which have none"


def _nothing_selected(flags: Flags, chosen: Chosen) -> NothingSelectedError:
    narrowed = str(flags.choice)
    if narrowed:
        read = sum(intake.read for intake in chosen.intakes)
        hint = _PATTERNS if flags.choice.only else _TAGS if flags.choice.tags else None
        return NothingSelectedError(f"none of {read} cases is selected by {narrowed}", hint=hint)
    held = "; ".join(f"{it.file} has none, {sum(it.skipped.values())} records skipped" for it in chosen.intakes)
    hint = "name --goldens DIR or --traffic FILE; `replay init` begins"
    if any(it.skipped for it in chosen.intakes):
        hint = "see why records are skipped: `replay import --dry-run FILE`"
    elif held:
        hint = "a golden is a file that ends in .yaml or .yml; `replay init` makes a first one"
    return NothingSelectedError(f"there is no case to replay{': ' + held if held else ''}", hint=hint)


# ------------------------------------------------------------------------------------------------------------ criteria


def _criteria(settings: Settings, flags: Flags, inputs: Inputs) -> tuple[Criterion, ...]:
    goldens, traffic = inputs.goldens is not None, bool(inputs.traffic)
    return criteria_for(settings, flags.gate, partial(default_criteria, goldens=goldens, traffic=traffic))


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
