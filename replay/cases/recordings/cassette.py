"""Cassettes as VCR writes them, and vcrpy and betamax after it: YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from replay.cases.content import ByteStream
from replay.cases.fields import read_pairs
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError, whole
from replay.cases.recordings.exchanges import answer, from_base64, sendable, target_of
from replay.documents import parse_json, read_yaml
from replay.errors import DocumentError
from replay.models import Headers, Observation, parse_instant

_KEYS: Final = ("interactions", "http_interactions")
_CASSETTE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:---[^\n]*\n|#[^\n]*\n|version\s*:\s*1\s*\n)*(?:(?:http_)?interactions\s*:|- request:)"
    rb'|(?:\xef\xbb\xbf)?\s*\{\s*(?:"(?:version|recorded_with)"\s*:\s*[^,{\[]{1,60},\s*)?"(?:http_)?interactions"\s*:'
    rb'|\s*\[\s*\{\s*"request"\s*:'
)


class CassetteFile(RecordedFile[Any]):
    """One cassette. What its secrets were replaced by is sent as it stands."""

    form: ClassVar[str] = "cassette"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its first key."""
        return _CASSETTE.match(head) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Any]:
        """Yield each interaction. Raise DocumentError for what is no cassette, or one of an old format."""
        data = whole(stream)
        value = (
            self._json(data)
            if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
            else read_yaml(data, self.file).value
        )
        if isinstance(value, list):
            hint = "the oldest versions of vcrpy wrote a bare list; record it anew"
            raise DocumentError("a cassette of an old format", place=self.file, hint=hint)
        found = next((value[key] for key in _KEYS if key in value), None) if isinstance(value, dict) else None
        if not isinstance(found, list):
            raise DocumentError("this cassette has no list of interactions", place=self.file)
        yield from found

    def _json(self, data: bytes) -> Any:
        parsed = parse_json(data)
        if not parsed.ok:
            raise FlawError("malformed", f"this cassette is no sound JSON: {parsed.findings[0].message}")
        return parsed.value

    def exchange(self, piece: Any) -> Exchange:
        """Return what one interaction holds."""
        asked, answered = (piece.get(key) for key in ("request", "response")) if isinstance(piece, Mapping) else (0, 0)
        if not isinstance(asked, Mapping):
            raise UnusableError("malformed request")
        method = asked.get("method")
        if not isinstance(method, str) or not isinstance(asked.get("uri"), str):
            raise UnusableError("malformed request")
        method = method.upper()
        request = sendable(method, target_of(asked["uri"]), _headers(asked.get("headers")), _body(asked.get("body")))
        recorded = _observation(answered, method) if isinstance(answered, Mapping) else None
        return Exchange(request, recorded, _instant(piece.get("recorded_at")))


def _observation(answered: Mapping[str, Any], method: str) -> Observation | None:
    status = answered.get("status")
    code = status.get("code") if isinstance(status, Mapping) else answered.get("status_code", status)
    if isinstance(code, bool) or not isinstance(code, int):
        return None
    body = answered["body"] if "body" in answered else answered.get("content")
    return answer(code, _headers(answered.get("headers")), _body(body) or b"", method=method)


def _headers(recorded: Any) -> Headers:
    """Return header fields: a list is several of one name; libraries join cookies no other way."""
    if recorded is None:
        return ()
    try:
        return read_pairs(recorded)
    except ValueError:
        raise UnusableError("malformed request") from None


def _body(recorded: Any) -> bytes | None:
    """Return a body: text, bytes (`!!binary`), or a mapping that says how it is encoded."""
    if isinstance(recorded, Mapping):
        packed = recorded.get("base64_string")
        if isinstance(packed, str):
            return from_base64(packed)
        return _body(recorded.get("string"))
    if isinstance(recorded, bytes):
        return recorded
    if isinstance(recorded, str):
        return recorded.encode("utf-8", "surrogatepass")
    if recorded is None:
        return None
    raise UnusableError("the body was not kept")


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    for text in (value, f"{value}Z"):  # betamax writes UTC without saying so
        try:
            return parse_instant(text)
        except ValueError:
            continue
    return None
