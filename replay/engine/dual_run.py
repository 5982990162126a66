"""The dual run: each case to old and new, in a fair order, under one instant and one seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from replay.engine.again import Asking, Learner, askings, may_repeat
from replay.engine.answered import LARGE, Comparing
from replay.engine.outcome import Referee
from replay.engine.pacing import NS, Planned
from replay.engine.plan import Sending, Sent
from replay.engine.pulse import Pulse
from replay.engine.rebinding import Turn, sessions_of
from replay.engine.recheck import settled
from replay.engine.schedule import Schedule
from replay.engine.sides import Parties, Party, asked, refusal
from replay.errors import InputError, ReplayError
from replay.models import SIDES, Case, CaseKind, Done, Failed, Failure, Lateness, Observation, RecheckSpec, Result, Side
from replay.placeholders import require_no_secrets
from replay.sampling import derive_seed
from replay.targets.base import Moment

Finished = Callable[[Result], None]


class DualRun:
    """Sends cases to both sides and compares what comes back; one run, on one event loop.

    It ends early by `stop`, or by itself when a side is gone; `ended_because` then says why.
    """

    def __init__(self, sides: Parties, referee: Referee, sending: Sending) -> None:
        self.sides = sides
        self.sending = sending
        self.pulses: dict[Side, Pulse] = {
            side: Pulse(side, sides[side].spec.stop_after if side in sides else None) for side in SIDES
        }
        self.ended_because = ""
        self.exhausted = False
        """Every case was taken from its source."""
        self.stopped = False
        self.sessions = sessions_of(sides, referee.comparison) if sending.rebind else None
        """None where requests are sent as they were recorded."""
        self._referee = referee
        self._learner = Learner(referee)
        self._asked: dict[CaseKind, tuple[Party, ...]] = {kind: asked(kind, sides) for kind in ("golden", "traffic")}
        self._once: dict[CaseKind, tuple[Asking, ...]] = {
            kind: tuple((party, 0) for party in parties) for kind, parties in self._asked.items()
        }
        self._schedule: Schedule[Result] | None = None
        self.comparing = Comparing(sending.pace, self._ending, self._under_way)

    @property
    def complete(self) -> bool:
        """Tell whether every case has its result."""
        return self.exhausted and not self.stopped

    async def warm(self, cases: Iterable[Case]) -> int:
        """Send the first cases that may be sent at any time, and forget what comes back; return how many those were."""
        safe = (case for case in cases if may_repeat(case) and not self.refuses(case))
        few = list(islice(self.readable(safe), self.sending.warmup))
        await self.run(map(Planned, few), lambda _: None)
        self.exhausted = False
        return len(few)

    async def run(self, planned: Iterable[Planned], finished: Finished, *, seconds: float | None = None) -> None:
        """Carry every case out, and hand each result on as it comes. Raises what is no side's doing."""
        if self.stopped:
            return
        concurrency = self.sending.concurrency
        self._schedule = Schedule(planned, self._begin, finished, concurrency=concurrency, seconds=seconds)
        await self._schedule.run()

    def refuses(self, case: Case) -> bool:
        """Tell whether a case will be skipped: it must not or cannot be sent."""
        return refusal(case, self._asked[case.kind]) is not None

    @property
    def cut(self) -> Case | None:
        """Return the first case whose moment came too late, if there was one."""
        return self._schedule.cut if self._schedule is not None else None

    def stop(self) -> None:
        """End early: nothing more is begun."""
        self.stopped = True
        if self._schedule is not None:
            self._schedule.stop()

    def hold(self) -> None:
        """Begin nothing for now."""
        if self._schedule is not None:
            self._schedule.hold()

    def go_on(self) -> None:
        """Begin cases again."""
        if self._schedule is not None:
            self._schedule.go_on()

    def fail(self, error: BaseException) -> None:
        """End early, and have `run` raise this error."""
        if self._schedule is not None:
            self._schedule.fail(error)

    def readable(self, cases: Iterable[Case]) -> Iterator[Case]:
        """Yield cases up to the first record that cannot be read: that one ends the run, and what was done stays."""
        try:
            yield from cases
            self.exhausted = True
        except InputError as error:
            self.end(error)

    def end(self, error: ReplayError) -> None:
        """End the run where it is, for a reason that its report then gives."""
        self.ended_because = f"{error.place}: {error.fact}" if error.place else error.fact
        self.exhausted = False

    def sent(self, warmed: int) -> Sent:
        """Return how the sending went."""
        schedule = self._schedule
        return Sent(
            complete=self.complete,
            ended_because=self.ended_because,
            silent={side: it.last_answer for side, it in self.pulses.items() if it.silent},
            clock_notes={side: party.target.clock_note for side, party in self.sides.items()},
            beyond=self.sessions.beyond if self.sessions is not None else {},
            targets={side: (party.target.name, party.target.kind) for side, party in self.sides.items()},
            warmed=warmed,
            begun=schedule.begun if schedule is not None else 0,
            planned_seconds=schedule.planned_ns / NS if schedule is not None else 0.0,
            spent_seconds=schedule.spent_ns / NS if schedule is not None else 0.0,
        )

    def _begin(self, case: Case, lateness: Lateness | None, done: Finished, failed: Failed) -> None:
        parties = self._asked[case.kind]
        reason = refusal(case, parties)
        if reason is not None:
            if self.sessions is not None:
                self.sessions.pass_over(case)
            done(self._referee.skipped(case, reason))
            return
        seed = derive_seed(self.sending.seed, case.origin)
        moment = self._moment(case, seed)
        order = self._order(case, parties, seed)
        asking = _Asking(self, case, moment, order, (lateness, done, failed))
        if self.sessions is not None and case.session is not None:
            asking.turn = self.sessions.turn(case)
        asking.begin()

    def _moment(self, case: Case, derived: int) -> Moment:
        """Return under which instant and seed both sides see a case; what it brings itself beats the settings."""
        sending = self.sending
        return Moment(
            case.freeze or sending.instant,
            derived if case.seed is None else case.seed,
            sending.tick if case.tick is None else case.tick,
            sending.seed_also,
        )

    def _ending(self, ending: Callable[[], bool]) -> None:
        if self._schedule is not None:
            self._schedule.after(ending)

    def _under_way(self) -> int:
        return self._schedule.under_way if self._schedule is not None else 0

    def _order(self, case: Case, parties: tuple[Party, ...], seed: int) -> tuple[Asking, ...]:
        """Return who is asked when; old more than once, where its noise is to be learned."""
        if self.sending.noise and len(parties) == len(SIDES) and may_repeat(case):
            return askings(parties, self.sending.noise, self.sending.order, seed)
        # Who goes first is drawn for each case: a warm cache would favour the second.
        once = self._once[case.kind]
        return once[::-1] if self.sending.order == "random" and seed & 1 else once

    def judged(
        self, case: Case, seen: Mapping[Side, Observation], again: Sequence[Observation], turn: Turn | None
    ) -> Result:
        """Return the result of a case that every side has answered; `again` is what old said further times."""
        if turn is not None:
            case = turn.learned(seen)
        result = self._referee.result(case, seen.get("old"), seen["new"], turn.found if turn is not None else None)
        return replace(result, again=self._learner.learned(case, seen["old"], again)) if again else result

    def may_recheck(self, case: Case) -> bool:
        """Tell whether asking both sides again changes nothing, and may show something else than before."""
        parties = self._asked[case.kind]
        return len(parties) == len(SIDES) and may_repeat(case) and all(it.target.kind != "recorded" for it in parties)

    def compared(self, case: Case, seen: Mapping[Side, Observation]) -> Result:
        """Return what becomes of a case by further answers of both sides."""
        return self._referee.result(case, seen.get("old"), seen["new"])

    def fails(self, case: Case, observation: Observation) -> Failure | None:
        """Tell how an answer to a step fails, which ends the scenario on its side; None where it does not."""
        return self._referee.failure(case, observation)

    def feel(self, side: Side, case: Case, observation: Observation) -> None:
        """Note whether a side still answers; one that does not ends the run."""
        pulse = self.pulses[side]
        pulse.feel(case, observation)
        if pulse.gone and not self.stopped:
            # Where both are gone, the other one is only a case or two behind.
            self.ended_because = "; ".join(it.story for it in self.pulses.values() if it.gone or it.silent)
            self.stop()


class _Asking:
    """One case under way: who is still to be asked, and what the others said."""

    __slots__ = (
        "_again", "_case", "_done", "_failed", "_lateness", "_moment", "_order", "_run", "_seen", "large", "turn",
    )  # fmt: skip

    def __init__(
        self,
        run: DualRun,
        case: Case,
        moment: Moment,
        order: Sequence[Asking],
        told: tuple[Lateness | None, Finished, Failed],
    ) -> None:
        self._run = run
        self._case = case
        self._moment = moment
        self._order = order
        self._lateness, self._done, self._failed = told
        self._seen: dict[Side, Observation] = {}
        self._again: list[Observation] = []
        self.large = False
        self.turn: Turn | None = None
        """What its session has to do with it, if it has."""

    def begin(self) -> None:
        """Ask the first one, or all of them."""
        if self._run.sending.order == "together":
            for asking in self._order:
                self._ask(asking)
        else:
            self._ask(self._order[0])

    def _ask(self, asking: Asking) -> None:
        party, nth = asking

        def done(observation: Observation) -> None:
            self._answered(party.side, nth, observation)

        self._send(party, done)

    def _send(self, party: Party, done: Done) -> None:
        if self.turn is not None:
            self._ask_as_bound(party, self.turn, done)
        elif self._case.steps:
            party.scenes.begin(self._case, self._moment, self._run.fails, done, self._fail)
        else:
            party.target.begin(self._case, self._moment, done, self._fail)

    def _ask_as_bound(self, party: Party, turn: Turn, done: Done) -> None:
        """Send a side what it handed out itself earlier in the session."""
        try:
            sent = turn.request(party.side)
            if isinstance(sent, Failure):
                done(Observation(error=sent))
            else:
                require_no_secrets(sent, self._case.request)
                party.target.begin(replace(self._case, request=sent), self._moment, done, self._fail)
        except (InputError, UnicodeEncodeError) as error:
            # The recorded request was checked: nothing but what the side gave makes it one that cannot be sent.
            fact = error.fact if isinstance(error, InputError) else "it is no text that can be written"
            done(Observation(error=Failure("capture", f"what this side handed out cannot be sent: {fact}")))

    def _answered(self, side: Side, nth: int, observation: Observation) -> None:
        try:
            if nth:
                self._again.append(observation)
            else:
                self._seen[side] = observation
            if len(observation.body) >= LARGE:
                self.large = True
            self._run.feel(side, self._case, observation)
            answered = len(self._seen) + len(self._again)
            if answered == len(self._order):
                self._run.comparing.add(self)
            elif self._run.sending.order != "together":
                self._ask(self._order[answered])
        except BaseException as error:  # noqa: BLE001 - no mistake of ours may be lost on the way through the loop
            self._fail(error)

    def judge(self) -> None:
        """Compare what the sides said, and tell the result."""
        try:
            result = self._run.judged(self._case, self._seen, self._again, self.turn)
            spec = self._run.sending.recheck
            if spec is not None and result.outcome == "deviation" and self._run.may_recheck(self._case):
                self._recheck(result, spec, [])
            else:
                self._end(result)
        except BaseException as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _end(self, result: Result) -> None:
        self._done(result if self._lateness is None else replace(result, lateness=self._lateness))

    def _recheck(self, first: Result, spec: RecheckSpec, later: list[Result]) -> None:
        """Ask both sides again after a while, as often as is to be, and then tell what has converged."""
        if len(later) == spec.times or self._run.stopped:
            self._end(settled(first, later, spec))
            return
        seen: dict[Side, Observation] = {}

        def answered(side: Side, observation: Observation) -> None:
            seen[side] = observation
            if len(seen) == len(SIDES):
                later.append(self._run.compared(first.case, seen))
                self._recheck(first, spec, later)

        def ask() -> None:
            # It is the same case still: a side that is reset between cases is not.
            self._moment = replace(self._moment, goes_on=True)
            try:
                for party in self._run.sides.values():
                    self._send(party, partial(answered, party.side))
            except BaseException as error:  # noqa: BLE001 - as above
                self._fail(error)

        asyncio.get_running_loop().call_later(spec.every.total_seconds(), ask)

    def _fail(self, error: BaseException) -> None:
        """Tell once: of several askings at the same time, more than one may come to nothing."""
        failed, self._failed = self._failed, _told
        failed(error)


def _told(_error: BaseException) -> None:
    """Take an error of a case whose failure is known already."""
