"""How users say what counts as equal, and of which cases they speak."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from replay.models.quantities import Duration, Flag, Spec, Whole, parse_day


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
    minted: Flag | None = Field(
        default=None,
        description="true: each side chose this name itself, and they correspond one to one. false: nobody did.",
    )
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


class RecheckSpec(Spec):
    """When a case that deviates is asked again on both sides, so that what converges is told from what stays."""

    times: Whole = Field(default=3, ge=1, le=20, description="How often both sides are asked again.")
    every: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="The wait before each asking.",
    )


class GroupSpec(Spec):
    """A named selection of cases: every condition that is given must hold."""

    on: str | None = Field(default=None, description="A route: METHOD /path/*/with/**, the method optional.")
    where: str | None = Field(default=None, description="An expression over request and answer.")
    tag: str | None = Field(default=None, description="A tag of the case.")
    by: str | None = Field(default=None, description="Where the value stands that divides the group for `per`.")

    @model_validator(mode="after")
    def _selects(self) -> GroupSpec:
        if self.on is None and self.where is None and self.tag is None and self.by is None:
            raise ValueError("a group needs at least one of on, where, tag, by")
        return self
