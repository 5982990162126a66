"""Goldens: curated cases, a YAML file each, reviewed like code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from replay.cases.base import accounted, part_of
from replay.cases.content import changed, read_file
from replay.cases.correlation import correlation_of
from replay.cases.each import filled_case, rows_of
from replay.cases.expect import ExpectSpec
from replay.cases.folder import golden_files
from replay.cases.request import RequestSpec
from replay.cases.scenario import StepSpec, check_bodies, check_steps, texts
from replay.documents import Document, check_json, invalid, read_yaml
from replay.errors import DocumentError, Place
from replay.models import Case, Expectation, Flag, Instant, Intake, Request, RuleSpec, Spec, Step, Whole
from replay.sampling import Portion

_MAX_SEED = 2**32 - 1
"""What NumPy takes for a seed, and what a case's derived seed is below."""


class Golden(Spec):
    """A golden: one request, or the steps of a scenario, why it is worth keeping, and how its answers are compared."""

    title: str = Field(default="", description="What this case is, in a line.")
    why: str = Field(default="", description="Why it is worth keeping: an incident, a rule, a law.")
    tags: tuple[str, ...] = Field(default=(), description="Names to select by.")
    freeze: Instant | None = Field(default=None, description="The instant that both sides see: 2024-02-29T23:59:59Z.")
    seed: Whole | None = Field(default=None, ge=0, le=_MAX_SEED, description="The seed that both sides see.")
    tick: Flag | None = Field(default=None, description="true: the clock runs on from the instant.")
    session: str | None = Field(default=None, description="Cases of one session count as one sample.")
    request: RequestSpec | None = Field(default=None, description="What is sent.")
    steps: tuple[StepSpec, ...] | None = Field(
        default=None, min_length=1, max_length=1000, description="What is sent, one after the other: a scenario."
    )
    expect: ExpectSpec | None = Field(default=None, description="The approved output; the rest is compared with old.")
    compare: tuple[RuleSpec, ...] = Field(default=(), description="Rules for this case; they beat the settings'.")
    each: tuple[Mapping[str, Any], ...] | str | None = Field(
        default=None, description="Rows, or a CSV file with them: each fills {{names}} and makes a case, ID#ROW."
    )

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["request"]}, {"required": ["steps"]}]})

    @model_validator(mode="after")
    def _sends_something(self) -> Golden:
        if (self.request is None) == (self.steps is None):
            given = "request and steps both say" if self.request is not None else "neither request nor steps says"
            raise ValueError(f"{given} what is sent; write one of them")
        return self


class GoldenFolder:
    """Every golden below a folder, by id. Hidden files, and files that are not YAML, are left alone."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._intake = Intake(str(folder), 0)
        self._digest: str | None = None
        self._known: dict[str, bytes] = {}
        """What each golden was when the folder was read to its end for the first time, as a digest."""

    def __iter__(self) -> Iterator[Case]:
        """Yield each golden in the order of ids; raise DocumentError, with its place, at the first bad one.

        So is one that is another than when the folder was read before: what is sent is what was checked.
        """
        digest, loaded, rows, read = hashlib.sha256(), 0, dict[str, str](), dict[str, bytes]()
        for name, path in golden_files(self._folder):
            data = read_file(path, str(path))
            cases = read_goldens(data, name, path)
            pieces = (name.encode(), data, *_beside(cases))
            read[str(path)] = known = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
            if self._known and self._known.get(str(path)) != known:
                raise changed(str(path))
            digest.update(known)
            for case in cases:
                _require_one(case, rows)
                loaded += 1
                yield case
        if gone := self._known.keys() - read.keys():
            raise changed(min(gone))
        self._digest, self._known = digest.hexdigest(), read
        self._intake = Intake(str(self._folder), loaded)

    def without_identity(self) -> Iterator[Case]:
        """Yield each golden, with its identity, which rests on no digest."""
        return iter(self)

    def to_check(self, spares: Callable[[Request], bool]) -> Iterator[Case | None]:  # noqa: ARG002 - as Source has it
        """Yield each golden: all are looked at."""
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
    """Return one golden as a case, the first one where it makes many. Raise DocumentError as `read_goldens` does."""
    return read_goldens(data, name, path)[0]


def read_goldens(data: bytes | str, name: str, path: Path) -> tuple[Case, ...]:
    """Return the case of a golden, or that of each of its rows; never none.

    Raise DocumentError, with file, line and column, for whatever is wrong with it.
    """
    file = str(path)
    document = read_yaml(data, file)
    for body in (("request", "json"), ("expect", "json")):
        check_json(document, body)
    try:
        golden = Golden.model_validate(document.mapping())
    except ValidationError as error:
        raise invalid(document, error, Golden) from None
    if golden.steps is not None:
        check_bodies(document, len(golden.steps))
    case = _case(golden, name, document, path)
    if golden.each is None:
        cases: tuple[Case, ...] = (case,)
    else:
        cases = tuple(filled_case(case, row) for row in rows_of(golden.each, document, path.parent))
    for each in cases:
        _require_expectable(each, document)
        check_steps(each.steps, document)
    return cases


def _beside(cases: Sequence[Case]) -> Iterator[bytes]:
    """Yield what may come from other files than the golden's own: other bytes there are another input."""
    for case in cases:
        yield from (request.body or b"" for request in case.requests)
        if "#" in case.id:
            yield repr((case.id, case.requests, case.expect)).encode("utf-8", "surrogatepass")


def _require_one(case: Case, rows: dict[str, str]) -> None:
    """Raise DocumentError where a row and a file, or two rows, come to the same id."""
    if "#" in case.id and (twin := rows.setdefault(case.id, case.place)) != case.place:
        raise DocumentError(f"has the id '{case.id}', as a row of {twin} does", place=case.place, hint="rename one")


def _require_answerable(request: Request, expect: Expectation | None) -> None:
    if request.method == "HEAD" and expect is not None and expect.body is not None:
        raise DocumentError("an answer to HEAD has no body to expect", hint="expect its status and headers")


def _require_expectable(case: Case, document: Document) -> None:
    """Raise DocumentError, with its place, where an answer could never meet what is expected of it."""
    if not case.steps:
        with _placed(document, ("request",)):
            _require_answerable(case.request, case.expect)
    for number, step in enumerate(case.steps):
        with _placed(document, ("steps", number)):
            _require_answerable(step.request, step.expect or case.expect)


def rule_place(case: Case, *path: str | int) -> Place:
    """Return where a part of a golden stands, for errors that are found later; reads the file once more."""
    try:
        return read_yaml(read_file(Path(case.place), case.place), case.place).place(path)
    except DocumentError:
        return Place(case.place)


def place_where(case: Case, holds: Callable[[str], bool]) -> Place:
    """Return where the first text of a golden stands of which something holds; reads the file once more."""
    try:
        document = read_yaml(read_file(Path(case.place), case.place), case.place)
        found = next((path for path, text in texts(document.value) if holds(text)), ())
        return document.place(found) if found else Place(case.place)
    except DocumentError:
        return Place(case.place)


def _case(golden: Golden, name: str, document: Document, path: Path) -> Case:
    steps = tuple(_built(spec, number, document, path) for number, spec in enumerate(golden.steps or ()))
    expect = _expected(golden.expect, document, ("expect",))
    request = steps[0].request if golden.request is None else _request(golden.request, document, path)
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
        steps=steps,
    )


def _request(spec: RequestSpec, document: Document, path: Path) -> Request:
    with _placed(document, ("request",)):
        return spec.build(path.parent)


def _built(spec: StepSpec, number: int, document: Document, path: Path) -> Step:
    with _placed(document, ("steps", number)):
        return spec.build(path.parent)


def _expected(spec: ExpectSpec | None, document: Document, at: tuple[str, ...]) -> Expectation | None:
    with _placed(document, at):
        return spec.build() if spec else None


@contextmanager
def _placed(document: Document, at: tuple[str | int, ...]) -> Iterator[None]:
    """Tell what cannot be built with its place."""
    try:
        yield
    except DocumentError as error:
        raise DocumentError(error.fact, place=document.place(at), hint=error.hint) from None
    except (ValueError, TypeError) as error:
        raise DocumentError(f"the body cannot be written: {error}", place=document.place(at)) from None
