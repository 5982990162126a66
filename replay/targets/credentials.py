"""What a login sends, and what is read from its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from jsonpath.exceptions import JSONPathRecursionError

from replay.documents import dump_json, parse_json
from replay.errors import SettingsError
from replay.expressions import header_map
from replay.locations import compile_query, limited, parse_location
from replay.models import Failure, Headers, Json, LoginSpec, Observation, Request
from replay.wire import check_request

_NAME: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_BREAKS_LINES: Final = re.compile(r"[\r\n\0]")
_LONGEST: Final = 64 * 2**10


def check_login(spec: LoginSpec, headers: Mapping[str, str]) -> None:
    """Raise InputError for a login that cannot be sent, captures from nowhere, or fills nothing."""
    bodies = [name for name in ("json_", "form", "text") if name in spec.model_fields_set]
    if len(bodies) > 1:
        raise SettingsError("login has more than one body", hint="keep one of json, form and text")
    check_request(login_request(spec))
    for location in spec.capture.values():
        parse_location(location)
    used = {name for value in headers.values() for name in _NAME.findall(value)}
    if unknown := sorted(used - spec.capture.keys()):
        raise SettingsError(f"login captures no '{unknown[0]}'", hint=f"capture: {{{unknown[0]}: body.access_token}}")
    if unused := sorted(spec.capture.keys() - used):
        hint = f'headers: {{authorization: "Bearer {{{{{unused[0]}}}}}"}}'
        raise SettingsError(f"login captures '{unused[0]}', and no header of this side uses it", hint=hint)


def login_request(spec: LoginSpec) -> Request:
    """Return the request of a login."""
    body, kind = _body(spec)
    headers = tuple(spec.headers.items())
    if kind is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", kind))
    return Request(spec.method, spec.path, headers, body)


def _body(spec: LoginSpec) -> tuple[bytes | None, str | None]:
    if "json_" in spec.model_fields_set:
        return dump_json(spec.json_).encode(), "application/json"
    if spec.form is not None:
        return urlencode(spec.form).encode(), "application/x-www-form-urlencoded"
    return (None, None) if spec.text is None else (spec.text.encode(), "text/plain; charset=utf-8")


def refusal(seen: Observation) -> Failure | None:
    """Return why an answer is no login."""
    if seen.error is not None:
        return replace(seen.error, message=f"login: {seen.error.message}")
    if seen.status is None or not 200 <= seen.status < 300:  # noqa: PLR2004 (successful, RFC 9110, 15.3)
        return Failure("status", f"login: answered {seen.status}")
    return None


def captured(spec: LoginSpec, seen: Observation) -> dict[str, str] | Failure:
    """Return what an answer holds where the settings say so, or why it does not."""
    document, values = _document(seen), {}
    for name, location in spec.capture.items():
        value = _found(document, location)
        if value is None:
            return Failure("status", f"login: the answer holds no text and no number of one line at {location}")
        values[name] = value
    return values


def _document(seen: Observation) -> dict[str, Json]:
    parsed = parse_json(seen.body)
    return {"status": seen.status, "headers": header_map(seen.headers), "body": parsed.value if parsed.ok else None}


def _found(document: Json, location: str) -> str | None:
    """Return the first value at a location as text; None unless it is a text or a number that fits into a header."""
    # Names of headers are in lower case there, whatever their case is in the settings.
    name = location.lower() if location.startswith("headers") else location
    query = name if name.startswith(("[", "..")) else f".{name}"
    try:
        with limited():
            nodes = compile_query(f"${query}").findall(document)
        value = nodes[0] if nodes else None
        text = "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value)
        text.encode()
    except (RecursionError, JSONPathRecursionError, TimeoutError, ValueError):
        return None
    return text if 0 < len(text) <= _LONGEST and not _BREAKS_LINES.search(text) else None


def filled(headers: Headers, values: Mapping[str, str]) -> Headers:
    """Return header fields with values for their `{{names}}`."""
    return tuple((name, _NAME.sub(lambda found: values[found[1]], text)) for name, text in headers)


def without_names(headers: Headers, spec: LoginSpec) -> Headers:
    """Return the header fields that go with the login: those that await nothing of it, and that it has none for."""
    own = {name.lower() for name in spec.headers}
    return tuple((name, text) for name, text in headers if name.lower() not in own and not _NAME.search(text))
