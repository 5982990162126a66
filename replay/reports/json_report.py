"""The report for programs: a versioned contract (`schemas/report.json`), results streamed last."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final, TextIO

from replay.causes import Naming
from replay.documents.json_text import json_chunks, json_text
from replay.models import (
    MISSING,
    Again,
    Binding,
    Cluster,
    Counts,
    DayFigures,
    Difference,
    Figure,
    Intake,
    Judgement,
    Kpi,
    LatencyParity,
    Measure,
    Noise,
    Observation,
    Pacing,
    Played,
    Result,
    SideInfo,
    Spread,
    StatusCount,
    Step,
    Summary,
    Verdict,
)
from replay.reports.matrix import status_class

VERSION: Final = 1


class JsonReport:
    """Writes one JSON object in ASCII, a result a line; numbers keep every digit, and what is MISSING has no key."""

    def write(self, out: TextIO, summary: Summary, results: Iterable[Result], verdict: Verdict) -> None:
        """Write the report to `out`, holding one result at a time."""
        head = json_text({**_contract(summary, verdict), "changes": _changes(verdict), **_extras(summary)})
        out.write(f'{head.removesuffix("}")},\n"results":[')
        separator, naming = "\n", Naming(summary.clusters)
        for result in results:
            out.write(separator)
            out.writelines(json_chunks(_result(result, naming.place(result))))
            separator = ",\n"
        out.write("\n]}\n")


def _contract(summary: Summary, verdict: Verdict) -> dict[str, Any]:
    return {
        "version": VERSION,
        "run": summary.run,
        "verdict": verdict.state,
        "exit_code": verdict.exit_code,
        "gate": verdict.gate,
        "criteria": [_criterion(each) for each in verdict.criteria],
        "counts": _counts(summary.counts),
        "clock": {"old": summary.old.clock, "new": summary.new.clock},
        "latency": {side: _finite(asdict(quantiles)) for side, quantiles in summary.latency.items()},
        "clusters": [_cluster(each) for each in summary.clusters],
    }


def _changes(verdict: Verdict) -> list[dict[str, str | None]]:
    return [asdict(each) for each in verdict.changes]


def _extras(summary: Summary) -> dict[str, Any]:
    sides = {"old": summary.old, "new": summary.new}
    return {
        "started": summary.started.isoformat(),
        "finished": None if summary.finished is None else summary.finished.isoformat(),
        "complete": summary.complete,
        "ended_because": summary.ended_because or None,
        "decision": summary.decision,
        "owner": summary.owner,
        "seed": summary.seed,
        "sides": {name: _side(side) for name, side in sides.items()},
        "clock_notes": {name: side.clock_note for name, side in sides.items() if side.clock_note},
        "intake": [_intake(each) for each in summary.intake],
        "errors": dict(summary.errors),
        "categories": dict(summary.categories),
        "statuses": [_statuses(each) for each in summary.statuses],
        "skipped": dict(summary.skipped),
        "accepted": dict(summary.accepted),
        "waived": dict(summary.waived),
        "measures": {name: _spread(spread) for name, spread in summary.measures.items()},
        "kpis": [_kpi(each) for each in summary.kpis],
        "latency_parity": None if summary.latency_parity is None else _latency_parity(summary.latency_parity),
        "warnings": list(summary.warnings),
        "warmed": summary.warmed,
        "pacing": None if summary.pacing is None else _pacing(summary.pacing),
        "noise": None if summary.noise is None else _noise(summary.noise),
        "days": [_day(each) for each in summary.days],
        "experiment": None if summary.experiment is None else asdict(summary.experiment),
    }


def _side(side: SideInfo) -> dict[str, Any]:
    version = {"version": side.version or None, "versions": dict(side.versions)}
    return {"target": side.target, "last_answer": side.last_answer, **version}


def _day(day: DayFigures) -> dict[str, Any]:
    latency = {side: _finite(asdict(each)) for side, each in day.latency.items()}
    return {"day": day.day, "n": day.n, "deviating": day.deviating, "unproven": day.unproven, "latency": latency}


def _kpi(kpi: Kpi) -> dict[str, Any]:
    bounds = None if kpi.interval is None else [_number(bound) for bound in kpi.interval]
    return {
        "name": kpi.name,
        "kind": kpi.kind,
        "of": kpi.of,
        "old": kpi.old,
        "new": kpi.new,
        "difference": kpi.difference,
        "interval": bounds,
        "n": kpi.n,
        "failed": dict(kpi.failed),
        "faults": dict(kpi.faults),
        "examples": dict(kpi.examples),
    }


def _latency_parity(parity: LatencyParity) -> dict[str, Any]:
    quantiles = [
        {name: _bounds(value) if isinstance(value, tuple) else value for name, value in asdict(each).items()}
        for each in parity.quantiles
    ]
    return {
        **asdict(parity),
        "quantiles": [_sound(each) for each in quantiles],
        "routes": [_sound(asdict(each)) | {"clear": each.clear} for each in parity.routes],
    }


def _bounds(bounds: tuple[float, float]) -> list[float | None]:
    return [_number(bound) for bound in bounds]


def _sound(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures, None for those that JSON cannot hold; all else stays."""
    return {name: _number(value) if isinstance(value, float) else value for name, value in figures.items()}


def _noise(noise: Noise) -> dict[str, Any]:
    return {**asdict(noise), "rates": [asdict(rate) for rate in noise.rates]}


def _pacing(pacing: Pacing) -> dict[str, Any]:
    return {
        "name": pacing.name,
        "planned_per_second": _number(pacing.planned),
        "achieved_per_second": _number(pacing.achieved),
        "late_ms": None if pacing.late is None else _finite(asdict(pacing.late)),
        "latency_from_planned": {side: _finite(asdict(each)) for side, each in pacing.latency.items()},
    }


def _criterion(judgement: Judgement) -> dict[str, Any]:
    parts = {"parts": [_part(each) for each in judgement.parts]} if judgement.parts else {}
    return {"sentence": judgement.sentence, **_judged(judgement), **parts}


def _part(judgement: Judgement) -> dict[str, Any]:
    mark = {"mark": judgement.mark} if judgement.mark else {}
    return {"name": judgement.sentence, **_judged(judgement), **mark}


def _judged(judgement: Judgement) -> dict[str, Any]:
    return {
        "state": judgement.state,
        "value": _number(judgement.value),
        "interval": None if judgement.interval is None else [_number(bound) for bound in judgement.interval],
        "n": _number(judgement.n),
        "unit": judgement.unit,
        "why": judgement.why,
    }


def _counts(counts: Counts) -> dict[str, int]:
    return asdict(counts)


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "title": cluster.title,
        "cases": cluster.cases,
        "example": cluster.example,
        "locations": list(cluster.locations),
        "kinds": list(cluster.kinds),
        "ids": list(cluster.ids),
        "promotable": cluster.promotable,
        "ways": [asdict(each) for each in cluster.ways],
        "sometimes": dict(cluster.sometimes),
        "routes": dict(cluster.routes),
        "followers": cluster.followers,
    }


def _statuses(found: StatusCount) -> dict[str, Any]:
    classes = {"old_class": status_class(found.old), "new_class": status_class(found.new)}
    return {"old": found.old, "new": found.new, **classes, "cases": found.cases}


def _intake(intake: Intake) -> dict[str, Any]:
    return {"file": intake.file, "loaded": intake.loaded, "skipped": dict(intake.skipped)}


def _result(result: Result, cause: int | None) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "kind": result.case.kind,
        "correlation_id": result.case.correlation_id,
        "outcome": result.outcome,
        "flags": list(result.flags),
        "error": None if result.error is None else {"side": result.error.side, "kind": result.error.kind},
        "differences": [_difference(each) for each in result.differences],
        **({} if cause is None else {"cause": cause}),
        **dict(_details(result)),
    }


def _details(result: Result) -> Iterator[tuple[str, Any]]:
    """Yield what the contract does not ask for, where there is anything to say."""
    if result.skipped is not None:
        yield "skipped", result.skipped
    if result.error is not None and result.error.message:
        yield "message", result.error.message
    latency = {
        name: ms for name, ms in (("old", _latency(result.old)), ("new", _latency(result.new))) if ms is not None
    }
    if latency:
        yield "latency_ms", latency
    if result.again is not None:
        yield "again", _again(result.again)
    if result.case.bound:
        yield "bound", [_bound(each) for each in result.case.bound]
    if result.case.steps:
        yield "steps", [_step(step, result) for step in result.case.steps]
    if result.measures:
        yield "measures", [_measure(each) for each in result.measures]
    if result.figures:
        yield "figures", [_figure_of(each) for each in result.figures]
    if result.accepted:
        yield "accepted", [{"at": each.at, "rule": each.rule} for each in result.accepted]


def _bound(binding: Binding) -> dict[str, Any]:
    values = {"recorded": binding.recorded, "old": binding.old, "new": binding.new}
    told = {name: value for name, value in values.items() if value is not None}
    return {"at": binding.at, "by": binding.by, "used": list(binding.used), **told, "same": binding.same}


def _step(step: Step, result: Result) -> dict[str, Any]:
    """Return what each side did at one step; a side that did not come to it has no key."""
    sides = {"old": result.old, "new": result.new}
    seen = {side: it for side, whole in sides.items() for it in (whole.steps if whole else ()) if it.step == step.name}
    return {"name": step.name, **{side: _played(played) for side, played in seen.items()}}


def _played(played: Played) -> dict[str, Any]:
    seen = played.seen
    failed = {} if seen.error is None else {"error": seen.error.kind, "message": seen.error.message}
    return {"status": seen.status, "latency_ms": _latency(seen), "asked": played.asked, **failed}


def _measure(measure: Measure) -> dict[str, Any]:
    told = {"at": measure.at, "name": measure.name, "value": _number(measure.value)}
    if measure.items is not None:
        told["items"] = measure.items
    if measure.limit is not None:
        told["limit"] = measure.limit
    return told | ({"moot": True} if measure.moot else {})


def _figure_of(figure: Figure) -> dict[str, Any]:
    faults = {"old_fault": figure.old_fault, "new_fault": figure.new_fault}
    told = {"kpi": figure.kpi, "old": figure.old, "new": figure.new}
    return told | {name: fault for name, fault in faults.items() if fault}


def _again(again: Again) -> dict[str, int]:
    differing = sum(map(bool, again.answers))
    return {"answers": len(again.answers), "differing": differing, "failed": again.failed}


def _latency(observation: Observation | None) -> float | None:
    return observation.timing.latency_ms if observation is not None and observation.timing is not None else None


def _difference(difference: Difference) -> dict[str, Any]:
    values = {"old": difference.old, "new": difference.new}
    return {
        "at": difference.at,
        "kind": difference.kind,
        **{side: value for side, value in values.items() if value is not MISSING},
        "rule": difference.rule,
        "against": difference.against,
        **({"note": difference.note} if difference.note else {}),
        **({"waived": difference.waived} if difference.waived else {}),
        **({"noise": difference.noise} if difference.noise else {}),
        **({"converged": difference.converged} if difference.converged else {}),
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return _finite({**asdict(spread), "steps": None}) | {"steps": list(spread.steps)}


def _finite(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in figures.items()}


def _number(value: float | None) -> float | None:
    """Return a figure, or None for one that JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None
