"""`via` of a side: what is sent and compared in another shape, and what becomes of code that fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.config import check_target
from replay.errors import SettingsError
from replay.models import Case, Observation, Request, TargetSpec
from replay.targets import build_target
from replay.targets.base import Moment, observed

if TYPE_CHECKING:
    from tests.targets.conftest import Answer, Asked, Script, Scripted

SHAPES = '''
"""How new is spoken to."""
import json
from dataclasses import replace

def to_v2(request):
    return replace(request, path="/v2" + request.path, headers=[*request.headers, ("X-Version", "2")])

class Both:
    @staticmethod
    def request(request):
        return replace(request, method="POST", body=json.dumps({"path": request.path}).encode())

    @staticmethod
    def answer(seen):
        return replace(seen, status=200, body=seen.body.upper(), error=None, timing=None, clock_frozen=True)

class Answers:
    @staticmethod
    def answer(seen):
        return replace(seen, body=seen.body[::-1])

class Broken:
    @staticmethod
    def answer(seen):
        return seen.body

def raises(request): raise KeyError("id")
def leaves(request): raise SystemExit(3)
def nothing(request): pass
async def later(request): return request
def elsewhere(request): return replace(request, path="http://evil/")
def splits(request): return replace(request, headers=(("a", "b\\r\\nc: d"),))
def text(request): return replace(request, body="text")
def no_pairs(request): return replace(request, headers={"a": "b"})
number = 5
'''


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "our_shapes.py").write_text(SHAPES, "utf-8")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("our_shapes", None)


@pytest.fixture
def service(scripted: Callable[[Script], AbstractContextManager[Scripted]]) -> Iterator[Scripted]:
    def answer(asked: Asked) -> Answer:
        return 201, {"X-Seen": asked.method}, asked.path.encode() + asked.body

    with scripted(answer) as running:
        yield running


def ask(project: Path, spec: TargetSpec, request: Request) -> Observation:
    async def work() -> Observation:
        target = build_target(spec, concurrency=1)
        try:
            await target.start()
            return await observed(target, Case("c", "golden", "c", request), Moment(None, 7))
        finally:
            await target.close()

    check_target(spec, project)
    return asyncio.run(work())


def test_a_request_is_sent_in_its_new_shape(project: Path, service: Scripted) -> None:
    seen = ask(project, TargetSpec(url=service.url, via="our_shapes:to_v2"), Request("GET", "/users?x=1"))
    assert (seen.status, seen.body) == (201, b"/v2/users?x=1")
    assert service.asked[0].headers["x-version"] == "2"


def test_an_answer_is_compared_in_its_new_shape_and_keeps_what_was_measured(project: Path, service: Scripted) -> None:
    seen = ask(project, TargetSpec(url=service.url, via="our_shapes:Both", writable=True), Request("GET", "/a"))
    assert (seen.status, seen.body) == (200, b'/A{"PATH": "/A"}')
    assert seen.timing is not None
    assert seen.clock_frozen is None


def test_no_shape_makes_a_failure_whole(
    project: Path, scripted: Callable[[Script], AbstractContextManager[Scripted]]
) -> None:
    with scripted(lambda _asked: (503, {}, b"busy")) as service:
        spec = TargetSpec(url=service.url, via="our_shapes:Both", writable=True)
        seen = ask(project, spec, Request("GET", "/a"))
    assert (seen.status, seen.body) == (503, b"busy")


def test_answers_alone_may_be_reshaped(project: Path, service: Scripted) -> None:
    assert ask(project, TargetSpec(url=service.url, via="our_shapes:Answers"), Request("GET", "/ab")).body == b"ba/"


def test_a_side_that_is_not_writable_is_never_sent_what_a_shape_made_unsafe(project: Path, service: Scripted) -> None:
    seen = ask(project, TargetSpec(url=service.url, via="our_shapes:Both"), Request("GET", "/a"))
    assert seen.error is not None
    assert seen.error.message == "via our_shapes:Both made POST of GET, and this side is not writable"
    assert service.asked == []


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("raises", "raised KeyError: 'id'"),
        ("leaves", "raised SystemExit: 3"),
        ("nothing", "returned nothing, and no Request"),
        ("elsewhere", "returned a request that cannot be sent: the path does not begin with a slash"),
        ("splits", "returned a request that cannot be sent: the value of header 'a' holds CR, LF or NUL"),
        ("text", "raised TypeError: its body has to be bytes or None"),
        ("no_pairs", "raised ValueError: not enough values to unpack (expected 2, got 1)"),
    ],
)
def test_whatever_a_shape_does_wrong_is_an_error_of_the_side_and_nothing_is_sent(
    project: Path, service: Scripted, name: str, fact: str
) -> None:
    seen = ask(project, TargetSpec(url=service.url, via=f"our_shapes:{name}"), Request("GET", "/a"))
    assert seen.error is not None
    assert (seen.error.kind, seen.error.message) == ("exception", f"via our_shapes:{name} {fact}")
    assert service.asked == []


@pytest.mark.filterwarnings("ignore:coroutine 'later' was never awaited")
def test_a_coroutine_is_no_request(project: Path, service: Scripted) -> None:
    seen = ask(project, TargetSpec(url=service.url, via="our_shapes:later"), Request("GET", "/a"))
    assert seen.error is not None
    assert seen.error.message == "via our_shapes:later returned a coroutine, and no Request"


def test_an_answer_that_cannot_be_reshaped_is_an_error_and_no_answer(project: Path, service: Scripted) -> None:
    seen = ask(project, TargetSpec(url=service.url, via="our_shapes:Broken"), Request("GET", "/a"))
    assert seen.error is not None
    assert seen.error.message == "via our_shapes:Broken returned a bytes, and no Observation"
    assert seen.status == 201


@pytest.mark.parametrize(
    ("via", "fact"),
    [
        ("our_shapes", "'our_shapes' is no module:attribute"),
        ("our_shapes:gone", "our_shapes has no function 'gone'"),
        ("our_shapes:number", "our_shapes has no function 'number'"),
        ("json:loads", "json is not in the project's folder"),
        ("not_there:x", "not_there is not in the project's folder"),
    ],
)
def test_code_that_is_not_the_projects_is_refused(project: Path, via: str, fact: str) -> None:
    with pytest.raises(SettingsError, match=fact):
        check_target(TargetSpec(url="http://127.0.0.1:1", via=via), project)


def test_a_recording_is_sent_nothing_and_so_not_reshaped(project: Path) -> None:
    with pytest.raises(SettingsError, match="a recording is sent nothing"):
        check_target(TargetSpec(recorded=True, via="our_shapes:to_v2"), project)
