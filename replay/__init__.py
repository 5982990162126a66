"""Run old and new side by side on the same inputs, and cut over on evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.experiment import Experiment

__all__ = ["Experiment", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Experiment":
        from replay.experiment import Experiment  # noqa: PLC0415 - the command line does without it

        return Experiment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
