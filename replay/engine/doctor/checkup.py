"""All checks of one call: this machine's, and each side's, the sides at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from replay.engine.doctor.clocks import Clock, together
from replay.engine.doctor.findings import Finding, Health
from replay.engine.doctor.patient import Patient
from replay.engine.loop import event_loop
from replay.models import Side, TargetSpec
from replay.targets.routing import is_abroad
from replay.wire import Origin

_GRACE: Final = 4
"""A side is asked a few times, and each time may take as long as is allowed."""


def check_up(sides: Mapping[Side, TargetSpec], *, seconds: float, machine: Sequence[Finding] = ()) -> Health:
    """Ask every side a few safe requests, of which each may take so many seconds, and add what is known of the machine.

    Raises SettingsError for a side that makes no sense; whatever a side does wrong is a finding.
    """
    patients = [patient for side, spec in sides.items() for patient in _patients(side, spec, seconds)]
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        examined = runner.run(_examine(patients, seconds))
    clocks = {side: clock for side in sides if (clock := examined[side][1]) is not None}
    found = [finding for findings, _ in examined.values() for finding in findings]
    return Health((*found, *together(clocks), *machine))


def _patients(side: Side, spec: TargetSpec, seconds: float) -> Iterator[Patient]:
    """Yield a side, and what stands at the other hosts of its routes."""
    yield Patient(side, spec, seconds)
    own = Origin.parse(spec.base) if spec.base is not None else None
    for route in spec.routes:
        if route.url is not None and own is not None and is_abroad(own, Origin.parse(route.url)):
            there = {"url": route.url, "run": None, "headers": route.headers, "clock_secret": route.clock_secret}
            away = {"routes": (), "login": None, "connect": None, "unix": None, "tls": None}
            yield Patient(f"{side} {route.on}", spec.model_copy(update=there | away), seconds)


async def _examine(patients: Sequence[Patient], seconds: float) -> dict[str, tuple[list[Finding], Clock | None]]:
    found = await asyncio.gather(*(_bounded(patient, seconds * _GRACE) for patient in patients))
    return {patient.name: seen for patient, seen in zip(patients, found, strict=True)}


async def _bounded(patient: Patient, seconds: float) -> tuple[list[Finding], Clock | None]:
    try:
        async with asyncio.timeout(seconds):
            await patient.examine()
    except TimeoutError:
        patient.find("reach", "mend", f"was not done within {seconds:g} s", "see what it is waiting for")
    return [replace(each, side=patient.name) for each in patient.findings], patient.clock
