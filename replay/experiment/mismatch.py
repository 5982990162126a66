"""Disagreements as exceptions: for tests, which fail where an experiment disagrees; never for a running service."""

from __future__ import annotations

from typing import Final

from replay.experiment.calls import Call
from replay.experiment.examining import Examiner
from replay.experiment.telling import sentence
from replay.inert import printable

_FINE: Final = frozenset({"match", "waived", "both_error"})
"""Where both fail, the test sees the chosen one's exception anyway."""


class MismatchError(AssertionError):
    """Both sides of an experiment disagreed, or nobody could tell."""


def require_agreement(call: Call) -> None:
    """Raise MismatchError unless a call's sides agree, by the experiment's rules."""
    outcome = Examiner().examined(call)
    name = outcome.result.outcome
    if name in _FINE:
        return
    told = sentence(outcome) if outcome.result.skipped is None else printable(outcome.result.skipped, 300)
    raise MismatchError(f"experiment {call.setup.name}: {name.replace('_', ' ')}: {told}")
