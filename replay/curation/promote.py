"""A stored case becomes a golden: a file that a reviewer is glad to read."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from replay.curation.sessions import Session, Stage
from replay.documents import Numeral, parse_json
from replay.errors import InputError
from replay.models import Headers, Observation, Request, Result, Side
from replay.placeholders import CAPTURED, SECRETS, names_in, secrets_in
from replay.privacy import TOKEN, is_secret
from replay.sampling import derive_seed

_NOISE: Final = frozenset({
    "host", "connection", "keep-alive", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "te",
    "traceparent", "tracestate", "upgrade-insecure-requests", "date", "proxy-connection", "dnt", "priority", "baggage",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid", "x-amzn-trace-id", "x-request-id",
    "x-correlation-id", "x-real-ip", "x-forwarded-for", "save-data", "sec-gpc",
})  # fmt: skip
_NOISE_BEGINS: Final = ("sec-ch-ua", "sec-fetch-")
"""Headers of the way a request came, which say nothing of what was asked."""

_SLUG: Final = re.compile(r"[^a-z0-9]+")
_QUOTED_INSTANT: Final = re.compile(r"(?<=^freeze: )'([-0-9T:.+Z]+)'$", re.MULTILINE)
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
    secrets: tuple[str, ...] = ()
    """Names that it gives to secrets of which only tokens are kept."""
    masked: int = 0
    """How many values stand for personal data that was masked: of the same form, and nobody's."""


def promote(
    result: Result,
    *,
    run: str,
    run_seed: int,
    instant: datetime,
    day: date | None = None,
    name: str | None = None,
    why: str | None = None,
    expect: Literal["old", "new"] | None = None,
    before: Sequence[Result] = (),
    cause: str = "",
) -> Promotion:
    """Return the golden that holds a stored case fast. Raise InputError where it cannot be one.

    `instant` is the one that the run froze its cases at, `day` the one on which it ran. `cause` is the title of its
    cause, by which the file is called, and which is its `why` where nobody says more. With what came `before` it in
    its session, it is a scenario.
    """
    case = result.case
    if case.kind == "golden":
        raise InputError(f"'{case.id}' is a golden already", place=case.place)
    golden: dict[str, Any] = {
        "title": f"{case.request.method} {case.request.path.partition('?')[0]}",
        "why": why or _why(result, f"run {run}, {day or instant.date()}", cause),
        "tags": _inline(["promoted"]),
        "freeze": (case.freeze or instant).isoformat().replace("+00:00", "Z"),
        "seed": derive_seed(run_seed, case.origin) if case.seed is None else case.seed,
    }
    requests = [case.request]
    if before:
        session = Session([*before, result])
        stages = session.stages()
        requests = [it.case.request for it in stages]
        golden["title"] += f", the last of {len(stages)} requests of a session"
        golden["freeze"] = (stages[0].case.freeze or instant).isoformat().replace("+00:00", "Z")
        golden["steps"] = _steps(stages)
        if expect is not None:
            golden["steps"][-1]["expect"] = _expectation(result, expect, partial(session.expected, side=expect))
    else:
        golden["request"] = _request(case.request)
        if expect is not None:
            golden["expect"] = _expectation(result, expect)
    where = name if name is not None else golden_name(case.request.method, case.request.path, cause or case.id)
    text = dump_yaml(golden)
    tokens = [found[0] for found in TOKEN.finditer(text)]
    # What keeps the form of an address or a number is as good as test data; what has none was a secret.
    if any(token.startswith("tok_") and "@" not in token for token in tokens):
        fact = "the case holds secrets in its path or body, of which only tokens are kept"
        raise InputError(f"'{case.id}' cannot be promoted: {fact}", hint="write the golden by hand, with test data")
    left_out = tuple(dict.fromkeys(name for it in requests for name, value in it.headers if _stays_out(name, value)))
    secrets = tuple(dict.fromkeys(name for it in requests for _part, name in secrets_in(it)))
    return Promotion(where, text, left_out, secrets, len({*tokens}))


def _why(result: Result, run: str, cause: str) -> str:
    """Tell what happened, for the curator to tell why it matters."""
    if cause:
        return f"{cause}; found by {run}"
    if result.error is not None:
        return f"{result.error.side} failed with {result.error.kind} in {run}"
    if real := [difference.at for difference in result.differences if difference.counts]:
        places = ", ".join(dict.fromkeys(real[:3]))
        return f"deviated at {places} in {run}"
    return f"{result.outcome} in {run}"


def golden_name(method: str, path: str, id: str) -> str:  # noqa: A002 - the glossary's word
    """Return where a golden of this route goes: the route's first word as a folder, then the rest and the id.

    A cause may stand in place of the id.
    """
    words = [_slug(part) for part in path.partition("?")[0].split("/") if _slug(part)]
    folder = words[0] if words else "root"
    rest = [_slug(method), *words[1:4], _slug(PurePosixPath(id).name if " " not in id else id)]
    return f"{folder}/{_slug('-'.join(rest), longest=80) or 'case'}"


def _slug(text: str, *, longest: int = 40) -> str:
    slug = _SLUG.sub("-", text.lower()).strip("-")[:longest].strip("-")
    return f"{slug}-" if slug in _RESERVED else slug


def _steps(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Return the steps of a scenario; its clock moves on by what lay between them."""
    steps: list[dict[str, Any]] = []
    at = stages[0].case.freeze
    for stage in stages:
        step: dict[str, Any] = {"name": stage.name}
        if at is not None and stage.case.freeze is not None and stage.case.freeze > at:
            step["advance"] = f"{(stage.case.freeze - at) // timedelta(milliseconds=1)}ms"
            at = stage.case.freeze
        step["request"] = _request(stage.case.request)
        step |= {"capture": stage.capture} if stage.capture else {}
        steps.append(step | ({"compare": [{"at": at, "minted": True} for at in stage.minted]} if stage.minted else {}))
    return steps


def _request(request: Request) -> dict[str, Any]:
    spec: dict[str, Any] = {"method": request.method, "path": request.path}
    headers = tuple(it for it in request.headers if says_something(it[0].lower(), it[1]) and not _stays_out(*it))
    spec |= _body(request.body, request.header("content-type"))
    if headers:
        spec["headers"] = _headers(headers)
    return spec


def _stays_out(name: str, value: str) -> bool:
    """Tell whether a header holds a secret; one that only names it is as good in a golden."""
    named = any(True for grammar in (SECRETS, CAPTURED) for _ in names_in(value, grammar))
    return is_secret(name) and (TOKEN.search(value) is not None or not named)


def says_something(name: str, value: str) -> bool:
    """Tell whether a header may have a part in the answer; one that accepts anything says nothing."""
    return not (name in _NOISE or name.startswith(_NOISE_BEGINS) or (name == "accept" and value.strip() == "*/*"))


def _expectation(
    result: Result, side: Side, named: Callable[[Observation], Observation] = lambda it: it
) -> dict[str, Any]:
    """Return what a side answered, with names in it where there are some."""
    observation = result.old if side == "old" else result.new
    if observation is None or observation.error is not None:
        raise InputError(f"{side} gave no answer that could be expected", hint="promote without --expect")
    status = {"status": observation.status} if observation.status else {}
    return status | _answer(named(observation))


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
    # Quoted for readers to whom an instant is no text; to ours it is, and people write it plain.
    return _QUOTED_INSTANT.sub(r"\1", out.getvalue(), count=1)


def _inline(items: list[str]) -> CommentedSeq:
    """Return a list that is written on one line."""
    written = CommentedSeq(items)
    written.fa.set_flow_style()
    return written
