"""`replay run --dry-run`: what a run would send, by side, method and host, and what it would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from replay.cli.output import printing
from replay.engine import Plan
from replay.engine.again import may_repeat
from replay.engine.sides import Party, asked, host_of, parties, refusal
from replay.inert import printable
from replay.models import Case


@dataclass(slots=True)
class _Foreseen:
    """Requests by side, method and host, and skipped cases by their reason."""

    noise: int
    sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, case: Case, addressed: Sequence[Party]) -> None:
        """Count what a case would send to the sides that it is addressed to."""
        if (reason := refusal(case, addressed)) is not None:
            self.skipped[reason] += 1
            return
        for party in addressed:
            if party.target.kind != "recorded":
                again = self.noise if party.side == "old" and len(addressed) > 1 and may_repeat(case) else 0
                for request in case.requests:
                    self.sent[party.side, party.sent(request).method, host_of(party, request)] += 1 + again


def print_dry_run(plan: Plan) -> None:
    """Print how many requests of each method each side would get."""
    sides = parties(plan.sides, concurrency=1)
    foreseen = _Foreseen(plan.sending.noise)
    for case in plan.cases:
        foreseen.add(case, asked(case.kind, sides))
    with printing() as out:
        out.write("Nothing was sent. A run would send:\n")
        for (side, method, host), count in sorted(foreseen.sent.items()):
            out.write(f"  {side:<4}{method:<8}{count:>9,}  {host}\n")
        for source in plan.secrets:
            out.write(f"  secret {printable(source)}, which was not read\n")
        for reason, count in foreseen.skipped.items():
            out.write(f"  skipped {count:,}: {reason}\n")
