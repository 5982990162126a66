"""What comes in and goes out of the new shop."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case."""

    method: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    path_args: Mapping[str, str] = field(default_factory=dict)

    def param(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def params(self, name: str) -> list[str]:
        """Return all values of a query parameter."""
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    headers: Fields = ()
    body: bytes = b""


class ProblemError(Exception):
    """The request cannot be served; the answer says why."""

    def __init__(self, status: int, code: str, message: str, headers: Fields = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> Response:
        """Return the answer that tells it."""
        error = {"code": self.code, "message": self.message, "request_id": str(uuid.uuid4())}
        return json_response({"error": error}, self.status, self.headers)


def malformed(message: str) -> ProblemError:
    """Return the problem with a malformed request."""
    return ProblemError(400, "bad_request", message)


def missing(message: str) -> ProblemError:
    """Return the problem of something that is not there."""
    return ProblemError(404, "not_found", message)


def json_response(value: object, status: int = 200, headers: Fields = ()) -> Response:
    """Answer with a JSON document in UTF-8; a Decimal becomes a number."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_number)
    return Response(status, (("content-type", "application/json"), *headers), body.encode())


def text_response(text: str, kind: str, headers: Fields = ()) -> Response:
    """Answer with a text of the given media type."""
    return Response(200, (("content-type", f"{kind}; charset=utf-8"), *headers), text.encode())


def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body with its decimals exact; raise a problem for anything else."""
    if not request.body:
        raise malformed("the body is empty")
    try:
        value = json.loads(request.body, parse_float=Decimal, parse_constant=_refuse)
    except ValueError:
        raise malformed("the body is not JSON") from None
    if not isinstance(value, dict):
        raise malformed("the body must be an object")
    return value


def rfc3339(instant: datetime) -> str:
    """Return an instant in UTC to the second."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return int(value) if value == value.to_integral_value() else float(value)


def _refuse(token: str) -> NoReturn:
    raise ValueError(token)
