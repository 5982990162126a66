"""The nouns of the glossary, and the small specs that settings are made of; immutable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from replay.sampling import Portion

Side = Literal["old", "new"]
SIDES: Final[tuple[Side, Side]] = ("old", "new")

Headers = tuple[tuple[str, str], ...]
"""Header fields in the order and case in which they stood on the wire; values that are not UTF-8 decoded as Latin-1."""

Json = Any
"""A parsed JSON value: None, bool, int, Decimal, str, list or dict."""

ErrorKind = Literal[
    "status", "error_when", "timeout", "refused", "closed", "reset", "incomplete_body", "protocol", "too_large",
    "decode", "tls", "dns", "crashed", "exception",
]  # fmt: skip
DifferenceKind = Literal[
    "status", "schema", "validation", "missing", "extra", "type", "value", "order", "rank", "header", "text",
]  # fmt: skip
OutcomeName = Literal["match", "deviation", "noise", "waived", "new_error", "old_error", "both_error", "skipped"]
Category = DifferenceKind | Literal["timeout", "transport", "exception", "decode", "error_when"]
"""In which way a case deviates or fails: a kind of difference, or how an answer failed to come or to count as one."""
CaseKind = Literal["golden", "traffic"]
Order = Literal["random", "old-first", "together"]
VerdictState = Literal["GO", "NO-GO", "INCONCLUSIVE"]


class Missing(Enum):
    """The one value that no document can hold: nothing stands at this location."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing.MISSING


# ---------------------------------------------------------------------------------------------------------------- cases


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `path` is the raw target with its query, sent as written; `body` is None where there is none."""

    method: str = "GET"
    path: str = "/"
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return first_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What new must answer, as a curator approved it; None is left to the comparison with old."""

    status: int | None = None
    headers: Headers = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One replayable input, and what its source says about replaying it.

    `id` is what people read and type; `identity` is what seeds and `--resume` rest on: a golden's id, else the
    source's digest and the record number. `place` is FILE or FILE:LINE.
    """

    id: str
    kind: CaseKind
    identity: str
    request: Request
    place: str = ""
    correlation_id: str = ""
    freeze: datetime | None = None
    seed: int | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    title: str = ""
    why: str = ""
    rules: tuple[RuleSpec, ...] = ()
    expect: Expectation | None = None
    recorded: Observation | None = None
    turn: int = 1
    """The how-manieth time this is that the run sends the case."""

    @property
    def origin(self) -> str:
        """Return the identity that all turns of a case have in common."""
        return self.identity if self.turn == 1 else self.identity.removesuffix(f"\x1f{self.turn}")

    def again(self, turn: int) -> Case:
        """Return the case for another turn: known by the same id, and a result of its own."""
        # No identity holds a control character of its own, so that no two cases come to share one.
        return replace(self, turn=turn, identity=f"{self.origin}\x1f{turn}")


@dataclass(frozen=True, slots=True)
class Intake:
    """The reader's own account of one file: loaded + skipped = records read."""

    file: str
    loaded: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many records were passed over, by reason."""

    @property
    def read(self) -> int:
        """Return how many records the file held."""
        return self.loaded + sum(self.skipped.values())


# --------------------------------------------------------------------------------------------------------- observations


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a side gave no answer, or none that counts as one."""

    kind: ErrorKind
    message: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds on the monotonic clock; `latency_ms` runs from the first byte written to the last byte read.

    `queued_ms` is all the waiting before it: for a connection, for the side's rate, and after refusals.
    """

    latency_ms: float
    first_byte_ms: float | None = None
    connect_ms: float | None = None
    queued_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What one side did with one case. `body` has its content coding undone; what arrived before a failure is kept.

    `clock_frozen` is None where the side does not say whether it obeyed the instant.
    """

    status: int | None = None
    headers: Headers = ()
    body: bytes = b""
    error: Failure | None = None
    timing: Timing | None = None
    clock_frozen: bool | None = None
    retries: int = 0
    """How many times it was sent again because the side had refused it; `timing` is the last exchange's."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return first_header(self.headers, name)


Done = Callable[[Observation], None]
"""Is handed the observation, once."""

Failed = Callable[[BaseException], None]
"""Is handed, instead of an observation, what is not the side's doing: RunError, InputError, or a mistake of ours."""


def first_header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, whatever its case."""
    wanted, length = name.lower(), len(name)
    return next((value for key, value in headers if len(key) == length and key.lower() == wanted), None)


# -------------------------------------------------------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which new departs from old, or from what the golden expects.

    `at` is a location fit to paste into a rule. `old` and `new` are JSON values, or MISSING; against an expectation,
    `old` holds what was expected. `rule` is the rule that judged it, or the default. `note` tells what values cannot.
    `waived` is the rule that waives it, empty where none does: such a difference is listed and counts for nothing.
    `noise` is the evidence that old differs from itself so, empty where it does not: noise is listed and counts for
    nothing.
    """

    at: str
    kind: DifferenceKind
    old: Json | Missing
    new: Json | Missing
    rule: str
    against: Literal["old", "expect"] = "old"
    note: str = ""
    waived: str = ""
    noise: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether it makes its case deviate: it is listed all the same where it is waived or noise."""
        return not (self.waived or self.noise)


@dataclass(frozen=True, slots=True)
class Again:
    """What old said when it was asked again: for each further answer, how it departs from old's first one.

    Of each, `old` is what the first answer said and `new` what this one did. `failed` askings came to no answer that
    could be compared: they are evidence of nothing.
    """

    answers: tuple[tuple[Difference, ...], ...] = ()
    failed: int = 0
    unlisted: int = 0
    """Differences that are not kept: too many of them, or too large."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A place where the bytes differ and the values count as equal, and the rule or default that says so."""

    at: str
    rule: str


FEW_ITEMS: Final = 5
"""Below this many items an order says little: of four, chance alone puts every 24th list in the right one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that a rule measured, whether or not it was met: `rank.tau` at `body.hits` is 0.8.

    `value` is None where there is none, as of the order of one item; `items` is how many items it rests on.
    """

    at: str
    name: str
    value: float | None
    items: int | None = None


@dataclass(frozen=True, slots=True)
class CaseError:
    """Which side failed at a case, and how."""

    side: Literal["old", "new", "both"]
    kind: ErrorKind
    message: str = ""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How a case came to be begun after its planned moment, in milliseconds."""

    late_ms: float
    """How late it was begun by our own fault: waiting for the case before it in its session is none."""
    behind_ms: float
    """How long after the planned moment it was begun, whatever it waited for."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case, its observations and its differences: the unit that is stored."""

    case: Case
    outcome: OutcomeName
    old: Observation | None = None
    new: Observation | None = None
    differences: tuple[Difference, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    measures: tuple[Measure, ...] = ()
    flags: tuple[str, ...] = ()
    error: CaseError | None = None
    skipped: str | None = None
    """Why the case was not sent, or why nothing of it was compared."""
    again: Again | None = None
    """None where old was not asked again."""
    lateness: Lateness | None = None
    """None where no moment was planned."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums that every report prints.

    loaded = compared + errored + skipped, and compared = matched + deviating + noise + waived.
    """

    loaded: int = 0
    compared: int = 0
    matched: int = 0
    deviating: int = 0
    noise: int = 0
    waived: int = 0
    errored: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which cases depart: a location for any item, the kind of difference there, and the change.

    `change` is as much of it as takes few values: statuses, types, what was done to a value. Who failed stands in
    place of a location.
    """

    at: str
    kind: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Deviating or failing cases with one cause, told by what they have in common. Each case belongs to one."""

    title: str
    cases: int
    example: str
    locations: tuple[str, ...]
    kinds: tuple[str, ...]
    sample: Difference | None = None
    ids: tuple[str, ...] = ()
    """The first few ids; `cases` counts them all."""
    promotable: str | None = None
    """A case of the traffic among them, which could become a golden."""
    ways: tuple[Way, ...] = ()
    """How every one of its cases departs; the first one tells them from the cases of later causes."""
    sometimes: Mapping[str, int] = field(default_factory=dict)
    """In how many of its cases other ways were seen as well, in words."""
    routes: Mapping[str, int] = field(default_factory=dict)
    """How many of its cases went where, the most frequented routes; the empty name stands for the rest."""
    followers: int = 0
    """How many of its cases only came after a failure in their session."""


@dataclass(frozen=True, slots=True)
class SideInfo:
    """What stood behind a side in a run."""

    target: str
    clock: Literal["frozen", "not frozen", "recorded"]
    clock_note: str = ""
    last_answer: str | None = None
    """The case after which a side that died gave no answer any more."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latencies of one side in milliseconds, over `n` exchanges."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure is distributed over `n` places where it was taken; NaN where there is none."""

    n: int
    least: float
    median: float
    mean: float
    most: float
    tenth: float | None = None
    """A tenth of the places lie at or below it."""
    steps: tuple[int, ...] = ()
    """How many places lie in each of ten equal steps of the measure's scale, the lowest first."""
    none: int = 0
    """Places where it could not be taken; they are not among the `n`."""
    few: int = 0
    """How many of the `n` rest on fewer than `FEW_ITEMS` items, and so prove little."""
    items: float | None = None
    """The median number of items that it rests on."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many cases old answered in one way and new in another: a status, a kind of error, or `value`."""

    old: str
    new: str
    cases: int


@dataclass(frozen=True, slots=True)
class Pacing:
    """How well a timetable was kept: cases a second, and milliseconds. None is what too few cases cannot tell."""

    name: str
    planned: float | None
    achieved: float | None
    late: Quantiles | None
    """How much later than planned cases were begun."""
    latency: Mapping[Side, Quantiles] = field(default_factory=dict)
    """Latencies from the planned moment, which hide no waiting."""


@dataclass(frozen=True, slots=True)
class NoiseRate:
    """How often old differs from itself at one place of a route, and how often new does from old."""

    route: str
    at: str
    old_differs: int
    old_asked: int
    """Further askings of old on this route."""
    new_differs: int
    new_asked: int
    """Cases of this route that were asked again, so that new can be held against them."""
    refused: str = ""
    """Why new's differences here are no noise, or not all of them."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What asking old again showed; the places where old differs from itself most often come first."""

    times: int
    cases: int
    """Cases that were asked again."""
    askings: int
    failed: int
    """Askings that came to no answer that could be compared."""
    unsafe: int
    """Cases that were sent, and not asked again since their method may change something."""
    rates: tuple[NoiseRate, ...] = ()
    unlisted: int = 0
    """Further places."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a report needs to know of a run beside its results."""

    run: str
    started: datetime
    finished: datetime | None
    complete: bool
    old: SideInfo
    new: SideInfo
    counts: Counts
    decision: str | None = None
    owner: str | None = None
    seed: int = 0
    intake: tuple[Intake, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    latency: Mapping[Side, Quantiles] = field(default_factory=dict)
    measures: Mapping[str, Spread] = field(default_factory=dict)
    accepted: Mapping[str, int] = field(default_factory=dict)
    """How many cases each rule or default called equal although their bytes differ."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many cases were not sent, or not compared at all, by reason."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """How many cases failed, by `side kind`."""
    categories: Mapping[str, int] = field(default_factory=dict)
    """How many cases deviate or fail in each way, by category."""
    statuses: tuple[StatusCount, ...] = ()
    waived: Mapping[str, int] = field(default_factory=dict)
    """In how many cases each waiver accepted a difference, by its rule."""
    warnings: tuple[str, ...] = ()
    pacing: Pacing | None = None
    warmed: int = 0
    """How many cases were sent beforehand, and are in no other figure."""
    noise: Noise | None = None
    """None where old was not asked again."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion, answered with its evidence. `interval` bounds the true value; `n` is what it rests on."""

    sentence: str
    state: VerdictState
    why: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    n: float | None = None
    unit: Literal["", "share"] = ""
    """What value and bounds are: a share of 1 reads as a percentage."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one gate: every criterion must hold."""

    state: VerdictState
    criteria: tuple[Judgement, ...]
    gate: str | None = None
    exit_code: int = 3


# ---------------------------------------------------------------------------------------------------------------- specs

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


_LONGEST: Final = 1000 * 365.25 * 86400.0


def parse_duration(value: object) -> timedelta:
    """Read `500ms`, `5s`, `1m`, `2h`, `7d`, or several in a row (`1m30s`). Raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        raise ValueError(f"'{text}' is no duration; write 500ms, 5s, 15m, 24h or 7d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"'{text}' is longer than a thousand years")
    return timedelta(seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(parse_duration, json_schema_input_type=str)]


_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")


def parse_rate(value: object) -> float:
    """Read `200/s`, `90/m` or `1000/h` as so many a second, more than none. Raises ValueError for anything else."""
    found = _RATE.fullmatch(str(value).strip())
    if found is None or not (rate := float(found[1]) / _UNITS[found[2]]):
        raise ValueError(f"'{value}' is no rate; write 200/s, 90/m or 1000/h")
    return rate


Rate = Annotated[float, BeforeValidator(parse_rate, json_schema_input_type=str)]
"""So many a second."""


def parse_instant(value: object) -> datetime:
    """Read an RFC 3339 instant with its offset, or a bare date as its midnight in UTC; raise ValueError otherwise."""
    if isinstance(value, datetime):
        instant = value
    else:
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"'{value}' is no instant; write 2024-02-29T23:59:59Z") from None
        if instant.tzinfo is not None:
            return instant
        if re.fullmatch(r"\d{4}-?\d\d-?\d\d", str(value)):
            return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise ValueError(f"'{value}' has no offset; write 2024-02-29T23:59:59Z")
    return instant


Instant = Annotated[datetime, BeforeValidator(parse_instant, json_schema_input_type=str)]


Flag = Annotated[bool, Strict()]
"""true or false, and not the text `yes`, `on` or `1`: what is written is never reinterpreted."""

Whole = Annotated[int, Strict()]
"""A whole number, and not the text `012`."""


class Spec(BaseModel):
    """A piece of what users write: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


class RankSpec(Spec):
    """How two rankings must agree: in which items are among the first `top`, and in their order."""

    by: str | None = Field(default=None, description="The field that identifies an item; without it, the item itself.")
    top: Whole = Field(default=10, ge=1, le=1000, description="How many of the first items count.")
    score: str | None = Field(default=None, description="The field with the score; equal scores are ties.")
    overlap: float | None = Field(default=None, ge=0, le=1, description="The least share of common items.")
    tau: float | None = Field(default=None, ge=-1, le=1, description="The least Kendall tau-b of the common items.")
    rbo: float | None = Field(default=None, ge=0, le=1, description="The least rank-biased overlap.")
    p: float = Field(default=0.9, gt=0, lt=1, description="How likely a reader of the list reads on, for rbo.")
    ndcg: float | None = Field(default=None, ge=0, le=1, description="The least nDCG of new's list.")
    gain: str | None = Field(default=None, min_length=1, description="A field, or module:function, of an item's worth.")


def parse_day(value: object) -> str:
    """Read a calendar day as ISO 8601 writes it, 2026-12-31; raise ValueError for anything else."""
    text = str(value)
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"'{text}' is no day; write 2026-12-31")


class WaiveSpec(Spec):
    """Who accepts a difference, until when, and why."""

    until: Annotated[str, BeforeValidator(parse_day)] = Field(description="The last day (UTC) on which it holds.")
    owner: str = Field(min_length=1, description="Who answers for it.")
    ticket: str | None = Field(default=None, min_length=1, description="Where it is followed up.")
    why: str = Field(min_length=1, description="Why it may differ for now.")

    def holds_on(self, day: date) -> bool:
        """Tell whether it still holds; on its last day it does."""
        return day <= date.fromisoformat(self.until)


ReaderName = Literal[
    "json", "ndjson", "text", "bytes", "csv", "xml", "html", "form", "query",
    "base64", "url", "gzip", "deflate", "br", "zstd",
]  # fmt: skip


class CsvSpec(Spec):
    """How rows and columns are told apart."""

    delimiter: str | None = Field(
        default=None, pattern=r'^[^"\r\n]$', description="What parts cells; without it, what the header shows."
    )
    header: Flag | tuple[str, ...] = Field(
        default=True, description="true: the first row names the columns; false: nothing does; or the names."
    )
    any_column_order: Flag = Field(default=False, description="Accept that columns stand in another order.")


class CsvStep(Spec):
    """CSV, and how to read it."""

    csv: CsvSpec


ReadStep = ReaderName | CsvStep
"""One reading: of bytes or a text, as something else."""


def _known_readings(value: object) -> object:
    """Say which reading is not known, before pydantic says of every one that this is not it."""
    names = get_args(ReaderName)
    for step in value if isinstance(value, list | tuple) else [value]:
        if step is not None and step not in names and not isinstance(step, Mapping | CsvStep):
            raise ValueError(f"there is no reading '{step}'; there are {', '.join(names)}")
    if value in ([], ()):
        raise ValueError("no reading is named")
    return value


class RuleSpec(Spec):
    """How the nodes at a location are compared, and why."""

    at: str = Field(description="A JSONPath without `$`: status, headers.date, body.items[*].id, body..updated_at.")
    on: str | None = Field(default=None, description="A route (GET /orders/*) or the name of a group.")
    where: str | None = Field(default=None, description="An expression that must hold on both sides.")
    why: str | None = Field(default=None, description="The reason, for the reader of the report.")
    tag: str | None = Field(default=None, description="Only cases with this tag.")

    ignore: Flag | None = Field(default=None, description="Do not compare what stands here, nor below.")
    within: Any = Field(
        default=None, description="A number, a share (0.1%), a duration (2s), or a list: whichever is wider."
    )
    unordered: Flag | None = Field(default=None, description="Compare the array as a bag.")
    match_by: str | tuple[str, ...] | None = Field(
        default=None, description="Pair the items of the array by these fields."
    )
    rank: RankSpec | None = Field(default=None, description="Compare the array as a ranking.")
    map: tuple[tuple[Any, Any], ...] | None = Field(
        default=None, description="Intended changes: old's value, then new's."
    )
    renamed: str | None = Field(default=None, description="The name that this field has on the new side.")
    must: Flag | None = Field(
        default=None, description="The intended change has to be seen: its absence is a deviation."
    )
    matches: str | None = Field(default=None, description="A regular expression that both whole values must match.")
    as_: Annotated[ReadStep | tuple[ReadStep, ...] | None, BeforeValidator(_known_readings)] = Field(
        default=None, alias="as", description="How to read the body, or a text in it: one reading after the other."
    )
    via: str | None = Field(default=None, description="module:attribute of your own function from bytes to a value.")
    schema_: Any = Field(default=None, alias="schema", description="A JSON Schema that both values must meet.")
    same_type: Flag | None = Field(default=None, description="Compare types only.")
    strict: Flag | None = Field(default=None, description="Compare exactly: 1 is not 1.0, text to the byte.")
    waive: WaiveSpec | None = Field(default=None, description="Accept what differs here, by name and until a day.")
    allow: tuple[Literal["nan", "duplicate_keys", "lone_surrogates", "empty"], ...] | None = Field(
        default=None, description="Flaws of JSON that the service really has."
    )

    @property
    def steps(self) -> tuple[ReadStep, ...]:
        """Return the readings that `as` names, in order."""
        return self.as_ if isinstance(self.as_, tuple) else () if self.as_ is None else (self.as_,)

    @property
    def name(self) -> str:
        """Return the rule in one line, as reports print it."""
        verbs = self.model_dump(
            by_alias=True, exclude_none=True, exclude={"at", "on", "where", "why", "tag"}, exclude_defaults=True
        )
        scope = "".join(
            f"{key} {value} " for key, value in (("on", self.on), ("where", self.where), ("tag", self.tag)) if value
        )
        what = ", ".join(f"{verb}: {_show(value)}" for verb, value in verbs.items())
        return f"{scope}at {self.at}, {what}" + (f" ({self.why})" if self.why else "")


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return str(value) if not isinstance(value, Decimal) else format(value)


class GroupSpec(Spec):
    """A named selection of cases: every condition that is given must hold."""

    on: str | None = Field(default=None, description="A route: METHOD /path/*/with/**, the method optional.")
    where: str | None = Field(default=None, description="An expression over request and answer.")
    tag: str | None = Field(default=None, description="A tag of the case.")

    @model_validator(mode="after")
    def _selects(self) -> GroupSpec:
        if self.on is None and self.where is None and self.tag is None:
            raise ValueError("a group needs at least one of on, where, tag")
        return self


class TlsSpec(Spec):
    """How an https side is verified, and by what it verifies this tool; PEM files, relative to the settings."""

    ca: str | None = Field(default=None, description="The authorities to trust, instead of the system's.")
    cert: str | None = Field(default=None, description="The client's certificate, with its chain.")
    key: str | None = Field(default=None, description="Its key, without a passphrase; else it stands in `cert`.")
    verify: Flag = Field(default=True, description="false: accept any certificate. Every report says so.")


Status = Annotated[int, Strict(), Field(ge=100, le=999)]


class RetrySpec(Spec):
    """When a case that a side refuses is sent again."""

    on: tuple[Status, ...] = Field(default=(429, 503), min_length=1, description="Statuses that refuse.")
    times: Whole = Field(default=5, ge=1, le=100, description="How often a case is sent again at most.")
    wait: Duration = Field(
        default=timedelta(seconds=1), ge=timedelta(0), description="The first wait without Retry-After; it doubles."
    )
    cap: Duration = Field(default=timedelta(seconds=30), ge=timedelta(0), description="The longest wait.")


class LoginSpec(Spec):
    """A request before the first case, from whose answer the side's headers get their tokens."""

    method: str = Field(default="POST", description="The method.")
    path: str = Field(description="The path below the side's URL, with its query.")
    headers: Mapping[str, str] = Field(default_factory=dict, description="Headers of this request alone.")
    json_: Any = Field(default=None, alias="json", description="A JSON body.")
    form: Mapping[str, str] | None = Field(default=None, description="A body in application/x-www-form-urlencoded.")
    text: str | None = Field(default=None, description="A text body.")
    capture: Mapping[str, str] = Field(min_length=1, description="From a name to where its value stands in the answer.")
    every: Duration | None = Field(default=None, gt=timedelta(0), description="How long what was captured is used.")


class TargetSpec(Spec):
    """What stands behind a side: exactly one of `url`, `app`, `function`, `recorded`, and how to treat it."""

    url: str | None = Field(default=None, description="An HTTP service: its base URL.")
    app: str | None = Field(
        default=None, description="module:attribute of an ASGI or WSGI app, run in worker processes."
    )
    function: str | None = Field(default=None, description="module:attribute of a function, run in worker processes.")
    recorded: Flag | None = Field(default=None, description="The answers that captures and goldens hold.")
    at: str | None = Field(
        default=None, description="venv:DIR or path:DIR: the interpreter or the folder to import from."
    )
    cwd: str | None = Field(default=None, description="The working directory of worker processes.")
    env: Mapping[str, str] = Field(default_factory=dict, description="Variables for worker processes.")
    headers: Mapping[str, str] = Field(default_factory=dict, description="Sent to this side only; beats the case's.")
    timeout: Duration = Field(
        default=timedelta(seconds=10), gt=timedelta(0), description="One deadline for the whole exchange."
    )
    max_body: Whole = Field(default=64 * 2**20, ge=1, description="The largest body, in bytes, after decompression.")
    tls: TlsSpec | None = Field(default=None, description="How an https side is verified, and verifies this tool.")
    connect: str | None = Field(default=None, description="host:port to connect to, in place of the URL's.")
    unix: str | None = Field(default=None, description="The Unix socket to connect to, in place of the URL's host.")
    max_inflight: Whole | None = Field(default=None, ge=1, description="The most requests that are under way at once.")
    rate: Rate | None = Field(default=None, description="The most requests in a time: 20/s, 600/m.")
    retry: RetrySpec | None = Field(default=None, description="When a refused case is sent again.")
    login: LoginSpec | None = Field(default=None, description="A request whose answer fills {{names}} in `headers`.")
    writable: Flag | tuple[str, ...] = Field(
        default=False, description="true, or routes, that may be sent unsafe methods."
    )
    stop_after: Whole | None = Field(
        default=None, ge=1, description="End the run once this side has failed at so many cases."
    )
    isolate: Literal["case"] | None = Field(default=None, description="case: a fresh worker process for every case.")

    def shared(self, portion: Portion) -> TargetSpec:
        """Return the spec for one of several processes that share what this side may be given."""
        inflight = None if self.max_inflight is None else portion.share(self.max_inflight)
        rate = None if self.rate is None else self.rate / portion.count
        return self.model_copy(update={"max_inflight": inflight, "rate": rate})
