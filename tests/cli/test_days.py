"""Criteria over days, through the command line: one run a day over one store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from replay.documents import parse_json

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended, Serve

RULE = "compare: [{at: headers.x-none, within: 0.001, why: rounding}]\n"


@dataclass(frozen=True)
class Shop:
    """A desk with recorded traffic of November 2026, and a new shop that answers every path with itself."""

    desk: Desk
    url: str

    def replay(
        self,
        *days: int,
        bad: int = 0,
        more: str = "",
        flags: str = "",
        decision: str = "Move the shop",
        last: Sequence[dict[str, Any]] = (),
    ) -> Ended:
        """Replay the traffic of some days in one run; old answered `bad` cases of each otherwise than new does."""
        head = f"decision: {decision}\nold: recorded\nnew: {self.url}\n"
        self.desk.write("replay.yaml", f"{head}cut_when: [deviation < 5% for 7 consecutive days]\n{more}")
        records = [self._record(day, number, bad=number < bad) for day in days for number in range(60)]
        self.desk.capture("c.jsonl", [*records, *last])
        return self.desk.cli("run", "--traffic", "c.jsonl", *flags.split())

    def _record(self, day: int, number: int, *, bad: bool) -> dict[str, Any]:
        path = f"/{day}-{number}"
        return {
            "id": f"{day}-{number}",
            "request": {"path": path},
            "response": {
                "status": 200,
                "headers": {"content-type": "text/plain"},
                "text": "another answer" if bad else path,
            },
            "at": f"2026-11-{day:02}T12:00:00Z",
        }


@pytest.fixture
def shop(desk: Desk, serve: Serve) -> Iterator[Shop]:
    with serve() as service:
        yield Shop(desk, service.url)


def told(ended: Ended) -> str:
    """Return what was printed, on one line."""
    return " ".join(ended.out.split())


def test_six_days_are_inconclusive_and_the_seventh_makes_it_go(shop: Shop) -> None:
    codes = [shop.replay(day).code for day in range(2, 9)]
    assert codes == [3, 3, 3, 3, 3, 3, 0]
    out = told(shop.desk.cli("report"))
    assert "7 of 7 days in a row hold: 2026-11-02 to 2026-11-08 by 7 runs" in out
    assert "Mon 2 Nov ok, Tue 3 ok, Wed 4 ok, Thu 5 ok, Fri 6 ok, Sat 7 ok, Sun 8 ok" in out


def test_seven_days_in_one_run_are_as_good_and_six_are_not(shop: Shop) -> None:
    six = shop.replay(*range(2, 8))
    assert six.code == 3
    assert "6 of 7 days in a row hold: 2026-11-02 to 2026-11-07 by 1 run; 1 day more would settle it" in told(six)
    assert shop.replay(*range(2, 9), flags="--store other.sqlite").code == 0


def test_a_day_without_traffic_breaks_the_row_until_it_is_filled(shop: Shop) -> None:
    gap = shop.replay(2, 3, 4, 6, 7, 8)
    assert gap.code == 3
    assert "it begins anew after 2026-11-05: it has no traffic that was compared" in told(gap)
    assert "Wed 4 ok, Thu 5 none, Fri 6 ok" in told(gap)
    assert shop.replay(5).code == 0


def test_days_under_another_rule_do_not_count(shop: Shop) -> None:
    for day in range(2, 5):
        shop.replay(day)
    for day in range(5, 8):
        shop.replay(day, more=RULE)
    ended = shop.replay(8, more=RULE)
    assert ended.code == 3
    out = told(ended)
    assert "4 of 7 days in a row hold: 2026-11-05 to 2026-11-08 by 4 runs; 3 days more would settle it" in out
    assert "Mon 2 Nov to Wed 4 other rules, Thu 5 ok" in out
    assert "counts after `replay judge" in out


def test_days_under_another_rule_count_once_they_are_judged_by_it(shop: Shop) -> None:
    for day in range(2, 9):
        shop.replay(day, more=RULE if day > 4 else "")
    runs = [run["run"] for run in json.loads(shop.desk.cli("history", "--json").out)["runs"]]
    assert told(shop.desk.cli("report")).startswith("INCONCLUSIVE")
    judged = shop.desk.cli("judge", *runs[:3])
    assert judged.code == 3
    assert "3 of 7 days in a row hold: 2026-11-02 to 2026-11-04 by 3 runs" in told(judged)
    newest = shop.desk.cli("judge")
    assert newest.code == 0
    assert "7 of 7 days in a row hold: 2026-11-02 to 2026-11-08 by 7 runs" in told(newest)


def test_all_runs_judged_at_once_are_answered_by_the_newest(shop: Shop) -> None:
    for day in range(2, 9):
        shop.replay(day, more=RULE if day > 4 else "")
    runs = [run["run"] for run in json.loads(shop.desk.cli("history", "--json").out)["runs"]]
    judged = shop.desk.cli("judge", *reversed(runs))
    assert judged.code == 0
    assert "7 of 7 days in a row hold: 2026-11-02 to 2026-11-08 by 7 runs" in told(judged)
    assert told(shop.desk.cli("report")).startswith("GO")


def test_days_that_were_judged_by_another_criterion_count_once_they_are_judged_by_this_one(shop: Shop) -> None:
    shop.replay(*range(2, 8))
    settings = Path("replay.yaml").read_text("utf-8").replace("5%", "6%")
    shop.replay(8)
    shop.desk.write("replay.yaml", settings)
    ended = shop.desk.cli("run", "--traffic", "c.jsonl")
    assert "Mon 2 Nov to Sat 7 not judged, Sun 8 ok" in told(ended)
    runs = [run["run"] for run in json.loads(shop.desk.cli("history", "--json").out)["runs"]]
    assert shop.desk.cli("judge", *runs).code == 0


def test_a_new_label_begins_the_row_anew(shop: Shop) -> None:
    shop.replay(*range(2, 8), flags="--label new=v1")
    ended = shop.replay(8, flags="--label new=v2")
    assert ended.code == 3
    assert "1 of 7 days in a row hold" in told(ended)
    assert "it begins anew after 2026-11-07: another version was put to the test" in told(ended)
    assert shop.replay(8, flags="--label new=v1").code == 0


def test_the_code_of_new_is_its_version_where_nobody_gives_a_label(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass for 3 runs]\n")
    desk.cli("run")
    assert "2 of 3 runs in a row hold" in told(desk.cli("run"))
    sides = Path("sides.py")
    sides.write_text(sides.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert "1 of 3 runs in a row hold" in told(desk.cli("run"))


def test_another_decision_in_the_same_store_has_no_say(shop: Shop) -> None:
    shop.replay(*range(2, 8), decision="Move something else")
    assert "1 of 7 days in a row hold" in told(shop.replay(8))


@pytest.mark.parametrize("flags", ["--limit 59", "--only 7-*"])
def test_a_part_of_the_cases_is_no_day(shop: Shop, flags: str) -> None:
    shop.replay(*range(2, 7))
    shop.replay(7, flags=flags)
    ended = shop.replay(8)
    assert ended.code == 3
    assert "Fri 6 ok, Sat 7 none, Sun 8 ok" in told(ended)


@pytest.mark.parametrize("flags", ["--limit 59", "--only 8-*"])
def test_a_part_of_the_cases_never_makes_the_days_go(shop: Shop, flags: str) -> None:
    shop.replay(*range(2, 8))
    ended = shop.replay(8, flags=flags)
    assert ended.code == 3
    assert "only a part of the cases was asked for, and a day counts as a whole" in told(ended)


def test_a_run_that_was_cut_off_is_no_day(shop: Shop) -> None:
    shop.replay(*range(2, 7))
    assert shop.replay(7, flags="--no-check", last=[{"id": "bad"}]).code == 3
    ended = shop.replay(8)
    assert ended.code == 3
    assert "Fri 6 ok, Sat 7 none, Sun 8 ok" in told(ended)
    assert shop.replay(7).code == 0


def test_a_day_that_fails_is_no_go_and_the_next_day_begins_anew(shop: Shop) -> None:
    shop.replay(*range(2, 8))
    failed = shop.replay(8, bad=30)
    assert failed.code == 1
    assert "it fails on 2026-11-08: deviating: 30 of 60 cases" in told(failed)
    following = shop.replay(9)
    assert following.code == 3
    assert "it begins anew after 2026-11-08: it fails" in told(following)


def test_the_json_report_has_the_days_and_meets_its_schema(shop: Shop) -> None:
    shop.replay(2, 4, flags="--report json:report.json")
    report = shop.desk.report()
    schema = parse_json((files("replay") / "schemas" / "report.json").read_bytes()).value
    Draft202012Validator(schema).validate(report)
    (criterion,) = report["criteria"]
    assert [(part["name"], part["mark"], part["state"]) for part in criterion["parts"]] == [
        ("2026-11-02", "ok", "GO"),
        ("2026-11-03", "none", "INCONCLUSIVE"),
        ("2026-11-04", "ok", "GO"),
    ]
    assert (criterion["unit"], criterion["value"]) == ("days", 1)
    assert [day["day"] for day in report["days"]] == ["2026-11-02", "2026-11-04"]


def test_cycles_have_to_be_covered(shop: Shop) -> None:
    covering = "covering: [weekday, weekend, month-end]\n"
    week = shop.replay(*range(2, 9), more=covering)
    assert week.code == 3
    assert "no month-end is among them yet: the next is 2026-11-30" in told(week)
    assert "deviation < 5% for 7 consecutive days covering weekday weekend month-end" in told(week)


def test_shards_with_days_and_cycles_are_merged_into_days(shop: Shop) -> None:
    covering = "covering: [weekday, weekend]\n"
    for shard in ("1/2", "2/2"):
        assert shop.replay(*range(2, 9), more=covering, flags=f"--collect --shard {shard}").code == 0
    merged = shop.desk.cli("merge")
    assert merged.code == 0
    assert "7 of 7 days in a row hold: 2026-11-02 to 2026-11-08 by 1 run" in told(merged)
    assert shop.desk.cli("judge").code == 0
    assert shop.replay(9, more=covering).code == 0


@pytest.mark.parametrize(
    ("covering", "fact"),
    [
        ("[weekends]", "there is no cycle 'weekends'\n  hint: did you mean 'weekend'?"),
        ("weekday", "Input should be a valid"),
    ],
)
def test_a_cycle_that_there_is_not_is_refused(shop: Shop, covering: str, fact: str) -> None:
    ended = shop.replay(2, more=f"covering: {covering}\n")
    assert ended.code == 2
    assert "replay.yaml:5" in ended.err
    if "hint" in fact:
        assert fact in ended.err


def test_cycles_without_days_are_refused(desk: Desk) -> None:
    desk.project("covering: [weekend]\ncut_when: [goldens pass]\n")
    ended = desk.cli("run")
    assert ended.code == 2
    assert "no criterion spans days" in ended.err


def test_runs_in_a_row_are_counted(desk: Desk) -> None:
    desk.project("cut_when: [goldens pass for 3 runs]\n")
    assert [desk.cli("run").code for _ in range(3)] == [3, 3, 0]
    desk.write("goldens/n/1.yaml", "request: {json: {n: 1}}\nexpect: {json: {n: 5}}\n")
    assert desk.cli("run").code == 1
