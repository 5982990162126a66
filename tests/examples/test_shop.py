"""The bundled example keeps what its README promises: a slip is found by the goldens named for it, and by no others."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from examples.shop import new, old, regressed, traffic
from examples.shop.calling import AsgiApp, Received, Sent, call_asgi, call_wsgi
from examples.shop.catalogue import ZONES
from examples.shop.new.asgi import build
from examples.shop.new.delivery import night_hours
from examples.shop.new.money import Till
from examples.shop.new.policies import Policies, months_later
from examples.shop.old import dates, money
from replay.cases import load_goldens, open_traffic
from replay.cli import main
from replay.compare import Compared, Comparison, Pair, rule_book
from replay.documents import read_yaml
from replay.models import Case, GroupSpec, Observation, RuleSpec

App = Callable[[Sent], Received]
Answers = list[Received]

ROOT = Path(__file__).parents[2]
README = (ROOT / "examples/README.md").read_text(encoding="utf-8")
SETTINGS = read_yaml((ROOT / "replay.yaml").read_bytes(), "replay.yaml").value
RULES = [RuleSpec.model_validate(rule) for rule in SETTINGS["compare"]]
GROUPS = {name: GroupSpec.model_validate(group) for name, group in SETTINGS["groups"].items()}
GOLDENS = tuple(load_goldens(ROOT / "goldens"))
WEEK = ROOT / "captures/week.jsonl.zst"
ALL_DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 12, 31))


def wsgi(sent: Sent) -> Received:
    """Ask the old shop."""
    return call_wsgi(old.app, sent)


def asgi(app: AsgiApp) -> App:
    """Return how to ask a newer shop."""
    return lambda sent: call_asgi(app, sent)


def answers(app: App, cases: Iterable[Case]) -> Answers:
    """Ask an app for every case, each under its instant and seed."""
    received = []
    with freeze_time(SETTINGS["freeze"], real_asyncio=True) as clock:
        for case in cases:
            clock.move_to(case.freeze or datetime.fromisoformat(SETTINGS["freeze"]))
            random.seed(case.seed or SETTINGS["seed"])
            sent = Sent(case.request.method, case.request.path, case.request.headers, case.request.body or b"")
            received.append(app(sent))
    return received


def _settled(received: Received) -> Received:
    # A request id is minted outside of every seed.
    return replace(received, body=re.sub(rb'("request_id": ?)"[^"]+"', rb'\1"' + b"0" * 32 + b'"', received.body))


def findings(case: Case, theirs: Received, ours: Received) -> Compared:
    """Compare two answers by the rules of replay.yaml."""
    comparison = Comparison(rule_book(RULES, GROUPS), {"old": None, "new": None})
    return comparison.compare(Pair(case, _observation(theirs), _observation(ours)))


def _observation(received: Received) -> Observation:
    return Observation(status=received.status, headers=received.headers, body=received.body)


@pytest.fixture(scope="module")
def from_old() -> Answers:
    """Return the old shop's answers to all goldens."""
    return answers(wsgi, GOLDENS)


@pytest.fixture(scope="module")
def from_new() -> Answers:
    """Return the new shop's answers to all goldens."""
    return answers(asgi(new.app), GOLDENS)


@pytest.fixture(scope="module")
def week() -> list[Case]:
    """Return the bundled traffic."""
    return list(open_traffic(WEEK))


def promised() -> dict[str, set[str]]:
    """Read from the README which goldens find which slip."""
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (.+) \|$", README, re.MULTILINE)
    return {slip: set(re.findall(r"`([^`]+)`", goldens)) for slip, goldens in rows}


def ids_that_differ(these: Answers, those: Answers) -> set[str]:
    triples = zip(GOLDENS, these, those, strict=True)
    return {case.id for case, one, other in triples if _settled(one) != _settled(other)}


# -------------------------------------------------------------------------------------------------------------- slips


def test_the_readme_names_goldens_for_each_of_the_six_slips() -> None:
    assert set(promised()) == set(regressed.SLIPS)
    assert len(regressed.SLIPS) == 6


@pytest.mark.parametrize("slip", regressed.SLIPS)
def test_a_slip_changes_the_answers_to_the_goldens_that_the_readme_names_and_no_others(
    slip: str, from_new: Answers
) -> None:
    slipped = build(replace(Policies(), **regressed.SLIPS[slip]))
    assert ids_that_differ(from_new, answers(asgi(slipped), GOLDENS)) == promised()[slip]


def test_the_regressed_shop_has_all_six_slips(from_new: Answers) -> None:
    found = ids_that_differ(from_new, answers(asgi(regressed.app), GOLDENS))
    assert found == set().union(*promised().values())


def test_no_rule_hides_a_golden_that_finds_a_slip(from_old: Answers) -> None:
    slipped = answers(asgi(regressed.app), GOLDENS)
    found = {
        case.id
        for case, theirs, ours in zip(GOLDENS, from_old, slipped, strict=True)
        if findings(case, theirs, ours).differences
    }
    assert found == set().union(*promised().values())


# ---------------------------------------------------------------------------------------------------------- old and new


def test_new_departs_from_old_and_from_the_goldens_only_where_rules_allow(from_old: Answers, from_new: Answers) -> None:
    compared = {
        case.id: findings(case, theirs, ours) for case, theirs, ours in zip(GOLDENS, from_old, from_new, strict=True)
    }
    assert {name: found.differences for name, found in compared.items() if found.differences} == {}
    assert [name for name, found in compared.items() if "drifted" in found.flags] == []


def test_without_the_rules_most_areas_differ(from_old: Answers, from_new: Answers) -> None:
    comparison = Comparison(rule_book([], {}), {"old": None, "new": None})
    areas = {
        case.id.partition("/")[0]
        for case, theirs, ours in zip(GOLDENS, from_old, from_new, strict=True)
        if comparison.compare(Pair(case, _observation(theirs), _observation(ours))).differences
    }
    assert areas >= {"orders", "products", "search", "prices", "money", "feed"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.at)
def test_without_one_rule_a_golden_deviates(rule: RuleSpec, from_old: Answers, from_new: Answers) -> None:
    comparison = Comparison(rule_book([each for each in RULES if each is not rule], GROUPS), {"old": None, "new": None})
    deviates = any(
        comparison.compare(Pair(case, _observation(theirs), _observation(ours))).differences
        for case, theirs, ours in zip(GOLDENS, from_old, from_new, strict=True)
    )
    # Where time stands still no search takes any, and an etag that is the same needs no rule.
    assert deviates == (rule.at not in {"body.took_ms", "headers.etag"})


def test_every_rule_says_why_and_none_reaches_a_whole_body() -> None:
    assert [rule.at for rule in RULES if not rule.why] == []
    assert [rule.at for rule in RULES if rule.at in {"body", "headers", "status", "body..*", "headers.*"}] == []


@pytest.mark.parametrize("app", [wsgi, asgi(new.app)], ids=["old", "new"])
def test_an_answer_does_not_depend_on_the_cases_before_it(app: App) -> None:
    assert ids_that_differ(answers(app, GOLDENS), answers(app, GOLDENS[::-1])[::-1]) == set()


# -------------------------------------------------------------------------------------------------------------- goldens


def test_every_golden_has_a_title_of_its_own_and_says_why() -> None:
    assert len(GOLDENS) >= 25
    assert [title for title, times in Counter(case.title for case in GOLDENS).items() if times > 1 or not title] == []
    assert [case.id for case in GOLDENS if not case.why or not case.tags] == []


def test_every_golden_names_its_schema_for_the_editor() -> None:
    files = sorted((ROOT / "goldens").rglob("*.yaml"))
    first = {path.read_text(encoding="utf-8").splitlines()[0] for path in files}
    assert first == {"# yaml-language-server: $schema=../../replay/schemas/golden.json"}
    assert len(files) == len(GOLDENS)


def test_the_twins_are_spelled_differently_and_find_the_same(from_new: Answers) -> None:
    by_id = {case.id: (case, received) for case, received in zip(GOLDENS, from_new, strict=True)}
    composed, decomposed = by_id["search/composed"], by_id["search/decomposed"]
    assert composed[0].request.path != decomposed[0].request.path
    assert composed[1] == decomposed[1]
    assert json.loads(composed[1].body)["total"] == 1


def test_the_huge_golden_is_huge() -> None:
    case = next(case for case in GOLDENS if case.id == "quotes/of-700-lines")
    assert len(json.loads(case.request.body or b"")["lines"]) == 700
    assert len(case.request.body or b"") > 50_000


def test_the_gift_messages_have_24_and_25_characters() -> None:
    bodies = {case.id: json.loads(case.request.body or b"{}") for case in GOLDENS if "gift-message" in case.id}
    lengths = {name: len(body["gift_message"]) for name, body in bodies.items()}
    assert lengths == {"orders/gift-message-for-the-family": 24, "orders/gift-message-too-long": 25}


# -------------------------------------------------------------------------------------------------------------- traffic


def test_the_week_counts_for_as_many_independent_requests_as_the_readme_says(week: list[Case]) -> None:
    sizes = Counter(case.session for case in week).values()
    effective = sum(sizes) ** 2 / sum(size**2 for size in sizes)
    requests, sessions, independent = re.findall(r"[\d,]+(?= requests)|\d+(?= sessions)|\d+(?= independent)", README)
    assert (f"{len(week):,}", str(len(sizes)), str(int(effective))) == (requests, sessions, independent)
    assert effective > 620


def test_the_week_is_what_its_generator_makes(tmp_path: Path, week: list[Case]) -> None:
    again = tmp_path / "week.jsonl.gz"
    traffic.write(again)
    assert [replace(case, place="", identity="") for case in open_traffic(again)] == [
        replace(case, place="", identity="") for case in week
    ]


def test_the_week_is_clean_under_the_rules_and_shows_that_the_regressed_shop_is_not(week: list[Case]) -> None:
    comparison = Comparison(rule_book(RULES, GROUPS), {"old": None, "new": None})
    theirs = [_observation(received) for received in answers(wsgi, week)]
    deviating = []
    for app in (new.app, regressed.app):
        ours = [_observation(received) for received in answers(asgi(app), week)]
        pairs = (Pair(*each) for each in zip(week, theirs, ours, strict=True))
        deviating.append(sum(bool(comparison.compare(pair).differences) for pair in pairs))
    assert deviating[0] == 0
    assert deviating[1] > 0.02 * len(week)


def test_the_recorded_answers_are_those_of_the_old_shop(week: list[Case]) -> None:
    comparison = Comparison(rule_book([], {}), {"old": None, "new": None})
    ignored = {"body.error.request_id"}
    for case, received in zip(week, answers(wsgi, week), strict=True):
        compared = comparison.compare(Pair(case, case.recorded, _observation(received)))
        assert {difference.at for difference in compared.differences} <= ignored, case.id


@pytest.mark.parametrize("app", [wsgi, asgi(new.app)], ids=["old", "new"])
def test_a_token_says_who_signed_in_as_the_gateway_does(app: App) -> None:
    with freeze_time(SETTINGS["freeze"], real_asyncio=True):
        handed_out = json.loads(app(Sent("POST", "/sessions", body=b'{"user": "ada"}')).body)
        issued = str(int(datetime.now(UTC).timestamp()))
        by_token = app(Sent("GET", "/me", (("authorization", f"Bearer {handed_out['token']}"),)))
        vouched = app(Sent("GET", "/me", (("x-user", "ada"), ("x-signed-in", issued))))
        forged = app(Sent("GET", "/me", (("authorization", f"Bearer {handed_out['token']}0"),)))
    assert json.loads(by_token.body) == {"user": "ada", "seconds_left": 3600}
    assert (vouched, forged.status) == (by_token, 401)


@pytest.mark.parametrize("folder", [".", "examples/drafts", "examples/ledger"])
def test_nothing_secret_or_personal_is_committed_in_goldens_or_captures(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / folder)
    monkeypatch.setattr("sys.argv", ["replay", "mask", "--check"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "all is masked" in capsys.readouterr().out) == (0, True)


# ----------------------------------------------------------------------------------------- two ways to the same answer


@given(day=ALL_DAYS, zone=st.sampled_from(sorted(ZONES)))
def test_both_versions_agree_on_the_hours_of_every_night(day: date, zone: str) -> None:
    assert [hour.isoformat() for hour in dates.night_hours(day, zone)] == [
        hour.isoformat() for hour in night_hours(day, zone)
    ]


@given(day=ALL_DAYS, months=st.integers(0, 40))
def test_both_versions_agree_on_the_same_day_of_a_later_month(day: date, months: int) -> None:
    assert dates.add_months(day, months) == months_later(day, months)


@given(thousandths=st.integers(-(10**9), 10**9))
def test_floats_with_a_nudge_and_decimals_round_money_alike(thousandths: int) -> None:
    till = Till("EUR", ROUND_HALF_UP)
    assert Decimal(repr(money.half_up(thousandths / 1000, 2))) == till.round(Decimal(thousandths) / 1000)


def test_a_night_has_five_hours_when_the_clocks_go_forward_and_seven_when_they_go_back() -> None:
    assert len(night_hours(date(2024, 3, 31), "Europe/Berlin")) == 5
    assert len(night_hours(date(2024, 10, 27), "Europe/Berlin")) == 7
    assert len(night_hours(datetime(2024, 10, 27, tzinfo=UTC).date(), "UTC")) == 6
