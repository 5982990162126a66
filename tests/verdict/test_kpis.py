"""Criteria about key figures: when they hold, when they fail, and above all when they do not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from replay.errors import CriterionError
from replay.models import (
    Case,
    CaseError,
    CaseKind,
    Figure,
    Json,
    Judgement,
    KpiSpec,
    OutcomeName,
    Request,
    Result,
    Side,
)
from replay.verdict import Judge, Terms, parse_criteria
from replay.verdict.figure_metric import FEWEST
from replay.verdict.kpi_account import Account, Accounts

SPECS = {
    "rate": KpiSpec(share="body.outcome == 'approved'"),
    "held": KpiSpec(count="body.outcome == 'approved'"),
    "fees": KpiSpec(sum="body.fee"),
    "fee": KpiSpec(mean="body.fee"),
    "p90": KpiSpec.model_validate({"quantile": {"of": "body.fee", "q": 0.9}}),
}
OUTCOMES: Mapping[str, OutcomeName] = {"old": "old_error", "new": "new_error", "both": "both_error"}
KPIS = tuple(SPECS)
NUMBERS = ("fees", "fee", "p90")


def told(
    name: object, kpi: str, old: Json, new: Json, *, failed: str = "", faults: Mapping[Side, str] | None = None,
    session: str | None = None, turn: int = 1, kind: CaseKind = "traffic",
) -> Result:  # fmt: skip
    case = Case(id=f"case-{name}", kind=kind, identity=f"traffic:{name}", request=Request(), session=session)
    faults = faults or {}
    error = CaseError(failed, "timeout") if failed else None  # type: ignore[arg-type]
    definition = SPECS[kpi].definition if kpi in SPECS else ""
    figure = Figure(kpi, definition, old, new, faults.get("old", ""), faults.get("new", ""))
    outcome = OUTCOMES.get(failed, "match")
    return Result(case if turn == 1 else case.again(turn), outcome, error=error, figures=(figure,))


def many(count: int, kpi: str, old: Json, new: Json, *, of: str = "c", **more: Any) -> list[Result]:
    return [told(f"{of}{number}", kpi, old, new, **more) for number in range(count)]


def judged(sentence: str, results: Iterable[Result], parts: int | None = None) -> Judgement:
    (criterion,) = parse_criteria([sentence], Terms(kpis=SPECS))
    if parts is not None:
        metric = criterion.metric()
        metric.add_all(list(results))
        return metric.judge(parts)
    judge = Judge([criterion])
    judge.add_all(results)
    (answer,) = judge.verdict().criteria
    return answer


def same(kpi: str, count: int = 2_000) -> list[Result]:
    """Return cases of which both sides say the same, not all alike."""
    if SPECS[kpi].holds:
        return many(count // 2, kpi, True, True, of="yes") + many(count // 2, kpi, False, False, of="no")
    return [told(n, kpi, Decimal(10 + n % 7), Decimal(10 + n % 7)) for n in range(count)]


# what settles it


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("limit", [">= old - 1%", "<= old + 1%"])
def test_two_sides_that_say_the_same_2000_times_are_go_within_a_margin(kpi: str, limit: str) -> None:
    assert judged(f"kpi.{kpi} {limit}", same(kpi)).state == "GO"


def test_598_pairs_that_agree_show_a_share_within_half_a_point_and_597_do_not() -> None:
    sentence = "kpi.rate >= old - 0.5pp"
    assert judged(sentence, many(598, "rate", True, True)).state == "GO"
    short = judged(sentence, many(597, "rate", True, True))
    assert short.state == "INCONCLUSIVE"
    assert "1 case more like these would settle it" in short.why


def test_a_share_that_falls_by_more_than_its_margin_is_no_go() -> None:
    results = many(16_660, "rate", True, True, of="a") + many(3_200, "rate", False, False, of="d")
    results += many(140, "rate", True, False, of="lost")
    answer = judged("kpi.rate >= old - 0.5pp", results)
    assert (answer.state, answer.n, answer.unit) == ("NO-GO", 20_000, "pp")
    assert answer.value == pytest.approx(-0.007)
    assert answer.interval is not None
    assert answer.interval[0] == pytest.approx(-0.0081, abs=1e-4)
    assert answer.why.startswith("old 84%, new 83.3% over 20,000 cases (-0.7pp); with 95% confidence at most -0.60")


@pytest.mark.parametrize("kpi", ["rate", "held"])
@pytest.mark.parametrize(("limit", "holds"), [(">= old - %s", False), ("<= old + %s", True)])
def test_what_holds_nowhere_cannot_fall_and_what_holds_everywhere_cannot_rise(
    kpi: str, limit: str, *, holds: bool
) -> None:
    answer = judged(f"kpi.{kpi} {limit}" % ("0.5pp" if kpi == "rate" else "20"), many(2_000, kpi, holds, holds))
    assert answer.state == "INCONCLUSIVE"
    assert "does it ask for what is there?" in answer.why
    assert ("it holds in no answer of either side" in answer.why) is not holds


def test_what_never_happens_may_well_not_happen_more_often() -> None:
    answer = judged("kpi.rate <= old + 0.5pp", many(2_000, "rate", False, False))
    assert answer.state == "GO"
    assert "it holds in no answer of either side" in answer.why


def test_a_share_that_rises_as_it_must_not_is_no_go() -> None:
    results = many(900, "rate", False, False, of="a") + many(100, "rate", False, True, of="b")
    assert judged("kpi.rate <= old + 0.5pp", results).state == "NO-GO"


def test_gains_do_not_make_up_for_what_they_hide() -> None:
    """As many gained as lost is no difference, and the bounds are wide for it."""
    results = many(300, "rate", True, False, of="a") + many(300, "rate", False, True, of="b")
    answer = judged("kpi.rate >= old - 1pp", results)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0.0)


@pytest.mark.parametrize(
    ("sentence", "old", "new", "state"),
    [
        ("kpi.fees <= old + 1%", 100, 102, "NO-GO"),
        ("kpi.fees <= old + 1%", 100, 100.2, "GO"),
        ("kpi.fees >= old - 1%", 100, 102, "GO"),
        ("kpi.fees > old", 100, 102, "GO"),
        ("kpi.fees < old", 100, 102, "NO-GO"),
        ("kpi.fee <= old + 1", 100, 102, "NO-GO"),
        ("kpi.fee <= old + 3", 100, 102, "GO"),
        ("kpi.fee <= 103", 100, 102, "GO"),
        ("kpi.fee <= 101", 100, 102, "NO-GO"),
        ("kpi.fees >= 203000", 100, 102, "GO"),
        ("kpi.p90 <= old + 1%", 100, 102, "NO-GO"),
        ("kpi.p90 <= old + 3%", 100, 102, "GO"),
        ("kpi.p90 <= 103", 100, 102, "GO"),
    ],
)
def test_figures_are_held_against_old_or_against_a_number(sentence: str, old: float, new: float, state: str) -> None:
    kpi = sentence.removeprefix("kpi.").partition(" ")[0]
    assert judged(sentence, many(2_000, kpi, Decimal(old), Decimal(str(new)))).state == state


@pytest.mark.parametrize(
    ("sentence", "state"),
    [
        ("kpi.rate >= 70%", "GO"),
        ("kpi.rate >= 80%", "NO-GO"),
        ("kpi.rate <= 80%", "GO"),
        ("kpi.rate >= 0.7", "GO"),
        ("kpi.rate >= 74.9%", "INCONCLUSIVE"),
        ("kpi.held >= 1400", "GO"),
        ("kpi.held >= 1600", "NO-GO"),
        ("kpi.held >= old - 50", "GO"),
        ("kpi.held >= old - 5%", "GO"),
    ],
)
def test_shares_and_counts_are_held_against_a_number(sentence: str, state: str) -> None:
    kpi = sentence.removeprefix("kpi.").partition(" ")[0]
    results = many(1_500, kpi, True, True, of="a") + many(500, kpi, False, False, of="d")
    assert judged(sentence, results).state == state


def test_more_confidence_takes_more_cases() -> None:
    assert judged("kpi.rate >= old - 0.5pp at 99%", many(918, "rate", True, True)).state == "INCONCLUSIVE"
    assert judged("kpi.rate >= old - 0.5pp at 99%", many(1_100, "rate", True, True)).state == "GO"


def test_one_of_many_parts_fails_only_with_more_confidence() -> None:
    results = many(990, "rate", True, True, of="a") + many(13, "rate", True, False, of="b")
    assert judged("kpi.rate >= old - 0.5pp", results, 1).state == "NO-GO"
    assert judged("kpi.rate >= old - 0.5pp", results, 50).state == "INCONCLUSIVE"


# never GO


@pytest.mark.parametrize("kpi", KPIS)
def test_no_figure_at_all_is_inconclusive(kpi: str) -> None:
    assert judged(f"kpi.{kpi} >= old - 1%", []).state == "INCONCLUSIVE"
    assert judged(f"kpi.{kpi} >= old - 1%", many(900, "another", 1, 1)).state == "INCONCLUSIVE"


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("failed", ["old", "both"])
def test_cases_that_old_or_both_failed_are_never_go(kpi: str, failed: str) -> None:
    known = None if failed == "both" else True if SPECS[kpi].holds else Decimal(9)
    answer = judged(f"kpi.{kpi} >= old - 1%", many(5_000, kpi, None, known, failed=failed))
    assert answer.state == "INCONCLUSIVE"


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("side", ["old", "new"])
def test_one_answer_without_a_figure_rules_out_go_and_is_told(kpi: str, side: Side) -> None:
    figures = {"old": None, "new": 1} if side == "old" else {"old": 1, "new": None}
    odd = told("odd", kpi, figures["old"], figures["new"], faults={side: "body.fee is missing"})
    answer = judged(f"kpi.{kpi} >= old - 1%", [*same(kpi), odd])
    assert answer.state == "INCONCLUSIVE"
    assert f"1 answer tells no figure: {side}: body.fee is missing (1, such as case-odd)" in answer.why
    assert "rule out GO" in answer.why


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("limit", [">= old - 1%", "<= old + 1%"])
def test_answers_that_fail_on_new_improve_no_figure(kpi: str, limit: str) -> None:
    """Ten percent of new's answers do not come; whichever way is better, that is no way to get there."""
    value = True if SPECS[kpi].holds else Decimal(9)
    lost = many(200, kpi, value, None, of="lost", failed="new")
    if SPECS[kpi].holds and limit.startswith("<="):
        lost = many(200, kpi, False, None, of="lost", failed="new")
    assert judged(f"kpi.{kpi} {limit}", same(kpi) + lost).state != "GO"


def test_an_answer_of_new_that_did_not_come_approves_nothing() -> None:
    results = many(900, "rate", True, True, of="a") + many(100, "rate", True, None, of="lost", failed="new")
    answer = judged("kpi.rate >= old - 5pp", results)
    assert (answer.state, answer.value) == ("NO-GO", -0.1)
    assert "counted at their worst, since a side failed: 100 on new alone" in answer.why


def test_failures_of_old_do_not_make_new_better() -> None:
    results = many(900, "rate", True, True, of="a") + many(100, "rate", None, True, of="lost", failed="old")
    answer = judged("kpi.rate > old", results)
    assert (answer.state, answer.value) == ("INCONCLUSIVE", 0.0)


def test_failures_of_both_do_not_leave_a_rate_alone() -> None:
    results = many(900, "rate", True, True, of="a") + many(300, "rate", None, None, of="lost", failed="both")
    assert judged("kpi.rate >= 80%", results).state == "INCONCLUSIVE"


@pytest.mark.parametrize("kpi", NUMBERS)
def test_a_few_failures_widen_the_bounds_and_rule_nothing_out(kpi: str) -> None:
    lost = many(1, kpi, Decimal(11), None, of="lost", failed="new")
    assert judged(f"kpi.{kpi} >= old - 5%", same(kpi) + lost).state == "GO"


@pytest.mark.parametrize("kpi", KPIS)
def test_fewer_than_30_cases_settle_nothing(kpi: str) -> None:
    value = True if SPECS[kpi].holds else Decimal(9)
    for limit in (">= old - 50%", "<= old - 90%"):
        assert judged(f"kpi.{kpi} {limit}", many(FEWEST - 1, kpi, value, value)).state == "INCONCLUSIVE"


@pytest.mark.parametrize("kpi", KPIS)
def test_one_session_settles_nothing_however_many_cases_it_has(kpi: str) -> None:
    value = True if SPECS[kpi].holds else Decimal(9)
    answer = judged(f"kpi.{kpi} >= old - 50%", many(5_000, kpi, value, value, session="s"))
    assert answer.state == "INCONCLUSIVE"


@pytest.mark.parametrize("kpi", NUMBERS)
def test_equal_figures_prove_no_more_than_a_share_of_cases_like_none_of_them(kpi: str) -> None:
    """A hundred equal pairs vary by nothing; a kind of case that is as rare as 1 in 100 may still be missing."""
    assert judged(f"kpi.{kpi} >= old - 1%", many(100, kpi, Decimal(9), Decimal(9))).state == (
        "INCONCLUSIVE" if kpi != "p90" else "GO"
    )


@pytest.mark.parametrize("kpi", ["fees", "fee", "held", "rate"])
def test_a_share_of_nothing_says_nothing(kpi: str) -> None:
    nothing = False if SPECS[kpi].holds else Decimal(0)
    answer = judged(f"kpi.{kpi} <= old + 1%", many(2_000, kpi, nothing, nothing))
    assert (answer.state, answer.value) == ("INCONCLUSIVE", None)
    assert "old's figure is not above 0" in answer.why


def test_the_same_cases_again_add_nothing() -> None:
    results = many(300, "rate", True, True)
    assert judged("kpi.rate >= old - 1pp", results + many(300, "rate", True, True, turn=2)).n == 300


def test_figures_of_another_definition_are_no_evidence() -> None:
    """A stored run may be judged when `rate` has come to mean something else."""
    results = [replace(each, figures=(replace(each.figures[0], definition="other"),)) for each in same("rate")]
    answer = judged("kpi.rate >= old - 5pp", results)
    assert (answer.state, answer.n) == ("INCONCLUSIVE", 0)
    assert "it was defined otherwise when the case was sent (2,000, such as case-yes0)" in answer.why


def test_a_side_that_rules_of_now_take_for_failed_has_no_figure_any_more() -> None:
    late = [replace(each, outcome="new_error", error=CaseError("new", "error_when")) for each in same("rate")]
    assert judged("kpi.rate >= old - 5pp", late).state == "NO-GO"


def test_a_side_that_failed_only_by_the_rules_of_then_has_no_figure_that_was_kept() -> None:
    answer = judged("kpi.rate >= old - 5pp", [*same("rate"), told("odd", "rate", True, None)])
    assert answer.state == "INCONCLUSIVE"
    assert "new: it failed when the case was sent (1, such as case-odd)" in answer.why


@pytest.mark.parametrize("kpi", NUMBERS)
@pytest.mark.parametrize("size", ["1E+60", "-1E+60", "1E-60"])
def test_figures_of_any_size_are_computed_with(kpi: str, size: str) -> None:
    results = [told(n, kpi, Decimal(size), (1 + n % 3) * Decimal(size)) for n in range(400)]
    for limit in ("<= old + 1%", ">= old - 5", ">= 7"):
        assert judged(f"kpi.{kpi} {limit}", results).state in ("GO", "NO-GO", "INCONCLUSIVE")


# figures


def test_sums_of_money_keep_every_cent() -> None:
    account = Account("fees", SPECS["fees"])
    cent = Decimal("0.10000000000000000001")
    for number in range(30_000):
        account.add(told(number, "fees", Decimal("0.10"), cent))
    account.add(told("large", "fees", Decimal("1E+17"), Decimal("1E+17")))
    kpi = account.kpi()
    assert (kpi.old, kpi.new, kpi.difference) == (
        Decimal("100000000000003000.00"),
        Decimal("100000000000003000.0000000000000003"),
        Decimal("3E-16"),
    )


def test_each_kind_has_its_figure_over_the_same_cases() -> None:
    accounts = Accounts(SPECS)
    for number in range(10):
        for kpi in NUMBERS:
            accounts.add_all([told(f"{kpi}{number}", kpi, Decimal(number), Decimal(2 * number))])
        for kpi in ("rate", "held"):
            accounts.add_all([told(f"{kpi}{number}", kpi, number < 5, number < 4)])
            accounts.add_all([told(f"{kpi}{number}", kpi, number < 5, number < 4, turn=2)])
    found = {kpi.name: (kpi.old, kpi.new, kpi.n) for kpi in accounts.kpis()}
    assert found == {
        "rate": (0.5, 0.4, 10),
        "held": (5, 4, 10),
        "fees": (Decimal(45), Decimal(90), 10),
        "fee": (4.5, 9.0, 10),
        "p90": (8.0, 16.0, 10),
    }


def test_reasons_are_told_apart_only_so_far() -> None:
    account = Account("fee", SPECS["fee"])
    for number in range(500):
        account.add(told(number, "fee", 1, None, faults={"new": f"clicks raised ValueError: {number}"}))
    assert len(account.faults) == 21
    assert account.faults.total() == 500


# limits that make no sense


@pytest.mark.parametrize(
    ("sentence", "fact", "hint"),
    [
        ("kpi.rat >= 5%", "unknown KPI 'rat'", "did you mean 'rate'?"),
        ("kpi.rate pass", "a KPI is compared with a limit", "old - 0.5pp"),
        ("kpi.rate = old", "no sample can prove that it is equal", "old - 0.5pp"),
        ("kpi.rate >= old", "no sample can prove that it is not worse at all", "old - 0.5pp"),
        ("kpi.fees <= old", "no sample can prove that it is not worse at all", "old + 1%"),
        ("kpi.rate >= old - 0.5", "'0.5' says nothing of a share", "0.5pp"),
        ("kpi.fees >= old - 5pp", "'5pp' says nothing of a sum", "5"),
        ("kpi.fees >= old - 5ms", "'5ms' says nothing of a sum", "5"),
        ("kpi.fees >= 5%", "'5%' says nothing of a sum", "5"),
        ("kpi.rate >= 5ms", "'5ms' says nothing of a share", "5%"),
        ("kpi.rate >= 120%", "no sample can prove this", "below 100%"),
        ("kpi.rate >= old - 100pp", "this holds whatever new does", "kpi.rate >= old - 0.5pp"),
        ("kpi.rate <= old + 100pp", "this holds whatever new does", "kpi.rate <= old + 0.5pp"),
        ("kpi.rate >= old - 100%", "this holds whatever new does", "kpi.rate >= old - 0.5pp"),
        ("kpi.held >= old - 100%", "this holds whatever new does", "old - 1%"),
        ("kpi.held >= 0", "this holds whatever new does", "old - 1%"),
        ("share of kpi.rate >= 5%", "'kpi' is no measure of places", "kpi.rate"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told_with_the_word(sentence: str, fact: str, hint: str) -> None:
    with pytest.raises(CriterionError) as caught:
        parse_criteria([sentence], Terms(kpis=SPECS))
    assert fact in caught.value.fact
    assert "^" in caught.value.fact
    assert hint in (caught.value.hint or "")


def test_without_any_kpi_the_hint_shows_how_to_define_one() -> None:
    with pytest.raises(CriterionError) as caught:
        parse_criteria(["kpi.rate >= 5%"])
    assert "kpis: {auth_rate:" in (caught.value.hint or "")
