"""What a case says, as the golden's file says it: requests, steps and rules as people would write them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from replay.documents import Numeral, canonical_json, parse_json, read_yaml
from replay.errors import DocumentError, InputError
from replay.models import Headers, Observation, Poll, Request, RuleSpec, Step, Walk
from replay.placeholders import CAPTURED, SECRETS, names_in
from replay.privacy import TOKEN, is_secret

_NOISE: Final = frozenset({
    "host", "connection", "keep-alive", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "te",
    "traceparent", "tracestate", "upgrade-insecure-requests", "date", "proxy-connection", "dnt", "priority", "baggage",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid", "x-amzn-trace-id", "x-request-id",
    "x-correlation-id", "x-real-ip", "x-forwarded-for", "save-data", "sec-gpc",
})  # fmt: skip
_NOISE_BEGINS: Final = ("sec-ch-ua", "sec-fetch-")
"""Headers of the way a request came, which say nothing of what was asked."""

_QUOTED_INSTANT: Final = re.compile(r"(?<=^freeze: )'([-0-9T:.+Z]+)'$", re.MULTILINE)
_REMADE: Final = frozenset({"host", "content-length"})
"""Headers that are made anew at every sending."""
_WIDE: Final = 100
_ENDLESS: Final = 1 << 30
"""Columns at which no line is folded: where one is, a text with many blanks and quotes may come back with more."""
_UNITS: Final = (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))

Telling = Callable[[str, str], bool]
"""Tells whether a header, its name in small letters, may have a part in the answer."""


def says_something(name: str, value: str) -> bool:
    """Tell whether a header may have a part in the answer; one that accepts anything says nothing."""
    return not (name in _NOISE or name.startswith(_NOISE_BEGINS) or (name == "accept" and value.strip() == "*/*"))


def stays_out(name: str, value: str) -> bool:
    """Tell whether a header holds a secret; one that only names it is as good in a golden."""
    named = any(True for grammar in (SECRETS, CAPTURED) for _ in names_in(value, grammar))
    return is_secret(name) and (TOKEN.search(value) is not None or not named)


def request_spec(request: Request, telling: Telling = says_something) -> dict[str, Any]:
    """Return a request as a golden says it, with the headers that are telling and hold no secret."""
    spec: dict[str, Any] = {"method": request.method, "path": request.path}
    told = (it for it in request.headers if it[0].lower() not in _REMADE and telling(it[0].lower(), it[1]))
    headers = tuple(it for it in told if not stays_out(*it))
    spec |= body_spec(request.body, request.header("content-type"))
    if headers:
        spec["headers"] = _headers(headers)
    return spec


def steps_spec(steps: Sequence[Step], telling: Telling = says_something) -> list[dict[str, Any]]:
    """Return the steps of a scenario as a golden says them, without what they expect."""
    return [dict(_step(step, telling)) for step in steps]


def _step(step: Step, telling: Telling) -> Iterator[tuple[str, Any]]:
    yield "name", step.name
    for key, seconds in (("advance", step.advance), ("settle", step.settle)):
        if seconds:
            yield key, _duration(seconds)
    yield "request", request_spec(step.request, telling)
    if step.capture:
        yield "capture", dict(step.capture)
    if step.until is not None:
        yield from _poll(step.until)
    if step.pages is not None:
        yield from _walk(step.pages, telling)
    if step.rules:
        yield "compare", rules_spec(step.rules)


def _poll(poll: Poll) -> Iterator[tuple[str, Any]]:
    yield "until", poll.holds
    yield "every", _duration(poll.every)
    yield "for", _duration(poll.within)


def _walk(pages: Walk, telling: Telling) -> Iterator[tuple[str, Any]]:
    yield "while", pages.going_on
    if pages.further is not None:
        yield "next", request_spec(pages.further, telling)
    yield "max", pages.most
    yield "join", pages.join


def _duration(seconds: float) -> str:
    """Return a duration in the largest unit that it is a whole number of, to the millisecond."""
    whole = timedelta(seconds=seconds) // timedelta(milliseconds=1)
    unit, size = next(((unit, size) for unit, size in _UNITS if whole and whole % size == 0), ("ms", 1))
    return f"{whole // size}{unit}"


def rules_spec(rules: Sequence[RuleSpec]) -> list[CommentedMap]:
    """Return rules as a golden says them, each in one line."""
    written = [CommentedMap(_listed(rule.model_dump(by_alias=True, exclude_unset=True))) for rule in rules]
    for each in written:
        each.fa.set_flow_style()
    return written


def _listed(value: Any) -> Any:
    """Return a value with lists where it has tuples, which YAML knows nothing of."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _headers(headers: Headers) -> Any:
    """Return a mapping where that says everything, else pairs."""
    names = [name.lower() for name, _ in headers]
    return dict(headers) if len(set(names)) == len(names) else [list(pair) for pair in headers]


def body_spec(body: bytes | None, content_type: str | None) -> dict[str, Any]:
    """Return a body as a golden says it: as JSON or text where that is all of it, else in base64."""
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


def answer_spec(answer: Observation) -> dict[str, Any]:
    """Return status and body of an answer as a golden expects them. What functions return has no type, and is JSON."""
    status = {} if answer.status is None else {"status": answer.status}
    return status | body_spec(answer.body, answer.header("content-type") or "application/json")


def _is_plain(text: str) -> bool:
    return all(char.isprintable() or char in "\r\n\t" for char in text)


# ------------------------------------------------------------------------------------------------------------- writing


class _Representer(RoundTripRepresenter):
    """Writes numbers as they were spelled."""


def _number(representer: _Representer, value: Numeral) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:float", value.spelling)


def _text(representer: _Representer, value: str) -> ScalarNode:
    # Other styles leave what nobody sees as it is, and readers take some of it for the end of a line.
    if not all(char.isprintable() or char in "\n\t" for char in value):
        return representer.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    node: ScalarNode = representer.represent_str(value)
    return node


_Representer.add_representer(Numeral, _number)
_Representer.add_representer(str, _text)


def dump_yaml(value: Mapping[str, Any]) -> str:
    """Return a document as people write it: block style, long texts as blocks, keys in the order given.

    What is returned was read again, and says the same. Raise InputError where that cannot be had.
    """
    for width in (_WIDE, _ENDLESS):
        text = _dumped(value, width)
        with suppress(DocumentError):
            if canonical_json(read_yaml(text, "golden").value) == canonical_json(_as_read(value)):
                return text
    raise InputError("it holds what no golden can say", hint="write the golden by hand, with test data")


def _dumped(value: Mapping[str, Any], width: int) -> str:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = width
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(dict(value), out)
    # Quoted for readers to whom an instant is no text; to ours it is, and people write it plain.
    return _QUOTED_INSTANT.sub(r"\1", out.getvalue(), count=1)


def _as_read(value: Any) -> Any:
    """Return a value as a reader gives it: a day is text."""
    if isinstance(value, Mapping):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def inline(items: Sequence[str]) -> CommentedSeq:
    """Return a list that is written on one line."""
    written = CommentedSeq(items)
    written.fa.set_flow_style()
    return written
