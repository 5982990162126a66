"""Rules that leave nothing to compare are refused, or their cases prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from replay.compare import Compared, require_evidence
from replay.errors import SettingsError
from replay.models import Expectation, RuleSpec

Compare = Callable[..., Compared]

IGNORE: dict[str, Any] = {"ignore": True}
STATUS, BODY = {"at": "status", **IGNORE}, {"at": "body", **IGNORE}


@pytest.mark.parametrize(
    ("rules", "seen"),
    [
        ([], True),
        ([STATUS], True),
        ([BODY], True),
        ([STATUS, BODY], False),
        ([{"at": "*", **IGNORE}], False),
        ([{"at": "..*", **IGNORE}], False),
        ([{"at": "['status','body']", **IGNORE}], False),
        ([STATUS, {"at": "body.*", **IGNORE}], False),
        ([STATUS, {"at": "body..*", **IGNORE}], False),
        ([STATUS, {"at": "body.a", **IGNORE}], True),
        ([STATUS, {"at": "headers", **IGNORE}, BODY], False),
        ([STATUS, BODY, {"at": "headers.etag", "strict": True}], True),
        ([{"at": "*", **IGNORE}, {"at": "body.a", "strict": True}], True),
        ([{"at": "body.a", "strict": True}, {"at": "*", **IGNORE}], False),
        ([{"at": "*", **IGNORE}, {"at": "status", "same_type": True}], True),
        ([STATUS, BODY, {"at": "body", "schema": {"type": "object"}}], True),
        ([STATUS, BODY, {"at": "body", "as": "json"}], False),
        ([STATUS, BODY, {"at": "body.a", "renamed": "b"}], False),
    ],
)
def test_a_case_is_evidence_only_if_something_is_left_to_compare(
    compare: Compare, rules: list[dict[str, Any]], *, seen: bool
) -> None:
    assert compare({"a": 1}, {"a": 1}, *rules).evidence is seen


def test_a_function_has_no_status_that_could_be_left(compare: Compare) -> None:
    assert not compare({"a": 1}, {"a": 1}, BODY, statuses=(None, None)).evidence
    assert compare({"a": 1}, {"a": 1}, statuses=(None, None)).evidence


def test_a_text_is_compared_where_only_members_are_ignored(compare: Compare) -> None:
    members = {"at": "body.*", **IGNORE}
    assert compare(b"a", b"a", STATUS, members, kind="text/plain").evidence
    assert not compare(b"", b"", STATUS, members, kind=None).evidence


def test_without_old_only_what_the_golden_states_is_evidence(compare: Compare) -> None:
    stated = Expectation(status=200, body=b'{"a": 1}')
    assert compare({"a": 1}, {"a": 1}, BODY, expect=stated).evidence
    assert not compare({"a": 1}, {"a": 1}, STATUS, BODY, expect=stated).evidence


@pytest.mark.parametrize(
    ("rules", "flagged"),
    [([], False), ([BODY], True), ([{"at": "body..*", **IGNORE}], True), ([{"at": "body.a", **IGNORE}], False)],
)
def test_a_body_that_is_ignored_whole_is_flagged(
    compare: Compare, rules: list[dict[str, Any]], *, flagged: bool
) -> None:
    assert ("body_unseen" in compare({"a": 1}, {"a": 1}, *rules).flags) is flagged
    assert compare(b"", b"", *rules, kind=None).flags == ()


# -------------------------------------------------------------------------------------------------------------- refused

WAIVER = {"until": "9999-12-31", "owner": "o", "why": "w"}


def refused(*rules: dict[str, Any], of_golden: bool = False) -> bool:
    specs = [RuleSpec.model_validate(rule) for rule in rules]
    try:
        for index in range(len(specs)):
            require_evidence(specs, index, of_golden=of_golden)
    except SettingsError as error:
        return "nothing would be put to the test" in error.fact
    return False


@pytest.mark.parametrize("at", ["*", "..*", "['status','headers','body']", "['status','body']"])
def test_a_rule_that_hides_every_answer_is_refused(at: str) -> None:
    assert refused({"at": at, **IGNORE})
    assert refused({"at": at, **IGNORE, "on": "/**"})
    assert refused({"at": at, "waive": WAIVER})
    assert refused({"at": at, **IGNORE}, of_golden=True)
    assert refused({"at": "body.a", "strict": True}, {"at": at, **IGNORE})


def test_a_rule_that_hides_every_answer_is_fine_where_something_is_compared_after_it() -> None:
    whole = {"at": "*", **IGNORE}
    assert not refused(whole, {"at": "body.total", "strict": True})
    assert refused(whole, {"at": "body.total", **IGNORE})
    assert refused(whole, {"at": "body.a", "renamed": "b"})
    assert refused(whole, {"at": "body.a", "strict": False})


def test_a_rule_for_some_cases_may_hide_their_answers() -> None:
    assert not refused({"at": "*", **IGNORE, "on": "GET /health"})
    assert not refused({"at": "*", **IGNORE, "tag": "t"})
    assert not refused({"at": "*", "waive": WAIVER}, of_golden=True)


@pytest.mark.parametrize("at", ["body", "status", "headers", "body..*", "body.*", "headers.*"])
def test_a_rule_that_hides_a_part_is_not_refused(at: str) -> None:
    assert not refused({"at": at, **IGNORE})
