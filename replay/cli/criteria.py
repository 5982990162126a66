"""By which criteria a command judges: those that were typed, a gate of the settings, or the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replay.config import Settings
from replay.errors import SettingsError
from replay.verdict import Criterion, gate_sentences, parse_criteria


def require_one_basis(sentences: Sequence[str], gate: str | None) -> None:
    """Raise SettingsError where --criterion and --gate were both given."""
    if sentences and gate is not None:
        raise SettingsError("--criterion and --gate both say what to judge by", hint="leave one of them out")


def criteria_for(
    settings: Settings, gate: str | None, default: Callable[[], Sequence[str]], *, typed: Sequence[str] = ()
) -> tuple[Criterion, ...]:
    """Return the criteria that were `typed`, else those of a gate or of all gates, else what `default` returns.

    Raise CriterionError for an unknown gate, and for a sentence that makes no sense.
    """
    if typed:
        return parse_criteria(typed, settings.terms)
    if gate is not None or settings.gates:
        return parse_criteria(gate_sentences(settings.gates, gate), settings.terms)
    return parse_criteria(default())
