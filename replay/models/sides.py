"""How users say what stands behind a side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from replay.models.quantities import Duration, Flag, Rate, Spec, Whole
from replay.sampling import Portion


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


class TargetSpec(Spec):
    """What stands behind a side: exactly one of `url`, `app`, `function`, `recorded`, and how to treat it."""

    url: str | None = Field(default=None, description="An HTTP service: its base URL.")
    app: str | None = Field(
        default=None, description="module:attribute of an ASGI or WSGI app, run in worker processes."
    )
    function: str | None = Field(default=None, description="module:attribute of a function, run in worker processes.")
    recorded: Flag | None = Field(default=None, description="The answers that captures and goldens hold.")
    at: str | None = Field(
        default=None, description="venv:DIR or path:DIR: the interpreter or the folder to import from."
    )
    cwd: str | None = Field(default=None, description="The working directory of worker processes.")
    env: Mapping[str, str] = Field(default_factory=dict, description="Variables for worker processes.")
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

    def shared(self, portion: Portion) -> TargetSpec:
        """Return the spec for one of several processes that share what this side may be given."""
        inflight = None if self.max_inflight is None else portion.share(self.max_inflight)
        rate = None if self.rate is None else self.rate / portion.count
        return self.model_copy(update={"max_inflight": inflight, "rate": rate})
