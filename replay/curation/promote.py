"""A stored case becomes a golden: a file that a reviewer is glad to read."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from replay.documents import Numeral, parse_json
from replay.errors import InputError
from replay.models import Headers, Observation, Result
from replay.placeholders import SECRETS, names_in
from replay.privacy import TOKEN, is_secret
from replay.sampling import derive_seed

_NOISE: Final = frozenset({
    "host", "connection", "keep-alive", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "te",
    "traceparent", "tracestate", "upgrade-insecure-requests", "date",
})  # fmt: skip
"""Headers of the way a request came, which say nothing of what was asked."""

_SLUG: Final = re.compile(r"[^a-z0-9]+")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A golden to be written: its id, which is its path below the folder without the suffix, and its text."""

    id: str
    text: str
    left_out: tuple[str, ...] = ()
    """Headers that hold a secret, which the sides' own settings have to bring."""


def promote(
    result: Result,
    *,
    run: str,
    run_seed: int,
    instant: datetime,
    name: str | None = None,
    why: str | None = None,
    expect: Literal["old", "new"] | None = None,
) -> Promotion:
    """Return the golden that holds a stored case fast. Raise InputError where it cannot be one."""
    case = result.case
    if case.kind == "golden":
        raise InputError(f"'{case.id}' is a golden already", place=case.place)
    golden: dict[str, Any] = {
        "title": f"{case.request.method} {case.request.path.partition('?')[0]}",
        "why": why or _why(result, run, instant),
        "tags": ["promoted"],
        "freeze": (case.freeze or instant).isoformat().replace("+00:00", "Z"),
        "seed": derive_seed(run_seed, case.origin) if case.seed is None else case.seed,
        "request": _request(result),
    }
    if expect is not None:
        golden["expect"] = _expectation(result, expect)
    where = name if name is not None else golden_name(case.request.method, case.request.path, case.id)
    text = dump_yaml(golden)
    if TOKEN.search(text):
        fact = "the case holds secrets in its path or body, of which only tokens are kept"
        raise InputError(f"'{case.id}' cannot be promoted: {fact}", hint="write the golden by hand, with test data")
    left_out = tuple(name for name, value in case.request.headers if _stays_out(name, value))
    return Promotion(where, text, left_out)


def _why(result: Result, run: str, instant: datetime) -> str:
    """Tell what happened, for the curator to tell why it matters."""
    day = f"{instant:%Y-%m-%d}"
    if result.error is not None:
        return f"{result.error.side} failed with {result.error.kind} in run {run}, {day}"
    if real := [difference.at for difference in result.differences if difference.counts]:
        places = ", ".join(dict.fromkeys(real[:3]))
        return f"deviated at {places} in run {run}, {day}"
    return f"{result.outcome} in run {run}, {day}"


def golden_name(method: str, path: str, id: str) -> str:  # noqa: A002 - the glossary's word
    """Return where a golden of this route goes: the route's first word as a folder, then the rest and the id."""
    words = [_slug(part) for part in path.partition("?")[0].split("/") if _slug(part)]
    folder = words[0] if words else "root"
    rest = [_slug(method), *words[1:4], _slug(PurePosixPath(id).name)]
    return f"{folder}/{_slug('-'.join(rest), longest=80) or 'case'}"


def _slug(text: str, *, longest: int = 40) -> str:
    slug = _SLUG.sub("-", text.lower()).strip("-")[:longest].strip("-")
    return f"{slug}-" if slug in _RESERVED else slug


def _request(result: Result) -> dict[str, Any]:
    request = result.case.request
    spec: dict[str, Any] = {"method": request.method, "path": request.path}
    headers = tuple(it for it in request.headers if it[0].lower() not in _NOISE and not _stays_out(*it))
    spec |= _body(request.body, request.header("content-type"))
    if headers:
        spec["headers"] = _headers(headers)
    return spec


def _stays_out(name: str, value: str) -> bool:
    """Tell whether a header holds a secret; one that only names it is as good in a golden."""
    return is_secret(name) and (TOKEN.search(value) is not None or not any(True for _ in names_in(value, SECRETS)))


def _expectation(result: Result, side: str) -> dict[str, Any]:
    observation = result.old if side == "old" else result.new
    if observation is None or observation.error is not None:
        raise InputError(f"{side} gave no answer that could be expected", hint="promote without --expect")
    return {"status": observation.status} | _answer(observation) if observation.status else _answer(observation)


def _answer(observation: Observation) -> dict[str, Any]:
    return _body(observation.body, observation.header("content-type"))


def _headers(headers: Headers) -> Any:
    """Return a mapping where that says everything, else pairs."""
    names = [name.lower() for name, _ in headers]
    return dict(headers) if len(set(names)) == len(names) else [list(pair) for pair in headers]


def _body(body: bytes | None, content_type: str | None) -> dict[str, Any]:
    if not body:
        return {}
    if content_type is None:
        # A reader would add the content type of whatever else it was written as.
        return {"base64": base64.b64encode(body).decode("ascii")}
    if "json" in content_type:
        parsed = parse_json(body, spelled=True)
        if parsed.ok and not parsed.findings:
            return {"json": parsed.value}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
    return {"text": text} if _is_plain(text) else {"base64": base64.b64encode(body).decode("ascii")}


def _is_plain(text: str) -> bool:
    return all(char.isprintable() or char in "\n\t" for char in text)


# ------------------------------------------------------------------------------------------------------------- writing


class _Representer(RoundTripRepresenter):
    """Writes numbers as they were spelled."""


def _number(representer: _Representer, value: Numeral) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:float", value.spelling)


_Representer.add_representer(Numeral, _number)


def dump_yaml(value: Mapping[str, Any]) -> str:
    """Return a document as people write it: block style, long texts as blocks, keys in the order given."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(dict(value), out)
    return out.getvalue()
