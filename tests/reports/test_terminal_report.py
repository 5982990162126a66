"""The report on the terminal: verdict first, 80 columns, a screen or two."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.models import MISSING, Cluster, Counts, Difference, Intake, Pacing, Verdict
from replay.reports import TerminalReport

Report = Callable[..., str]

EXPECTED = """\
NO-GO
1 of 3 criteria fails: goldens pass
next: replay show t3  to see the first cause's example in full
Move payment capture from provider A to provider B
owner: payments-oncall
gate cutover, run 0193-abcd, exit code 1

+- goldens pass -------------- fails -+  +- deviation ------------- undecided -+
| 33.3%                               |  | deviation < 0.5% per route          |
| n 3                                 |  | 50%   10% to 90%                    |
| 1 of 3 goldens deviates:            |  | n 3   ?                             |
| checkout/leap-day                   |  | 598 cases more would settle it      |
+-------------------------------------+  +-------------------------------------+
+- errors <= old ------------- holds -+  +- latency ---------------------------+
| 0%   -inf% to 0.4%                  |  | old p50 1.0 p95 3.0 p99 4.0 ms      |
| n 4                                 |  | new p50 1.1 p95 3.1 p99 4.1 ms      |
| new fails no more often             |  | p95 of new +21.5%                   |
+-------------------------------------+  +-------------------------------------+
+- kpi.auth_rate ---------------------+  +- kpi.fee_total ---------------------+
| old 84.1%, new 83.4%                |  | old 0.30, new 0.1                   |
| -0.7pp, between -0.81pp and -0.59pp |  | -0.20, between unbounded and +1.5   |
| n 20,000                            |  | n 3                                 |
+-------------------------------------+  +-------------------------------------+
+- kpi.ctr ---------------------------+  +- evidence --------------- complete -+
| no case tells anything of it        |  | compared 4 of 7, errored 2          |
|                                     |  | skipped 1, deviating 1              |
| n 0                                 |  | noise 1, waived 0                   |
+-------------------------------------+  +-------------------------------------+
a mark each: + holds, x fails, ? undecided, . no case, - not counted

Statuses
  old \\ new  2xx  no answer
  2xx          4          1
  changed: 200 -> timeout: 1

Criteria
  fails      goldens pass
             33.3%, n 3
             1 of 3 goldens deviates: checkout/leap-day
  undecided  deviation < 0.5% per route
             50%, between 10% and 90%, n 3
             598 cases more would settle it
             undecided: GET /orders/*, 50%, between 10% and 90%, n 3
  holds      errors <= old
             0%, between -inf% and 0.4%, n 4
             new fails no more often

KPIs
  auth_rate: old 84.1%, new 83.4%: -0.7pp, between -0.81pp and -0.59pp, n 20,000
    share of body.outcome == 'approved'
  fee_total: old 0.30, new 0.1: -0.20, between unbounded and +1.5, n 3
    sum of body.fee; 2 cases failed on new alone; 1 case failed on both sides;
    no figure in 4 answers of new: body.fee is missing, for example t4
  ctr: no case tells anything of it
    mean of shop.evidence:clicks

Causes
  3 causes of 3 cases = deviating 1 + errored 2; each case is counted in one
   1. both failed, connection refused (1 case)
      on GET /t3
      for example t3
   2. only new failed, no answer in time (1 case)
      on GET /t2
      for example t2
   3. body.items[*].id is missing (1 case)
      on GET /checkout/leap-day
      with it: body.fee: same number, written otherwise
      for example checkout/leap-day
      at body.items[3].id
      old "a1"
      new missing
      judged by default: values are equal

Cases
  loaded 7 = compared 4 + errored 2 + skipped 1
  compared 4 = matched 2 + deviating 1 + noise 1 + waived 0
  errors: both refused 1, new timeout 1
  cases by category: timeout 1, transport 1, value 1
  skipped: POST is not writable 1

Input
  week.jsonl: loaded 4 + skipped 1 = 5 records read (status 0 1)

Sides
  old: http://localhost:8001; clock: frozen
  new: http://localhost:8002; clock: not frozen, nobody obeys Replay-Time
  new gave no answer any more after t1
  latency of old: p50 1.0 p95 3.0 p99 4.0 ms (n 5)
  latency of new: p50 1.1 p95 3.1 p99 4.1 ms (n 4)

Latency parity
  in ms, over the same 3,000 cases, worth 812; in brackets what holds with 95%
    confidence
                    old              new       new beside old
  p50  20.1 [19.8 20.4]   20.3 [20 20.6]  +1.2% [-0.5% +3.1%]
  p95   1,234 [0 1,300]  1,500 [1,400 -]         +21.5% [- -]
  carried by GET /orders/*: +20.1 ms a case, +40.2 s in 2,000 cases
             GET /: -0.001 ms a case, -0.001 s in 1,000 cases (may be chance)
             and 3 more
  left out: 64 cases that opened a connection

Waived, and so not counted
  1 case: at body.gone, waive: {until: 2026-12-31, owner: payments, why: soon}

Where old differs from itself
  old was asked 3 times more at 4 cases: 12 further answers, 1 of which came to
    nothing and prove nothing
  not asked again, since asking may change something: 2 cases
  GET /* at body.took: old differs in 11 of 11, new in 4 of 4

Measures
  rank.tau: min 0.8, median 0.8, mean 0.8, max 0.8 over 1

Counted as equal although bytes differ
  20 cases: default: JSON by value

Warnings
  the mask key was made for this run

What to do next
  replay show t3
      see the first cause's example in full
  replay promote t2
      keep a surprise as a golden
  replay run --traffic FILE
      bring as much more as the criteria ask for
  replay report 0193-abcd
      print this report again
"""


def test_the_whole_report_reads_from_the_verdict_to_what_to_do_next(run: object, report: Report) -> None:
    assert report(run, "terminal") == EXPECTED


def test_hostile_text_neither_moves_the_cursor_nor_makes_a_line(hostile_run: object, report: Report) -> None:
    text = report(hostile_run, "terminal")
    assert all(line.isprintable() for line in text.split("\n"))
    assert "[red]x[/red]" in text
    assert "{{7*7}} %s" in text


def test_no_line_is_wider_than_the_terminal(hostile_run: object, run: object, report: Report) -> None:
    for each in (run, hostile_run):
        assert max(map(len, report(each, "terminal").split("\n"))) <= 80


def test_thousands_of_causes_stay_on_a_screen_or_two(run: Any, report: Report) -> None:
    sample = Difference("body.x", "value", ["long"] * 1_000, MISSING, "default " * 50)
    clusters = tuple(Cluster(f"location {n}", n, f"case-{n}", (), (), sample) for n in range(3_000, 0, -1))
    text = report(replace(run, summary=replace(run.summary, clusters=clusters)), "terminal")
    assert len(text.split("\n")) < 165
    assert "they hold 4,501,500, so this sum does not add up" in " ".join(text.split())
    assert " 1. location 3000 (3,000 cases)" in text
    assert " 4. location 2997 (2,997 cases), e.g. case-2997" in text
    assert "23. location 2978 (2,978 cases), e.g. case-2978" in text
    assert "24. " not in text
    assert "... and 2,977 more of 4,432,753 cases" in text


def briefs(run: Any, report: Report, *clusters: Cluster) -> list[str]:
    """Return the lines of causes that stand behind three others."""
    first = [Cluster(f"first {n}", 9, "c", (), ()) for n in range(3)]
    lines = report(replace(run, summary=replace(run.summary, clusters=(*first, *clusters))), "terminal").split("\n")
    return [line for line in lines if re.match(r" +([4-9]|\d\d)\. ", line)]


def test_a_cause_on_one_line_tells_an_example_and_what_became_of_it(run: Any, report: Report) -> None:
    stops = Difference("body", "text", "row 42", "", "default", note="new stops at line 41 of 231")
    assert briefs(
        run,
        report,
        Cluster(
            "status 200 -> 404", 2, "meta", ("status",), ("status",), Difference("status", "status", 200, 404, "d")
        ),
        Cluster("only new failed: timeout", 1, "slow", ("new failed",), ("timeout",)),
        Cluster("body: text, new stops early", 1, "csv-stream", ("body",), ("text",), stops),
        Cluster(
            "body.ok: extra", 1_000, "q", ("body.ok",), ("extra",), Difference("body.ok", "extra", MISSING, 1, "d")
        ),
        Cluster("body.rows: value", 1, "q", (), (), Difference("body.rows", "value", "x" * 100, "x" * 99 + "y", "d")),
    ) == [
        "   4. status 200 -> 404 (2 cases), e.g. meta",
        "   5. only new failed: timeout (1 case), e.g. slow",
        "   6. body: text, new stops early (1 case), e.g. csv-stream: at line 41 of 231",
        "   7. body.ok: extra (1,000 cases), e.g. q: missing -> 1",
        '   8. body.rows: value (1 case), e.g. q: ... xxxxxxxxxxxx" -> ... xxxxxxxxxxxy"',
    ]


@given(title=st.text(max_size=200), example=st.text(max_size=200), value=st.text(max_size=200))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cause_on_one_line_is_one_line_of_the_page(
    run: Any, report: Report, title: str, example: str, value: str
) -> None:
    sample = Difference("body.x", "value", value, value + "x", "default")
    (line,) = briefs(run, report, Cluster(title, 1_234, example, (), (), sample))
    assert len(line) <= 80
    assert "(1,234 cases)" in line


def test_thousands_of_files_stay_on_a_screen_or_two(run: Any, report: Report) -> None:
    files = tuple(Intake(f"{number}.har", 1) for number in range(5_000))
    text = report(replace(run, summary=replace(run.summary, intake=files)), "terminal")
    assert "... and 4,980 more" in text
    assert len(text.split("\n")) < 155


def test_an_undecided_run_says_how_to_settle_it_and_never_go(run: Any, report: Report) -> None:
    verdict = Verdict("INCONCLUSIVE", run.verdict.criteria[1:], None, 3)
    text = report(replace(run, verdict=verdict), "terminal")
    assert text.startswith("INCONCLUSIVE\n")
    assert not re.search(r"\bGO\b", text)
    assert "bring as much more as the criteria ask for" in text


def test_a_run_without_criteria_proves_nothing_and_says_so(run: Any, report: Report) -> None:
    assert "there is none, so nothing was proved" in report(
        replace(run, verdict=Verdict("INCONCLUSIVE", ())), "terminal"
    )


def test_a_run_that_broke_off_says_so_and_how_to_go_on(run: Any, report: Report) -> None:
    text = report(replace(run, summary=replace(run.summary, complete=False)), "terminal")
    assert "run 0193-abcd, not completed, exit code 1" in text
    assert "replay run --resume" in text


@pytest.mark.parametrize("counts", [Counts(loaded=2, compared=1, matched=1), Counts(loaded=1, compared=1)])
def test_a_sum_that_does_not_add_up_is_said_loudly(run: Any, report: Report, counts: Counts) -> None:
    for kind in ("terminal", "markdown", "junit"):
        assert "does not add up" in report(replace(run, summary=replace(run.summary, counts=counts)), kind)


def test_an_id_that_looks_like_an_option_is_quoted_as_an_argument(run: Any, report: Report) -> None:
    cluster = replace(run.summary.clusters[0], example="--store $(reboot)")
    text = report(replace(run, summary=replace(run.summary, clusters=(cluster,))), "terminal")
    assert "replay show -- '--store $(reboot)'" in text


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Return what a terminal returns."""
        return True


def test_a_terminal_gets_colour_unless_it_wants_none(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    TerminalReport(80).write(screen, run.summary, (), run.verdict)
    assert screen.getvalue().startswith("\x1b[1;31mNO-GO")


def test_a_terminal_that_is_no_utf_8_gets_escapes(run: Any) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    TerminalReport(80).write(out, replace(run.summary, decision="caf\u00e9"), (), run.verdict)
    out.flush()
    assert b"caf\\xe9" in raw.getvalue()


def test_latencies_of_functions_are_told_in_microseconds(run: Any, report: Report) -> None:
    quick = {
        side: replace(q, p50=q.p50 / 1e3, p95=q.p95 / 1e3, p99=q.p99 / 1e3) for side, q in run.summary.latency.items()
    }
    told = report(replace(run, summary=replace(run.summary, latency=quick)), "terminal")
    assert "latency of old: p50 1.0 p95 3.0 p99 4.0 us (n 5)" in told
    assert "old p50 1.0 p95 3.0 p99 4.0 us" in told


@pytest.mark.parametrize(
    ("planned", "achieved", "told"),
    [
        (200.0, 199.54, "planned 200, achieved 199.5 cases a second"),
        (20_000.0, 12_345.6, "planned 20,000, achieved 12,346 cases a second"),
        (None, 31_950.0, "planned at once, achieved 31,950 cases a second"),
        (None, None, "planned unknown, achieved unknown cases a second"),
    ],
)
def test_rates_are_told_in_numbers_that_people_write(
    run: Any, report: Report, planned: float | None, achieved: float | None, told: str
) -> None:
    pacing = Pacing("1x as recorded", planned, achieved, None, {})
    text = report(replace(run, summary=replace(run.summary, pacing=pacing)), "terminal")
    assert told in " ".join(text.split())
