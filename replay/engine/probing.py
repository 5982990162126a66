"""Cases of one's own making, sent to both sides and compared as in a run; nothing is stored, nothing is judged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from replay.engine.dual_run import DualRun
from replay.engine.loop import event_loop
from replay.engine.pacing import Planned
from replay.engine.plan import Plan
from replay.engine.sides import asked, parties, refusal, started
from replay.engine.signals import SIGNALS
from replay.engine.standing import standing
from replay.errors import RunError, SettingsError
from replay.models import Case, Result


class Probe:
    """Both sides, started and at hand."""

    def __init__(self, runner: asyncio.Runner, dual: DualRun) -> None:
        self._runner = runner
        self._dual = dual
        self.sends = 0
        """How many cases were sent so far, each once to either side."""
        self.signalled: int | None = None
        """The signal that ended the sending, once `heed_signals` has it so."""

    def heed_signals(self) -> None:
        """Have a signal end the sending and lose nothing: what is under way comes to its end, and no more is begun.

        A second one ends the process at once.
        """
        loop = self._runner.get_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._catch, number)

    def _catch(self, number: int) -> None:
        if self.signalled is not None:
            os._exit(128 + number)
        self.signalled = number
        self._dual.stop()

    def require(self, case: Case) -> None:
        """Raise SettingsError where a case must not be sent, or has no two sides that would answer it anew."""
        if {party.side for party in self._dual.sides.values() if party.target.kind != "recorded"} != {"old", "new"}:
            raise SettingsError("both sides have to answer anew, and one is recorded or not there", hint="give a URL")
        if reason := refusal(case, asked(case.kind, self._dual.sides)):
            raise SettingsError(f"'{case.id}' cannot be sent: {reason}", hint="--writable both, if that harms nobody")

    def results(self, cases: Sequence[Case], ahead: Sequence[Case] = ()) -> list[Result]:
        """Send cases whose identities are all different; return their results in the same order, in the clear.

        What is `ahead` in their session is looked at, not sent. Where a side gives no answer any more, or a signal ends
        it, there are results of those alone that were answered; raise RunError where there are none for want of a side.
        """
        self.sends += len(cases)
        found: dict[str, Result] = {}
        planned: Iterable[Planned] = map(Planned, cases)
        if self._dual.sessions is not None:
            whole = map(Planned, [*cases, *ahead])
            planned = islice(self._dual.sessions.through(whole, lambda each: each.case), len(cases))
        self._runner.run(self._dual.run(planned, lambda result: found.update({result.case.identity: result})))
        if cases and not found and self.signalled is None:
            silent = [side for side, pulse in self._dual.pulses.items() if pulse.silent]
            raise RunError(f"{' and '.join(silent) or 'a side'} gives no answer any more", hint="is it still there?")
        return [found[case.identity] for case in cases if case.identity in found]


@contextmanager
def probing(
    plan: Plan, store: Path, *, rebind: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Probe]:
    """Start both sides of a plan and give them; whatever was started ends with the block.

    `store` is beside which the logs of started sides are kept. With `rebind`, each side of a captured session is sent
    what it handed out itself. What a teardown did not undo is told to `tell`. Raise TargetError where a side cannot
    start.
    """
    with standing(plan.sides, plan.stage, store, plan.record.id, tell=tell) as specs:
        sides = parties(specs, concurrency=plan.sending.concurrency)
        sending = replace(plan.sending, workers=1, warmup=0, noise=0, recheck=None, rebind=rebind)
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            stack = AsyncExitStack()
            try:
                runner.run(started(sides, stack))
                yield Probe(runner, DualRun(sides, plan.referee, sending))
            finally:
                runner.run(stack.aclose())
