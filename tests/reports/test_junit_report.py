"""The JUnit report, as a CI server reads it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.parsers import expat

import pytest

from replay.models import Case, Difference, Request, Result, Verdict

Report = Callable[..., str]


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own output


def suite(root: ET.Element, name: str) -> ET.Element:
    (found,) = [each for each in root if each.get("name") == name]
    return found


@pytest.mark.parametrize("fixture", ["run", "hostile_run"])
def test_the_sums_of_every_suite_and_of_the_whole_are_right(
    fixture: str, request: pytest.FixtureRequest, report: Report
) -> None:
    root = parsed(report(request.getfixturevalue(fixture), "junit"))
    assert root.tag == "testsuites"
    for scope in (root, *root):
        cases = list(scope.iter("testcase"))
        sums = [
            len(cases),
            *(len([case for case in cases if case.find(tag) is not None]) for tag in ("failure", "error", "skipped")),
        ]
        assert [int(scope.get(name, "-1")) for name in ("tests", "failures", "errors", "skipped")] == sums


def test_every_golden_is_a_test_case_under_its_folder(run: object, report: Report) -> None:
    cases = suite(parsed(report(run, "junit")), "goldens")
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert names == [("goldens.checkout", "leap-day"), ("goldens", "top"), ("goldens.checkout", "refund")]


def test_a_deviating_golden_fails_with_its_reason_and_each_difference(run: object, report: Report) -> None:
    failure = suite(parsed(report(run, "junit")), "goldens")[0].find("failure")
    assert failure is not None
    assert failure.get("type") == "value"
    assert failure.text is not None
    assert failure.text.split("\n") == [
        "A leap day",
        "why: INC-7",
        "cause 3 of 3: body.items[*].id is missing (1 case)",
        "body.fee: 9.90 -> 9.9000 (at body.fee, strict: true); spelled",
        'body.items[3].id: "a1" -> missing (default: values are equal)',
    ]


def test_errors_of_traffic_are_errors_and_matches_are_only_summed(run: object, report: Report) -> None:
    cases = list(suite(parsed(report(run, "junit")), "traffic"))
    assert [case.get("name") for case in cases] == ["t2", "t3", "all traffic cases"]
    assert [[child.tag for child in case] for case in cases] == [["error"], ["error"], ["system-out"]]


def test_criteria_that_fail_or_stay_open_stop_the_pipeline(run: object, report: Report) -> None:
    cases = list(suite(parsed(report(run, "junit")), "criteria"))
    tags = {case.get("name"): case[0].tag for case in cases}
    assert tags == {
        "goldens pass": "failure",
        "deviation < 0.5% per route": "error",
        "errors <= old": "system-out",
        "verdict": "failure",
    }


def test_a_run_that_found_nothing_is_no_green_file(run: Any, report: Report) -> None:
    root = parsed(report(replace(run, results=(), verdict=Verdict("INCONCLUSIVE", ())), "junit"))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")


def test_failures_beyond_the_cap_are_counted_and_still_fail(run: Any, report: Report) -> None:
    results = tuple(Result(Case(f"{n}", "traffic", f"{n}", Request()), "deviation") for n in range(1_003))
    traffic = suite(parsed(report(replace(run, results=results), "junit")), "traffic")
    assert traffic.get("tests") == "1001"
    last = traffic[-1].find("failure")
    assert last is not None
    assert last.get("message") == "3 more cases failed than are listed here"


def test_hostile_text_stays_text(hostile_run: object, report: Report) -> None:
    text = report(hostile_run, "junit")
    parser = expat.ParserCreate()
    parser.Parse(text.encode("utf-8"), True)
    assert "<script" not in text
    assert {each.tag for each in parsed(text).iter()} == {
        "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"
    }  # fmt: skip


@pytest.mark.parametrize("value", ["]]>", "\x00", "\ufffe", "\ud800", "&amp;", "<x/>"])
def test_a_value_that_xml_cannot_hold_is_told_as_an_escape(run: Any, report: Report, value: str) -> None:
    deviating = replace(run.results[0], differences=(Difference("a", "value", value, 1, "d"),))
    failure = suite(parsed(report(replace(run, results=(deviating,)), "junit")), "goldens")[0].find("failure")
    assert failure is not None
    assert failure.text
    assert failure.text.isprintable() or "\n" in failure.text


def test_of_a_case_with_thousands_of_differences_the_first_are_told_and_the_rest_counted(
    run: Any, report: Report
) -> None:
    differences = tuple(Difference(f"body.k{n}", "value", "x" * 5_000, "y" * 5_000, "default") for n in range(5_000))
    results = (replace(run.results[0], differences=differences),)
    failure = suite(parsed(report(replace(run, results=results), "junit")), "goldens")[0].find("failure")
    assert failure is not None
    assert failure.text is not None
    lines = failure.text.split("\n")
    assert failure.get("message") == "5,000 differences, the first at body.k0"
    assert lines[-1] == "and 4,980 more"
    assert len([line for line in lines if line.startswith("body.k")]) == 20
    assert max(map(len, lines)) < 500
