"""Labels: what people call the version of a side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from replay.errors import SettingsError
from replay.models import SIDES, Side, TargetSpec

LONGEST: Final = 100


def parse_labels(texts: Iterable[str]) -> dict[str, str]:
    """Read `SIDE=TEXT`. Raise SettingsError for another side, one named twice, and a text that names nothing."""
    labels: dict[str, str] = {}
    for text in texts:
        side, equals, label = text.partition("=")
        if side not in SIDES or not equals:
            raise SettingsError(f"--label {text}: there is no such side", hint="write new=TEXT or old=TEXT")
        if side in labels:
            raise SettingsError(f"--label {text}: {side} has a label already", hint="give one for each side")
        labels[side] = _checked(text, label.strip())
    return labels


def _checked(text: str, label: str) -> str:
    if not label:
        raise SettingsError(f"--label {text}: the label is empty", hint="is the variable set that it comes from?")
    if len(label) > LONGEST or not label.isprintable():
        fact = f"a label is one line of at most {LONGEST} characters"
        raise SettingsError(f"--label {text[:LONGEST]}: {fact}", hint="give a commit, or a version number")
    return label


def labels_of(sides: Mapping[Side, TargetSpec], given: Mapping[str, str]) -> dict[str, str]:
    """Return each side's label: the one that was given, else the version that its code is known to be.

    Raise SettingsError for a side that there is not.
    """
    for side in given:
        if side not in sides:
            raise SettingsError(f"--label {side}={given[side]}: there is no {side} side", hint=f"give --{side} X")
    known = {side: spec.version for side, spec in sides.items() if spec.version and not spec.version_header}
    return known | dict(given)
