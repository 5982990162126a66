"""How users say what stands behind a side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, Strict, field_validator, model_validator

from replay.models.quantities import Duration, Flag, Rate, Spec, Whole
from replay.models.trust import Trust
from replay.sampling import Portion

_SENDABLE: Final = re.compile(r"/[!-~]*")


class TlsSpec(Spec):
    """How an https side is verified, and by what it verifies this tool; PEM files, relative to the settings."""

    ca: str | None = Field(default=None, description="The authorities to trust, instead of the system's.")
    cert: str | None = Field(default=None, description="The client's certificate, with its chain.")
    key: str | None = Field(default=None, description="Its key, without a passphrase; else it stands in `cert`.")
    verify: Flag = Field(default=True, description="false: accept any certificate. Every report says so.")


Status = Annotated[int, Strict(), Field(ge=100, le=999)]


class RetrySpec(Spec):
    """When a case that a side refuses is sent again."""

    on: tuple[Status, ...] = Field(default=(429, 503), min_length=1, description="Statuses that refuse.")
    times: Whole = Field(default=5, ge=1, le=100, description="How often a case is sent again at most.")
    wait: Duration = Field(
        default=timedelta(seconds=1), ge=timedelta(0), description="The first wait without Retry-After; it doubles."
    )
    cap: Duration = Field(default=timedelta(seconds=30), ge=timedelta(0), description="The longest wait.")


class LoginSpec(Spec):
    """A request before the first case, from whose answer the side's headers get their tokens."""

    method: str = Field(default="POST", description="The method.")
    path: str = Field(description="The path below the side's URL, with its query.")
    headers: Mapping[str, str] = Field(default_factory=dict, description="Headers of this request alone.")
    json_: Any = Field(default=None, alias="json", description="A JSON body.")
    form: Mapping[str, str] | None = Field(default=None, description="A body in application/x-www-form-urlencoded.")
    text: str | None = Field(default=None, description="A text body.")
    capture: Mapping[str, str] = Field(min_length=1, description="From a name to where its value stands in the answer.")
    every: Duration | None = Field(default=None, gt=timedelta(0), description="How long what was captured is used.")


class RouteSpec(Spec):
    """Where some of a side's requests go instead."""

    on: str = Field(description="The route: GET /users/*, /users/**.")
    url: str | None = Field(default=None, description="The base URL; the side's own without it.")
    path: str | None = Field(default=None, description="The path there; its wildcards take what those of `on` matched.")
    headers: Mapping[str, str] = Field(
        default_factory=dict, repr=False, description="Sent there; they beat the side's and the case's."
    )
    credentials: Flag = Field(default=False, description="true: credentials of the side and of cases go there too.")
    clock_secret: str | None = Field(default=None, repr=False, description="The secret of that service's clock.")


Command = str | tuple[str, ...]
"""A program and its arguments: as words, or in one line that is split like a shell would, and given to none."""


def _commands(value: object) -> object:
    return [value] if isinstance(value, str) else value


Commands = Annotated[tuple[str, ...], BeforeValidator(_commands, json_schema_input_type=str | tuple[str, ...])]


def _ready(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


class ReadySpec(Spec):
    """How a started command shows that it is ready: one of a path that answers, and a line that it prints."""

    path: str | None = Field(default=None, description="A path that answers with a status below 400 once it is ready.")
    line: str | None = Field(default=None, min_length=1, description="A text that a line of the output then holds.")
    within: Duration = Field(
        default=timedelta(seconds=60), gt=timedelta(0), description="How long it may take to get ready."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.path is not None and self.line is not None:
            raise ValueError("path and line are two ways to tell that a command is ready; keep one of them")
        if self.path is not None and not self.path.startswith("/"):
            raise ValueError("a path begins with /; for a line of the output write {line: TEXT}")
        if self.path is not None and not _SENDABLE.fullmatch(self.path):
            raise ValueError("a path is sent as it is written: percent-encode spaces and what is not ASCII")
        return self


def _reset(value: object) -> object:
    return {"run": value} if isinstance(value, str | list | tuple) else value


class ResetSpec(Spec):
    """What gives a service that keeps something its first state back."""

    run: Command | None = Field(default=None, description="A command.")
    request: str | None = Field(
        default=None, pattern=r"^[A-Z]+ /[^\s]*$", description="A request to this side, such as POST /reset."
    )
    between: Literal["cases", "sessions"] = Field(
        default="cases", description="Before every case, or before every session."
    )
    timeout: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0), description="How long it may take.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.run is None) == (self.request is None):
            raise ValueError("a reset is either a command (run) or a request")
        return self


Ready = Annotated[ReadySpec, BeforeValidator(_ready, json_schema_input_type=str | ReadySpec)]
Reset = Annotated[ResetSpec, BeforeValidator(_reset, json_schema_input_type=Command | ResetSpec)]

OWN_URL: Final = "http://localhost"
"""Under which name a started command is asked: the same on both sides, so that links which it makes of it are equal."""


@dataclass(frozen=True, slots=True)
class Home:
    """The checked-out files of a commit that a side is made of."""

    tree: Path
    repository: Path
    """What it was checked out of: no module may come from there instead."""
    name: str
    """The ref and its commit, for people."""
    folders: tuple[Path, ...] = ()
    """Where in the tree modules are, which the side's Python would else have from the repository."""


@dataclass(frozen=True, slots=True)
class Started:
    """A command that this tool has started and that is ready."""

    address: str
    """host:port that it listens on."""
    pid: int
    born: str
    """When its process began, as far as the system tells: with the number, it names one process for good."""
    log: Path
    log_since: int
    """How large the log was when it was started: what stands before that is of an earlier one."""
    env: Mapping[str, str]
    cwd: str
    moment: Path | None = None
    """The file that its clock follows; None where its clock is left alone."""
    clock_note: str = ""
    """What is to be said of its clock where its answers do not show that it obeys."""


class TargetSpec(Spec):
    """What stands behind a side: exactly one of `url`, `run`, `app`, `function`, `recorded`, and how to treat it."""

    url: str | None = Field(default=None, description="An HTTP service: its base URL.")
    run: Command | None = Field(
        default=None,
        description="A command that serves HTTP on {port}: started and ended by this tool, without a shell.",
    )
    app: str | None = Field(
        default=None, description="module:attribute of an ASGI or WSGI app, run in worker processes."
    )
    function: str | None = Field(default=None, description="module:attribute of a function, run in worker processes.")
    recorded: Flag | None = Field(default=None, description="The answers that captures and goldens hold.")
    at: str | None = Field(
        default=None, description="git:REF, path:DIR or venv:DIR: which version of the code, or of what it needs."
    )
    cwd: str | None = Field(default=None, description="The working directory of what this tool starts.")
    env: Mapping[str, str] = Field(default_factory=dict, description="Variables for what this tool starts.")
    version: str | None = Field(
        default=None, description="Which version this is, for reports; with git:REF, the ref and its commit."
    )
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = Field(
        default=None, description="The port of a command that listens on no other; a free one otherwise."
    )
    ready: Ready | None = Field(default=None, description="How a command shows that it is ready; else: it listens.")
    setup: Commands = Field(default=(), description="Commands that are run to their end before the command is started.")
    teardown: Commands = Field(default=(), description="Commands that are run once it has ended, however it did.")
    stop: Literal["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL"] = Field(
        default="SIGTERM", description="The signal that asks a command to end."
    )
    grace: Duration = Field(
        default=timedelta(seconds=5), ge=timedelta(0), description="How long it may take to end before it is killed."
    )
    freeze: Flag = Field(default=True, description="false: leave the clock of a started command alone.")
    reset: Reset | None = Field(default=None, description="A command or a request before every case or session.")
    headers: Mapping[str, str] = Field(default_factory=dict, description="Sent to this side only; beats the case's.")
    clock_secret: str | None = Field(
        default=None, repr=False, description="What REPLAY_DETERMINISM_SECRET holds in the service: proves who asks."
    )
    version_header: str | None = Field(
        default=None, description="The response header that names the version, where no --label does."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=10), gt=timedelta(0), description="One deadline for the whole exchange."
    )
    max_body: Whole = Field(default=64 * 2**20, ge=1, description="The largest body, in bytes, after decompression.")
    tls: TlsSpec | None = Field(default=None, description="How an https side is verified, and verifies this tool.")
    connect: str | None = Field(default=None, description="host:port to connect to, in place of the URL's.")
    unix: str | None = Field(default=None, description="The Unix socket to connect to, in place of the URL's host.")
    max_inflight: Whole | None = Field(default=None, ge=1, description="The most requests that are under way at once.")
    rate: Rate | None = Field(default=None, description="The most requests in a time: 20/s, 600/m.")
    retry: RetrySpec | None = Field(default=None, description="When a refused case is sent again.")
    routes: tuple[RouteSpec, ...] = Field(default=(), description="Requests that go elsewhere; the last match decides.")
    via: str | None = Field(
        default=None, description="module:attribute that reshapes requests and answers of this side."
    )
    login: LoginSpec | None = Field(default=None, description="A request whose answer fills {{names}} in `headers`.")
    writable: Flag | tuple[str, ...] = Field(
        default=False, description="true, or routes, that may be sent unsafe methods."
    )
    stop_after: Whole | None = Field(
        default=None, ge=1, description="End the run once this side has failed at so many cases."
    )
    isolate: Literal["case"] | None = Field(default=None, description="case: a fresh worker process for every case.")

    @field_validator("env")
    @classmethod
    def _variables(cls, env: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in env.items():
            if not name or "=" in name or "\0" in name + value:
                raise ValueError("a variable has a name without =, and neither that nor its value holds a NUL")
        return env

    _home: Home | None = PrivateAttr(default=None)
    _started: Started | None = PrivateAttr(default=None)
    _shown: str = PrivateAttr(default="")
    _trust: Trust = PrivateAttr(default_factory=Trust)
    _confided: frozenset[str] = PrivateAttr(default=frozenset())
    _written: TargetSpec | None = PrivateAttr(default=None)

    @property
    def base(self) -> str | None:
        """Return the URL to which the side's links are relative; None where it is asked by none."""
        return OWN_URL if self.run is not None else self.url

    @property
    def home(self) -> Home | None:
        """Return the files of the commit that this side is made of, once they are checked out."""
        return self._home

    @property
    def started(self) -> Started | None:
        """Return the command that was started for this side, once it is."""
        return self._started

    @property
    def shown(self) -> str:
        """Return what is started as reports print it, with its version and without what variables put into it."""
        return self._shown

    @property
    def trust(self) -> Trust:
        """Return which secrets are put into what this side is sent."""
        return self._trust

    @property
    def confided(self) -> frozenset[str]:
        """Return the names, in lower case, of the headers of the settings that hold a secret by its name."""
        return self._confided

    @property
    def written(self) -> TargetSpec:
        """Return the side as the settings have it, with the names of secrets and without these."""
        return self._written or self

    @property
    def paced_by_clock(self) -> bool:
        """Tell whether cases reach this side one at a time, since each moves the clock of one process."""
        return self.run is not None and self.freeze and self.clock_secret is None

    def at_home(self, home: Home, at: str, cwd: str) -> TargetSpec:
        """Return the spec of a side whose commit was checked out."""
        copy = self.model_copy(update={"at": at, "cwd": cwd})
        copy._home = home  # noqa: SLF001 - its twin
        return copy

    def standing(self, started: Started) -> TargetSpec:
        """Return the spec of a side whose command was started."""
        copy = self.model_copy()
        copy._started = started  # noqa: SLF001 - its twin
        return copy

    def showing(self, text: str) -> TargetSpec:
        """Return the spec with what reports print of it."""
        copy = self.model_copy()
        copy._shown = text  # noqa: SLF001 - its twin
        return copy

    def trusted(self, trust: Trust, given: Mapping[str, object], confided: frozenset[str]) -> TargetSpec:
        """Return the spec of a side that may send secrets; `given` are its settings with secrets in them."""
        copy = self.model_copy(update=given)
        copy._trust = trust  # noqa: SLF001 - its twin
        copy._confided = confided  # noqa: SLF001 - its twin
        copy._written = self  # noqa: SLF001 - its twin
        return copy

    def shared(self, portion: Portion) -> TargetSpec:
        """Return the spec for one of several processes that share what this side may be given."""
        inflight = None if self.max_inflight is None else portion.share(self.max_inflight)
        rate = None if self.rate is None else self.rate / portion.count
        return self.model_copy(update={"max_inflight": inflight, "rate": rate})
