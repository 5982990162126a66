"""Sides whose parts live elsewhere or speak another language, as a run tells of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve

SHAPES = """
from dataclasses import replace

def to_v2(request):
    return replace(request, path="/v2" + request.path)

def unsafe(request):
    return replace(request, method="DELETE")

def picky(request):
    if request.path == "/2":
        raise LookupError("no such shape")
    return request

class Flat:
    @staticmethod
    def answer(seen):
        return replace(seen, body=b"same")
"""
RUN = ("run", "--traffic", "c.jsonl", "--report", "json:report.json")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("shapes", None)


def settings(desk: Desk, old: str, new: str) -> None:
    desk.write("shapes.py", SHAPES)
    desk.write("replay.yaml", f"old: {old}\nnew: {new}\n")
    desk.capture("c.jsonl", desk.requests(3))


def test_a_dry_run_shows_every_host(desk: Desk) -> None:
    routes = "[{on: /1, url: http://people:2}, {on: /2, path: /two}]"
    settings(desk, "http://mono:1", f"{{url: http://mono:1, routes: {routes}}}")
    ended = desk.cli("run", "--traffic", "c.jsonl", "--dry-run")
    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines()[1:]] == [
        ["new", "GET", "2", "mono:1"],
        ["new", "GET", "1", "people:2"],
        ["old", "GET", "3", "mono:1"],
    ]


def test_a_report_names_every_host_and_the_credentials_that_stayed_here(desk: Desk, serve: Serve) -> None:
    with serve() as old, serve() as new, serve() as people:
        more = f"headers: {{authorization: Bearer mine-alone}}, routes: [{{on: /1, url: '{people.url}'}}]"
        settings(desk, old.url, f"{{url: '{new.url}', {more}}}")
        ended = desk.cli(*RUN)
    assert (sorted(new.targets), people.targets) == (["/0", "/2"], ["/1"])
    told = " ".join(ended.out.split())
    assert f"new: {new.url} and {people.url}; clock:" in told
    assert f"credentials of new do not go to {people.url.removeprefix('http://')}" in told
    assert desk.report()["counts"]["matched"] == 3


def via(desk: Desk, serve: Serve, name: str) -> tuple[Ended, list[str]]:
    """Run with a `via` of new; return how it ended, and what new was asked."""
    with serve() as old, serve() as new:
        settings(desk, old.url, f"{{url: '{new.url}', via: 'shapes:{name}'}}")
        return desk.cli(*RUN), sorted(new.targets)


def test_a_side_with_another_interface_is_asked_in_its_own(desk: Desk, serve: Serve) -> None:
    ended, targets = via(desk, serve, "to_v2")
    assert targets == ["/v2/0", "/v2/1", "/v2/2"]
    assert ended.code == 1


def test_answers_that_are_reshaped_are_said_to_be(desk: Desk, serve: Serve) -> None:
    ended, _ = via(desk, serve, "Flat")
    assert "shapes:Flat reshapes what new answers before it is compared" in " ".join(ended.out.split())


def test_a_shape_that_fails_for_a_case_ends_with_2_before_anything_is_sent(desk: Desk, serve: Serve) -> None:
    ended, targets = via(desk, serve, "picky")
    assert (ended.code, targets) == (2, [])
    assert "c.jsonl:4: new: via shapes:picky raised LookupError: no such shape" in " ".join(ended.err.split())


def test_what_a_shape_makes_unsafe_is_skipped_and_counted(desk: Desk, serve: Serve) -> None:
    ended, targets = via(desk, serve, "unsafe")
    assert (ended.code, targets) == (3, [])
    assert desk.report()["counts"]["skipped"] == 3


@pytest.mark.parametrize("change", ["shapes.py", "replay.yaml", ""])
def test_a_run_with_another_shape_or_route_is_another_run(desk: Desk, serve: Serve, change: str) -> None:
    with serve(lasts=0) as gone:
        settings(
            desk, "http://127.0.0.1:1", f"{{url: '{gone.url}', via: 'shapes:to_v2', routes: [{{on: /1, path: /2}}]}}"
        )
        desk.capture("c.jsonl", desk.requests(30))
        assert desk.cli(*RUN, "--concurrency", "1").code == 3
        if change:
            text = desk.write("x", "").with_name(change).read_text()
            desk.write(change, text.replace("/2}", "/3}") + "# more\n")
        ended = desk.cli(*RUN, "--resume")
    assert (ended.code, "cannot go on" in ended.err) == ((2, True) if change else (3, False))
