"""`replay.yaml` becomes settings: found, overlaid, expanded, checked. The one place that knows every room's options."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from replay.compare import RuleBook, require_evidence, rule_book
from replay.compare.loading import load_own
from replay.documents import Document, overlaid, read_yaml, validated
from replay.engine.again import MOST_TIMES
from replay.engine.grouping import group_of
from replay.engine.kpis import NO_KPIS, Kpis, prepare_kpi, prepare_kpis
from replay.errors import InputError, Place, SettingsError
from replay.expressions import Expression, parse_expression
from replay.finding import FILE, find_settings, short_path
from replay.inert import printable
from replay.live.choosing import recording_checks
from replay.models import (
    SIDES,
    Flag,
    GroupSpec,
    Instant,
    KeepSpec,
    KpiSpec,
    MaskSpec,
    Order,
    RecheckSpec,
    RecordingSpec,
    RuleSpec,
    SecretSpec,
    Seeded,
    Spec,
    TargetSpec,
    Whole,
)
from replay.privacy import MaskRules, mask_rules
from replay.privacy.rules import NO_RULES, masking_checks
from replay.selection import parse_route
from replay.services.commands import words_of
from replay.targets import TARGETS, check_side, parse_target
from replay.verdict import Terms, parse_criteria
from replay.verdict.clauses import nearest
from replay.verdict.cycles import CYCLES

SHORTEST_SECRET: Final = 6
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})")
_SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_COMMANDS: Final = ("login", "run", "setup", "teardown", "reset")
"""What of a side is sent or carried out, and printed where that fails."""


def _target(value: object) -> object:
    return parse_target(value) if isinstance(value, str) else value


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Read = Callable[[Path], bytes]
READ: Final[Read] = Path.read_bytes
SideSpec = Annotated[TargetSpec, BeforeValidator(_target, json_schema_input_type=str | TargetSpec)]


class Settings(Spec):
    """What replay.yaml may say."""

    decision: str | None = Field(default=None, description="What is being decided, in one sentence.")
    owner: str | None = Field(default=None, description="Who says go.")
    old: SideSpec | None = Field(default=None, description="What users depend on today.")
    new: SideSpec | None = Field(default=None, description="What is to replace it.")
    goldens: str | None = Field(default=None, description="The folder with curated cases.")
    traffic: Annotated[tuple[str, ...], BeforeValidator(_list)] = Field(default=(), description="Captures: patterns.")
    freeze: Instant | None = Field(default=None, description="The instant of cases that bring none.")
    seed: Whole = Field(default=0, ge=0, description="What every case's own seed derives from.")
    tick: Flag = Field(default=False, description="true: clocks run on from their instant instead of standing still.")
    seed_also: tuple[Seeded, ...] = Field(
        default=(), description="What is seeded besides random and NumPy: uuid4, secrets. For tests alone."
    )
    order: Order = Field(default="random", description="Who is asked first: random, old-first or together.")
    noise: Whole = Field(default=0, ge=0, le=MOST_TIMES, description="How often more old is asked, for its noise.")
    recheck: RecheckSpec | None = Field(default=None, description="Ask again where a safe case deviates.")
    rebind: Flag = Field(default=True, description="Send sides of captured sessions the ids that they gave.")
    error_when: str | None = Field(default=None, description="What counts as an error beyond transport failures.")
    groups: Mapping[str, GroupSpec] = Field(default_factory=dict, description="Named selections of cases.")
    compare: tuple[RuleSpec, ...] = Field(default=(), description="Rules; the last that matches wins.")
    secrets: Mapping[str, SecretSpec] = Field(
        default_factory=dict, description="Where live credentials come from that {{secret.NAME}} stands for."
    )
    mask: tuple[MaskSpec, ...] = Field(default=(), description="What becomes a token beside what tells itself.")
    keep: tuple[KeepSpec, ...] = Field(default=(), description="Exceptions: what stays although it looks personal.")
    mask_key_file: str | None = Field(default=None, min_length=1, description="The file with the key of all tokens.")
    cut_when: tuple[str, ...] | Mapping[str, tuple[str, ...]] = Field(
        default=(), description="What must hold before the cut-over: one list, or named gates."
    )
    record: RecordingSpec = Field(default=RecordingSpec(), description="What of live traffic is recorded.")
    kpis: Mapping[str, KpiSpec] = Field(default_factory=dict, description="Key figures over the answers, by name.")
    covering: tuple[str, ...] = Field(
        default=(), description="The cycles that days have to cover: weekday, weekend, month-end."
    )

    @property
    def gates(self) -> Mapping[str, Sequence[str]]:
        """Return the criteria by gate; an unnamed list stands under the empty name."""
        if isinstance(self.cut_when, Mapping):
            return self.cut_when
        return {"": self.cut_when} if self.cut_when else {}

    @property
    def terms(self) -> Terms:
        """Return the names that criteria may use."""
        divided = {name: group.by is not None for name, group in self.groups.items()}
        return Terms(groups=divided, kpis=self.kpis, covering=tuple(dict.fromkeys(self.covering)))


@dataclass(frozen=True, slots=True)
class Project:
    """Settings that make sense, and the folder to which their paths are relative."""

    settings: Settings
    root: Path
    rules: RuleBook
    error_when: Expression | None
    kpis: Kpis = NO_KPIS
    masks: MaskRules = NO_RULES
    file: Path | None = None
    secrets: frozenset[str] = frozenset()
    """What variables put into rules, logins and commands: reports name these, services repeat what they are sent."""


class _Toml(Document):
    """Settings out of pyproject.toml, whose parser tells no lines."""

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place:  # noqa: ARG002
        """Return the file."""
        return Place(self.file)


def load_project(
    start: Path, *, environment: Mapping[str, str], file: Path | None = None, env: str | None = None, read: Read = READ
) -> Project:
    """Find and read the settings for a folder; without any, the defaults hold there. `read` says what a file holds.

    Raise DocumentError or SettingsError, with file, line and column, for what makes no sense.
    """
    found = file or find_settings(start)
    if found is None:
        if env is not None:
            raise SettingsError(f"there is no {FILE} that {env} could be laid over", hint="`replay init` writes one")
        settings = Settings()
        return Project(settings, start, rule_book(()), None)
    documents = [_read(found, read)]
    if env is not None:
        documents.append(_read(overlay_path(found, env), read))
    expanded = [_expanded(document, environment) for document in documents]
    merged = overlaid(expanded)
    settings = validated(merged, Settings)
    return replace(_checked(settings, merged, found), secrets=_secret_variables(documents, environment))


def _secret_variables(documents: Sequence[Document], environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of variables in rules, logins and commands, as far as they are long enough to be secrets."""
    written = "\n".join(str(part) for document in documents for part in _telling(document.mapping()))
    names = {found["name"] for found in _VARIABLE.finditer(written) if found["name"]}
    values = {environment.get(name, "") for name in names}
    return frozenset(value for value in values if len(value) >= SHORTEST_SECRET)


def _telling(settings: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the parts of settings whose variables turn up elsewhere."""
    yield settings.get("compare", "")
    yield settings.get("secrets", "")
    sides = (settings.get(side) for side in ("old", "new"))
    yield from (side.get(key, "") for side in sides if isinstance(side, dict) for key in _COMMANDS)


def overlay_path(file: Path, env: str) -> Path:
    """Return where the settings of an environment stand: replay.staging.yaml beside replay.yaml."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", env):
        raise SettingsError(f"'{env}' is no name for an environment", hint="use letters, digits, - and _")
    path = file.parent / f"replay.{env}.yaml"
    if not path.is_file():
        raise SettingsError(f"there is no {path.name} beside {file.name}", hint="make it, or leave --env out")
    return path


def _read(path: Path, read: Read) -> Document:
    name = short_path(path)
    try:
        data = read(path)
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", place=name) from None
    if path.suffix != ".toml":
        return read_yaml(data, name)
    table = tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)["tool"]["replay"]
    return _Toml(name, table, "")


def _expanded(document: Document, environment: Mapping[str, str]) -> Document:
    def expand(value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {key: expand(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [expand(item, (*path, index)) for index, item in enumerate(value)]
        return _VARIABLE.sub(lambda found: variable(found, path), value) if isinstance(value, str) else value

    def variable(found: re.Match[str], path: tuple[str | int, ...]) -> str:
        name = found["name"]
        if name is None:
            return "$"
        if name not in environment:
            hint = f"set it, or write $${{{name}}} where the text itself is meant"
            raise SettingsError(f"the variable {name} is not set", place=document.place(path), hint=hint)
        return environment[name]

    return replace(document, value=expand(document.mapping(), ()))


# -------------------------------------------------------------------------------------------------------------- checks


def _checked(settings: Settings, document: Document, file: Path) -> Project:
    for path, check in _checks(settings, file.parent):
        _placed(document, path, check)
    error_when = settings.error_when
    return Project(
        settings=settings,
        root=file.parent,
        rules=rule_book(settings.compare, settings.groups, file.parent),
        error_when=parse_expression(error_when) if error_when else None,
        kpis=prepare_kpis(settings.kpis, settings.groups, file.parent),
        masks=mask_rules(settings.mask, settings.keep),
        file=file,
    )


def _checks(settings: Settings, root: Path) -> Iterator[tuple[tuple[str | int, ...], Callable[[], object]]]:
    """Yield everything that a model alone cannot check, with the path of what it speaks of."""
    for name, group in settings.groups.items():
        yield ("groups", name), partial(group_of, name, group)
    for index, rule in enumerate(settings.compare):
        yield ("compare", index), partial(rule_book, (rule,), settings.groups, root)
        yield ("compare", index), partial(require_evidence, settings.compare, index)
    for name, kpi in settings.kpis.items():
        yield ("kpis", name), partial(prepare_kpi, name, kpi, settings.groups, root)
    for name, secret in settings.secrets.items():
        yield ("secrets", name), partial(_require_secret, name, secret)
    yield from masking_checks(settings.mask, settings.keep)
    yield from recording_checks(settings.record, settings.groups)
    yield from _criteria_checks(settings)
    for side, spec in (("old", settings.old), ("new", settings.new)):
        # One that only says where its code is takes the rest from another side, which a flag may name.
        if spec is not None and not (spec.at and not any(getattr(spec, key) for key in TARGETS)):
            yield (side,), partial(check_target, spec, root)
    if settings.error_when:
        yield ("error_when",), partial(parse_expression, settings.error_when)


def _require_secret(name: str, spec: SecretSpec) -> None:
    if not _SECRET_NAME.fullmatch(name):
        raise SettingsError(f"'{printable(name)}' is no name of a secret", hint="use letters, digits, - and _")
    for source in filter(None, map(spec.of, SIDES)):
        if source.command is not None:
            words_of(source.command)


def _criteria_checks(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], Callable[[], object]]]:
    if "cut_when" in settings.model_fields_set:
        yield ("cut_when",), partial(_require_criteria, settings.gates)
    for gate, sentences in settings.gates.items():
        for index, sentence in enumerate(sentences):
            yield ("cut_when", *([gate] if gate else []), index), partial(parse_criteria, [sentence], settings.terms)
    if settings.covering:
        yield ("covering",), partial(_require_days, settings)


def _require_criteria(gates: Mapping[str, Sequence[str]]) -> None:
    empty = [gate for gate, sentences in gates.items() if not sentences]
    if empty or not gates:
        fact = f"the gate {empty[0]} names no criterion" if empty else "cut_when names no criterion"
        raise SettingsError(fact, hint="write - goldens pass, or leave the key out for the default")


def _require_days(settings: Settings) -> None:
    for cycle in settings.covering:
        if cycle not in CYCLES:
            raise SettingsError(f"there is no cycle '{printable(cycle)}'", hint=nearest(cycle, CYCLES))
    sentences = [sentence for gate in settings.gates.values() for sentence in gate]
    if not any(criterion.cycles for criterion in parse_criteria(sentences, settings.terms)):
        hint = "write, for example, deviation < 0.5% for 7 days"
        raise SettingsError("no criterion spans days, so that none could cover a cycle", hint=hint)


def check_target(spec: TargetSpec, root: Path) -> None:
    """Raise SettingsError for a side that makes no sense; its code has to lie in the folder of the settings."""
    check_side(spec)
    if spec.via is not None:
        load_own(spec.via, root, "this side", "via")
    if not isinstance(spec.writable, bool):
        for route in spec.writable:
            parse_route(route)


def _placed(document: Document, path: Sequence[str | int], check: Callable[[], object]) -> None:
    try:
        check()
    except InputError as error:
        raise type(error)(error.fact, place=document.place(path), hint=error.hint) from None
