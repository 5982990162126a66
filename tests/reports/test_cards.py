"""Parity cards: one screen on which a reader can decide, at any width, whatever stands in them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from replay.models import Counts, Judgement, Verdict, VerdictState
from replay.reports import TerminalReport, steps
from replay.reports.cards import LEGEND, MOST, Card, laid_out

Report = Callable[..., str]
WIDTHS = (40, 60, 79, 80, 120, 140, 200)


def rows(found: list[Card], width: int) -> list[str]:
    return [
        "".join(span for span, _ in spans) if not isinstance(spans, str) else spans
        for spans, _ in laid_out(found, width)
    ]


def printed(run: Any, width: int) -> list[str]:
    out = io.StringIO()
    TerminalReport(width).write(out, run.summary, run.results, run.verdict)
    return out.getvalue().split("\n")


def criteria(*states: VerdictState) -> Verdict:
    found = tuple(Judgement(f"deviation < {n + 1}%", state, f"reason {n}") for n, state in enumerate(states))
    worst: VerdictState = "NO-GO" if "NO-GO" in states else "GO"
    return Verdict(worst, found, None, 1)


@pytest.mark.parametrize(("width", "beside"), [(40, 1), (78, 2), (80, 2), (118, 3), (140, 3), (200, 4), (400, 4)])
def test_as_many_cards_stand_beside_each_other_as_fit(width: int, beside: int) -> None:
    found = [Card(f"card {n}", ("line",)) for n in range(4)]
    assert rows(found, width)[0].count("+- card") == beside


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_card_is_wider_than_the_screen_or_narrower_than_its_row(
    run: Any, hostile_run: Any, width: int
) -> None:
    for each in (run, hostile_run):
        lines = [line for line in printed(each, width) if line.startswith(("+-", "| "))]
        assert lines
        assert max(map(cell_len, lines)) <= width
        assert all(line.endswith(("-+", " |")) for line in lines)


@given(
    head=st.text(st.characters(categories=("L", "N", "S", "Zs")), min_size=1, max_size=60),
    text=st.text(st.characters(categories=("L", "N", "S", "Zs")), max_size=120),
    width=st.integers(40, 160),
)
def test_letters_that_take_two_cells_move_no_frame(head: str, text: str, width: int) -> None:
    widths = {cell_len(row) for row in rows([Card(head, (text,), text, "fails"), Card("b", ())], width)}
    assert len(widths) == 1
    assert widths.pop() <= width


def test_a_card_shows_sentence_number_interval_n_and_state(run: Any) -> None:
    judgement = Judgement("deviation < 0.5%", "NO-GO", "too many; more", 0.054, (0.041, 0.0698), 737.9, "share")
    lines = printed(replace(run, verdict=Verdict("NO-GO", (judgement,), None, 1)), 80)
    top = next(number for number, line in enumerate(lines) if line.startswith("+- deviation < 0.5%"))
    card = [line[:39] for line in lines[top : top + 5]]
    assert card == [
        "+- deviation < 0.5% ---------- fails -+",
        "| 5.4%   4.1% to 6.98%                |",
        "| n 737.9                             |",
        "| too many                            |",
        "+-------------------------------------+",
    ]


def test_a_long_sentence_stands_in_full_below_its_subject() -> None:
    sentence = "kpi.authorisation_rate >= old - 0.5pp on checkout for 7 days"
    shown = rows([Card(sentence, ("no figure",), "", "undecided")], 80)
    assert shown[0].startswith("+- kpi")
    assert sentence in " ".join(row[2:37].strip() for row in shown[1:3])


def test_no_count_is_cut_out_of_what_a_verdict_rests_on(run: Any) -> None:
    counts = Counts(loaded=20_000, compared=12_393, matched=12_393, errored=7_607)
    lines = printed(replace(run, summary=replace(run.summary, counts=counts)), 80)
    card = " ".join(line[2:37].strip() if "compared 12" in line[:39] else line[43:78].strip() for line in lines)
    assert "compared 12,393 of 20,000, errored 7,607 skipped 0, deviating 0" in card


def test_what_is_missing_is_what_an_undecided_card_says(run: Any) -> None:
    why = "deviating: 0 of 3 cases; the bounds enclose 0.5%; 595 cases more, all clean, would settle it"
    lines = printed(replace(run, verdict=Verdict("INCONCLUSIVE", (Judgement("a", "INCONCLUSIVE", why),), None, 3)), 80)
    assert any("| 595 cases more, all clean, would" in line for line in lines)


def test_of_many_criteria_those_that_do_not_hold_get_the_cards(run: Any) -> None:
    states: list[VerdictState] = ["GO"] * 30
    states[25] = "NO-GO"
    lines = printed(replace(run, verdict=criteria(*states)), 80)
    heads = [line for line in lines if line.startswith("+- deviation")]
    assert heads[0].startswith("+- deviation < 26%")
    assert sum(line.count("+- deviation") for line in heads) == MOST
    assert f"and {30 - MOST} further criteria, which hold" in lines
    assert len([line for line in lines if line.startswith("  holds      deviation")]) == 29


@pytest.mark.parametrize("state", ["NO-GO", "INCONCLUSIVE"])
def test_criteria_without_a_card_are_not_said_to_hold_unless_they_do(run: Any, state: VerdictState) -> None:
    lines = printed(replace(run, verdict=criteria(*[state] * (MOST + 1))), 80)
    assert "and 1 further criterion" in lines


def test_parts_days_and_runs_are_a_strip_of_marks(run: Any) -> None:
    parts = (Judgement("GET /a", "GO", ""), Judgement("GET /b", "NO-GO", ""), Judgement("GET /c", "INCONCLUSIVE", ""))
    days = tuple(
        Judgement(f"2026-01-0{n}", "INCONCLUSIVE", "", mark=mark)
        for n, mark in enumerate(("ok", "none", "open", "fails", "other rules"), start=1)
    )
    found = (Judgement("a per route", "NO-GO", "", parts=parts), Judgement("a for 5 days", "NO-GO", "", parts=days))
    lines = printed(replace(run, verdict=Verdict("NO-GO", found, None, 1)), 80)
    assert any("| +x? " in line and "| +.?x- " in line for line in lines)
    assert LEGEND in lines


def test_the_verdict_comes_first_then_why_then_what_to_do(run: Any) -> None:
    first = printed(run, 80)[:3]
    assert first == [
        "NO-GO",
        "1 of 3 criteria fails: goldens pass",
        "next: replay show t3  to see the first cause's example in full",
    ]


@pytest.mark.parametrize(
    ("gate", "owner", "expected"),
    [
        (None, "payments-oncall", "next: payments-oncall says go"),
        (None, None, "next: cut over"),
        ("pr", "payments-oncall", "next: the gate pr is open"),
    ],
)
def test_after_a_go_it_is_the_owners_turn(run: Any, gate: str | None, owner: str | None, expected: str) -> None:
    verdict = replace(criteria("GO", "GO"), gate=gate)
    lines = printed(replace(run, verdict=verdict, summary=replace(run.summary, owner=owner, warnings=())), 80)
    assert lines[:3] == ["GO", "all 2 criteria hold", expected]


def test_a_card_never_says_go(run: Any) -> None:
    lines = printed(replace(run, verdict=criteria("GO", "NO-GO")), 80)
    assert not any("GO" in line for line in lines if line.startswith(("+-", "| ")))


@pytest.mark.parametrize("why", ["5 cases more would settle it", "no traffic was compared", "no traffic was sent"])
def test_whoever_is_undecided_is_asked_for_more_cases(run: Any, why: str) -> None:
    verdict = Verdict("INCONCLUSIVE", (Judgement("a", "INCONCLUSIVE", why),), None, 3)
    assert steps.first_step(run.summary, verdict).startswith("replay run --traffic FILE")
    broken_off = replace(run.summary, complete=False)
    assert steps.first_step(broken_off, verdict).startswith("replay run --resume")


def test_colour_is_for_terminals_alone(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    TerminalReport(80).write(out, run.summary, run.results, run.verdict)
    assert "\x1b[31m fails \x1b[0m" in out.getvalue()
    assert "\x1b" not in "".join(printed(run, 80))


@pytest.mark.parametrize(
    ("number", "expected"), [(1, "next: read the warning below; then "), (2, "next: read the 2 warnings below; then ")]
)
def test_a_go_with_warnings_has_them_read_first(run: Any, number: int, expected: str) -> None:
    warned = replace(run.summary, warnings=("old and new are the same",) * number, owner=None)
    assert printed(replace(run, verdict=criteria("GO"), summary=warned), 80)[2] == f"{expected}cut over"


def compared_nothing(run: Any, **facts: Any) -> str:
    """Return what is to be done first after a run that compared nothing."""
    counts = replace(run.summary.counts, compared=0)
    return steps.first_step(replace(run.summary, counts=counts, **facts), Verdict("INCONCLUSIVE", (), None, 3))


def test_a_side_that_is_not_there_comes_before_its_cases_and_before_going_on(run: Any) -> None:
    told = compared_nothing(run, complete=False, latency={}, errors={"both refused": 2, "new status": 1})
    assert told == "replay doctor  to see why there is no answer from old and new: refused"


def test_a_side_that_answered_is_not_called_silent(run: Any) -> None:
    assert "doctor" not in compared_nothing(run, errors={"both refused": 2})
    assert "doctor" not in compared_nothing(run, latency={}, errors={"new status": 2})


def test_cases_that_were_not_allowed_are_answered_by_the_flag_that_allows_them(run: Any) -> None:
    skipped = {"POST is not sent to a live old that is not writable": 1}
    assert compared_nothing(run, skipped=skipped).startswith("replay run --writable both  to ")


def test_goldens_with_nothing_to_be_compared_with_ask_for_an_old_side(run: Any) -> None:
    skipped = {"there is no old, and nothing is expected": 1}
    assert compared_nothing(run, skipped=skipped).startswith("replay run --old URL  to ")
