"""An answer as the comparison sees it: its body read by what it says it is, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Final

from replay.compare.formats import NOTHING, Content, Reading, read_as, read_plain
from replay.compare.formats.csv_rows import MOST_LISTED
from replay.compare.formats.json_text import read_json, read_lines_or_json
from replay.compare.formats.plain import read_text
from replay.compare.names import Names
from replay.compare.via import Via
from replay.compare.wrapped import UNWRAPPED, Wrappings
from replay.expressions import document_of
from replay.models import Case, Json, Observation, ReadStep, Request, Side

_BODILESS_STATUS: Final = frozenset({204, 205, 304})
_TEXT_TYPES: Final = frozenset({
    "application/xml", "application/javascript", "application/ecmascript", "application/yaml", "application/x-yaml",
    "application/x-www-form-urlencoded", "application/graphql", "application/sql", "image/svg+xml",
})  # fmt: skip
_LINES_TYPES: Final = frozenset({
    "application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines",
    "application/jsonl",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class How:
    """How rules have bodies read; by default as their type says. `rule` is the name of the one that says how."""

    steps: tuple[ReadStep, ...] = ()
    spelled: bool = False
    """Numbers keep their spelling."""
    via: Via | None = None
    wrappings: Wrappings = UNWRAPPED
    rule: str = ""


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
    return how.wrappings.unwrap(_read(body, content_type, how))


def _read(body: bytes, content_type: str | None, how: How) -> Reading:
    kind, charset = media_type(content_type)
    content = Content(body, charset, spelled=how.spelled)
    if how.via is not None:
        return how.via.reading(body)
    if kind in _LINES_TYPES and how.steps in ((), ("json",)):
        return read_lines_or_json(content)
    if how.steps:
        return read_as(how.steps, content)
    if is_json_type(kind):
        return read_json(content)
    if is_text_type(kind):
        return read_text(content)
    return Reading("bytes", body) if kind else _sniff(content)


def _sniff(content: Content) -> Reading:
    if content.raw.lstrip()[:1] in (b"{", b"["):
        reading = read_json(content)
        if reading.kind == "json":
            return reading
    return read_plain(content)


class Pair:
    """Both answers to one case, read at most once each."""

    def __init__(
        self, case: Case, old: Observation | None, new: Observation | None, *, names: Names | None = None
    ) -> None:
        self.case = case
        self.names = names or Names()
        """Which names of old and new mean the same; new's answer is in old's words."""
        self.old = old
        self.new = new
        self._readings: dict[tuple[Side, int], tuple[How, Reading]] = {}
        """By the identity of how they were read, which is kept beside them: to hash that takes longer than the rest."""
        self._documents: dict[tuple[Side, How], Json] = {}

    def observation(self, side: Side) -> Observation | None:
        """Return what one side did."""
        return self.old if side == "old" else self.new

    def reading(self, side: Side, how: How = BY_TYPE) -> Reading:
        """Return one side's body as a value; equal bodies of one type are parsed once."""
        found = self._readings.get((side, id(how)))
        if found is None:
            found = self._readings[side, id(how)] = how, self._read(side, how)
        return found[1]

    def _read(self, side: Side, how: How) -> Reading:
        observation, other = self.observation(side), self.observation("new" if side == "old" else "old")
        if observation is None:
            return NOTHING
        read = self._readings.get(("new" if side == "old" else "old", id(how)))
        if read is not None and other is not None and _alike(observation, other):
            return read[1]
        return read_body(observation, self.case.request, how)

    def document(self, side: Side, how: How = BY_TYPE) -> Json:
        """Return what expressions see of one side, its body read as rules have it."""
        found = self._documents.get((side, how))
        if found is None:
            observation = self.observation(side) or Observation()
            reading = self.reading(side, how)
            found = self._documents[side, how] = document_of(
                self.case.request, observation, _asked(reading), request_body(self.case)
            )
        return found

    def documents(self) -> list[Json]:
        """Return what expressions see of every side that answered."""
        sides: tuple[Side, Side] = ("old", "new")
        return [self.document(side) for side in sides if self.observation(side) is not None]


def _asked(reading: Reading) -> Json:
    """Return what expressions can ask of a body: nothing of bytes, nor of a file with very many rows."""
    if reading.kind == "rows":
        return reading.value.listed() if len(reading.value) <= MOST_LISTED else None
    return reading.value if reading.kind in ("json", "text") else None


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
