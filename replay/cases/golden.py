"""Goldens: curated cases, a YAML file each, reviewed like code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from replay.cases.base import accounted, part_of
from replay.cases.content import read_file
from replay.cases.correlation import correlation_of
from replay.cases.fields import Body, HeaderPairs, require_one_body
from replay.cases.folder import golden_files
from replay.cases.request import RequestSpec
from replay.documents import Document, check_json, invalid, read_yaml
from replay.errors import DocumentError, Place
from replay.models import Case, Expectation, Flag, Instant, Intake, Request, RuleSpec, Spec, Whole
from replay.sampling import Portion

_MAX_SEED = 2**32 - 1
"""What NumPy takes for a seed, and what a case's derived seed is below."""


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


class Golden(Spec):
    """A golden: one request, why it is worth keeping, and how its answers are compared."""

    title: str = Field(default="", description="What this case is, in a line.")
    why: str = Field(default="", description="Why it is worth keeping: an incident, a rule, a law.")
    tags: tuple[str, ...] = Field(default=(), description="Names to select by.")
    freeze: Instant | None = Field(default=None, description="The instant that both sides see: 2024-02-29T23:59:59Z.")
    seed: Whole | None = Field(default=None, ge=0, le=_MAX_SEED, description="The seed that both sides see.")
    tick: Flag | None = Field(default=None, description="true: the clock runs on from the instant.")
    session: str | None = Field(default=None, description="Cases of one session count as one sample.")
    request: RequestSpec = Field(description="What is sent.")
    expect: ExpectSpec | None = Field(default=None, description="The approved output; the rest is compared with old.")
    compare: tuple[RuleSpec, ...] = Field(default=(), description="Rules for this case; they beat the settings'.")


class GoldenFolder:
    """Every golden below a folder, by id. Hidden files, and files that are not YAML, are left alone."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._intake = Intake(str(folder), 0)
        self._digest: str | None = None

    def __iter__(self) -> Iterator[Case]:
        """Yield each golden in the order of ids; raise DocumentError, with its place, at the first bad one."""
        digest, loaded = hashlib.sha256(), 0
        for name, path in golden_files(self._folder):
            data = read_file(path, str(path))
            case = read_golden(data, name, path)
            # The body too: it may come from a file of its own, and other bytes are another input.
            for piece in (name.encode(), data, case.request.body or b""):
                digest.update(hashlib.sha256(piece).digest())
            loaded += 1
            yield case
        self._digest = digest.hexdigest()
        self._intake = Intake(str(self._folder), loaded)

    def without_identity(self) -> Iterator[Case]:
        """Yield each golden, with its identity, which rests on no digest."""
        return iter(self)

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield the goldens of one part."""
        yield from part_of(self, portion)
        self._intake = accounted(self._intake, portion)

    @property
    def digest(self) -> str:
        """Return a SHA-256 over ids, files and bodies; reads everything, unless an iteration already has."""
        if self._digest is None:
            for _ in self:
                pass
        return str(self._digest)

    @property
    def intake(self) -> Intake:
        """Return the account of the last complete iteration."""
        return self._intake


def load_goldens(folder: str | Path) -> GoldenFolder:
    """Return the goldens below a folder; they are read when they are iterated."""
    return GoldenFolder(folder)


def read_golden(data: bytes | str, name: str, path: Path) -> Case:
    """Return one golden as a case. Raise DocumentError, with file, line and column, for whatever is wrong with it."""
    file = str(path)
    document = read_yaml(data, file)
    for body in (("request", "json"), ("expect", "json")):
        check_json(document, body)
    try:
        golden = Golden.model_validate(document.mapping())
    except ValidationError as error:
        raise invalid(document, error, Golden) from None
    return _case(golden, name, document, path)


def _require_answerable(request: Request, expect: Expectation | None) -> None:
    if request.method == "HEAD" and expect is not None and expect.body is not None:
        raise DocumentError("an answer to HEAD has no body to expect", hint="expect its status and headers")


def rule_place(case: Case, index: int) -> Place:
    """Return where rule `index` of a golden stands, for errors that are found later; reads the file once more."""
    try:
        return read_yaml(read_file(Path(case.place), case.place), case.place).place(("compare", index))
    except DocumentError:
        return Place(case.place)


def _case(golden: Golden, name: str, document: Document, path: Path) -> Case:
    try:
        request = golden.request.build(path.parent)
        expect = golden.expect.build() if golden.expect else None
        _require_answerable(request, expect)
    except DocumentError as error:
        raise DocumentError(error.fact, place=document.place(("request",)), hint=error.hint) from None
    except (ValueError, TypeError) as error:
        raise DocumentError(f"the body cannot be written: {error}", place=document.place(("request",))) from None
    return Case(
        id=name,
        kind="golden",
        identity=name,
        request=request,
        place=document.file,
        correlation_id=correlation_of(request) or name,
        freeze=golden.freeze,
        seed=golden.seed,
        tick=golden.tick,
        session=golden.session,
        tags=golden.tags,
        title=golden.title,
        why=golden.why,
        rules=golden.compare,
        expect=expect,
    )
