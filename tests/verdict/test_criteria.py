"""The grammar of criteria: what parses, and how the rest is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.errors import CriterionError
from replay.verdict import METRICS, default_criteria, gate_sentences, parse_criteria


def sentences(*written: str) -> tuple[str, ...]:
    return tuple(criterion.sentence for criterion in parse_criteria(written))


def fault(sentence: str) -> CriterionError:
    with pytest.raises(CriterionError) as caught:
        parse_criteria([sentence])
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
        ("sunshine < 0.5%", "sunshine", "known are: deviation, errors, goldens"),
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
        (
            "deviation < 0.5% on checkout",
            "on",
            "a criterion covers the whole run in this version; leave out everything",
        ),
        (
            "deviation < 0.5% for 7 days",
            "for",
            "a criterion covers the whole run in this version; leave out everything",
        ),
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
    | st.lists(st.sampled_from(["goldens", "pass", "deviation", "<", "0.5%", "old", "+", "and"])).map(" ".join)
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
