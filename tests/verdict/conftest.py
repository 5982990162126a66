"""Settings of Hypothesis for this room."""

from __future__ import annotations

from hypothesis import settings

# A deadline per example measures the machine's other work, not ours.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
