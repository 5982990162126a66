"""Outcomes as OpenTelemetry metrics: the API alone, so that they go wherever the service's own SDK sends its metrics.

replay.experiment.calls     counter, {call}    replay.experiment, replay.outcome, replay.chosen
replay.experiment.duration  histogram, s       replay.experiment, replay.outcome, replay.side
replay.experiment.lost      counter, {call}    replay.experiment, replay.reason
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from replay.errors import SettingsError
from replay.experiment.calls import Loss, Outcome

SCOPE: Final = "replay.experiment"
_MILLISECONDS: Final = 1000


class OpenTelemetry:
    """Counts outcomes, and how long either side took, with the meter provider of the service or the one that is given.

    Until the service has set its provider, what is counted goes nowhere, as with any instrument of OpenTelemetry.
    """

    def __init__(self, provider: Any = None) -> None:
        """Make the instruments. Raise SettingsError where opentelemetry-api is not installed."""
        try:
            api = import_module("opentelemetry.metrics")
        except ImportError:
            hint = "pip install 'replay-cutover[otel]'"
            raise SettingsError("OpenTelemetry() needs opentelemetry-api", hint=hint) from None
        meter = api.get_meter(SCOPE, meter_provider=provider)
        self._calls = meter.create_counter(f"{SCOPE}.calls", "{call}", "Compared calls of experiments.")
        self._duration = meter.create_histogram(f"{SCOPE}.duration", "s", "How long a side of an experiment took.")
        self._lost = meter.create_counter(f"{SCOPE}.lost", "{call}", "Compared calls that could not be told.")

    def take(self, outcome: Outcome) -> None:
        """Count one outcome."""
        result = outcome.result
        told = {SCOPE: outcome.experiment, "replay.outcome": result.outcome}
        self._calls.add(1, {**told, "replay.chosen": outcome.chosen})
        for side, seen in (("old", result.old), ("new", result.new)):
            if seen is not None and seen.timing is not None and seen.timing.latency_ms > 0:
                self._duration.record(seen.timing.latency_ms / _MILLISECONDS, {**told, "replay.side": side})

    def lose(self, loss: Loss) -> None:
        """Count calls that were lost."""
        self._lost.add(loss.calls, {SCOPE: loss.experiment, "replay.reason": loss.reason})

    def flush(self) -> None:
        """Do nothing: the service's SDK exports at its own pace."""

    def close(self) -> None:
        """Do nothing: the provider is the service's."""

    def forked(self) -> None:
        """Do nothing: the SDK looks after forks itself."""
