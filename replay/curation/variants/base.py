"""What a variant is, and where in a request something may be put in another one's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from replay.documents import Numeral, dump_json, parse_json
from replay.locations import ROOT, Path, print_location
from replay.models import Request

SHOWN: Final = 60
"""Characters of a value that are told."""

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Site:
    """A value in a request: where it stands, under which name, what it is, and how to put another there.

    `is_text` where a query or a form can hold nothing but texts.
    """

    at: str
    name: str
    value: Any
    put: Callable[[Any], Request]
    is_text: bool = False


class Members(Mapping[str, Any]):
    """An object whose members are written as they are given, one name more than once if need be."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self._pairs = list(pairs)

    def __getitem__(self, name: str) -> Any:
        return dict(self._pairs)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(self._pairs)

    def items(self) -> Any:
        """Return the members, in order."""
        return self._pairs


def number(spelling: str) -> Numeral:
    """Return a number that is written just so."""
    return Numeral(spelling)


def with_header(request: Request, name: str, value: str | None) -> Request:
    """Return a request with one header of this name, or without any."""
    rest = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
    return replace(request, headers=rest if value is None else (*rest, (name, value)))


def document_of(request: Request) -> Any:
    """Return the JSON of a body, with numbers as they are spelled; None where it is none, or null."""
    parsed = parse_json(request.body, spelled=True) if request.body else None
    return parsed.value if parsed is not None and parsed.ok and not parsed.findings else None


def with_document(request: Request, value: Any) -> Request:
    """Return a request whose body is this JSON."""
    return replace(request, body=dump_json(value).encode("utf-8", "surrogatepass"))


def below(at: str, name: str) -> str:
    """Return the location of a member."""
    return at + print_location(((ROOT, "x"), name))[1:]


def pair_texts(request: Request) -> Iterator[tuple[str, str, Callable[[str], Request]]]:
    """Yield the query, and the form where there is one: where it stands, and how to put another there."""
    head, _, query = request.path.partition("?")
    yield "request.query", query, lambda text: replace(request, path=f"{head}?{text}" if text else head)
    media = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media == _FORM and request.body:
        form = request.body.decode("utf-8", "surrogateescape")
        yield "request.form", form, lambda text: replace(request, body=text.encode("utf-8", "surrogateescape"))


def sites_of(request: Request) -> Iterator[Site]:
    """Yield every value of a request that may be another one: of its query, its form, its JSON."""
    for at, text, put in pair_texts(request):
        yield from _fields(at, text, put)
    document = document_of(request)
    if document is not None:
        yield from _nodes(((ROOT, "request"), "json"), document, lambda it: with_document(request, it))


def _fields(at: str, text: str, put: Callable[[str], Request]) -> Iterator[Site]:
    fields = text.split("&")
    for place, field in enumerate(fields):
        name, equals, value = field.partition("=")

        def put_value(it: Any, place: int = place, name: str = name) -> Request:
            coded = f"{name}={quote(str(it), errors='surrogatepass')}"
            return put("&".join([*fields[:place], coded, *fields[place + 1 :]]))

        plain = unquote_plus(name)
        if plain or equals:
            yield Site(below(at, plain), plain, unquote_plus(value), put_value, is_text=True)


def _nodes(path: Path, value: Any, put: Callable[[Any], Request], name: str = "") -> Iterator[Site]:
    yield Site(print_location(path), name, value, put)
    if isinstance(value, dict):
        for key, item in value.items():

            def put_member(it: Any, key: str = key) -> Request:
                return put(value | {key: it})

            yield from _nodes((path, key), item, put_member, key)
    elif isinstance(value, list):
        for place, item in enumerate(value[:3]):  # What holds for one line of an order holds for the next.

            def put_item(it: Any, place: int = place) -> Request:
                return put([*value[:place], it, *value[place + 1 :]])

            yield from _nodes((path, place), item, put_item, name)


def told(value: Any) -> str:
    """Return a value in short."""
    try:
        text = value if isinstance(value, str) else dump_json(value)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20]}... ({len(text):,} characters)"
