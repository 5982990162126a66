"""What a golden or one of its steps expects of new."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from replay.cases.fields import Body, HeaderPairs, require_one_body
from replay.models import Expectation, Whole


class ExpectSpec(Body):
    """What new must answer; what is left out is compared with old."""

    status: Whole | None = Field(default=None, ge=100, le=999, description="The status that new must answer with.")
    headers: HeaderPairs = Field(default=(), description="Headers that new must answer with, each as named here.")

    @model_validator(mode="after")
    def _one_body(self) -> ExpectSpec:
        require_one_body(self.stated())
        return self

    def build(self) -> Expectation:
        """Return the expectation with its body as bytes."""
        return Expectation(self.status, self.headers, self.content())


class RowExpectSpec(ExpectSpec):
    """What new must answer to one row; in a scenario, at its steps too."""

    steps: Mapping[str, ExpectSpec] = Field(default_factory=dict, description="By step: what it must answer there.")
