"""The shards of one run, brought together from wherever they were carried out, and judged as the run that they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from replay.engine.closing import Tally
from replay.engine.judging import BATCH, INTERRUPTED, Terms
from replay.engine.noise import judge_noise
from replay.engine.past import past_for
from replay.engine.plan import Watch
from replay.engine.run import Finished
from replay.engine.summary import kept_of, skipped_of, unseen_changes, with_changes, with_sums
from replay.engine.versions import changed_version
from replay.models import SIDES, Intake, Noise, Result, Side, SideInfo, Summary
from replay.store.base import RunRecord, RunState
from replay.store.sqlite import SqliteStore
from replay.verdict import Judge
from replay.verdict.chunks import add_up
from replay.verdict.kpi_account import Accounts


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard and the store that holds it: part `index` of `count`, counted from 1."""

    store: SqliteStore
    record: RunRecord
    summary: Summary
    index: int
    count: int

    @property
    def place(self) -> str:
        """Return how messages name it."""
        return f"shard {self.index}/{self.count} (run {self.record.id} of {self.store.path})"


def merged(into: SqliteStore, record: RunRecord, shards: Sequence[Shard], terms: Terms, watch: Watch) -> Finished:
    """Bring shards of one run together under a new record, and judge them. They share everything but their part.

    Outcomes stay as the shards settled them: their tokens may be of different keys. Only noise is judged over all. The
    run is not complete where a shard is missing or is not, or where cases are not as many as were read.
    """
    # Until everything is there it rests on nothing, so that nobody goes on with it.
    into.begin(replace(record, fingerprint={}))
    copied = _copied(into, record.id, shards, watch)
    noise = _noise(into, record.id, [shard.summary.noise for shard in shards])
    reasons = [*_absent(shards), *_uncounted(into, record, shards, copied)]
    sums = Tally(kpis=Accounts(terms.kpis))
    judge = Judge(terms.criteria, terms.gate, watched=bool(reasons), begun=record.started.date())
    add_up(into.results(record.id, bodies=False), sums, judge)
    reason = "; ".join(reasons)
    summary = _summary(record, shards, sums, reason)
    unseen = unseen_changes(terms.musts, sums)
    versions = [each for side, info in _infos(summary) for each in changed_version(side, info.versions)]
    told = (*sums.warnings(), *sums.unjudged(terms.criteria))
    warnings = (*terms.warnings, *record.warnings, *told, *versions, *unseen)
    summary = replace(summary, noise=noise, warnings=warnings)
    summary = with_sums(summary, sums, partial(kept_of, into, record.id))
    doubts = unseen if record.saw_all else ()
    past = past_for(terms.criteria, into.runs(), record, summary)
    verdict = judge.verdict(complete=not reason, reason=reason, doubts=doubts, past=past)
    verdict = with_changes(verdict, record)
    state: RunState = "incomplete" if reason else "complete"
    into.keep_record(replace(record, state=state, summary=summary, verdict=verdict))
    return Finished(summary, verdict)


def _copied(into: SqliteStore, run: str, shards: Sequence[Shard], watch: Watch) -> int:
    """Copy all results, and return how many there were."""
    copied = 0
    for shard in shards:
        batch: list[Result] = []
        for result in shard.store.results(shard.record.id):
            batch.append(result)
            watch(result.outcome)
            if len(batch) >= BATCH:
                into.add(run, batch)
                copied, batch = copied + len(batch), []
        into.add(run, batch)
        copied += len(batch)
    return copied


def _noise(into: SqliteStore, run: str, of_shards: Sequence[Noise | None]) -> Noise | None:
    """Judge noise over all shards: what too few cases of one could not tell, those of all may."""
    times = max((noise.times for noise in of_shards if noise is not None), default=0)
    return judge_noise(into, run, times) if times else None


def _absent(shards: Sequence[Shard]) -> Iterator[str]:
    """Yield which shards are missing, and which did not complete."""
    count = shards[0].count
    there = {shard.index for shard in shards}
    missing = [f"{index}/{count}" for index in range(1, count + 1) if index not in there]
    if missing:
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10:,} more" if len(missing) > 10 else "")  # noqa: PLR2004 - as many as are named
        yield f"missing: shard {shown}" if len(missing) == 1 else f"missing: shards {shown}"
    for shard in shards:
        if not shard.summary.complete:
            yield f"shard {shard.index}/{count}: {shard.summary.ended_because or INTERRUPTED}"


def _uncounted(into: SqliteStore, record: RunRecord, shards: Sequence[Shard], copied: int) -> Iterator[str]:
    """Yield what does not add up: a case in two shards, or one in none of them."""
    there = into.count(record.id)
    if there != copied:
        yield f"in more than one shard: {copied - there:,} of the cases"
    if any(shard.summary.intake != shards[0].summary.intake for shard in shards):
        yield "the shards have read different records"
    once = record.fingerprint.get("repeat") == "1" and not record.narrowed
    loaded = sum(intake.loaded for intake in shards[0].summary.intake)
    if once and len(shards) == shards[0].count and there != loaded:
        yield f"{loaded:,} records were loaded and {there:,} have a result"


def _summary(record: RunRecord, shards: Sequence[Shard], sums: Tally, reason: str) -> Summary:
    of_shards = [shard.summary for shard in shards]
    loaded = sum(summary.counts.loaded for summary in of_shards)
    not_sent = max(0, loaded - sums.counts().loaded)
    return Summary(
        run=record.id,
        started=record.started,
        finished=max((it.finished for it in of_shards if it.finished is not None), default=datetime.now(UTC)),
        complete=not reason,
        ended_because=reason,
        old=_side([summary.old for summary in of_shards], of_shards),
        new=_side([summary.new for summary in of_shards], of_shards),
        counts=sums.counts(not_sent),
        decision=of_shards[0].decision,
        owner=of_shards[0].owner,
        seed=of_shards[0].seed,
        intake=_intake(of_shards),
        skipped=skipped_of(sums, reason, not_sent),
        warmed=sum(summary.warmed for summary in of_shards),
    )


def _intake(of_shards: Sequence[Summary]) -> tuple[Intake, ...]:
    """Return the account of whichever shard has read most: each reads everything, and takes its part."""
    return max((summary.intake for summary in of_shards), key=lambda files: sum(intake.read for intake in files))


def _side(infos: Sequence[SideInfo], of_shards: Sequence[Summary]) -> SideInfo:
    """Return what stood behind a side in all shards that sent anything: its clock is frozen if it was in each."""
    busy = [info for info, summary in zip(infos, of_shards, strict=True) if summary.counts.loaded] or infos
    clock = next((info for info in busy if info.clock == "not frozen"), busy[0])
    silent = next((info.last_answer for info in busy if info.last_answer is not None), None)
    seen: dict[str, int] = {}
    for info in busy:
        _add(seen, info.versions)
    version = ", then ".join(dict.fromkeys(info.version for info in busy if info.version))
    return replace(clock, last_answer=silent, version=version, versions=seen)


def _add(sums: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        sums[name] = sums.get(name, 0) + number


def _infos(summary: Summary) -> Iterator[tuple[Side, SideInfo]]:
    return zip(SIDES, (summary.old, summary.new), strict=True)
