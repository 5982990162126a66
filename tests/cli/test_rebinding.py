"""Captured sessions against real services that make up other ids and tokens than those that were recorded."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.shop import by_larger_number, by_number, by_other_text, by_text, open_shop

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended
    from tests.shop import Mint, Shop


def by_recorded_text(kind: str, number: int) -> str:
    """Mint names that neither side will give again."""
    return f"{kind[:3]}_r{(number + 2) * 3266489917 % 2**32:08x}x{number}"


class Recorder:
    """A client that writes down what it is told, as a proxy would."""

    def __init__(self, shop: Shop, session: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=10)
        self._session = session
        self.token = ""
        self.records: list[dict[str, Any]] = []

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def send(self, method: str, path: str, sent: Any = None, **headers: str) -> Any:
        """Send a request, keep both, and return the answer's body."""
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Content-Type": "application/json"} if sent is not None else {}
        body = None if sent is None else json.dumps(sent)
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        request = {"method": method, "path": path, "headers": headers} | ({"text": body} if body else {})
        response = {"status": answer.status, "headers": [list(pair) for pair in answer.getheaders()], "text": text}
        name = f"{self._session}-{len(self.records)}"
        self.records.append({"id": name, "session": self._session, "request": request, "response": response})
        return json.loads(text) if text else None

    def visit(self) -> None:
        """Log in, make four orders, read, change and list them, and take two back: forty requests in all."""
        self.token = self.send("POST", "/login", {"user": "ada"})["access_token"]
        ids = [self.send("POST", "/orders", {"sku": f"A{n}", "total": n})["id"] for n in range(4)]
        for _ in range(3):
            for one in ids:
                self.send("GET", f"/orders/{one}")
        for n, one in enumerate(ids):
            self.send("PUT", f"/orders/{one}", {"state": "paid", "parent": ids[0], "note": f"with {ids[n - 1]}"})
            self.send("GET", f"/orders/{one}", **{"If-None-Match": f'"{one}-2"'})
        self.send("GET", "/orders")
        job = self.send("POST", "/jobs", {"order": ids[1]})["id"]
        for _ in range(3):
            self.send("GET", f"/jobs/{job}")
        for one in ids[:2]:
            self.send("DELETE", f"/orders/{one}")
            self.send("GET", f"/orders/{one}")
        for one in ids[2:]:
            self.send("PATCH", f"/orders/{one}", {"state": "sent"})
            self.send("GET", f"/orders/{one}")
        self.send("GET", "/orders?after=0")
        self.send("GET", "/orders?after=2")


Replay = Callable[..., "Replayed"]


class Replayed:
    """How a replay came out."""

    def __init__(self, ended: Ended, report: Any, old: Shop | None, new: Shop) -> None:
        self.ended, self.report, self.old, self.new = ended, report, old, new
        self.results = {each["id"]: each for each in report["results"]}
        self.outcomes = [each["outcome"] for each in report["results"]]

    @property
    def places(self) -> list[str]:
        """Return where the sides differ, with the case."""
        return [f"{each['id']} {it['at']}" for each in self.report["results"] for it in each["differences"]]


@pytest.fixture
def replay(desk: Desk) -> Replay:
    def replayed(
        *slips: str,
        recorded: Mint = by_recorded_text,
        first: Mint | None = by_text,
        mint: Mint = by_other_text,
        settings: str = "",
        sessions: int = 1,
        flags: tuple[str, ...] = (),
    ) -> Replayed:
        if not Path("c.jsonl").exists():
            with open_shop(recorded) as shop:
                recorders = [Recorder(shop, f"s{n}") for n in range(sessions)]
                for recorder in recorders:
                    recorder.visit()
                    recorder.close()
            mixed = [record for records in zip(*(it.records for it in recorders), strict=True) for record in records]
            desk.capture("c.jsonl", mixed)
        with open_shop(first or by_text) as old, open_shop(mint, *slips) as new:
            side = old.url if first is not None else "recorded"
            desk.write("replay.yaml", f"old: {side}\nnew: {new.url}\ntraffic: c.jsonl\n{settings}")
            ended = desk.cli("run", "--report", "json:r.json", "--writable", "both", *flags)
        return Replayed(ended, desk.report("r.json"), old if first is not None else None, new)

    return replayed


def test_a_session_goes_on_with_each_sides_own_ids_and_nothing_differs(replay: Replay) -> None:
    replayed = replay()
    assert len(replayed.outcomes) == 40
    assert (set(replayed.outcomes), replayed.places) == ({"match"}, [])
    assert [line.split()[0] for line in replayed.new.asked] == [
        line.split()[0] for line in (replayed.old or replayed.new).asked
    ]


def test_without_rebinding_the_same_session_falls_apart(replay: Replay) -> None:
    replayed = replay(settings="rebind: false\n")
    assert replayed.outcomes.count("deviation") >= 1
    assert sum(each["outcome"] == "match" for each in replayed.report["results"]) < 40
    statuses = {(each["old"], each["new"]) for each in replayed.report["statuses"]}
    assert ("401", "401") in statuses


def test_a_recording_in_the_place_of_old_is_held_to_the_names_it_has(replay: Replay) -> None:
    replayed = replay(first=None)
    assert (set(replayed.outcomes), replayed.places) == ({"match"}, [])


def test_a_recording_that_is_masked_is_held_to_the_names_it_has(
    replay: Replay, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_MASK_KEY", "a key of this test")
    replay(first=None)
    assert desk.cli("mask", "c.jsonl").code == 0
    assert desk.cli("mask", "--check", "c.jsonl").code == 0
    replayed = replay(first=None)
    assert (set(replayed.outcomes), replayed.places) == ({"match"}, [])
    slipped = replay("total", first=None)
    assert slipped.outcomes.count("deviation") >= 1


def test_each_side_is_sent_its_own_names_in_path_headers_and_bodies(replay: Replay) -> None:
    replayed = replay()
    assert replayed.old is not None
    for shop, mint in ((replayed.old, by_text), (replayed.new, by_other_text)):
        third = shop.orders[mint("order", 4)]
        assert (third["parent"], third["note"]) == (mint("order", 2), f"with {mint('order', 3)}")
        assert not any("_r" in line for line in shop.asked)


@pytest.mark.parametrize(
    ("slip", "expected"),
    [
        ("total", "s0-5 body.total"),
        ("swapped", "s0-6 body.id"),
        ("same_id", "s0-2 body.id"),
        ("third", "s0-24 body.items[1].sku"),
    ],
)
def test_what_really_differs_is_still_a_difference(replay: Replay, slip: str, expected: str) -> None:
    if slip == "third":
        assert any("body.items" in place for place in replay(slip).places)
    else:
        assert expected in replay(slip).places


def test_what_a_side_did_not_hand_out_is_its_error_where_it_is_used(replay: Replay) -> None:
    replayed = replay("silent")
    assert replayed.results["s0-1"]["outcome"] == "deviation"
    later = replayed.results["s0-5"]
    assert (later["outcome"], later["error"]) == ("new_error", {"side": "new", "kind": "capture"})
    assert later["message"] == "it uses what s0-1 hands out at body.id, and this side gave nothing there"


def test_a_value_that_new_gives_in_another_of_its_places_is_found_there(replay: Replay) -> None:
    replayed = replay("no_id")
    assert [place for place in replayed.places if place.endswith("body.id")] == [f"s0-{n} body.id" for n in range(1, 5)]
    assert replayed.outcomes.count("match") == 36


def test_two_sides_that_handed_out_nothing_have_both_failed(replay: Replay, desk: Desk) -> None:
    replay()
    text = Path("c.jsonl").read_text("utf-8").replace("access_token", "token_for_access")
    desk.write("c.jsonl", text)
    replayed = replay()
    assert set(replayed.outcomes[1:]) == {"both_error"}
    assert replayed.ended.code == 1, "what each side says under the new name is no longer known to be one thing"


def test_numbers_are_bound_where_a_rule_says_so_and_nowhere_else(replay: Replay) -> None:
    mints = {"recorded": lambda kind, n: by_number(kind, n + 40), "first": by_number, "mint": by_larger_number}
    assert set(replay(**mints).outcomes) != {"match"}
    rules = "compare: [{at: body.id, on: 'POST /**', minted: true}, {at: '..self', minted: true}]\n"
    assert replay(**mints, settings=rules).places == []


def test_a_rule_keeps_a_place_from_being_bound(replay: Replay) -> None:
    places = ("body.id", "headers.location", "headers.etag", "..self")
    rules = ", ".join(f"{{at: '{at}', minted: false}}" for at in places)
    replayed = replay(settings=f"compare: [{rules}]\n")
    assert "s0-1 body.id" in replayed.places
    assert any("_r" in line for line in replayed.new.asked)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sessions_never_meet_whatever_goes_on_at_a_time(replay: Replay, workers: str) -> None:
    replayed = replay(sessions=4, flags=("--concurrency", "4", "--workers", workers))
    assert (len(replayed.outcomes), set(replayed.outcomes), replayed.places) == (160, {"match"}, [])


def test_show_tells_what_was_bound_and_no_secret(replay: Replay, desk: Desk) -> None:
    replay()
    shown = desk.cli("show", "s0-5").out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "body.id  (handed out by s0-1, used in path" in shown
    assert f'old       "{by_text("order", 2)}"' in shown
    assert f'new       "{by_other_text("order", 2)}"' in shown
    secrets = [mint("token", 1) for mint in (by_recorded_text, by_text, by_other_text)]
    login = desk.cli("show", "s0-0").out
    assert "body.access_token  (handed out by s0-0, used in headers.authorization)" in login
    kept = b"".join(path.read_bytes() for path in Path(".replay").rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in shown + login + Path("r.json").read_text("utf-8")
        assert secret.encode() not in kept


def test_a_session_that_was_cut_off_begins_anew(desk: Desk) -> None:
    with open_shop(by_recorded_text) as shop:
        recorder = Recorder(shop, "s0")
        recorder.visit()
        recorder.close()
    desk.capture("c.jsonl", recorder.records)
    with open_shop(by_text) as old, open_shop(by_other_text) as new:
        desk.write("replay.yaml", f"old: {old.url}\nnew: {{url: '{new.url}', rate: 20/s}}\ntraffic: c.jsonl\n")
        run = desk.spawn("run", "--writable", "both")
        while len(new.asked) < 8:
            run.poll()
        run.terminate()
        assert desk.ended(run).code == 143
        done = len(new.asked)
        desk.write("replay.yaml", f"old: {old.url}\nnew: {{url: '{new.url}', rate: 20/s}}\ntraffic: c.jsonl\n")
        ended = desk.ended(desk.spawn("run", "--resume", "--writable", "both", "--report", "json:r.json"))
    outcomes = [each["outcome"] for each in desk.report("r.json")["results"]]
    assert (len(outcomes), set(outcomes)) == (40, {"match"})
    assert ended.code in {0, 3}
    assert new.asked[done : done + 2] == ["POST /login", "POST /orders"]


@pytest.mark.parametrize("hostile", ["tok_8f3k92d1\r\nX-Evil: 1", "tok_8f3k92d1\ud800", "tok_8f3k92d1\x00"])
def test_a_token_that_cannot_be_sent_is_the_failure_of_the_side_that_gave_it(replay: Replay, hostile: str) -> None:
    def mint(kind: str, number: int) -> Any:
        return hostile if kind == "token" else by_other_text(kind, number)

    replayed = replay(mint=mint)
    assert len(replayed.outcomes) == 40
    assert set(replayed.outcomes[1:]) == {"new_error"}
    assert replayed.new.asked == ["POST /login"]


def test_numbers_of_thousands_of_digits_are_no_names(replay: Replay, desk: Desk) -> None:
    body = '{"id": 8' + "1" * 4_999 + "}"
    record = {"session": "s", "request": {"path": "/orders/1"}, "response": {"status": 200, "text": body}}
    records = [record | {"id": f"c-{n}"} for n in range(3)]
    desk.capture("c.jsonl", records)
    assert replay().ended.code in {0, 1, 3}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_uses_that_come_too_late_to_be_foreseen_are_told(desk: Desk, workers: str) -> None:
    desk.write("sides.py", "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{}']\n")
    quiet = {"response": {"status": 200, "json": {}}, "session": "s"}
    first = {"id": "a", "session": "s", "request": {"method": "POST", "path": "/"}}
    late = {"id": "z", "request": {"path": "/ord_8f3k92d1"}, **quiet}
    handed = {**first, "response": {"status": 200, "json": {"id": "ord_8f3k92d1"}}}
    between = [{"id": f"b-{n}", "request": {"path": "/"}, **quiet} for n in range(2_001)]
    desk.capture("c.jsonl", [handed, *between, late])
    sides = "--old", "recorded", "--new", "sides:app", "--workers", workers
    ended = desk.cli("run", "--traffic", "c.jsonl", *sides, "--report", "json:r.json", "--report", "markdown:r.md")
    told = "1 case used what was handed out more than 2,000 cases (or 32 MB) before, and was sent as it was recorded"
    assert told in desk.report("r.json")["warnings"]
    assert told in " ".join(ended.out.split())
    assert told in Path("r.md").read_text("utf-8")
