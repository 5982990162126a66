"""`{{secret.NAME}}` becomes the secret on the last step before a request is sent; everybody else sees the name.

Decisions:

- It is done closest to the wire: rules, expressions, the store and a team's own `via` see `{{secret.NAME}}`.
- A route to another host is sent none, unless it says `credentials: true`. Headers that are named like credentials
  are left out there anyway; a case that holds a secret elsewhere is not sent, and is that side's error.
- No redirect is followed, and links that a scenario follows lead to the same side: a secret has no other way out.
- What should have been found before anything was sent (`--no-check`) is the side's error at its case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from replay.models import Case, CaseKind, Done, Failed, Failure, LoginSpec, Observation, Request, RouteSpec, TargetSpec
from replay.models.trust import Trust
from replay.placeholders import SECRETS, filled, filled_text, names_in, secrets_in
from replay.targets.base import Around, Moment, Target
from replay.targets.routing import harmless, is_abroad, route_for
from replay.wire import Origin


class Confided(Around):
    """A target that is sent secrets in the place of their names."""

    def __init__(self, target: Target, spec: TargetSpec) -> None:
        super().__init__(target)
        self._spec = spec
        self.name = target.name

    def begin(self, case: Case, moment: Moment, done: Done, failed: Failed) -> None:
        """Send one case with its secrets."""
        named = list(secrets_in(case.request))
        request = self._confided(case.request, case.kind) if named else case.request
        if isinstance(request, Failure):
            done(Observation(error=request))
            return
        sent = case if request is case.request else replace(case, request=request)
        self._target.begin(sent, moment, done, failed)

    def _confided(self, request: Request, kind: CaseKind) -> Request | Failure:
        trust = self._spec.trust
        values: dict[str, str] = {}
        for part, name in secrets_in(request):
            stance = trust.stance(name, kind)
            if stance == "refused" or (stance == "filled" and name not in trust.values):
                return Failure("exception", f"the request names a secret that is not known: {name[:100]!a}")
            if stance == "filled":
                values[name] = trust.values[name]
                if part == "header" and not one_line(values[name]):
                    return Failure("exception", f"the secret '{name}' has several lines, and stands in a header")
        return self._sent(request, filled(request, values, SECRETS), values)

    def _sent(self, request: Request, with_secrets: Request, values: Mapping[str, str]) -> Request | Failure:
        """Return the request with its secrets; where it leads to another host without any."""
        route = route_for(self._spec, with_secrets)
        if route is None or route.credentials or not _leads_abroad(self._spec, route):
            return with_secrets
        bare = replace(request, headers=harmless(request.headers, frozenset()))
        if any(name in values for _, name in secrets_in(bare)):
            fact = f"the route {route.on} leads to another host, and the request holds a secret"
            return Failure("exception", f"{fact}: `credentials: true` sends it there")
        return bare


def one_line(value: str) -> bool:
    """Tell whether a secret can stand in a header."""
    return not set("\r\n\0") & set(value)


def _leads_abroad(spec: TargetSpec, route: RouteSpec) -> bool:
    if spec.url is None or route.url is None:
        return False
    return is_abroad(Origin.parse(spec.url), Origin.parse(route.url))


# ------------------------------------------------------------------------------------------------------------ settings


def settings_secrets(spec: TargetSpec) -> Iterator[tuple[str, str]]:
    """Yield the names of secrets in a side's settings, each with the key that holds it."""
    given = spec.model_dump(by_alias=True, exclude_none=True)
    for key, value in given.items():
        yield from ((key, name) for text in _texts(value) for name in names_in(text, SECRETS))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


TAKING = ("headers", "env", "login", "routes")
"""The keys of a side in which secrets may be named; of a route its headers."""


def confided(spec: TargetSpec, trust: Trust) -> TargetSpec:
    """Return a side with secrets in its headers, variables and login and its routes' headers, and for its cases."""
    values = trust.values
    headers = frozenset(
        name.lower() for name, text in spec.headers.items() if any(True for _ in names_in(text, SECRETS))
    )
    given: dict[str, object] = {
        "headers": _of_mapping(spec.headers, values),
        "env": _of_mapping(spec.env, values),
        "routes": tuple(it.model_copy(update={"headers": _of_mapping(it.headers, values)}) for it in spec.routes),
    }
    if spec.login is not None:
        given["login"] = _of_login(spec.login, values)
    return spec.trusted(trust, given, headers)


def _of_login(login: LoginSpec, values: Mapping[str, str]) -> LoginSpec:
    coded = {name: quote(value, safe="") for name, value in values.items()}
    given: dict[str, object] = {
        "path": filled_text(login.path, coded),
        "headers": _of_mapping(login.headers, values),
    }
    if login.form is not None:
        given["form"] = _of_mapping(login.form, values)
    if login.text is not None:
        given["text"] = filled_text(login.text, values)
    if "json_" in login.model_fields_set:
        given["json_"] = _mapped(login.json_, lambda text: filled_text(text, values))
    return login.model_copy(update=given)


def _of_mapping(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    return {name: filled_text(text, values) for name, text in texts.items()}


def _mapped(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, text) for key, item in value.items()}
    return [_mapped(item, text) for item in value] if isinstance(value, list | tuple) else value
