"""OpenTelemetry's metrics, as the real SDK reads them."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from replay.errors import SettingsError
from replay.experiment.calls import Loss, Setup
from replay.experiment.examining import Examiner
from replay.experiment.metrics import OpenTelemetry
from replay.experiment.traces import correlation_id
from replay.privacy import MaskKey
from tests.experiment.kept import agreeing, differing

DRAFT = Setup("needs-draft")
EXAMINER = Examiner(MaskKey(b"a key of these tests", made=False))


def points(reader: Any) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            assert scope.scope.name == "replay.experiment"
            for metric in scope.metrics:
                points = metric.data.data_points
                found[metric.name] = [(dict(each.attributes), each) for each in points]
    return found


def test_the_sdk_of_a_service_reads_counts_durations_and_losses() -> None:
    export = pytest.importorskip("opentelemetry.sdk.metrics.export")
    reader = export.InMemoryMetricReader()
    sink = OpenTelemetry(pytest.importorskip("opentelemetry.sdk.metrics").MeterProvider([reader]))
    outcomes = [EXAMINER.examined(it) for it in (differing(DRAFT), differing(DRAFT), agreeing(DRAFT))]
    for outcome in outcomes:
        sink.take(outcome)
    sink.lose(Loss("needs-draft", outcomes[0].at, "too slow", 5))
    found = points(reader)
    told = {"replay.experiment": "needs-draft", "replay.outcome": "deviation"}
    counts = {attributes["replay.outcome"]: each.value for attributes, each in found["replay.experiment.calls"]}
    assert counts == {"deviation": 2, "match": 1}
    durations = [it for it in found["replay.experiment.duration"] if it[0] == {**told, "replay.side": "new"}]
    assert [(each.count, each.sum) for _, each in durations] == [(2, pytest.approx(0.004))]
    assert [each.value for _, each in found["replay.experiment.lost"]] == [5]


def test_without_the_api_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    with pytest.raises(SettingsError, match=r"replay-cutover\[otel\]"):
        OpenTelemetry()


def test_the_correlation_id_is_that_of_the_current_trace() -> None:
    provider = pytest.importorskip("opentelemetry.sdk.trace").TracerProvider()
    with provider.get_tracer("tests").start_as_current_span("request") as span:
        trace = format(span.get_span_context().trace_id, "032x")
        assert correlation_id({"correlation_id": "its own"}) == trace
    assert correlation_id({"correlation_id": "its own"}) == "its own"
    assert correlation_id({}) == ""


def test_a_correlation_id_that_cannot_be_shown_is_none() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    assert correlation_id({"correlation_id": Broken()}) == ""
