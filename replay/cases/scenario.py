"""The steps of a scenario: requests in a row, of which later ones use what earlier answers held."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints, field_validator, model_validator

from replay.cases.expect import ExpectSpec
from replay.cases.request import RequestSpec
from replay.documents import Document, check_json
from replay.documents.text import shown
from replay.errors import DocumentError, InputError
from replay.expressions import parse_expression
from replay.locations import parse_location
from replay.models import Duration, Expectation, Poll, Request, RuleSpec, Spec, Step, Walk, Whole
from replay.placeholders import names_in, names_of

_EVERY: Final = timedelta(seconds=1)
_FOR: Final = timedelta(seconds=30)
_PAGES: Final = 100
_NONE: Final = timedelta(0)
_LONGEST: Final = timedelta(hours=1)
"""What a step may wait at most: longer is a mistake, or another run."""

StepName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class StepRequestSpec(RequestSpec):
    """A request, in whose path, query, headers and body `{{names}}` stand for what was captured."""

    @field_validator("path")
    @classmethod
    def _raw(cls, path: str) -> str:
        return path if next(names_in(path), None) and path.startswith("{{") else super()._raw(path)


class StepSpec(Spec):
    """One step: what is sent when, and what is remembered of the answer."""

    name: StepName = Field(description="What reports and rules call it: steps.NAME.body.total.")
    request: StepRequestSpec = Field(description="What is sent; {{names}} are filled on each side with its own values.")
    capture: Mapping[StepName, str] = Field(
        default_factory=dict, description="From a name to where its value stands in the answer: body.access_token."
    )
    advance: Duration = Field(default=_NONE, description="Move the frozen clock on, for this step and all later ones.")
    settle: Duration = Field(default=_NONE, le=_LONGEST, description="Wait so long before the step, on both sides.")
    until: str | None = Field(default=None, description="Send the step again until this expression holds.")
    every: Duration = Field(default=_EVERY, gt=_NONE, le=_LONGEST, description="How long to wait before asking again.")
    for_: Duration = Field(default=_FOR, alias="for", le=_LONGEST, description="How long to go on asking at most.")
    while_: str | None = Field(default=None, alias="while", description="There is a further page while this holds.")
    next: StepRequestSpec | None = Field(default=None, description="What is sent for each further page.")
    max: Whole = Field(default=_PAGES, ge=1, le=10_000, description="How many pages there are at most.")
    join: str | None = Field(default=None, description="The array of which the items of all pages are joined.")
    expect: ExpectSpec | None = Field(default=None, description="What new must answer at this step.")
    compare: tuple[RuleSpec, ...] = Field(default=(), description="Rules for this step; they beat the scenario's.")

    @model_validator(mode="after")
    def _fits(self) -> StepSpec:
        given = self.model_fields_set
        if self.until is not None and self.while_ is not None:
            raise ValueError("until and while both send the step again; make it two steps")
        for key in ("every", "for_"):
            if self.until is None and key in given:
                raise ValueError(f"{key.rstrip('_')} goes with until")
        for key in ("next", "max", "join"):
            if self.while_ is None and key in given:
                raise ValueError(f"{key} goes with while")
        if self.while_ is not None and self.join is None:
            raise ValueError("while needs join: the array of which the items of all pages are compared (body.items)")
        return self

    def build(self, folder: Path | None) -> Step:
        """Return the step with its requests as they are sent."""
        return Step(
            name=self.name,
            request=self.request.build(folder),
            capture=dict(self.capture),
            advance=self.advance.total_seconds(),
            settle=self.settle.total_seconds(),
            until=self._poll(),
            pages=self._walk(folder),
            expect=self.expect.build() if self.expect else None,
            rules=self.compare,
        )

    def _poll(self) -> Poll | None:
        if self.until is None:
            return None
        return Poll(self.until, self.every.total_seconds(), self.for_.total_seconds())

    def _walk(self, folder: Path | None) -> Walk | None:
        if self.while_ is None or self.join is None:
            return None
        return Walk(self.while_, self.max, self.join, self.next.build(folder) if self.next else None)


def check_bodies(document: Document, count: int) -> None:
    """Raise DocumentError for what no JSON body may hold, in any of so many steps."""
    for number in range(count):
        for body in (("request", "json"), ("next", "json"), ("expect", "json")):
            check_json(document, ("steps", number, *body))


def check_steps(steps: tuple[Step, ...], document: Document) -> None:
    """Raise DocumentError, with line and column, for steps that cannot be played: in names, places or expressions."""
    declared: set[str] = set()
    seen: set[str] = set()
    for number, step in enumerate(steps):
        at = ("steps", number)
        if step.name in seen:
            fact = f"two steps are called '{step.name}'"
            raise DocumentError(fact, place=document.place((*at, "name")), hint="give each a name of its own")
        seen.add(step.name)
        _check_places(step, document, at)
        _check_names(step.request, declared, document, (*at, "request"))
        declared |= step.capture.keys()
        if step.pages is not None and step.pages.further is not None:
            _check_names(step.pages.further, declared, document, (*at, "next"))
        if step.expect is not None:
            _check_names(step.expect, declared, document, (*at, "expect"))


def _check_places(step: Step, document: Document, at: tuple[str | int, ...]) -> None:
    for name, location in step.capture.items():
        with _at(document, (*at, "capture", name)):
            parse_location(location)
    if step.until is not None:
        with _at(document, (*at, "until")):
            parse_expression(step.until.holds)
    if step.pages is not None:
        with _at(document, (*at, "while")):
            parse_expression(step.pages.going_on)
        with _at(document, (*at, "join")):
            join_path(step.pages.join)


def join_path(location: str) -> tuple[str, ...]:
    """Return the member names that lead from the body to what is joined. Raise DocumentError for any other place."""
    steps = parse_location(location).steps
    plain = all(len(it.names) == 1 and not (it.indices or it.tests or it.everything or it.descends) for it in steps)
    names = tuple(next(iter(it.names)) for it in steps) if plain else ()
    if names[:1] != ("body",):
        raise DocumentError(f"'{location}' is no single array of a body", hint="join: body.items")
    return names[1:]


class _at:  # noqa: N801 - reads as a phrase
    """Tells an error of a part with the part's place."""

    def __init__(self, document: Document, path: tuple[str | int, ...]) -> None:
        self._document, self._path = document, path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Raise DocumentError in the place of what went wrong."""
        if isinstance(error, InputError):
            raise DocumentError(error.fact, place=self._document.place(self._path), hint=error.hint) from None


def _check_names(
    it: Request | Expectation, declared: Collection[str], document: Document, at: tuple[str | int, ...]
) -> None:
    unknown = next((name for name in names_of(it) if name not in declared), None)
    if unknown is None:
        return
    fact = f"no earlier step captures '{shown(unknown)}'"
    known = f"captured so far: {', '.join(sorted(declared))}" if declared else f"capture: {{{unknown}: body.id}}"
    raise DocumentError(fact, place=document.place(_place_of(unknown, document.value, at)), hint=known)


def _place_of(name: str, value: Any, at: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return where a name stands below a part of the document; the part itself where that cannot be told."""
    for key in at:
        value = value[key]
    return next((path for path, text in texts(value, at) if name in names_in(text)), at)


def texts(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each text in a value, with where it stands."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping | list):
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from texts(item, (*at, key))
