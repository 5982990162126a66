"""The dual run inside a program: old and new functions on the same real calls; a flag decides whose answer is used.

Each name is imported when it is first asked for: a program pays for no sink that it does not use.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from replay.experiment.breaker import Breaker
    from replay.experiment.capturing import Captured
    from replay.experiment.dogstatsd import DogStatsD
    from replay.experiment.experiment import Experiment
    from replay.experiment.known import Known
    from replay.experiment.logs import Log
    from replay.experiment.metrics import OpenTelemetry
    from replay.experiment.mismatch import MismatchError
    from replay.experiment.reporting import close, flush, report_to
    from replay.experiment.storing import Stored

__all__ = [
    "Breaker",
    "Captured",
    "DogStatsD",
    "Experiment",
    "Known",
    "Log",
    "MismatchError",
    "OpenTelemetry",
    "Stored",
    "close",
    "flush",
    "report_to",
]

_HOMES: Final[Mapping[str, str]] = {
    "Breaker": "breaker",
    "Captured": "capturing",
    "DogStatsD": "dogstatsd",
    "Experiment": "experiment",
    "Known": "known",
    "Log": "logs",
    "MismatchError": "mismatch",
    "OpenTelemetry": "metrics",
    "Stored": "storing",
    "close": "reporting",
    "flush": "reporting",
    "report_to": "reporting",
}


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
