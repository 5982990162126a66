"""Which trace a call belongs to: read in the caller's thread, where it is current."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

_LONGEST: Final = 200


def correlation_id(context: Mapping[str, Any]) -> str:
    """Return the id of the current OpenTelemetry trace, else the context's `correlation_id`; empty without either.

    OpenTelemetry is asked where the program has loaded it, and never loaded for this. Nothing is raised.
    """
    try:
        return _trace_id() or _given(context.get("correlation_id"))
    except Exception:  # noqa: BLE001 - a context or a provider of the program's own may raise anything
        return ""


def _trace_id() -> str:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    number = trace.get_current_span().get_span_context().trace_id
    return f"{number:032x}" if number else ""


def _given(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST]
