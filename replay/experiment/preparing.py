"""What an experiment says, made ready when it is made: its rules and masks are read where there are any."""

from __future__ import annotations

from dataclasses import replace

from replay.experiment.calls import Setup


def prepared(setup: Setup) -> Setup:
    """Return a setup that knows whether agreeing calls have to be examined too.

    Raise SettingsError or LocationError, with place, fact and remedy, where its rules or masks make no sense. Models
    and comparison are loaded only where there are any.
    """
    if not setup.rules and not setup.masks:
        return setup
    from replay.experiment.terms import asks_of_equals  # noqa: PLC0415 - as said above

    return replace(setup, equal_too=asks_of_equals(setup))
