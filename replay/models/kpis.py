"""Key figures of the business, as users define them, as a case has them, and as reports print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from replay.models.names import Json, Side
from replay.models.quantities import Spec

KpiKind = Literal["share", "count", "sum", "mean", "quantile"]

KPI_KINDS: Final[tuple[KpiKind, ...]] = ("share", "count", "sum", "mean", "quantile")


def _number(value: object) -> object:
    """Accept a number alone: `true` and the text `0` are none."""
    if isinstance(value, bool | str):
        raise ValueError("this is no number")  # noqa: TRY004 - pydantic makes its message of ValueError
    return value


class QuantileSpec(Spec):
    """A quantile, and of what."""

    of: str = Field(min_length=1, description="A location (body.amount), or module:attribute of your own function.")
    q: Annotated[float, BeforeValidator(_number)] = Field(
        gt=0, lt=1, description="Which one: 0.5 is the median, 0.95 what 95% do not exceed."
    )


class KpiSpec(Spec):
    """A key figure over the answers: exactly one of share, count, sum, mean and quantile, and of which cases."""

    on: str | None = Field(default=None, description="A route (GET /orders/*) or the name of a group.")
    where: str | None = Field(default=None, description="An expression over the request.")
    tag: str | None = Field(default=None, description="Only cases with this tag.")
    share: str | None = Field(
        default=None, min_length=1, description="In which share of the answers an expression, or a function, holds."
    )
    count: str | None = Field(default=None, min_length=1, description="In how many answers it holds.")
    sum: str | None = Field(default=None, min_length=1, description="The sum of a location, or of a function.")
    mean: str | None = Field(default=None, min_length=1, description="The mean of a location, or of a function.")
    quantile: QuantileSpec | None = Field(default=None, description="A quantile of a location, or of a function.")
    missing: Annotated[float, BeforeValidator(_number)] | None = Field(
        default=None, allow_inf_nan=False, description="What an answer counts that has nothing, or null, there."
    )

    @model_validator(mode="after")
    def _measures_one_thing(self) -> KpiSpec:
        given = [kind for kind in KPI_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            said = "none" if not given else " and ".join(given)
            raise ValueError(f"a KPI takes exactly one of {', '.join(KPI_KINDS)}, and this one has {said}")
        if self.missing is not None and self.holds:
            raise ValueError(f"missing does not go with {given[0]}: where nothing is, the expression does not hold")
        return self

    @property
    def kind(self) -> KpiKind:
        """Return what is made of the cases' figures."""
        return next(kind for kind in KPI_KINDS if getattr(self, kind) is not None)

    @property
    def of(self) -> str:
        """Return what tells a case's figure: an expression, a location, or `module:attribute`."""
        if self.quantile is not None:
            return self.quantile.of
        return str(getattr(self, self.kind))

    @property
    def definition(self) -> str:
        """Return a digest by which figures are known to be this KPI's."""
        return sha256(repr(self.model_dump(mode="json", exclude_none=True)).encode()).hexdigest()[:8]

    @property
    def holds(self) -> bool:
        """Tell whether a case's figure is that something holds, and not a number."""
        return self.kind in ("share", "count")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one case tells of one KPI: each side's number, or whether its expression holds.

    None stands for no figure: the side failed, which the result's error tells, or its fault says why.
    """

    kpi: str
    definition: str = ""
    """The digest of the KPI's definition: a run that is judged again later may know another under its name."""
    old: Json = None
    new: Json = None
    old_fault: str = ""
    """Why old's answer, which did come, has no figure."""
    new_fault: str = ""

    def of(self, side: Side) -> Json:
        """Return one side's figure."""
        return self.old if side == "old" else self.new

    def fault(self, side: Side) -> str:
        """Return why one side's answer has no figure."""
        return self.old_fault if side == "old" else self.new_fault


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI at the end of a run: both sides' figures over the same cases, and how far apart they are.

    `difference` is new's figure less old's, and `interval` holds it with 95% confidence; None where no case tells.
    Sums keep every digit. `n` is how many cases both sides have a figure for.
    """

    name: str
    kind: KpiKind
    of: str
    n: int
    old: Json = None
    new: Json = None
    difference: Json = None
    interval: tuple[float, float] | None = None
    failed: Mapping[str, int] = field(default_factory=dict)
    """In how many cases which side failed: old, new, both."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """In how many answers there was no figure, by side and reason."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """For each reason the id of the first case."""
