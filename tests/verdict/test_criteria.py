"""The grammar of criteria: what parses, and how the rest is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.errors import CriterionError
from replay.verdict import METRICS, Terms, default_criteria, gate_sentences, parse_criteria
from replay.verdict.clauses import Clause
from replay.verdict.criteria import parse

SUBJECTS = ("deviation", "errors", "p95", "kpi", "rank", "category", "goldens")
TERMS = Terms(groups={"checkout": False, "check out": False, "tier-1": False, "category": True})


def sentences(*written: str) -> tuple[str, ...]:
    return tuple(criterion.sentence for criterion in parse_criteria(written))


def clause(sentence: str) -> Clause:
    """Return what the grammar makes of one criterion, whether or not a metric can judge it."""
    (found,) = parse(sentence, SUBJECTS, TERMS)
    return found


def fault(sentence: str) -> CriterionError:
    with pytest.raises(CriterionError) as caught:
        parse_criteria([sentence], TERMS)
    return caught.value


def pointed_at(error: CriterionError) -> str:
    """Return the word that the caret line underlines."""
    _, sentence, caret = error.fact.split("\n")
    return sentence[caret.index("^") : caret.rindex("^") + 1]


@pytest.mark.parametrize(
    "sentence",
    [
        "goldens pass",
        "deviation < 0.5%",
        "deviation <= 0.5%",
        "deviation<2%",
        "deviation < 0.5 %",
        "errors <= old",
        "errors <= old + 0.3pp",
        "errors < 1%",
        "timeouts <= 0.1%",
        "timeouts <= old + 0.3pp",
        "availability >= 99.9%",
        "availability >= old - 0.1pp",
        "category.schema = 0",
        "p95 <= old + 10%",
        "p99 <= +20ms at 99%",
        "p50 <= 1.5s on GET /orders/*",
        "category.schema <= 3",
        "category.status < 0.1% on GET /orders/* per route at 99%",
    ],
)
def test_a_criterion_prints_as_it_was_written(sentence: str) -> None:
    assert sentences(sentence) == (sentence,)


def test_blanks_and_line_breaks_between_words_do_not_matter() -> None:
    assert sentences("  deviation \n <  0.5% ") == ("deviation < 0.5%",)


def test_two_criteria_may_share_a_sentence() -> None:
    assert sentences("goldens pass and deviation < 0.5%") == ("goldens pass", "deviation < 0.5%")


def test_the_same_criterion_counts_once_and_the_order_stays() -> None:
    assert sentences("errors <= old", "goldens pass", "errors  <=  old") == ("errors <= old", "goldens pass")


@pytest.mark.parametrize(
    ("sentence", "word", "hint"),
    [
        ("deviaton < 0.5%", "deviaton", "did you mean 'deviation'?"),
        ("Goldens pass", "Goldens", "did you mean 'goldens'?"),
        ("sunshine < 0.5%", "sunshine", "known are: availability, category, deviation, errors, goldens, "),
        ("goldens pas", "pas", "did you mean 'pass'?"),
        ("errors <= odl", "odl", "did you mean 'old'?"),
        ("deviation > 1%", ">", "write deviation < 0.5%"),
        ("deviation < 0.5", "0.5", "write 0.5%"),
        ("deviation < 0.5pp", "0.5pp", "write 0.5%"),
        ("deviation < 5ms", "5ms", "write 5%"),
        ("deviation < old", "old", "write deviation < 0.5%"),
        ("deviation < 0%", "0%", "write a limit above 0% and below 100%"),
        ("deviation <= 100%", "100%", "write a limit above 0% and below 100%"),
        ("deviation < 0,5%", ",", "write '.'"),
        ("deviation \u2264 1%", "\u2264", "write '<='"),
        ("errors < old", "<", "write errors <= old"),
        ("errors <= old + 3%", "3%", "write old + 3pp: percentage points"),
        ("errors <= old - 1pp", "1pp", "write errors <= old + 0.5pp, or another margin above 0pp"),
        ("errors <= old +", "", "write, for example, old + 0.5pp"),
        ("errors pass", "errors", "write errors < 0.5%"),
        ("goldens < 3%", "<", "write goldens pass"),
        ("share of deviation < 3%", "share", "write deviation alone"),
        ("p95 >= old", ">=", "write p95 <= old + 10%"),
        ("p95 pass", "p95", "write p95 <= old + 10%"),
        ("p95 <= 30%", "30%", "write p95 <= 300ms"),
        ("p95 <= 300", "300", "write p95 <= 300ms"),
        ("p95 <= 0ms", "0ms", "write p95 <= 300ms"),
        ("p95 <= old + 3pp", "3pp", "write p95 <= old + 10%"),
        ("p95 <= old - 100%", "100%", "write p95 <= old + 10%"),
        ("p96 <= old", "p96", "did you mean 'p9"),
        ("timeouts >= 3%", ">=", "write timeouts < 0.5%"),
        ("timeouts >= old", ">=", "write timeouts <= old"),
        ("availability < 3%", "<", "write availability >= 99.9%"),
        ("availability >= 100%", "100%", "write a limit above 0% and below 100%"),
        ("availability <= old", "<=", "write availability >= old"),
        ("availability >= old + 1pp", "1pp", "write availability >= old - 0.5pp"),
        ("availability >= old - 1%", "1%", "write old - 1pp"),
        ("category = 0", "category", "write category.NAME"),
        ("category.shema = 0", "category.shema", "did you mean 'schema'?"),
        ("category.schema = 1", "=", "write category.schema = 0"),
        ("category.schema >= 1", ">=", "write category.schema = 0"),
        ("category.schema < 0", "0", "write category.schema = 0"),
        ("category.schema <= 1.5", "1.5", "write category.schema = 0"),
        ("category.schema <= 3ms", "3ms", "write category.schema = 0"),
        ("category.schema <= old", "old", "write category.schema = 0"),
        ("deviation < 0.5% for 7", "", "write, for example, for 7 days"),
        ("deviation < 0.5% for 7% days", "7%", "write, for example, for 7 days"),
        ("deviation < 0.5% for 0 days", "0", "write, for example, for 7 days"),
        ("deviation < 0.5% for 1.5 days", "1.5", "write, for example, for 7 days"),
        ("deviation < 0.5% for 7 weeks", "weeks", "write, for example, for 7 days"),
        ("deviation < 0.5% at", "", "write, for example, at 99%"),
        ("deviation < 0.5% at 99", "99", "write at 99%"),
        ("deviation < 0.5% at 5%", "5%", "write at 99%, or another one from 80%"),
        ("deviation < 0.5% at 100%", "100%", "write at 99%"),
        ("deviation < 0.5% at 99% at 98%", "at", "say it once"),
        ("deviation < 0.5% onn checkout", "onn", "did you mean 'on'?"),
        ("deviation < 0.5% on checkuot", "checkuot", "did you mean 'checkout'?"),
        ("deviation < 0.5% on", "", "known are: category, check out, checkout"),
        ("deviation < 0.5% on get /orders", "get /orders", "write it as in GET /orders/*"),
        ("deviation < 0.5% on POST", "POST", "known are: category"),
        ('deviation < 0.5% on "check out', '"', "close the quotes"),
        ("deviation < 0.5% on 'check out'", "'", "write '\"'"),
        ("deviation < 0.5% per rout", "rout", "did you mean 'route'?"),
        ("deviation < 0.5% per checkout", "checkout", "give it one, as in by: request.query.category"),
        ("deviation < 0.5% per categry", "categry", "did you mean 'category'?"),
        ("deviation.all < 0.5%", "deviation.all", "write deviation"),
        ("goldens pass at 99%", "99%", "write goldens pass"),
        ("goldens pass per route", "route", "write goldens pass"),
        ("deviation < 0.5% goldens pass", "goldens", "one criterion is SUBJECT, comparison, limit"),
    ],
)
def test_an_error_points_at_the_word_and_names_the_remedy(sentence: str, word: str, hint: str) -> None:
    error = fault(sentence)
    assert pointed_at(error).strip() == word
    assert str(error.hint).startswith(hint)


def test_an_error_reads_as_place_fact_and_remedy() -> None:
    assert str(fault("deviaton < 0.5%")).splitlines() == [
        "unknown metric 'deviaton'",
        "    deviaton < 0.5%",
        "    ^^^^^^^^",
        "  hint: did you mean 'deviation'?",
    ]


def test_a_criterion_says_whom_it_speaks_of_how_long_and_how_surely() -> None:
    found = clause("errors <= old + 1pp on POST /orders/* per category for 7 consecutive days at 99.9%")
    assert found.scope is not None
    assert (found.scope.kind, found.scope.text) == ("route", "POST /orders/*")
    assert found.per == "category"
    assert found.span is not None
    assert (found.span.count, found.span.unit) == (7, "days")
    assert found.confidence == 0.999


def test_qualifiers_stand_in_any_order() -> None:
    found = clause("deviation < 1% at 99% for 3 runs per route on checkout")
    assert found.scope is not None
    assert found.span is not None
    assert (found.scope.kind, found.scope.text, found.per) == ("group", "checkout", "route")
    assert (found.span.count, found.span.unit, found.confidence) == (3, "runs", 0.99)


def test_without_a_confidence_it_is_95_percent() -> None:
    assert clause("deviation < 1%").confidence == 0.95


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("POST /orders/*", "route", "POST /orders/*"),
        ("* /orders/**", "route", "* /orders/**"),
        ("/orders/*/and/old", "route", "/orders/*/and/old"),
        ("checkout", "group", "checkout"),
        ("tier-1", "group", "tier-1"),
        ('"check out"', "group", "check out"),
    ],
)
def test_a_scope_is_a_route_or_a_group(written: str, kind: str, text: str) -> None:
    found, _ = parse(f"deviation < 1% on {written} and errors <= old", SUBJECTS, TERMS)
    assert found.scope is not None
    assert (found.scope.kind, found.scope.text) == (kind, text)
    assert found.text == f"deviation < 1% on {written}"


@pytest.mark.parametrize("written", ["old + 10%", "old+10%", "+10%", "+ 10 %"])
def test_a_signed_amount_stands_beside_old(written: str) -> None:
    found = clause(f"p95 <= {written}")
    assert found.against_old
    assert found.amount is not None
    assert (found.amount.number, found.amount.unit) == (Decimal(10), "%")


def test_a_hyphen_before_a_number_is_a_minus() -> None:
    found = clause("kpi.auth-rate >= old-0.5pp")
    assert (found.family, found.name) == ("kpi", "auth-rate")
    assert found.amount is not None
    assert found.amount.number == Decimal("-0.5")


def test_a_share_of_places_is_told_from_their_mean() -> None:
    share, mean = clause("share of rank.tau >= 0.9"), clause("rank.tau >= 0.9")
    assert (share.share_of, share.family, share.name) == (True, "rank", "tau")
    assert not mean.share_of
    assert share.text == "share of rank.tau >= 0.9"


def test_the_sentence_of_the_first_day_is_two_criteria() -> None:
    first, second = parse("deviation < 0.5% for 7 consecutive days and p95 <= +10%", SUBJECTS, TERMS)
    assert first.span is not None
    assert second.span is None
    assert (first.text, second.text) == ("deviation < 0.5% for 7 consecutive days", "p95 <= +10%")


@pytest.mark.parametrize("sentence", ["", "   ", "goldens", "deviation <", "goldens pass and", "and", "<", "0.5%"])
def test_half_a_sentence_is_refused(sentence: str) -> None:
    fault(sentence)


def test_an_error_prints_no_control_character_of_the_sentence() -> None:
    printed = str(fault("deviation \x1b[31m\u202e< 1%"))
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_a_sentence_that_nobody_wrote_is_not_echoed() -> None:
    assert len(str(fault("deviation " * 10_000))) < 200


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["goldens", "pass", "deviation", "<", "0.5%", "old", "+", "and", "on", "per", "at", "for", "/a", '"']
        )
    ).map(" ".join)
)
@settings(max_examples=60)
def test_any_text_parses_or_is_refused_as_a_criterion(text: str) -> None:
    try:
        criteria = parse_criteria([text])
    except CriterionError as error:
        assert error.hint  # noqa: PT017 - both ways out are right
    else:
        assert parse_criteria([criterion.sentence for criterion in criteria])


def test_every_metric_says_what_it_answers() -> None:
    assert all(factory.__doc__ and "Raises CriterionError" in factory.__doc__ for factory in METRICS.values())


@pytest.mark.parametrize(
    ("given_cases", "expected"),
    [
        ({"goldens": True, "traffic": False}, ("goldens pass",)),
        ({"goldens": False, "traffic": True}, ("deviation < 0.5%", "errors <= old")),
        ({"goldens": True, "traffic": True}, ("goldens pass", "deviation < 0.5%", "errors <= old")),
        ({"goldens": False, "traffic": False}, ()),
    ],
)
def test_what_holds_by_default_depends_on_what_there_is(
    given_cases: dict[str, bool], expected: tuple[str, ...]
) -> None:
    assert default_criteria(**given_cases) == expected
    assert sentences(*expected) == expected


GATES = {"pr": ["goldens pass"], "cutover": ["deviation < 0.5%", "goldens pass"]}


def test_a_gate_is_picked_by_its_name() -> None:
    assert gate_sentences(GATES, "cutover") == ("deviation < 0.5%", "goldens pass")


def test_without_a_gate_all_must_hold_each_once() -> None:
    assert gate_sentences(GATES, None) == ("goldens pass", "deviation < 0.5%")


def test_an_unknown_gate_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(CriterionError, match="unknown gate 'cutovr'") as caught:
        gate_sentences(GATES, "cutovr")
    assert caught.value.hint == "did you mean 'cutover'?"


def test_a_gate_cannot_be_picked_from_one_list() -> None:
    with pytest.raises(CriterionError, match="unknown gate 'pr'") as caught:
        gate_sentences({"": ["goldens pass"]}, "pr")
    assert caught.value.hint is not None
    assert "cut_when" in caught.value.hint
