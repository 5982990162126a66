"""What rules and goldens see of the headers that they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from replay.compare import Compared
from replay.models import Expectation

Told = Callable[..., list[tuple[str, str]]]
Compare = Callable[..., Compared]

DATE = ("Date", "Thu, 29 Feb 2024 12:00:00 GMT")


def departs(told: Told, name: str, old: str, new: str, rule: dict[str, Any]) -> bool:
    headers = ((DATE, (name, old)), (DATE, (name, new)))
    return bool(told(b"", b"", {"at": f"headers.{name}", **rule}, kind=None, headers=headers))


@pytest.mark.parametrize(
    ("old", "new", "departing"),
    [
        ("Thu, 29 Feb 2024 23:59:59 GMT", "Fri, 01 Mar 2024 00:00:01 GMT", False),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "Fri, 01 Mar 2024 00:00:02 GMT", True),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "Thursday, 29-Feb-24 23:59:58 GMT", False),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "Thu Feb 29 23:59:58 2024", False),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "Thu, 29 Feb 2024 23:59:59 -0100", True),
        ("0", "-1", True),
        ("0", "Thu, 29 Feb 2024 23:59:59 GMT", True),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:01Z", False),
    ],
)
@pytest.mark.parametrize("name", ["Expires", "Last-Modified"])
def test_dates_are_instants_to_a_tolerance_in_time(
    told: Told, name: str, old: str, new: str, *, departing: bool
) -> None:
    assert departs(told, name, old, new, {"within": "2s"}) is departing


def test_the_date_of_an_answer_is_an_instant_too(told: Told) -> None:
    headers = ((DATE,), (("date", "Thu, 29 Feb 2024 12:00:03 GMT"),))
    found = [told(b"", b"", {"at": "headers.date", "within": it}, kind=None, headers=headers) for it in ("2s", "3s")]
    assert found == [[("headers.date", "header")], []]


@pytest.mark.parametrize(
    ("old", "new", "within", "departing"),
    [
        ("120", "121", "2s", False),
        ("120", "123", "2s", True),
        ("120", "Thu, 29 Feb 2024 12:02:01 GMT", "2s", False),
        ("120", "Thu, 29 Feb 2024 12:03:00 GMT", "2s", True),
        ("120", "121", 2, False),
        ("120", "123", 2, True),
        ("soon", "later", "2s", True),
    ],
)
def test_retry_after_is_how_long_to_wait(told: Told, old: str, new: str, within: object, *, departing: bool) -> None:
    assert departs(told, "Retry-After", old, new, {"within": within}) is departing


def test_the_order_of_a_list_is_free_where_a_rule_says_so(told: Told) -> None:
    free = {"unordered": True}
    assert not departs(told, "Vary", "Accept, Origin", "origin,ACCEPT", free)
    assert departs(told, "Vary", "Accept, Origin", "Origin", free)
    assert not departs(told, "X-Flags", 'a, "b, c"', '"b, c", a', free)
    assert departs(told, "X-Flags", "a, b", "A, b", free)
    assert departs(told, "X-Flags", "a, b", "b, a", {"strict": True})


@pytest.mark.parametrize(
    ("name", "wanted", "given", "met"),
    [
        ("Vary", "Accept, Origin", "origin, accept", True),
        ("Vary", "Accept", "Accept, Origin", False),
        ("Content-Disposition", 'attachment; filename="a b.csv"', 'Attachment;filename="a b.csv"', True),
        ("Content-Disposition", "attachment; filename=a.csv", 'attachment; filename="a.csv"', True),
        ("Content-Disposition", "attachment; filename=a.csv", "inline; filename=a.csv", False),
        ("Content-Disposition", "attachment; filename=a.csv", "attachment; filename=A.csv", False),
        ("X-Total", "7", "7 ", False),
    ],
)
def test_what_a_golden_names_is_met_by_meaning(
    compare: Compare, name: str, wanted: str, given: str, *, met: bool
) -> None:
    found = compare({}, {}, headers=((), ((name, given),)), expect=Expectation(headers=((name, wanted),)))
    assert (found.differences == ()) is met


def test_vary_is_not_compared_unless_somebody_names_it(told: Told) -> None:
    assert told(b"", b"", kind=None, headers=((("Vary", "Accept"),), (("Vary", "Origin"),))) == []
