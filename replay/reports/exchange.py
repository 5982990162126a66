"""One request and one answer as `replay show` prints them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replay.counting import counted
from replay.documents import parse_json
from replay.inert import cut, printable
from replay.models import Headers, Observation, Request
from replay.reports.aligned import legible_lines
from replay.reports.facts import LONGEST
from replay.reports.page import Line, wrapped

_LONGEST_TEXT: Final = 200_000
"""Characters of a body that are laid out in lines."""
_BODY_LINES: Final = 20


def request_lines(request: Request, width: int, margin: str = "  ") -> Iterator[Line]:
    """Yield a request: its first line, its headers, and the beginning of its body."""
    yield from wrapped(f"{printable(request.method, 40)} {printable(request.path, 2_000)}", width, margin, hang=2)
    yield from _fields(request.headers, width, margin)
    if request.body is not None:
        yield from _body(request.body, width, margin)


def _fields(headers: Headers, width: int, margin: str) -> Iterator[Line]:
    for name, value in headers:
        yield from wrapped(f"{printable(name, LONGEST)}: {printable(value, LONGEST)}", width, margin, hang=2)


def _body(body: bytes, width: int, margin: str) -> Iterator[Line]:
    lines = _body_lines(body)
    for line in lines[:_BODY_LINES]:
        yield margin + cut(line, width - len(margin)), "dim"
    hidden = len(lines) - _BODY_LINES
    if len(body) > _LONGEST_TEXT:
        yield f"{margin}... and more, {len(body):,} bytes in all", "dim"
    elif hidden > 0:
        yield f"{margin}... and {counted(hidden, 'more line')}, {len(body):,} bytes in all", "dim"


def _body_lines(body: bytes) -> list[str]:
    head = body[:_LONGEST_TEXT]
    parsed = parse_json(head, spelled=True) if head[:1] in (b"{", b"[") else None
    value = parsed.value if parsed is not None and parsed.ok else head.decode("utf-8", "backslashreplace")
    return legible_lines(value, _LONGEST_TEXT)


def headline(observation: Observation | None) -> str:
    """Return an answer in one line: status, size, latency, and what went wrong."""
    if observation is None:
        return "was not asked"
    parts = [f"status {observation.status}" if observation.status is not None else "no status"]
    kind = observation.header("content-type")
    parts.append(f"{len(observation.body):,} bytes" + (f" of {printable(kind, 100)}" if kind else ""))
    if observation.timing is not None:
        parts.append(f"{observation.timing.latency_ms:.1f} ms")
    if observation.retries:
        parts.append(f"sent again {counted(observation.retries, 'time')}")
    if observation.error is not None:
        parts.append(f"{observation.error.kind} {printable(observation.error.message, LONGEST)}".rstrip())
    return ", ".join(parts)
