"""Flows as mitmproxy saves them (`mitmdump -w`), formats 7 to 21."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError
from replay.cases.recordings.exchanges import answer, instant_of, paired, sendable, target_of
from replay.cases.recordings.tnetstrings import values
from replay.documents import shown
from replay.errors import DocumentError
from replay.models import Headers, Observation, Request

_FLOW = re.compile(rb"[1-9][0-9]{0,11}:[0-9]{1,12}:[a-z_]{1,40}[,;]")
_OLDEST: Final = 7
_NEWEST: Final = 21


class FlowFile(RecordedFile[Mapping[str, Any]]):
    """One flow file. TCP, UDP, DNS and websocket flows are passed over and counted."""

    form: ClassVar[str] = "mitmproxy flows"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by the length of the first flow and its first key."""
        return _FLOW.match(head) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Mapping[str, Any]]:
        """Yield each flow. Raise DocumentError for formats that this program does not read."""
        for flow in values(stream):
            if not isinstance(flow, Mapping):
                raise FlawError("malformed", "a flow is no mapping")
            self._require_known(flow.get("version"))
            yield flow

    def exchange(self, piece: Mapping[str, Any]) -> Exchange:
        """Return what an HTTP flow holds."""
        kind = _text(piece.get("type"))
        if kind != "http":
            raise UnusableError(f"{shown(kind)[:20]} flow")
        if piece.get("websocket"):
            raise UnusableError("websocket flow")
        asked, answered = piece.get("request"), piece.get("response")
        if not isinstance(asked, Mapping):
            raise UnusableError("malformed request")
        request = _request(asked)
        session = _mapping(piece.get("client_conn")).get("id")
        recorded = _observation(answered, request.method, asked) if isinstance(answered, Mapping) else None
        return Exchange(
            request,
            recorded,
            instant_of(_seconds(asked.get("timestamp_start"))),
            session=_text(session) if session else None,
        )

    def _require_known(self, version: Any) -> None:
        if isinstance(version, int) and _OLDEST <= version <= _NEWEST:
            return
        name = ".".join(map(str, version)) if isinstance(version, list) else str(version)
        raise DocumentError(
            f"mitmproxy flow format {shown(name)[:40]}; {_OLDEST} to {_NEWEST} can be read",
            place=self.file,
            hint="let mitmproxy 10 or newer rewrite it: mitmdump -nr OLD -w NEW",
        )


def _request(asked: Mapping[str, Any]) -> Request:
    method = _text(asked.get("method"))
    path = _text(asked.get("path"))
    body = asked.get("content")
    if body is None and method not in ("GET", "HEAD", "OPTIONS", "CONNECT"):
        raise UnusableError("the body was not kept")
    if method == "CONNECT":
        raise UnusableError("CONNECT")
    return sendable(method, target_of(path), _headers(asked), bytes(body) if isinstance(body, bytes) else None)


def _observation(answered: Mapping[str, Any], method: str, asked: Mapping[str, Any]) -> Observation | None:
    status, body = answered.get("status_code"), answered.get("content")
    if not isinstance(status, int) or not isinstance(body, bytes):
        return None
    begun, ended = _seconds(asked.get("timestamp_start")), _seconds(answered.get("timestamp_end"))
    spent = None if begun is None or ended is None else 1000 * (ended - begun)
    return answer(status, _headers(answered), body, method=method, milliseconds=spent)


def _headers(message: Mapping[str, Any]) -> Headers:
    fields = message.get("headers")
    if not isinstance(fields, list):
        return ()
    pairs = [field for field in fields if isinstance(field, list) and len(field) == 2]  # noqa: PLR2004 - name, value
    if len(pairs) < len(fields) or not all(isinstance(part, bytes) for pair in pairs for part in pair):
        raise UnusableError("malformed request")
    return paired((name, value) for name, value in pairs)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
