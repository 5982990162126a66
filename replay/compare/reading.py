"""An answer as the comparison sees it: its body read by what it says it is, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any, Final, Literal

from replay.documents import parse_json
from replay.expressions import document_of
from replay.models import Case, Json, Observation, Request, Side

BodyKind = Literal["json", "text", "bytes", "none"]

_BODILESS_STATUS: Final = frozenset({204, 205, 304})
_TEXT_TYPES: Final = frozenset({
    "application/xml", "application/javascript", "application/ecmascript", "application/yaml", "application/x-yaml",
    "application/x-www-form-urlencoded", "application/x-ndjson", "application/jsonlines", "application/graphql",
    "application/sql", "image/svg+xml",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that makes a body other than what it claims to be; `name` is what `allow` calls it."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A body as a value: a JSON value, a text, bytes, or nothing."""

    kind: BodyKind
    value: Any = None
    flaws: tuple[Flaw, ...] = ()


NOTHING: Final = Reading("none")


@lru_cache(maxsize=1024)
def media_type(content_type: str | None) -> tuple[str, str | None]:
    """Return the media type in lower case, and its charset if it names one."""
    if not content_type:
        return "", None
    message = Message()
    message["content-type"] = content_type
    charset = message.get_param("charset")
    return message.get_content_type() if "/" in content_type else "", charset if isinstance(charset, str) else None


def is_json_type(kind: str) -> bool:
    """Tell whether a media type is JSON: application/json, text/json or anything+json."""
    return kind.endswith(("/json", "+json"))


def is_text_type(kind: str) -> bool:
    """Tell whether a media type is text that people can read by lines."""
    return kind.startswith("text/") or kind.endswith("+xml") or kind in _TEXT_TYPES


def read_body(observation: Observation, request: Request, as_: str | None = None) -> Reading:
    """Read a body as its content type says, or as a rule says. What is wrong with it becomes flaws, never an error."""
    if request.method == "HEAD" or observation.status in _BODILESS_STATUS:
        return NOTHING
    return read_content(observation.body, observation.header("content-type"), as_)


def read_content(body: bytes, content_type: str | None, as_: str | None = None) -> Reading:
    """Read content; without a type it is JSON if it parses as an object or array, else text if it is UTF-8."""
    kind, charset = media_type(content_type)
    if as_ == "json" or (as_ is None and is_json_type(kind)):
        return _read_json(body)
    if as_ == "bytes":
        return Reading("bytes", body)
    if as_ == "text" or is_text_type(kind):
        return _read_text(body, charset)
    return Reading("bytes", body) if kind else _sniff(body)


def _read_json(body: bytes) -> Reading:
    parsed = parse_json(body)
    flaws = tuple(Flaw(finding.name, finding.message) for finding in parsed.findings)
    if parsed.ok:
        return Reading("json", parsed.value, flaws)
    if any(flaw.name == "too_deep" for flaw in flaws):
        # Too deep for a tree, but still a text that can be compared: no reason to call the answer broken.
        return _read_text(body, "utf-8")
    if any(flaw.name == "empty" for flaw in flaws):
        return Reading("none", None, flaws)
    return Reading("text", body.decode("utf-8", "backslashreplace"), flaws)


def _read_text(body: bytes, charset: str | None) -> Reading:
    try:
        return Reading("text", body.decode(charset or "utf-8"))
    except (LookupError, UnicodeDecodeError):
        pass
    if charset is None:
        return Reading("bytes", body)
    return Reading("bytes", body, (Flaw("charset", f"the body is not text in its charset {charset[:40]!a}"),))


def _sniff(body: bytes) -> Reading:
    if not body:
        return NOTHING
    if body.lstrip()[:1] in (b"{", b"["):
        reading = _read_json(body)
        if reading.kind == "json":
            return reading
    reading = _read_text(body, None)
    return Reading("bytes", body) if reading.kind == "text" and "\0" in reading.value else reading


class Pair:
    """Both answers to one case, read at most once each."""

    def __init__(self, case: Case, old: Observation | None, new: Observation | None) -> None:
        self.case = case
        self.old = old
        self.new = new
        self._readings: dict[tuple[Side, str | None], Reading] = {}
        self._documents: dict[Side, Json] = {}

    def observation(self, side: Side) -> Observation | None:
        """Return what one side did."""
        return self.old if side == "old" else self.new

    def reading(self, side: Side, as_: str | None = None) -> Reading:
        """Return one side's body as a value; equal bodies of one type are parsed once."""
        found = self._readings.get((side, as_))
        if found is None:
            found = self._readings[side, as_] = self._read(side, as_)
        return found

    def _read(self, side: Side, as_: str | None) -> Reading:
        observation, other = self.observation(side), self.observation("new" if side == "old" else "old")
        if observation is None:
            return NOTHING
        read = self._readings.get(("new" if side == "old" else "old", as_))
        if read is not None and other is not None and _alike(observation, other):
            return read
        return read_body(observation, self.case.request, as_)

    def document(self, side: Side) -> Json:
        """Return what expressions see of one side."""
        found = self._documents.get(side)
        if found is None:
            observation = self.observation(side) or Observation()
            reading = self.reading(side)
            body = reading.value if reading.kind in ("json", "text") else None
            found = self._documents[side] = document_of(self.case.request, observation, body, request_body(self.case))
        return found

    def documents(self) -> list[Json]:
        """Return what expressions see of every side that answered."""
        sides: tuple[Side, Side] = ("old", "new")
        return [self.document(side) for side in sides if self.observation(side) is not None]


def _alike(one: Observation, other: Observation) -> bool:
    return (
        one.body == other.body
        and one.status == other.status
        and one.header("content-type") == other.header("content-type")
    )


def request_body(case: Case) -> Json:
    """Return the request's body as a JSON value or a text; None where it has none or is bytes."""
    if not case.request.body:
        return None
    reading = read_content(case.request.body, case.request.header("content-type"))
    return reading.value if reading.kind in ("json", "text") else None
