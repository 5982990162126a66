"""One run from its plan to its verdict: begin or go on, send, record, close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from replay.engine.closing import Tally
from replay.engine.dual_run import DualRun
from replay.engine.outcome import Referee
from replay.engine.recording import Recorder
from replay.engine.sides import Parties, parties, started
from replay.errors import InputError, RunError, StoreError
from replay.models import Case, Intake, Result, Side, SideInfo, Summary, TargetSpec, Verdict
from replay.store.base import RunRecord, RunState, Store
from replay.verdict import Criterion, Judge


class Selected(Protocol):
    """The cases of a run, read anew at every iteration."""

    def __iter__(self) -> Iterator[Case]:
        """Yield the selected cases."""

    @property
    def intakes(self) -> Sequence[Intake]:
        """Return the readers' own accounts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided before anything is sent."""

    record: RunRecord
    cases: Selected
    sides: Mapping[Side, TargetSpec]
    referee: Referee
    criteria: Sequence[Criterion]
    seed: int
    instant: datetime
    concurrency: int
    total: int | None = None
    """How many cases are selected, where that is known beforehand."""
    redact: Callable[[Result], Result] = lambda result: result
    warnings: tuple[str, ...] = ()
    musts: tuple[str, ...] = ()
    """The settings' rules, by name, whose intended change has to be seen in some case."""
    whole: bool = True
    """Everything that the settings name is replayed, so that what no case showed was shown by none there is."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended; the verdict is None where it was only collected."""

    summary: Summary
    verdict: Verdict | None


@dataclass(slots=True)
class Run:
    """Carries a plan out. `watch` sees every result as it comes."""

    plan: Plan
    store: Store
    watch: Callable[[Result], None] = lambda _result: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    interrupted: bool = False
    _recorder: Recorder | None = None
    _sent: tuple[DualRun, Parties] | None = None

    async def send(self, *, resumed: bool = False) -> None:
        """Send every case that has no result yet. Raise RunError or StoreError; what was done is stored."""
        plan = self.plan
        if resumed:
            self.store.mark(plan.record.id, "running")
        sides = parties(plan.sides, concurrency=plan.concurrency)
        async with AsyncExitStack() as stack:
            await started(sides, stack)
            if not resumed:
                self.store.begin(plan.record)
            dual = DualRun(sides, plan.referee, plan.seed, plan.instant, plan.concurrency, self.stop)
            cases = _left(plan, self.store) if resumed else plan.cases
            self._sent = dual, sides
            with sending():
                await self._record(dual, dual.readable(cases))

    async def _record(self, dual: DualRun, cases: Iterable[Case]) -> None:
        self._recorder = recorder = Recorder(self.store, self.plan.record.id, self.plan.redact)
        try:
            async with aclosing(dual.results(cases)) as results:
                async for result in results:
                    if recorder.add(result):
                        # In a thread: a slow disk must not look like a slow service.
                        await asyncio.to_thread(recorder.flush)
                    self.watch(result)
        except (RunError, InputError) as error:
            dual.end(error)
        finally:
            recorder.flush()

    def interrupt(self) -> None:
        """End the run early: nothing more is sent, what is done is kept."""
        self.interrupted = True
        self.stop.set()

    def flush(self) -> None:
        """Store what is waiting to be stored."""
        if self._recorder is not None:
            self._recorder.flush()

    def close(self, *, signalled: int | None = None) -> Finished:
        """Walk over what is stored, judge it, and keep how the run ended. Call it after `send`, outside of the loop.

        `signalled` is the signal that ended the run, if one did: the verdict's exit code says so, as shells do.
        """
        if self._sent is None:
            raise RuntimeError("a run is sent before it is closed")
        dual, sides = self._sent
        with sending():
            return self._closed(dual, sides, signalled)

    def _closed(self, dual: DualRun, sides: Parties, signalled: int | None) -> Finished:
        summary, verdict = close(self.plan, self.store, dual, sides, _reason(self, dual))
        state: RunState = "interrupted" if self.interrupted else "complete" if summary.complete else "incomplete"
        if signalled is not None:
            verdict = replace(verdict, exit_code=128 + signalled)
        answer = None if self.plan.record.collect else verdict
        self.store.finish(self.plan.record.id, state, summary, answer)
        return Finished(summary, answer)


@contextmanager
def sending() -> Iterator[None]:
    """Give a store that fails the exit code of a run that did not complete: cases have been sent."""
    try:
        yield
    except StoreError as error:
        error.exit_code = RunError.exit_code
        raise


def _reason(run: Run, dual: DualRun) -> str:
    if run.interrupted:
        return "it was interrupted"
    return "" if dual.complete else dual.ended_because or "it was stopped"


def _left(plan: Plan, store: Store) -> Iterator[Case]:
    """Yield the cases that have no result yet."""
    return (case for case in plan.cases if not store.done(plan.record.id, case.identity))


def close(plan: Plan, store: Store, dual: DualRun, sides: Parties, reason: str) -> tuple[Summary, Verdict]:
    """Walk once over what was stored: the sums, and the verdict. `reason` tells why the run did not complete, if so."""
    sums, judge = Tally(), Judge(plan.criteria, plan.record.gate)
    for result in store.results(plan.record.id, bodies=False):
        sums.add(result)
        judge.add(result)
    reason = reason or _miscounted(plan, sums)
    complete = not reason
    not_sent = _not_sent(plan, sums, reason)
    counts = sums.counts(not_sent)
    unseen = [f"no case showed the intended change: {rule}" for rule in sums.unseen(plan.musts)]
    infos = {side: _side_info(side, sums, dual, sides) for side in ("old", "new")}
    summary = Summary(
        run=plan.record.id,
        started=plan.record.started,
        finished=datetime.now(UTC),
        complete=complete,
        old=infos["old"],
        new=infos["new"],
        counts=counts,
        decision=plan.record.settings.get("decision"),
        owner=plan.record.settings.get("owner"),
        seed=plan.seed,
        intake=tuple(plan.cases.intakes),
        clusters=sums.clusters.clusters(),
        latency=sums.latency(),
        measures=sums.measures(),
        accepted=dict(sums.accepted.most_common()),
        skipped=dict(sums.skipped.most_common()) | ({f"not sent: {reason}": not_sent} if not_sent else {}),
        errors=dict(sums.errors.most_common()),
        categories=sums.parity.categories(),
        statuses=sums.parity.statuses(),
        waived=dict(sums.waived.most_common()),
        warnings=(*plan.warnings, *sums.warnings(), *unseen),
    )
    return summary, judge.verdict(complete=complete, reason=reason, doubts=unseen if plan.whole else ())


def _miscounted(plan: Plan, sums: Tally) -> str:
    """Tell where the results are not as many as the cases that were counted beforehand: none may be lost unseen."""
    found = sums.counts().loaded
    if plan.total is None or plan.total == found:
        return ""
    return f"{plan.total} cases were selected and {found} have a result: the inputs changed meanwhile"


def _not_sent(plan: Plan, sums: Tally, reason: str) -> int:
    if not reason or plan.total is None:
        return 0
    return max(0, plan.total - sums.counts().loaded)


def _side_info(side: Side, sums: Tally, dual: DualRun, sides: Parties) -> SideInfo:
    party = sides.get(side)
    if party is None:
        return SideInfo("nothing: goldens are held against what they expect", "recorded")
    last = dual.pulses[side].last_answer if dual.pulses[side].silent else None
    if party.target.kind == "recorded":
        return SideInfo(party.target.name, "recorded", last_answer=last)
    frozen = sums.frozen(side)
    note = "" if frozen else _clock_note(party.target.kind)
    return SideInfo(party.target.name, "frozen" if frozen else "not frozen", note, last)


def _clock_note(kind: str) -> str:
    if kind == "live":
        return "the service does not obey the Replay-Time header"
    return "freezegun did not take hold in its worker processes"


def resumed(plan: Plan, record: RunRecord) -> Plan:
    """Return the plan under the id and the instant of the run that it goes on with."""
    return replace(plan, record=record, instant=datetime.fromisoformat(record.settings["instant"]))
