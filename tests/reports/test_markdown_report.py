"""The Markdown report: readable in a pull request, and inert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from replay.models import Cluster, Difference, Verdict
from replay.reports.markdown import code, escaped

Report = Callable[..., str]


def rendered(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


def test_the_verdict_is_the_headline_and_criteria_are_a_table(run: object, report: Report) -> None:
    lines = report(run, "markdown").split("\n")
    assert lines[0] == "## \u274c NO-GO"
    assert "| `goldens pass` | \u274c fails | 33.3%, n 3 | 1 of 3 goldens deviates: checkout/leap-day |" in lines
    assert "- loaded 7 = compared 4 + errored 2 + skipped 1" in lines
    assert "3 causes of 3 cases = deviating 1 + errored 2; each case is counted in one" in lines
    assert "   - with it: body.fee: same number, written otherwise" in lines
    assert '   - "a1"' in lines
    assert "   + missing" in lines
    assert lines[-2] == "- `replay report 0193-abcd`: print this report again"


def test_hostile_text_makes_no_element_link_or_mention(hostile_run: object, run: object, report: Report) -> None:
    html = rendered(report(hostile_run, "markdown"))
    plain = rendered(report(run, "markdown"))
    assert "<script" not in html
    assert "<a " not in html
    assert html.count("<table>") == plain.count("<table>") == 3
    assert [html.count(f"<h{level}>") for level in (1, 2, 3)] == [0, 1, plain.count("<h3>")]
    outside_code = escaped("see @octocat and #12")
    assert "@octocat" not in outside_code
    assert "#12" not in outside_code


def test_a_pipe_does_not_add_a_cell(run: Any, report: Report) -> None:
    criterion = replace(run.verdict.criteria[0], sentence="a | b", why="c | d")
    summary = replace(run.summary, statuses=(), latency_parity=None)
    html = rendered(report(replace(run, summary=summary, verdict=Verdict("NO-GO", (criterion,))), "markdown"))
    assert html.count("<td>") == 4
    assert "<code>a | b</code>" in html
    assert "<td>c | d</td>" in html


def test_backticks_do_not_end_a_block(run: Any, report: Report) -> None:
    sample = Difference("a", "value", "````\n# not a heading", "x", "d")
    cluster = replace(run.summary.clusters[0], sample=sample)
    text = report(replace(run, summary=replace(run.summary, clusters=(cluster,))), "markdown")
    assert "   `````diff\n" in text
    assert "<h1>" not in rendered(text)


@pytest.mark.parametrize("text", ["`", "``a``", "a", "", "` `", "\\`"])
def test_a_code_span_holds_any_text(text: str) -> None:
    assert rendered(f"x {code(text)} y").startswith("<p>x <code>")
    assert rendered(f"x {code(text)} y").count("<code>") == 1


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_",
        "[x](javascript:alert(1))",
        "![x](http://x/y.png)",
        "<img src=x>",
        "1. x",
        "- x",
        "# x",
        "> x",
        "~~x~~",
    ],
)
def test_text_formats_nothing(text: str) -> None:
    html = rendered(f"- {escaped(text)}")
    assert html.startswith("<ul>\n<li>")
    assert html.count("<") == 4


def test_causes_after_the_first_three_get_a_line_each(run: Any, report: Report) -> None:
    sample = Difference("body.x", "value", "| `a`", "*b*", "default")
    clusters = tuple(Cluster(f"cause {n}", 30 - n, f"c-{n}", (), (), sample) for n in range(1, 30))
    text = report(replace(run, summary=replace(run.summary, clusters=clusters)), "markdown")
    assert text.count("```diff") == 3
    assert '4. `cause 4` (26 cases), for example `c-4`: ``"| `a`" -> "*b*"``\n5. ' in text
    assert "\n24. " not in text
    assert "... and 6 more" in text
    assert rendered(text).count("<ol") == 1


def test_a_causes_note_is_told(run: Any, report: Report) -> None:
    sample = Difference("body", "text", "a", "b", "default", note="new stops at line 41 of 231")
    cluster = replace(run.summary.clusters[0], sample=sample)
    text = report(replace(run, summary=replace(run.summary, clusters=(cluster,))), "markdown")
    assert "   # new stops at line 41 of 231\n   # judged by default" in text
