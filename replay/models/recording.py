"""How users say what of live traffic is recorded."""

from __future__ import annotations

from pydantic import Field

from replay.models.quantities import Size, Spec


class RecordingSpec(Spec):
    """What `replay record` keeps; a flag beats its key, and what is excluded adds up."""

    scope: tuple[str, ...] = Field(default=(), description="Routes, groups or expressions: nothing else is kept.")
    exclude: tuple[str, ...] = Field(default=(), description="Routes, groups or expressions: none of these is kept.")
    sample: str | None = Field(default=None, description="The share that is kept: 5%.")
    sticky: str | None = Field(default=None, description="Whose requests stay together: header:x-user, cookie:sid.")
    session: str | None = Field(default=None, description="What names a session: header:x-user, cookie:sid.")
    max_body: Size | None = Field(default=None, description="The largest body that is kept: 1MB.")
    budget: Size | None = Field(default=None, description="The disk that a recording may take: 2GB.")
    hosts: tuple[str, ...] = Field(default=(), description="Hosts that are let in: shop.example, *.shop.example.")
