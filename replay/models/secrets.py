"""How users say where live credentials come from."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import Field, model_validator

from replay.models.names import Side
from replay.models.quantities import Duration, Flag, Spec
from replay.models.sides import Command

_SOURCES: Final = ("env", "file", "command")
_LONGEST: Final = timedelta(minutes=10)


class SecretSource(Spec):
    """Where a secret comes from: one of a variable, a file, and what a command prints."""

    env: str | None = Field(default=None, pattern=r"^[A-Za-z_]\w*$", description="The variable that holds it.")
    file: str | None = Field(default=None, min_length=1, description="The file that holds it.")
    command: Command | None = Field(default=None, description="A command that prints it; no shell has a part in it.")
    timeout: Duration = Field(
        default=timedelta(seconds=10), gt=timedelta(0), le=_LONGEST, description="How long the command may take."
    )

    @property
    def given(self) -> tuple[str, ...]:
        """Return which sources are named."""
        return tuple(name for name in _SOURCES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_source(self) -> SecretSource:
        self._check()
        return self

    def _check(self) -> None:
        if len(self.given) != 1:
            raise ValueError("a secret comes from one of env, file and command")
        if "timeout" in self.model_fields_set and self.command is None:
            raise ValueError("timeout goes with command")

    def __str__(self) -> str:
        """Return where it comes from, in words; of a command nothing, since its words may be secrets as well."""
        if self.env is not None:
            return f"the variable {self.env}"
        return "a command" if self.file is None else f"the file {self.file}"


class SecretSpec(SecretSource):
    """A secret that `{{secret.NAME}}` stands for: one for both sides, or each side's own."""

    old: SecretSource | None = Field(default=None, description="Old's own; no other side is sent it.")
    new: SecretSource | None = Field(default=None, description="New's own; no other side is sent it.")
    traffic: Flag | None = Field(
        default=None,
        description="true: also put into traffic, where anybody who was recorded may have written its name; "
        "false: there the name is text.",
    )

    def _check(self) -> None:
        if self.old is None and self.new is None:
            super()._check()
        elif self.given or "timeout" in self.model_fields_set:
            raise ValueError("a secret is one for both sides, or old and new have their own")

    def of(self, side: Side) -> SecretSource | None:
        """Return where a side's comes from; None where it has none."""
        return self if self.given else self.old if side == "old" else self.new
