"""Names in the place of what earlier answers handed out: in requests of a session, and in what answers hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from replay.identifiers import is_telling
from replay.models import Binding, Json, Observation, Request
from replay.privacy import TOKEN
from replay.rebinding import Handing
from replay.rebinding.handing import Kind, Spot
from replay.rebinding.uses import put

_LINK: Final = re.compile(r'(?<=")(?:/|https?://)[^"\\\s]{0,2000}(?=")|\A(?:/|https?://)\S{0,2000}\Z')
"""A text that is a link, in a header or as a value of JSON."""


def named_answer(answer: Observation, handed: Sequence[tuple[str, Binding]]) -> Observation:
    """Return an answer with `{{names}}` wherever it holds what was handed out; `recorded` is that side's value."""
    said = Request("POST", "/", answer.headers, answer.body)
    for number, (_, binding) in enumerate(handed):
        said = _linked(put_for(said, binding, mark(number))[0], binding, mark(number))
    said = unmarked(said, [name for name, _ in handed])
    return replace(answer, headers=said.headers, body=said.body or b"")


def put_for(request: Request, binding: Binding, value: Json) -> tuple[Request, bool]:
    """Return a request with a value in the place of one that was handed out, and whether that is used there."""
    recorded = binding.recorded
    if isinstance(recorded, str) and TOKEN.fullmatch(recorded):
        return _token_put(request, recorded, str(value))
    kind: Kind = "etag" if binding.at == "headers.etag" else "body"
    made, places = put(request, Handing(recorded, [Spot(kind, (binding.member,))], binding.by), value)
    return made, bool(places)


def _token_put(request: Request, token: str, text: str) -> tuple[Request, bool]:
    """Put a text in the place of a token: that stands for one value wherever it is, whatever that looked like."""
    headers = tuple((name, said.replace(token, text)) for name, said in request.headers)
    body = request.body and request.body.replace(token.encode(), text.encode())
    said = (request.path, (request.body or b"").decode("utf-8", "replace"), *(it for _, it in request.headers))
    made = replace(request, path=request.path.replace(token, text), headers=headers, body=body)
    return made, any(token in it for it in said)


def _linked(said: Request, binding: Binding, text: str) -> Request:
    """Put a text in the place of a short value that is all of a segment, or of a query's value, of a link."""
    value = binding.recorded
    if isinstance(value, bool) or not isinstance(value, str | int) or is_telling(value) or not f"{value}".isalnum():
        return said
    part = re.compile(rf"(?<=[/=]){re.escape(str(value))}(?=[/?&#]|\Z)")

    def linked(whole: str) -> str:
        return _LINK.sub(lambda found: part.sub(text, found[0]), whole)

    headers = tuple((name, linked(value)) for name, value in said.headers)
    body = said.body and linked(said.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return replace(said, headers=headers, body=body)


def mark(number: int) -> str:
    """Return what stands for a name while it is put: a word that no request holds."""
    return f"z4handed{number}out9z"


def unmarked(request: Request, names: Iterable[str]) -> Request:
    """Return a request with names where their marks stand."""
    path, headers, body = request.path, request.headers, request.body
    for number, name in enumerate(names):
        word, written = mark(number), f"{{{{{name}}}}}"
        path = path.replace(word, written)
        headers = tuple((key, value.replace(word, written)) for key, value in headers)
        if body is not None and "json" in (request.header("content-type") or "json"):
            # A number has no quotes; a name that is all of a text keeps the type of its value.
            bare = re.compile(rb"(?<=[:\[,\s])" + word.encode() + rb"(?=\s*[,}\]])")
            body = bare.sub(f'"{written}"'.encode(), body)
        body = body if body is None else body.replace(word.encode(), written.encode())
    return replace(request, path=path, headers=headers, body=body)
