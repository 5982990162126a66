"""Which version of a side was put to the test: labels, and what answers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk

APP = """
VERSION = "{}"


async def app(scope, receive, send):
    named = VERSION if scope["path"] < "/5" or "-" not in VERSION else VERSION.split("-")[0]
    headers = [(b"x-version", named.encode())] if named else []
    await send({{"type": "http.response.start", "status": 200, "headers": headers}})
    await send({{"type": "http.response.body", "body": b"ok"}})
"""
SIDES = "old: {app: old_side:app, version_header: X-Version}\nnew: {app: new_side:app, version_header: X-Version}\n"
IGNORED = "compare: [{at: headers.x-version, ignore: true, why: it differs by nature}]\n"


def sides(desk: Desk, *, old: str = "1.0", new: str = "2.0", cases: int = 8) -> None:
    desk.write("old_side.py", APP.format(old))
    desk.write("new_side.py", APP.format(new))
    desk.write("replay.yaml", SIDES + IGNORED + "traffic: c.jsonl\n")
    desk.capture("c.jsonl", desk.requests(cases))


def test_a_label_is_shown_in_the_report_and_kept(desk: Desk) -> None:
    desk.project()
    ended = desk.cli("run", "--label", "new=4f2a91c", "--label", "old=v1", "--report", "json:report.json")
    assert "new: sides:new (4f2a91c); clock" in ended.out
    assert desk.report()["sides"]["new"]["version"] == "4f2a91c"
    assert "old v1, new 4f2a91c" in desk.cli("history").out
    assert "(4f2a91c)" in desk.cli("report").out


@pytest.mark.parametrize(
    ("label", "fact"),
    [
        ("new=", "the label is empty"),
        ("new= ", "the label is empty"),
        ("abc", "there is no such side"),
        ("left=1", "there is no such side"),
        ("new=a\x1b[2J", "a label is one line"),
        ("new=" + "a" * 101, "a label is one line"),
    ],
)
def test_a_label_that_names_nothing_is_refused_before_anything_is_sent(desk: Desk, label: str, fact: str) -> None:
    desk.project()
    ended = desk.cli("run", "--label", label)
    assert (ended.code, ended.out) == (2, "")
    assert fact in ended.err
    assert "\x1b" not in ended.err


def test_a_side_has_one_label(desk: Desk) -> None:
    desk.project()
    assert "new has a label already" in desk.cli("run", "--label", "new=1", "--label", "new=2").err


def test_a_side_that_there_is_not_has_no_label(desk: Desk) -> None:
    desk.project(settings="new: sides:new\n")
    assert "there is no old side" in desk.cli("run", "--label", "old=1").err


def test_a_run_goes_on_under_its_own_label_alone(desk: Desk) -> None:
    desk.project("traffic: c.jsonl\n")
    desk.capture("c.jsonl", [*desk.requests(2), {"id": "bad", "reqest": {}}])
    assert desk.cli("run", "--no-check", "--label", "new=1").code == 3
    ended = desk.cli("run", "--no-check", "--resume", "--label", "new=2")
    assert ended.code == 2
    assert "changed since are labels" in ended.err


def test_answers_name_their_version_where_no_label_does(desk: Desk) -> None:
    sides(desk)
    ended = desk.cli("run", "--report", "json:report.json")
    assert "new_side:app (2.0)" in ended.out
    assert desk.report()["sides"]["old"] | {"target": ""} == {
        "target": "",
        "last_answer": None,
        "version": "1.0",
        "versions": {"1.0": 8},
    }


def test_a_label_beats_what_answers_say(desk: Desk) -> None:
    sides(desk)
    assert "new_side:app (abc)" in desk.cli("run", "--label", "new=abc").out


def test_a_change_of_version_within_a_run_is_said(desk: Desk) -> None:
    sides(desk, new="2.1-rc")
    ended = desk.cli("run", "--concurrency", "1")
    told = " ".join(ended.out.split())
    assert "new changed its version within the run: 2.1-rc (5 answers), 2.1 (3 answers)" in told
    assert "(2.1-rc, then 2.1)" in told


def test_a_version_that_no_answer_names_is_not_known(desk: Desk) -> None:
    sides(desk, new="")
    told = " ".join(desk.cli("run").out.split())
    assert "no answer of new had the header X-Version, so its version is not known" in told


def test_a_header_that_no_function_has_is_refused(desk: Desk) -> None:
    desk.project(settings="old: sides:old\nnew: {function: sides:new, version_header: x-version}\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "a function's have no headers" in ended.err


def test_a_header_without_a_name_is_refused(desk: Desk) -> None:
    sides(desk)
    desk.write("replay.yaml", SIDES.replace("X-Version", '"x version"') + "traffic: c.jsonl\n")
    assert "is no name of a header" in desk.cli("run").err
