"""The run's summary and its verdict, from what was stored and from how the sending went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from replay.engine.closing import Tally
from replay.engine.noise import judge_noise
from replay.engine.past import past_for
from replay.engine.plan import Plan, Sent
from replay.engine.sums import Sums, added_up
from replay.models import SIDES, Intake, Pacing, Result, Side, SideInfo, Summary, Verdict
from replay.rebinding import told_beyond
from replay.store.base import RunRecord, Store
from replay.targets import build_target
from replay.targets.witness import UNTOLD
from replay.verdict.changes import changes

NO_ANSWER: Final = "it never answered"


def closed(
    plan: Plan, store: Store, sent: Sent, reason: str, *, expected: int, along: Sums | None = None
) -> tuple[Summary, Verdict]:
    """Judge what is noise, then add up what was stored: the sums, and the verdict.

    `reason` tells why the run did not complete, if so; `expected` is how many results there have to be, and `along`
    what they added up to as they were handed over, where nothing has changed them since.
    """
    reason = reason or ("" if sent.complete else sent.ended_because or "it was stopped")
    noise = judge_noise(store, plan.record.id, plan.sending.noise) if plan.sending.noise else None
    whole = added_up(plan, store, reason, along)
    sums, versions = whole.tally, whole.versions
    reason = reason or _miscounted(plan, sums, expected)
    complete = not reason
    not_sent = _not_sent(plan, sums, reason)
    counts = sums.counts(not_sent)
    unseen = unseen_changes(plan.record.musts, sums)
    infos = {side: _side_info(plan, side, sums, sent) for side in SIDES}
    infos = {
        side: replace(info, version=versions.version(side), versions=versions.seen(side))
        for side, info in infos.items()
    }
    summary = Summary(
        run=plan.record.id,
        started=plan.record.started,
        finished=datetime.now(UTC),
        complete=complete,
        ended_because=reason,
        old=infos["old"],
        new=infos["new"],
        counts=counts,
        decision=plan.record.settings.get("decision"),
        owner=plan.record.settings.get("owner"),
        seed=plan.sending.seed,
        intake=_intakes(plan.cases.intakes, sent.intakes),
        pacing=_pacing(plan, sums, sent),
        warmed=sent.warmed,
        noise=noise,
        skipped=skipped_of(sums, reason, not_sent),
        warnings=(
            *plan.warnings,
            *plan.record.warnings,
            *sums.warnings(),
            *sums.unjudged(plan.criteria),
            *versions.warnings(),
            *_two_times(infos),
            *told_beyond(sent.beyond),
            *unseen,
        ),
    )
    summary = with_sums(summary, sums, partial(kept_of, store, plan.record.id))
    past = past_for(plan.criteria, store.runs(), plan.record, summary)
    doubts = unseen if plan.record.saw_all else ()
    verdict = whole.judge.verdict(complete=complete, reason=reason, doubts=doubts, past=past)
    return summary, with_changes(verdict, plan.record)


def with_changes(verdict: Verdict, record: RunRecord) -> Verdict:
    """Return a verdict that says what its record rests on that was written otherwise when the first case was sent.

    A run that was judged again before it was gone on with, or before its shards were merged, is not as it was begun.
    """
    return replace(verdict, changes=changes(record.begun_under, record.basis))


def unseen_changes(musts: Iterable[str], sums: Tally) -> tuple[str, ...]:
    """Return a doubt for each rule whose intended change no case has shown."""
    return tuple(f"no case showed the intended change: {rule}" for rule in sums.unseen(musts))


def skipped_of(sums: Tally, reason: str, not_sent: int) -> dict[str, int]:
    """Return how many cases were passed over, by why; `not_sent` are those that the run never came to."""
    return dict(sums.skipped.most_common()) | ({f"not sent: {reason}": not_sent} if not_sent else {})


def with_sums(summary: Summary, sums: Tally, kept: Callable[[str], Result | None]) -> Summary:
    """Return a summary with all that the results alone tell; `kept` returns one of them by its identity."""
    return replace(
        summary,
        clusters=sums.causes.clusters(kept),
        latency=sums.latency(),
        measures=sums.measures(),
        accepted=dict(sums.accepted.most_common()),
        errors=dict(sums.errors.most_common()),
        categories=sums.parity.categories(),
        statuses=sums.parity.statuses(),
        waived=dict(sums.waived.most_common()),
        kpis=sums.kpis.kpis(),
        latency_parity=sums.timings.parity(),
        days=sums.days.figures(summary.started.date()),
    )


def _intakes(planned: Sequence[Intake], sent: Sequence[Intake]) -> tuple[Intake, ...]:
    """Return each reader's account; where nothing was checked beforehand, only those who sent have read anything."""
    sent = sent or planned
    return tuple(mine if mine.read else theirs for mine, theirs in zip(planned, sent, strict=True))


def kept_of(store: Store, run: str, identity: str) -> Result | None:
    """Return what a run keeps of a case."""
    return next((each for each in store.find(identity, run) if each.case.identity == identity), None)


def _miscounted(plan: Plan, sums: Tally, expected: int) -> str:
    """Tell where the results are not as many as there were, or as the cases that were counted beforehand.

    None may be lost unseen.
    """
    found = sums.counts().loaded
    if found != expected:
        return f"{expected} results were handed over to be kept, and {found} are there"
    if plan.total is None or plan.total == found:
        return ""
    return f"{plan.total} cases were selected and {found} have a result: the inputs changed meanwhile"


def _not_sent(plan: Plan, sums: Tally, reason: str) -> int:
    if not reason or plan.total is None:
        return 0
    return max(0, plan.total - sums.counts().loaded)


def _pacing(plan: Plan, sums: Tally, sent: Sent) -> Pacing | None:
    """Return how well the timetable was kept; None where there was none."""
    name = plan.sending.pace.name
    if not name:
        return None
    return Pacing(
        name=name,
        planned=_rate(sent.begun, sent.planned_seconds),
        achieved=_rate(sent.begun, sent.spent_seconds),
        late=sums.lateness(),
        latency=sums.planned_latency(),
    )


def _rate(begun: int, seconds: float) -> float | None:
    """Return cases a second; None for fewer than two: the first one begins the time, so that it does not count."""
    return (begun - 1) / seconds if begun > 1 and seconds > 0 else None


def _side_info(plan: Plan, side: Side, sums: Tally, sent: Sent) -> SideInfo:
    if side not in plan.sides:
        return SideInfo("nothing: goldens are held against what they expect", "recorded")
    # Where no process lived to tell, the name is to be had from the settings.
    target = None if side in sent.targets else build_target(plan.sides[side], concurrency=1)
    name, kind = sent.targets[side] if target is None else (target.name, target.kind)
    last = sent.silent.get(side)
    if kind == "recorded":
        return SideInfo(name, "recorded", last_answer=last)
    frozen = sums.frozen(side)
    note = sent.clock_notes.get(side, "") if sums.answered(side) else NO_ANSWER
    return SideInfo(name, "frozen" if frozen else "not frozen", _clock_note(plan, note, *sums.strays(side)), last)


def _two_times(infos: Mapping[Side, SideInfo]) -> Iterator[str]:
    """Yield that the sides saw different times, where one was frozen and the other was not, or may not have been."""
    clocks = {infos[side].clock: side for side in SIDES}
    if clocks.keys() == {"frozen", "not frozen"} and infos[clocks["not frozen"]].clock_note != NO_ANSWER:
        frozen, other = clocks["frozen"], clocks["not frozen"]
        if any(it in infos[other].clock_note for it in UNTOLD):
            yield f"{frozen} was at the instants of the cases, and whether {other} was cannot be told from its answers"
            return
        yield f"{frozen} was at the instants of the cases and {other} was not: what hangs on the time differs by itself"


def _clock_note(plan: Plan, why: str, strays: int, answers: int) -> str:
    """Return what is to be said of a side's clock: how many answers showed none at their instant, and why."""
    if 0 < strays < answers:
        return f"{strays:,} of {answers:,} answers show no frozen clock" + (f": {why}" if why else "")
    if not strays and answers and plan.sending.tick:
        return "; ".join(filter(None, ("and running on from the instant", why)))
    return why
