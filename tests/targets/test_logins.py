"""A side that wants a token gets one before the first case, again in time, and nothing of it is ever kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.errors import InputError, TargetError
from replay.models import Case, Expectation, Failure, Observation, Request, Result, TargetSpec
from replay.privacy import Tokeniser, redact
from replay.store import SqliteStore
from replay.store.base import RunRecord
from replay.targets import check_side
from replay.targets.base import Moment, observed
from replay.targets.http import HttpTarget

if TYPE_CHECKING:
    from tests.targets.conftest import Answer, Asked, Script, Scripted

Serve = Callable[["Script"], AbstractContextManager["Scripted"]]
MOMENT = Moment(datetime(2024, 2, 29, tzinfo=UTC), 7)
LOGIN = {"path": "/login", "json": {"user": "me", "password": "hunter2-hunter2"}, "capture": {"token": "body.token"}}
BEARER = {"authorization": "Bearer {{token}}", "x-tenant": "7"}


class Guarded:
    """A service that gives tokens, `token-1` and so on, and answers only those who show a valid one."""

    def __init__(self, *, lasts: int = 10**9, fails_from: int = 10**9) -> None:
        self.logins = 0
        self._lasts = lasts
        self._fails_from = fails_from
        self._left = 0

    def __call__(self, asked: Asked) -> Answer:
        """Answer with what was shown."""
        if asked.path == "/login":
            self.logins += 1
            if self.logins >= self._fails_from:
                return 503, {}, b"no"
            self._left = self._lasts
            return 200, {"X-Token": f"head-{self.logins}"}, json.dumps({"token": f"token-{self.logins}"}).encode()
        shown = asked.headers.get("authorization", "")
        if shown != f"Bearer token-{self.logins}" or not self._left:
            return 401, {}, b"who are you?"
        self._left -= 1
        return 200, {}, shown.encode()


def spec_of(url: str, login: dict[str, Any] | None = None, **more: Any) -> TargetSpec:
    return TargetSpec.model_validate({"url": url, "headers": BEARER, "login": {**LOGIN, **(login or {})}, **more})


def case_of(path: str = "/x", expect: Expectation | None = None) -> Case:
    return Case(path, "golden", path, Request("GET", path, (("Authorization", "Bearer captured"),)), expect=expect)


def send(spec: TargetSpec, *cases: Case, pause: float = 0.0) -> list[Observation]:
    async def scenario() -> list[Observation]:
        target = HttpTarget(spec)
        try:
            await target.start()
            seen = []
            for case in cases:
                seen.append(await observed(target, case, MOMENT))
                await asyncio.sleep(pause)
            return seen
        finally:
            await target.close()

    return asyncio.run(scenario())


def test_what_a_login_gives_fills_the_headers_of_the_side(scripted: Serve) -> None:
    guarded = Guarded()
    with scripted(guarded) as service:
        seen = send(spec_of(service.url), case_of(), case_of())
    assert [each.body for each in seen] == [b"Bearer token-1"] * 2
    assert guarded.logins == 1


def test_the_login_is_sent_before_the_first_case_with_the_headers_that_await_nothing(scripted: Serve) -> None:
    with scripted(Guarded()) as service:
        send(spec_of(service.url + "/"), case_of())
    login = service.asked[0]
    assert (login.method, login.path, login.headers["x-tenant"]) == ("POST", "/login", "7")
    assert "authorization" not in login.headers
    assert json.loads(login.body) == LOGIN["json"]
    assert login.headers["content-type"] == "application/json"


def test_a_header_of_the_login_beats_the_sides(scripted: Serve) -> None:
    with scripted(Guarded()) as service:
        send(spec_of(service.url, {"headers": {"X-Tenant": "login"}}), case_of())
    assert [asked.headers["x-tenant"] for asked in service.asked] == ["login", "7"]


def test_a_login_may_be_a_form(scripted: Serve) -> None:
    with scripted(Guarded()) as service:
        login = {key: value for key, value in LOGIN.items() if key != "json"} | {"form": {"a": "b c", "d": "é&"}}
        send(TargetSpec.model_validate({"url": service.url, "headers": BEARER, "login": login}), case_of())
    assert service.asked[0].body == b"a=b+c&d=%C3%A9%26"
    assert service.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("location", ["headers.X-Token", "headers['x-token']"])
def test_a_token_may_stand_in_a_header(location: str, scripted: Serve) -> None:
    with scripted(Guarded()) as service:
        send(spec_of(service.url, {"capture": {"token": location}}), case_of())
    assert service.asked[1].headers["authorization"] == "Bearer head-1"


def test_no_case_is_told_apart_by_a_login_where_the_side_has_none(scripted: Serve) -> None:
    spec = {"url": "", "headers": {"x-template": "{{token}}"}}
    with scripted(lambda asked: (200, {}, asked.headers["x-template"].encode())) as service:
        (seen,) = send(TargetSpec.model_validate(spec | {"url": service.url}), case_of())
    assert seen.body == b"{{token}}"


# ------------------------------------------------------------------------------------------------------------- renewal


def test_a_token_is_renewed_when_its_time_is_over(scripted: Serve) -> None:
    guarded = Guarded()
    with scripted(guarded) as service:
        seen = send(spec_of(service.url, {"every": "100ms"}), *[case_of()] * 3, pause=0.12)
    assert [each.body for each in seen] == [b"Bearer token-1", b"Bearer token-2", b"Bearer token-3"]
    assert [each.retries for each in seen] == [0, 0, 0]


def test_a_token_that_is_refused_is_renewed_once_and_the_case_sent_again(scripted: Serve) -> None:
    guarded = Guarded(lasts=1)
    with scripted(guarded) as service:
        seen = send(spec_of(service.url), case_of(), case_of(), pause=1.1)
    assert [(each.body, each.retries) for each in seen] == [(b"Bearer token-1", 0), (b"Bearer token-2", 1)]


def test_a_401_with_a_new_token_is_the_answer(scripted: Serve) -> None:
    guarded = Guarded(lasts=0)
    with scripted(guarded) as service:
        seen = send(spec_of(service.url), *[case_of()] * 5)
    assert [(each.status, each.error, each.retries) for each in seen] == [(401, None, 0)] * 5
    assert guarded.logins == 1


def test_a_401_that_a_golden_expects_is_the_answer(scripted: Serve) -> None:
    guarded = Guarded(lasts=0)
    with scripted(guarded) as service:
        (_, seen) = send(spec_of(service.url), case_of(), case_of(expect=Expectation(401)), pause=1.1)
    assert (seen.status, guarded.logins) == (401, 1)


def test_cases_that_come_together_share_one_login(scripted: Serve) -> None:
    guarded = Guarded()

    async def scenario(url: str) -> list[Observation]:
        target = HttpTarget(spec_of(url, {"every": "50ms"}))
        await target.start()
        await asyncio.sleep(0.06)
        seen = await asyncio.gather(*[observed(target, case_of(f"/{n}"), MOMENT) for n in range(20)])
        await target.close()
        return list(seen)

    with scripted(guarded) as service:
        seen = asyncio.run(scenario(service.url))
    assert [each.body for each in seen] == [b"Bearer token-2"] * 20
    assert guarded.logins == 2


# ------------------------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(("answer", "fact"), [
    ((401, {}, b"no"), "login: answered 401"),
    ((302, {"Location": "/elsewhere"}, b""), "login: answered 302"),
    ((200, {}, b"<html>"), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b"{}"), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": null}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": ""}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": true}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": {"a": 1}}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": "a\\r\\nX: y"}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b'{"token": "\\ud800"}'), "login: the answer holds no text and no number of one line at body.token"),
    ((200, {}, b"[" * 100_000), "login: the answer holds no text and no number of one line at body.token"),
])  # fmt: skip
def test_a_login_that_fails_ends_the_run_before_the_first_case(answer: Answer, fact: str, scripted: Serve) -> None:
    with scripted(lambda _asked: answer) as service, pytest.raises(TargetError) as caught:
        send(spec_of(service.url), case_of())
    assert caught.value.fact == fact
    assert caught.value.exit_code == 2
    assert len(service.asked) == 1


def test_a_side_that_is_not_there_cannot_log_in() -> None:
    with pytest.raises(TargetError, match="login: connection refused"):
        send(spec_of("http://127.0.0.1:1"), case_of())


def test_a_login_that_fails_later_is_the_sides_error_and_is_not_tried_at_every_case(scripted: Serve) -> None:
    guarded = Guarded(fails_from=2)
    with scripted(guarded) as service:
        first, *others = send(spec_of(service.url, {"every": "100ms"}), *[case_of()] * 4, pause=0.12)
    assert first.status == 200
    assert [each.error for each in others] == [Failure("status", "login: answered 503")] * 3
    assert guarded.logins == 2
    assert [asked.path for asked in service.asked] == ["/login", "/x", "/login"]


def test_a_login_that_works_again_lets_the_next_cases_pass(scripted: Serve) -> None:
    guarded = Guarded()
    failing = iter([False, True, False])

    def answer(asked: Asked) -> Answer:
        return (500, {}, b"") if asked.path == "/login" and next(failing) else guarded(asked)

    with scripted(answer) as service:
        seen = send(spec_of(service.url, {"every": "1s"}), *[case_of()] * 3, pause=1.1)
    assert [each.status for each in seen] == [200, None, 200]


# -------------------------------------------------------------------------------------------------------------- secrets


def test_a_token_that_a_service_repeats_is_not_in_the_store(scripted: Serve, tmp_path: Path) -> None:
    secret = "tok-4711-nobody-may-read-this"

    def answer(asked: Asked) -> Answer:
        shown = asked.headers.get("authorization", "")
        body = {"token": secret} if asked.path == "/login" else {"you": shown, "twice": [shown[7:]]}
        return 200, {"X-Echo": shown}, json.dumps(body).encode()

    async def scenario(url: str) -> tuple[Observation, frozenset[str]]:
        target = HttpTarget(spec_of(url))
        await target.start()
        seen = await observed(target, case_of(), MOMENT)
        await target.close()
        return seen, target.secrets()

    with scripted(answer) as service:
        seen, known = asyncio.run(scenario(service.url))
    assert secret.encode() in seen.body
    assert known == {secret}

    result = Result(case_of(), "match", old=seen, new=seen)
    with SqliteStore.open(tmp_path / "store") as store:
        store.begin(RunRecord("r", datetime.now(UTC)))
        store.add("r", [redact(result, Tokeniser(b"k" * 32), known=known)])
        kept = repr(list(store.results("r")))
    assert "x-echo" in kept.lower()
    assert secret not in kept
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(("login", "headers", "fact"), [
    ({"form": {"a": "b"}}, BEARER, "more than one body"),
    ({"path": "login"}, BEARER, "slash"),
    ({"path": "//elsewhere/login\r\n"}, BEARER, "CR, LF or NUL"),
    ({"method": "PO ST"}, BEARER, "no method"),
    ({"capture": {"token": "bdy.token"}}, BEARER, "which no observation has"),
    ({}, {"authorization": "Bearer {{tokn}}"}, "captures no 'tokn'"),
    ({}, {"authorization": "Bearer token"}, "no header of this side uses it"),
])  # fmt: skip
def test_a_login_that_cannot_work_is_refused_before_anything_is_sent(
    login: dict[str, Any], headers: dict[str, str], fact: str
) -> None:
    spec = spec_of("http://127.0.0.1:1", login, headers=headers)
    with pytest.raises(InputError, match=fact):
        check_side(spec)


@pytest.mark.parametrize(("key", "value"), [
    ("tls", {"verify": False}), ("connect", "h:1"), ("unix", "s"), ("max_inflight", 1), ("rate", "1/s"), ("retry", {}),
    ("login", LOGIN),
])  # fmt: skip
def test_a_side_without_a_url_has_no_settings_of_the_wire(key: str, value: object) -> None:
    spec = TargetSpec.model_validate({"app": "shop:app", key: value})
    with pytest.raises(InputError, match=f"{key} is for a side with a URL, and this one has app"):
        check_side(spec)


def test_a_login_keeps_to_the_deadline_of_the_side(scripted: Serve) -> None:
    def slow(_asked: Asked) -> Answer:
        time.sleep(0.5)
        return 200, {}, b"{}"

    start = time.monotonic()
    with scripted(slow) as service, pytest.raises(TargetError, match=r"login: after 0\.1 s"):
        send(spec_of(service.url, timeout="100ms"), case_of())
    assert time.monotonic() - start < 2
