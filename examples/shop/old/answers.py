"""Calls, answers and refusals of the old shop."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; header names are lower case, `args` are the parts of the path that the route left open."""

    method: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    args: tuple[str, ...] = ()

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return self.query.get(name, [default])[0]


class RefusedError(Exception):
    """The request cannot be served; the answer says why."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, list(headers)


def bad(message: str) -> RefusedError:
    """Return the refusal of a malformed request."""
    return RefusedError(400, "bad_request", message)


def answer_json(value: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """Answer with a JSON document, in ASCII as it always was."""
    return status, [("Content-Type", "application/json"), *headers], json.dumps(value).encode()


def answer_text(text: str, kind: str) -> Answer:
    """Answer with a text of the given media type."""
    return 200, [("Content-Type", f"{kind}; charset=utf-8")], text.encode()


def answer_refusal(refused: RefusedError) -> Answer:
    """Answer with the reason; the request id is for the log's reader."""
    error = {"code": refused.code, "message": refused.message, "request_id": uuid.uuid4().hex}
    return answer_json({"error": error}, refused.status, *refused.headers)


def read_object(call: Call) -> dict[str, Any]:
    """Return the JSON object in the body, or refuse."""
    if not call.body:
        raise bad("the body is empty")
    try:
        value = json.loads(call.body, parse_constant=_no_constant)
    except ValueError:
        raise bad("the body is not JSON") from None
    if not isinstance(value, dict):
        raise bad("the body must be an object")
    return value


def _no_constant(token: str) -> NoReturn:
    raise ValueError(token)
