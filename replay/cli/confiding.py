"""Which secrets the chosen cases and the sides name, and their values: found before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from replay.cases import place_where
from replay.config import Project
from replay.documents import shown
from replay.engine.secret_sources import read_secret
from replay.errors import Place, SettingsError
from replay.models import SIDES, Case, Expectation, SecretSource, Side, TargetSpec, Trust
from replay.placeholders import SECRETS as GRAMMAR
from replay.placeholders import Part, names_in, secrets_in
from replay.privacy import secret_values
from replay.targets.confided import TAKING, confided, one_line, settings_secrets

_LINES: Final = 16
"""Lines of a secret that are so long are looked for by themselves: of texts that differ only some lines are told."""


@dataclass(slots=True)
class Uses:
    """What the cases of a run name, each with the first place where it stands."""

    project: Project
    filled: dict[tuple[str, Part], Case | str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    """What is no name of a secret in traffic, and where it stands."""

    @property
    def trust(self) -> Trust:
        """Return which names stand for secrets."""
        return Trust({name: spec.traffic for name, spec in self.project.settings.secrets.items()})

    def look(self, case: Case) -> None:
        """Note what a case names. Raise SettingsError for what no secret can be put in the place of."""
        for request in case.requests:
            for part, name in secrets_in(request):
                self._note(case, part, name)
        for expect in _expectations(case):
            for _, name in secrets_in(expect):
                fact = f"'{{{{secret.{shown(name)}}}}}' is put into what is sent, and not into what is expected"
                raise SettingsError(fact, place=_place(case, name), hint="a rule can ignore what repeats a secret")

    def foresee(self, cases: Iterable[Case]) -> None:
        """Note what cases that are not looked at beforehand may name: goldens come first, and are few."""
        for case in cases:
            if case.kind != "golden":
                named = (name for name, spec in self.project.settings.secrets.items() if spec.traffic)
                self.filled |= {(name, "body"): "secrets" for name in named}
                return
            self.look(case)

    def _note(self, case: Case, part: Part, name: str) -> None:
        stance = self.trust.stance(name, case.kind)
        if stance == "filled":
            self.filled.setdefault((name, part), case)
        elif stance == "left":
            self.left.setdefault(name, case.place)
        elif name in self.project.settings.secrets:
            fact = f"traffic names the secret '{name}': whoever was recorded may have written that"
            hint = f"say in the settings: secrets: {name}: traffic: true where you put it there, false where it is text"
            raise SettingsError(fact, place=case.place, hint=hint)
        else:
            raise unknown(name, self.project, _place(case, name))

    def warnings(self) -> Iterator[str]:
        """Yield what is sent as it is written although it looks like a secret's name."""
        if self.left:
            name, place = next(iter(self.left.items()))
            yield f"{place} holds {{{{secret.{shown(name)}}}}}, which is no secret of the settings and is sent as text"


def unknown(name: str, project: Project, place: Place | str) -> SettingsError:
    """Return that no secret has this name."""
    known = ", ".join(project.settings.secrets)
    example = f"say where it comes from, in replay.yaml: secrets: {{{shown(name)}: {{env: VARIABLE}}}}"
    hint = f"known are: {known}" if known else example
    return SettingsError(f"there is no secret '{shown(name)}'", place=place, hint=hint)


def _expectations(case: Case) -> Iterable[Expectation]:
    return (it for it in (case.expect, *(step.expect for step in case.steps)) if it is not None)


def _place(case: Case | str, name: str) -> Place | str:
    """Return where a case names a secret; the whole case where that cannot be told."""
    if isinstance(case, str):
        return case
    if case.kind != "golden":
        return case.place
    return place_where(case, lambda text: name in names_in(text, GRAMMAR))


@dataclass(frozen=True, slots=True)
class Confidence:
    """The sides with their secrets, and all that must not be written."""

    sides: Mapping[Side, TargetSpec]
    values: frozenset[str] = field(default=frozenset(), repr=False)
    sources: tuple[str, ...] = ()
    """What is read, or would be, and from where."""


def _check_sides(project: Project, sides: Mapping[Side, TargetSpec]) -> None:
    """Raise SettingsError for a side that names a secret which is not there, or where none is put."""
    for side, spec in sides.items():
        for key, name in settings_secrets(spec):
            if name not in project.settings.secrets:
                raise unknown(name, project, side)
            if key not in TAKING:
                fact = f"{key} names the secret '{name}', and none is put there"
                raise SettingsError(fact, place=side, hint=f"secrets go into {', '.join(TAKING)}")


def with_secrets(uses: Uses, sides: Mapping[Side, TargetSpec], *, sends: bool, both: Side | None = None) -> Confidence:
    """Read every secret that is needed, once, if anything is to be sent.

    Where one side stands in both places, `both` says which: it is sent no secrets but its own.
    Raise SettingsError, with its place, for a name that no secret has, and for a secret that cannot be had.
    """
    _check_sides(uses.project, sides)
    sources = tuple(_sources(uses, sides))
    if not sends:
        # Whoever sent something all the same would have it refused, and not sent with names in place of secrets.
        return Confidence(
            {side: spec.trusted(uses.trust, {}, frozenset()) for side, spec in sides.items()}, sources=sources
        )
    reader = _Reader(uses.project, os.environ)
    trusted = {side: _trusted(both or side, spec, uses, reader) for side, spec in sides.items()}
    return Confidence(trusted, reader.seen, sources)


def _trusted(side: Side, spec: TargetSpec, uses: Uses, reader: _Reader) -> TargetSpec:
    if spec.recorded:
        return spec
    values: dict[str, str] = {}
    for _, name in settings_secrets(spec):
        values[name] = reader.value(name, side, side)
    for (name, part), case in uses.filled.items():
        values[name] = reader.value(name, side, case)
        if part == "header" and not one_line(values[name]):
            fact = f"the secret '{name}' has several lines, and a header holds one"
            raise SettingsError(fact, place=_place(case, name), hint="put it into a body, or keep it in base64")
    return confided(spec, Trust(uses.trust.traffic, values))


class _Reader:
    """Reads each source once."""

    def __init__(self, project: Project, environment: Mapping[str, str]) -> None:
        self._project = project
        self._environment = environment
        self._read: dict[SecretSource, str] = {}

    @property
    def seen(self) -> frozenset[str]:
        """Return every secret that was read, with the forms in which a service may repeat it.

        Those are its long lines, each by itself, and what it is as credentials in an `authorization` header.
        """
        values = frozenset(self._read.values())
        lines = {line for value in values for line in value.splitlines() if len(line) >= _LINES}
        whole = [f"{scheme}{value}" for value in values for scheme in ("", "Basic ")]
        return values | lines | secret_values(("authorization", value) for value in whole)

    def value(self, name: str, side: Side, where: Case | str) -> str:
        """Return a secret as one side has it."""
        try:
            return self._of(name, side)
        except SettingsError as error:
            raise SettingsError(error.fact, place=_place(where, name), hint=error.hint) from None

    def _of(self, name: str, side: Side) -> str:
        source = self._project.settings.secrets[name].of(side)
        if source is None:
            hint = f"secrets: {name}: {{{side}: {{env: ...}}}}"
            raise SettingsError(f"the secret '{name}' has nothing for {side}", hint=hint)
        if source not in self._read:
            self._read[source] = read_secret(name, source, self._project.root, self._environment)
        return self._read[source]


def _sources(uses: Uses, sides: Mapping[Side, TargetSpec]) -> Iterator[str]:
    """Yield each secret that a run would read, and from where."""
    named = {name for name, _ in uses.filled} | {name for spec in sides.values() for _, name in settings_secrets(spec)}
    for name in sorted(named):
        spec = uses.project.settings.secrets[name]
        sources = {side: source for side in SIDES if side in sides and (source := spec.of(side)) is not None}
        yield f"{name} from " + " and ".join(dict.fromkeys(map(str, sources.values())))
