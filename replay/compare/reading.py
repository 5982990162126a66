"""An answer as the comparison sees it: its body read by what it says it is, and what is wrong with it."""

from __future__ import annotations

import codecs
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
    "application/x-www-form-urlencoded", "application/graphql", "application/sql", "image/svg+xml",
})  # fmt: skip
_LINES_TYPES: Final = frozenset({
    "application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines",
    "application/jsonl",
})  # fmt: skip
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""Python's codecs that no service means by a charset, and that warn or fail in ways of their own."""


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
    lines: bool = False
    """JSON lines: read as the list of their documents, and yet no JSON array."""
    without_booleans: Any = None
    """The value itself, if its text holds neither true nor false. It is compared in half the time."""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no byte: on the wire, an empty body and none are the same."""
        return self.kind == "none" or (self.kind != "json" and not self.value)


NOTHING: Final = Reading("none")


@dataclass(frozen=True, slots=True)
class How:
    """How bodies are to be read: as what, and whether numbers keep their spelling."""

    as_: Literal["json", "text", "bytes"] | None = None
    spelled: bool = False


BY_TYPE: Final = How()


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


def read_body(observation: Observation, request: Request, how: How = BY_TYPE) -> Reading:
    """Read a body as its content type says, or as a rule says. What is wrong with it becomes flaws, never an error."""
    if request.method == "HEAD" or (observation.status in _BODILESS_STATUS and not observation.body):
        return NOTHING
    return read_content(observation.body, observation.header("content-type"), how)


def read_content(body: bytes, content_type: str | None, how: How = BY_TYPE) -> Reading:
    """Read content; without a type it is JSON if it parses as an object or array, else text if it is UTF-8."""
    kind, charset = media_type(content_type)
    if how.as_ == "bytes":
        return Reading("bytes", body)
    if how.as_ != "text" and kind in _LINES_TYPES:
        return _read_lines(body, how, least=0) or _read_json(body, how)
    if how.as_ == "json" or (how.as_ is None and is_json_type(kind)):
        return _read_json(body, how)
    if how.as_ == "text" or is_text_type(kind):
        return _read_text(body, charset)
    return Reading("bytes", body) if kind else _sniff(body, how)


def _read_lines(body: bytes, how: How, least: int) -> Reading | None:
    """Read JSON documents, one a line, as the list of them; None if any line is none, or there are too few.

    A document that was cut is never taken for lines: its first line would have to be one already.
    """
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) < least:
        return None
    documents = []
    for line in lines:
        parsed = parse_json(line, spelled=how.spelled)
        if not parsed.ok:
            return None
        documents.append(parsed)
    flaws = {it.name: Flaw(it.name, f"{it.message} of document {n}") for n, parsed in enumerate(documents, 1)
             for it in parsed.findings}  # fmt: skip
    return Reading("json", [it.value for it in documents], tuple(flaws.values()), lines=True)


def _read_json(body: bytes, how: How) -> Reading:
    parsed = parse_json(body, spelled=how.spelled)
    flaws = tuple(Flaw(finding.name, finding.message) for finding in parsed.findings)
    if parsed.ok:
        booleans = b"true" in body or b"false" in body
        return Reading("json", parsed.value, flaws, without_booleans=None if booleans else parsed.value)
    if parsed.has("invalid") and (lines := _read_lines(body, how, least=2)) is not None:
        return lines
    if any(flaw.name == "too_deep" for flaw in flaws):
        # Too deep for a tree, but still a text that can be compared: no reason to call the answer broken.
        return _read_text(body, "utf-8")
    if any(flaw.name == "empty" for flaw in flaws):
        return Reading("none", None, flaws)
    return Reading("text", body.decode("utf-8", "backslashreplace"), flaws)


def _read_text(body: bytes, charset: str | None) -> Reading:
    try:
        if codecs.lookup(charset or "utf-8").name.replace("-", "_") not in _NO_CHARSETS:
            return Reading("text", body.decode(charset or "utf-8"))
    except (LookupError, ValueError):
        pass  # no such charset, or not text in it, or a name that holds what no name may
    if charset is None:
        return Reading("bytes", body)
    return Reading("bytes", body, (Flaw("charset", f"the body is not text in its charset {charset[:40]!a}"),))


def _sniff(body: bytes, how: How) -> Reading:
    if not body:
        return NOTHING
    if body.lstrip()[:1] in (b"{", b"["):
        reading = _read_json(body, how)
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
        self._readings: dict[tuple[Side, How], Reading] = {}
        self._documents: dict[tuple[Side, How], Json] = {}

    def observation(self, side: Side) -> Observation | None:
        """Return what one side did."""
        return self.old if side == "old" else self.new

    def reading(self, side: Side, how: How = BY_TYPE) -> Reading:
        """Return one side's body as a value; equal bodies of one type are parsed once."""
        found = self._readings.get((side, how))
        if found is None:
            found = self._readings[side, how] = self._read(side, how)
        return found

    def _read(self, side: Side, how: How) -> Reading:
        observation, other = self.observation(side), self.observation("new" if side == "old" else "old")
        if observation is None:
            return NOTHING
        read = self._readings.get(("new" if side == "old" else "old", how))
        if read is not None and other is not None and _alike(observation, other):
            return read
        return read_body(observation, self.case.request, how)

    def document(self, side: Side, how: How = BY_TYPE) -> Json:
        """Return what expressions see of one side, its body read as rules have it."""
        found = self._documents.get((side, how))
        if found is None:
            observation = self.observation(side) or Observation()
            reading = self.reading(side, how)
            body = reading.value if reading.kind in ("json", "text") else None
            found = self._documents[side, how] = document_of(
                self.case.request, observation, body, request_body(self.case)
            )
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
