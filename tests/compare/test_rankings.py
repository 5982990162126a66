"""What a rank rule judges, and what it keeps of what it measured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from replay.compare import Compared
from replay.errors import SettingsError
from replay.models import Measure

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]


def rule(**spec: Any) -> dict[str, Any]:
    return {"at": "body", "rank": {"top": 3, **spec}}


@pytest.mark.parametrize(
    ("old", "new", "spec", "found"),
    [
        ("abc", "abc", {"tau": 1, "overlap": 1}, 0),
        ("aab", "aab", {"tau": 1, "overlap": 1}, 0),
        ("", "", {"tau": 1, "overlap": 1}, 0),
        ("abc", "abd", {"overlap": 0.66}, 0),
        ("abc", "abd", {"overlap": 0.67}, 1),
        ("abcx", "abcy", {"overlap": 1, "tau": 1}, 0),
        ("abc", "acb", {"tau": 0.33}, 0),
        ("abc", "acb", {"tau": 0.34}, 1),
        ("abc", "cba", {"tau": 0.5, "overlap": 1}, 1),
        ("abc", "xyz", {"tau": 0.5}, 1),
        ("a", "b", {"tau": 0.5}, 1),
        ("a", "", {"tau": 0.5}, 1),
        ("", "a", {"tau": 0.5}, 1),
        ("", "a", {"overlap": 0.5}, 1),
        ("a", "a", {"tau": 1}, 0),
        ("aaa", "abc", {"overlap": 0.5}, 1),
    ],
)
def test_a_rank_rule_judges_overlap_and_order_of_the_first_items(
    told: Told, old: str, new: str, spec: dict[str, float], found: int
) -> None:
    assert told(list(old), list(new), rule(**spec)) == [("body", "rank")] * found


def scored(*scores: Any) -> list[dict[str, Any]]:
    return [
        {"id": name} | ({} if score is None else {"s": score}) for name, score in zip("abcdef", scores, strict=False)
    ]


def test_equal_scores_are_ties_in_whatever_order_they_come(compare: Compare) -> None:
    old, new = scored(3, 2, 2, 1), scored(3, 2, 2, 1)
    new[1], new[2] = new[2], new[1]
    found = compare(old, new, {"at": "body", "rank": {"by": "id", "top": 4, "score": "s", "tau": 1}})
    assert found.differences == ()
    assert found.measures == (
        Measure("body", "rank.overlap", 1.0, 4),
        Measure("body", "rank.tau", 1.0, 4, limit=1.0),
        Measure("body", "rank.rbo", 1.0, 4),
        Measure("body", "rank.common", 4.0),
    )


@pytest.mark.parametrize("bad", [None, "3", True])
def test_an_item_without_a_score_has_no_place_in_the_order(compare: Compare, bad: Any) -> None:
    found = compare(scored(3, 2, 1), scored(3, bad, 1), {"at": "body", "rank": {"by": "id", "score": "s", "tau": 0}})
    assert [it.note for it in found.differences] == ["no tau: an item has no number at s"]


def test_scores_are_ordered_to_the_last_digit(told: Told) -> None:
    old = b'[{"id":"a","s":1.00000000000000000000000000000002},{"id":"b","s":1.00000000000000000000000000000001}]'
    new = b'[{"id":"a","s":1},{"id":"b","s":2}]'
    assert told(old, new, {"at": "body", "rank": {"by": "id", "score": "s", "tau": 0}}) == [("body", "rank")]


def test_fields_of_ranked_items_are_left_to_later_rules(told: Told) -> None:
    old, new = [{"id": "a", "p": 1, "q": 1}], [{"id": "a", "p": 2, "q": 2}]
    ranked = {"at": "body", "rank": {"by": "id", "overlap": 1}}
    assert told(old, new, ranked) == []
    assert told(old, new, {"at": "body[*].p", "strict": True}, ranked) == []
    assert told(old, new, ranked, {"at": "body[*].p", "strict": True}) == [("body[?@.id=='a'].p", "value")]
    assert len(told(old, new, ranked, {"at": "body[*]", "strict": True})) == 2


def test_what_became_something_else_than_a_list_is_no_ranking(told: Told) -> None:
    assert told([], {}, rule(overlap=0)) == [("body", "type")]


def noted(found: Compared) -> list[str]:
    return [it.note for it in found.differences]


def test_items_that_one_side_alone_has_are_named(compare: Compare) -> None:
    found = compare(list("abcde"), list("abxyz"), {"at": "body", "rank": {"top": 5, "overlap": 0.6}})
    assert noted(found) == ["overlap 0.4 of the first 5 is below 0.6; only old: c, d, e; only new: x, y, z"]
    found = compare(list("abcdefg"), list("ab"), {"at": "body", "rank": {"top": 7, "overlap": 0.6}})
    assert noted(found) == ["overlap 0.286 of the first 7 is below 0.6; only old: c, d, e and 2 more"]


def test_each_limit_is_judged_for_itself(compare: Compare) -> None:
    spec = {"top": 4, "overlap": 0.75, "tau": 0.5, "rbo": 0.9}
    found = compare(list("abcd"), list("dcbx"), {"at": "body", "rank": spec})
    assert [note.partition(" ")[0] for note in noted(found)] == ["tau", "rbo"]


def test_a_perfect_order_of_two_common_items_says_on_how_many_it_rests(compare: Compare) -> None:
    found = compare(list("abcde"), list("abxyz"), {"at": "body", "rank": {"top": 5, "tau": 1}})
    assert found.differences == ()
    assert Measure("body", "rank.tau", 1.0, 2, limit=1.0) in found.measures


def test_rank_biased_overlap_minds_the_first_places_most(compare: Compare) -> None:
    def rbo(new: str) -> float:
        found = compare(list("abcdefgh"), list(new), {"at": "body", "rank": {"top": 8, "rbo": 0}})
        return next(it.value or 0.0 for it in found.measures if it.name == "rank.rbo")

    assert rbo("abcdefgh") == 1
    assert rbo("bacdefgh") < rbo("abcdefhg") < 1


@pytest.mark.parametrize("limit", ["tau", "rbo", "ndcg"])
def test_an_item_without_a_score_meets_no_limit(compare: Compare, limit: str) -> None:
    spec = {"by": "id", "score": "s", limit: 0, "gain": "id" if limit != "ndcg" else "g"}
    new = [it | {"g": 1} for it in scored(3, "2", 1)]
    found = compare([it | {"g": 1} for it in scored(3, 2, 1)], new, {"at": "body", "rank": spec})
    assert noted(found) == [f"no {limit}: an item has no number at s"]


# ----------------------------------------------------------------------------------------------------------------- gain


def worth(**gains: Any) -> list[dict[str, Any]]:
    return [{"id": name, "g": gain} for name, gain in gains.items()]


GAIN = {"by": "id", "top": 2, "gain": "g"}


def test_the_most_valuable_items_have_to_stand_first(compare: Compare) -> None:
    old, new = worth(a=3, b=2, c=1), worth(c=1, b=2, a=3)
    found = compare(old, new, {"at": "body", "rank": GAIN | {"ndcg": 0.6}})
    assert noted(found) == ["ndcg 0.531 (old's own is 1) is below 0.6; only old: a; only new: c"]
    assert compare(old, new, {"at": "body", "rank": GAIN | {"ndcg": 0.53}}).differences == ()


def test_new_cannot_praise_its_own_items(told: Told) -> None:
    old, new = worth(a=3, b=2, c=1), worth(c=100, b=50, a=1)
    assert told(old, new, {"at": "body", "rank": GAIN | {"ndcg": 0.6}}) == [("body", "rank")]


def test_what_new_leaves_out_counts_as_lost(compare: Compare) -> None:
    found = compare(worth(a=3, b=2), worth(b=2), {"at": "body", "rank": GAIN | {"ndcg": 0.9}})
    assert noted(found) == ["ndcg 0.469 (old's own is 1) is below 0.9; only old: a"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({}, "an item has no number at g"),
        ({"g": "1"}, "an item has no number at g"),
        ({"g": True}, "an item has no number at g"),
        ({"g": -1}, "the g of an item is negative, or beyond all computing"),
        ({"g": 10**400}, "the g of an item is negative, or beyond all computing"),
    ],
)
def test_an_item_whose_worth_is_unknown_is_told(compare: Compare, bad: dict[str, Any], why: str) -> None:
    found = compare(worth(a=1), [{"id": "a", "g": 1}, {"id": "b", **bad}], {"at": "body", "rank": GAIN | {"ndcg": 0}})
    assert [note.partition(";")[0] for note in noted(found)] == [f"no ndcg: {why}"]


def test_lists_that_are_worth_nothing_prove_nothing_unless_both_are_empty(compare: Compare) -> None:
    ruled = {"at": "body", "rank": GAIN | {"ndcg": 0.5}}
    assert noted(compare(worth(a=0), worth(a=0), ruled)) == ["no ndcg: no item is worth anything"]
    assert compare([], [], ruled).differences == ()


@pytest.fixture
def judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put a module of a team into its project, and return the folder."""
    code = """
        def clicks(item):
            return {"a": 3, "b": 1}[item["id"]]


        NOTHING = 7
    """
    (tmp_path / "clicks_of_a_team.py").write_text("\n".join(line[8:] for line in code.splitlines()), "utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("clicks_of_a_team", None)


def test_a_function_of_the_team_tells_what_an_item_is_worth(compare: Compare, told: Told, judges: Path) -> None:
    ruled = {"at": "body", "rank": {"by": "id", "gain": "clicks_of_a_team:clicks", "ndcg": 0.9}}
    assert told(worth(a=0, b=0), worth(a=0, b=0), ruled, root=judges) == []
    assert told(worth(a=0, b=0), worth(b=0, a=0), ruled, root=judges) == [("body", "rank")]
    found = compare(worth(a=0), worth(c=0), ruled, root=judges)
    assert noted(found) == ["no ndcg: clicks_of_a_team:clicks raised KeyError: 'c'; only old: a; only new: c"]


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("no_such_module:f", "not in the project"),
        ("json:loads", "not in the project"),
        ("clicks_of_a_team:none", "no function 'none'"),
        ("clicks_of_a_team:NOTHING", "no function 'NOTHING'"),
    ],
)
def test_a_function_that_is_none_is_refused_before_anything_is_sent(
    compare: Compare, judges: Path, name: str, fact: str
) -> None:
    with pytest.raises(SettingsError, match=fact):
        compare([], [], {"at": "body", "rank": {"by": "id", "gain": name, "ndcg": 0.9}}, root=judges)


def test_a_golden_names_no_code(compare: Compare, judges: Path) -> None:
    rule = {"at": "body", "rank": {"by": "id", "gain": "clicks_of_a_team:clicks", "ndcg": 0.9}}
    with pytest.raises(SettingsError, match=r"only replay\.yaml may do that"):
        compare([], [], golden=[rule], root=judges)


@pytest.mark.parametrize("spec", [{}, {"by": "id"}, {"ndcg": 0.5}, {"gain": "g"}])
def test_a_rank_rule_without_a_limit_or_what_it_takes_is_refused(compare: Compare, spec: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"sets no limit|what an item is worth"):
        compare([], [], {"at": "body", "rank": spec})


def test_what_has_no_order_that_could_be_lost_is_moot(compare: Compare) -> None:
    spec = {"at": "body", "rank": {"top": 3, "tau": 0.5}}
    alike, apart = compare(["a"], ["a"], spec), compare(["a", "b"], ["c", "d"], spec)
    assert [(it.value, it.moot) for it in alike.measures if it.name == "rank.tau"] == [(None, True)]
    assert [(it.value, it.moot) for it in apart.measures if it.name == "rank.tau"] == [(None, False)]
