"""One record of a native capture, read and written."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, PlainValidator, model_validator

from replay.cases.fields import Body, ListPairs, Name, is_token, read_headers, read_pairs, require_one_body
from replay.cases.request import RAW_PATH, RequestSpec
from replay.models import Case, Headers, Instant, Observation, Request, Spec, Timing

RecordedHeaders = Annotated[Headers, PlainValidator(read_pairs, json_schema_input_type=ListPairs)]
"""Whatever the old side really sent: it is compared, never sent."""


class ResponseSpec(Body):
    """What the old side answered when the traffic was recorded."""

    status: int = Field(ge=0, description="The status.")
    headers: RecordedHeaders = Field(default=(), description="A mapping, or [name, value] pairs in order.")

    @model_validator(mode="after")
    def _one_body(self) -> ResponseSpec:
        require_one_body(self.stated())
        return self

    def build(self, latency_ms: float | None) -> Observation:
        """Return the answer as an observation; `latency_ms` is how long it took when it was recorded."""
        timing = None if latency_ms is None else Timing(latency_ms)
        return Observation(self.status, self.headers, self.content() or b"", timing=timing)


class RecordSpec(Spec):
    """One line of a capture: a golden's request, and what is known of the time when it was recorded."""

    id: Name | None = Field(default=None, description="What reports call it; else FILE:LINE.")
    request: RequestSpec = Field(description="What was sent.")
    response: ResponseSpec | None = Field(default=None, description="What the old side answered.")
    at: Instant | None = Field(default=None, description="When it was recorded; replayed under this instant.")
    session: Name | None = Field(default=None, description="Cases of one session count as one sample.")
    correlation_id: Name | None = Field(default=None, description="The id in the service's own logs.")
    latency_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="How long the answer took.")


def record_of(case: Case) -> dict[str, Any]:
    """Return a case as a record of a capture, JSON-ready; reading it gives an equal case, save identity and place.

    A capture has no room for a golden's title, why, tags, seed, rules and expectation, nor for a recorded failure.
    Raise ValueError for a request that no capture may hold.
    """
    _require_sendable(case.request)
    record: dict[str, Any] = {"id": case.id, "request": _request(case.request)}
    if case.recorded is not None and case.recorded.status is not None:
        record["response"] = _response(case.recorded)
        if case.recorded.timing is not None:
            record["latency_ms"] = case.recorded.timing.latency_ms
    record["at"] = case.freeze.isoformat() if case.freeze else None
    record["session"] = case.session
    record["correlation_id"] = case.correlation_id or None
    return {key: value for key, value in record.items() if value is not None}


def _require_sendable(request: Request) -> None:
    """Raise ValueError for what the reader would refuse: one such record, and the whole capture cannot be read."""
    starts = request.path.startswith("/") or (request.path, request.method) == ("*", "OPTIONS")
    if not (starts and RAW_PATH.fullmatch(request.path) and is_token(request.method)):
        raise ValueError("no method and path that can be sent")
    _known_headers(request.headers)


_known_headers = lru_cache(maxsize=256)(read_headers)
"""Captured requests share many of their headers."""


def _request(request: Request) -> dict[str, Any]:
    record: dict[str, Any] = {"method": request.method, "path": request.path, "headers": _headers(request.headers)}
    if request.body is not None:
        # Text without a stated content type would be given one when it is read: base64 adds nothing.
        record |= _body(request.body, as_text=request.header("content-type") is not None)
    return record


def _response(observation: Observation) -> dict[str, Any]:
    body = _body(observation.body, as_text=True) if observation.body else {}
    return {"status": observation.status, "headers": _headers(observation.headers), **body}


def _headers(headers: Headers) -> Mapping[str, str] | list[list[str]]:
    by_name = dict(headers)
    return by_name if len(by_name) == len(headers) else [list(pair) for pair in headers]


def _body(body: bytes, *, as_text: bool) -> dict[str, str]:
    if as_text:
        try:
            return {"text": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"base64": b64encode(body).decode()}
