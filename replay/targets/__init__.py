"""What a case is sent to. A new kind of target is one file and one line in TARGETS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from replay.determinism.headers import moment_headers
from replay.determinism.proof import proved
from replay.errors import SettingsError
from replay.models import Case, Headers, TargetSpec
from replay.targets.app import AppTarget
from replay.targets.base import Moment, Target
from replay.targets.confided import Confided
from replay.targets.function import FunctionTarget
from replay.targets.recorded import RecordedTarget
from replay.targets.reshaping import Reshaped

_MODULE_ATTRIBUTE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def _http(spec: TargetSpec, *, concurrency: int) -> Target:
    from replay.targets.http import HttpTarget  # noqa: PLC0415 - two apps need no HTTP client

    return HttpTarget(spec, connections=concurrency, moment_headers=_proving(spec.clock_secret))


def _headers(case: Case, moment: Moment) -> Headers:
    key = case.id, case.correlation_id
    headers = moment.headers.get(key)
    if headers is None:
        told = case.id, moment.instant, moment.seed, case.correlation_id
        headers = moment.headers[key] = moment_headers(*told, tick=moment.tick, also=moment.also)
    return headers


def _proving(secret: str | None) -> Callable[[Case, Moment], Headers]:
    """Return what gives the headers of a moment, with a proof where the side has a secret for it."""
    return _headers if secret is None else lambda case, moment: proved(_headers(case, moment), secret)


def _command(spec: TargetSpec, *, concurrency: int) -> Target:
    from replay.targets.command import CommandTarget  # noqa: PLC0415 - likewise

    return CommandTarget(spec, connections=concurrency, moment_headers=_proving(spec.clock_secret))


TARGETS: Final[Mapping[str, Callable[..., Target]]] = {
    "url": _http,
    "run": _command,
    "app": AppTarget,
    "function": FunctionTarget,
    "recorded": RecordedTarget,
}
"""From the key of a TargetSpec to what builds its target: `(spec, *, concurrency) -> Target`."""


STARTED: Final = ("run", "app", "function")
"""What this tool starts itself, so that it may be had from another place or at another commit."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_THE_NET: Final = frozenset({"tls", "connect", "unix"})
_OF_THE_WIRE: Final = frozenset({"clock_secret", "max_inflight", "rate", "retry", "login", "reset", "routes"})
_OF_COMMANDS: Final = frozenset({"port", "ready", "setup", "teardown", "stop", "grace", "freeze"})
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {"url": _OF_THE_NET | _OF_THE_WIRE, "run": _OF_THE_WIRE | _OF_COMMANDS}
"""Settings that only some sides have: elsewhere they would be read as limits, and limit nothing."""


def check_side(spec: TargetSpec) -> None:
    """Raise InputError for a side that makes no sense; look at no file, and start nothing."""
    key = target_key(spec)
    if spec.version_header is not None:
        _check_version_header(spec.version_header, key)
    if key == "recorded" and spec.via is not None:
        raise SettingsError("via reshapes what a side is sent, and a recording is sent nothing", hint="leave it out")
    foreign = (_OF_THE_NET | _OF_THE_WIRE | _OF_COMMANDS) - _ALLOWED.get(key, frozenset())
    if given := sorted(foreign & spec.model_fields_set):
        kind = "a command (run)" if given[0] in _OF_COMMANDS else "a side with a URL"
        raise SettingsError(f"{given[0]} is for {kind}, and this one has {key}", hint="leave it out")
    if spec.at is not None and key not in STARTED:
        raise SettingsError(f"at is for what this tool starts, and this side has {key}", hint="leave it out")
    if key == "url":
        from replay.targets.http import check_http  # noqa: PLC0415 - two apps need no HTTP client

        check_http(spec)
    elif key == "run":
        from replay.targets.command import check_command  # noqa: PLC0415 - likewise

        check_command(spec)


def borrowed(spec: TargetSpec, *lenders: TargetSpec | None) -> TargetSpec:
    """Return a side that only says where its code is (`git:main`) with the rest of the first lender that has one.

    What the side itself says beats what it borrows. Any other side is returned as it is. Raise SettingsError where
    there is no lender.
    """
    if spec.at is None or any(getattr(spec, key) for key in TARGETS):
        return spec
    for lender in lenders:
        if lender is not None and any(getattr(lender, key) for key in STARTED):
            own = {name: getattr(spec, name) for name in spec.model_fields_set}
            return lender.model_copy(update={"version": None} | own)
    fact = f"'{spec.at}' says where the code is, and nothing says what to start there"
    raise SettingsError(fact, hint="write new: {run: COMMAND}, or app: or function:")


def _check_version_header(name: str, key: str) -> None:
    if key == "function":
        raise SettingsError("version_header is of answers, and a function's have no headers", hint="give --label")
    if not _HEADER_NAME.fullmatch(name):
        raise SettingsError(f"version_header: '{name}' is no name of a header", hint="write, for example, x-version")


def target_key(spec: TargetSpec) -> str:
    """Return which of TARGETS a spec asks for. Raises SettingsError unless it is exactly one."""
    keys = [key for key in TARGETS if getattr(spec, key)]
    if len(keys) != 1:
        fact = f"a side is one thing, not {' and '.join(keys)}" if keys else "a side needs something behind it"
        raise SettingsError(fact, hint=f"give exactly one of {', '.join(TARGETS)}")
    return keys[0]


def build_target(spec: TargetSpec, *, concurrency: int) -> Target:
    """Build what stands behind a side; nothing is started yet. Raises SettingsError for a spec that cannot be."""
    target = TARGETS[target_key(spec)](spec, concurrency=concurrency)
    if spec.trust.traffic and not spec.recorded:
        target = Confided(target, spec)
    return target if spec.via is None else Reshaped(target, spec)


def parse_target(text: str) -> TargetSpec:
    """Read the short form of a side.

    That is a URL, `recorded`, `module:attribute` (app or function: the worker tells), or where the code is: `git:REF`,
    `path:DIR`, `venv:DIR`, or `.` for the working tree.
    """
    if re.match("https?://", text, re.IGNORECASE):
        return TargetSpec(url=text)
    if text == "recorded":
        return TargetSpec(recorded=True)
    if text == ".":
        return TargetSpec(at="path:.")
    if re.match("(git|path|venv):.", text):
        return TargetSpec(at=text)
    if _MODULE_ATTRIBUTE.fullmatch(text):
        return TargetSpec(app=text)
    raise SettingsError(f"'{text}' names no target", hint=_hint_for(text))


def _hint_for(text: str) -> str:
    if re.fullmatch(r"[\w.-]+:\d{1,5}(/\S*)?|localhost(/\S*)?", text):
        return f"did you mean http://{text}?"
    if text.startswith("run:"):
        return f"a command stands in replay.yaml, as a mapping: {{run: {text.removeprefix('run:').strip()}}}"
    return (
        "write a URL (http://localhost:8001), module:attribute (shop.api:app), git:REF or recorded; "
        "commands ({run: COMMAND}) stand in replay.yaml"
    )
