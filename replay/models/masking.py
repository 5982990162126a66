"""How users say what is masked beside what tells itself, and what is kept."""

from __future__ import annotations

from pydantic import Field

from replay.models.quantities import Spec


class MaskSpec(Spec):
    """What becomes a token beside what is found by itself: a place, a pattern, or a kind that is off by default."""

    at: str | None = Field(
        default=None,
        description="A location: body.customer.name, headers.x-user, request.query.name; also all below.",
    )
    match: str | None = Field(default=None, min_length=1, description="A regular expression, searched in every text.")
    kind: str | None = Field(default=None, description="A kind that is switched on: ip.")
    as_: str = Field(
        default="secret",
        alias="as",
        pattern=r"^[a-z][a-z0-9_-]{0,30}$",
        description="The kind, which shapes tokens.",
    )
    on: str | None = Field(
        default=None, description="A route (GET /orders/*): only in such requests and their answers."
    )
    why: str | None = Field(default=None, description="The reason, for the reader.")


class KeepSpec(Spec):
    """What stays as it is although it would be masked: everything that is said must hold."""

    at: str | None = Field(default=None, description="A location: what stands there, and below it.")
    kind: str | None = Field(default=None, description="A kind: email, card, iban, phone, ...")
    value: str | None = Field(
        default=None, min_length=1, description="The whole text, with * for any characters: *@example.com."
    )
    on: str | None = Field(
        default=None, description="A route (GET /orders/*): only in such requests and their answers."
    )
    why: str | None = Field(default=None, description="The reason, for the reader.")
