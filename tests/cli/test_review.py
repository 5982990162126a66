"""`replay review`, at a real terminal and from scripts: what it offers, shows, writes and takes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.cases import read_golden

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended
    from tests.cli.keyboard import Keyboard

SIDES = '''
"""Old and new part in one way for each path."""
import json


def _app(answers):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        path, _, number = scope["path"].rpartition("/")
        status, body = answers(path.strip("/"), int(number))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})
    return app


def _old(path, n):
    return 200, {"n": n, "fee": 10.0 + n, "state": "05", "tags": ["a", "b", str(n)], "id": f"o-{n}", "mail": None}


def _new(path, n):
    status, body = _old(path, n)
    if path == "fees":
        body["fee"] += 0.01 * (n % 2 + 1)
    if path == "typed":
        body["fee"] = str(body["fee"])
    if path == "states":
        body["state"] = "refused"
    if path == "tags":
        body["tags"].reverse()
    if path == "gone":
        status = 404
    if path == "broken":
        status = 500
    return status, body


old, new = _app(_old), _app(_new)
'''
SETTINGS = """\
# What we compare.
old: sides:old
new: sides:new      # the rewrite
traffic: [c.jsonl]
owner: checkout-team

compare:
  # Names that nobody reads.
  - {at: body.id,   ignore: true}   # wide on purpose

# What must hold.
cut_when:
  - deviation < 50%
"""
PATHS = ("fees", "states", "tags", "same")


_RUNS: dict[object, dict[str, bytes]] = {}
"""The files that a run left behind, by what it was made of: most tests begin with the same few."""


def ran(desk: Desk, *paths: str, count: int = 3, settings: str = SETTINGS, sides: str = SIDES) -> None:
    """Carry out a run over so many requests of each path, or take what the same one left behind."""
    desk.write("sides.py", sides)
    desk.write("replay.yaml", settings)
    headers = {"User-Agent": "x", "Accept": "*/*", "Accept-Language": "tr"}
    records = [
        {"id": f"{path}-{n}", "request": {"path": f"/{path}/{n}", "headers": headers}}
        for path in paths
        for n in range(count)
    ]
    desk.capture("c.jsonl", records)
    goldens = tuple(path.read_text("utf-8") for path in Path("goldens").rglob("*.yaml"))
    made_of = (paths, count, settings, sides, goldens)
    if made_of not in _RUNS:
        assert desk.cli("run").code in (0, 1, 3)
        _RUNS[made_of] = {path.name: path.read_bytes() for path in Path(".replay").iterdir()}
    for name, data in _RUNS[made_of].items():
        Path(".replay").mkdir(exist_ok=True)
        Path(".replay", name).write_bytes(data)


def deviating(desk: Desk) -> int:
    """Return how many cases deviate by the rules of now."""
    assert desk.cli("judge", "--report", "json:again.json").code in (0, 1, 3)
    return int(desk.report("again.json")["counts"]["deviating"])


def reviewed(desk: Desk, *arguments: str) -> Ended:
    return desk.cli("review", *arguments)


def settings() -> str:
    return Path("replay.yaml").read_text("utf-8")


def added(rule: str) -> str:
    """Return the settings with one rule more, and everything else as it was."""
    return SETTINGS.replace("# wide on purpose\n", f"# wide on purpose\n  - {rule}\n")


# ------------------------------------------------------------------------------------------------------------- scripts


def test_what_would_be_written_is_shown_and_written_with_yes_alone(desk: Desk) -> None:
    ran(desk, "fees")
    rule = '{on: "GET /fees/*", at: body.fee, within: 0.02, why: rounds}'
    shown = reviewed(desk, "--cause", "1", "--tolerate", "--why", "rounds")
    assert shown.err == ""
    assert (shown.code, settings()) == (0, SETTINGS)
    assert "Settles 3 of 3 cases of this cause." in shown.out
    assert f"+  - {rule}\n" in shown.out
    assert shown.out.endswith("Nothing is written; --yes writes it.\n")
    assert reviewed(desk, "--cause", "body.fee", "--tolerate", "--why", "rounds", "--yes").code == 0
    assert settings() == added(rule)
    assert deviating(desk) == 0


@pytest.mark.parametrize(
    ("path", "flags", "rule"),
    [
        ("states", ["--map"], '{on: "GET /states/*", at: body.state, map: [["05", refused]], why: w}'),
        ("states", ["--ignore"], '{on: "GET /states/*", at: body.state, ignore: true, why: w}'),
        ("tags", ["--unordered"], '{on: "GET /tags/*", at: body.tags, unordered: true, why: w}'),
        ("fees", ["--tolerate", "--within", "0.05"], '{on: "GET /fees/*", at: body.fee, within: 0.05, why: w}'),
        ("fees", ["--tolerate", "--within", "1%"], '{on: "GET /fees/*", at: body.fee, within: "1%", why: w}'),
        (
            "gone",
            ["--waive", "--until", "2999-12-31", "--owner", "me"],
            '{on: "GET /gone/*", at: status, waive: {until: "2999-12-31", owner: me, why: w}}',
        ),
    ],
)
def test_each_action_writes_one_rule_that_settles_its_cause(desk: Desk, path: str, flags: list[str], rule: str) -> None:
    ran(desk, path)
    ended = reviewed(desk, "--cause", "1", *flags, "--why", "w", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert "Settles 3 of 3 cases of this cause." in ended.out
    assert settings() == added(rule)
    assert deviating(desk) == 0


def test_only_actions_that_make_sense_are_offered(desk: Desk) -> None:
    ran(desk, "fees", "tags", "typed", "broken", count=2)
    offers = {}
    for number in ("1", "2", "3", "4"):
        lines = reviewed(desk, "--cause", number).out.splitlines()
        offers[lines[0].split(": ", 1)[1]] = lines[-1]
    told = {title.partition(" ")[0]: line for title, line in offers.items()}
    assert told["only"] == "makes sense: --promote"
    assert told["body.tags:"] == "makes sense: --promote, --ignore, --unordered, --waive"
    (fee, typed) = sorted(line for title, line in offers.items() if title.startswith("body.fee"))
    assert fee == "makes sense: --promote, --ignore, --map, --waive"
    assert typed == "makes sense: --promote, --ignore, --tolerate, --map, --waive"


@pytest.mark.parametrize("allow", ["", "  - {at: body, allow: [nan]}\n"], ids=["refused", "allowed"])
def test_answers_with_infinities_are_reviewed_like_others(desk: Desk, allow: str) -> None:
    endless = SIDES.replace('"tags": ["a", "b", str(n)]', '"tags": [1, float("inf"), n + 2]')
    endless = endless.replace('body["tags"].reverse()', 'body["tags"] = [float("-inf"), 1, n + 3]')
    ran(desk, "tags", settings=SETTINGS.replace("compare:\n", f"compare:\n{allow}"), sides=endless)
    ended = reviewed(desk, "--cause", "1")
    assert ended.code == 0
    assert "Cause 1 of 1: " in ended.out
    assert "--map" not in ended.out


def test_a_rule_that_hides_another_cause_is_not_written_without_saying_so(desk: Desk) -> None:
    ran(desk, "fees", sides=SIDES.replace("0.01 * (n % 2 + 1)", "0.01 if n < 2 else -90"))
    ended = reviewed(desk, "--cause", "1", "--ignore", "--yes")
    assert (ended.code, settings()) == (2, SETTINGS)
    assert "TOO WIDE? It also hides something in 1 of 1 of cause 2, body.fee:" in ended.out
    assert "the rule hides cases of other causes too" in ended.err
    narrow = reviewed(desk, "--cause", "1", "--tolerate")
    assert (narrow.code, "TOO WIDE" in narrow.text, "Settles 2 of 2" in narrow.out) == (0, False, True)
    assert reviewed(desk, "--cause", "1", "--ignore", "--yes", "--wide").code == 0


@pytest.mark.parametrize("flags", [("--tolerate", "--within", "100%"), ("--tolerate", "--within", "1000000000")])
def test_a_rule_that_accepts_anything_is_not_written_without_saying_so(desk: Desk, flags: tuple[str, ...]) -> None:
    ran(desk, "fees")
    ended = reviewed(desk, "--cause", "1", *flags, "--yes")
    assert (ended.code, "the rule accepts nearly anything" in ended.err, settings()) == (2, True, SETTINGS)
    assert reviewed(desk, "--cause", "1", *flags, "--yes", "--wide").code == 0
    assert settings() != SETTINGS


def test_a_rule_that_accepts_anything_takes_a_second_key(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "fees")
    for second, is_written in (("y", False), ("w", True)):
        with keyboard("review") as hands:
            hands.see("? help")
            hands.type("t")
            hands.see("within [0.02]")
            hands.type("100%\r")
            hands.see("why? Enter")
            hands.type("\r")
            hands.see("Write it?")
            hands.type("y")
            hands.see("It accepts nearly anything.")
            hands.type(second)
            hands.see("replay.yaml is written" if is_written else "nothing is written")
            hands.type("q")
            assert hands.ended() == 0
        assert (settings() != SETTINGS) == is_written


def test_a_rule_that_would_change_nothing_is_refused(desk: Desk) -> None:
    own = "request: {path: /states/1}\ncompare:\n  - {at: body.state, strict: true}\n"
    desk.write("goldens/own.yaml", own)
    desk.write("goldens/two.yaml", own.replace("/1", "/2"))
    ran(desk, "same", count=1)
    ended = reviewed(desk, "--cause", "1", "--ignore", "--yes")
    assert (ended.code, "would settle none of these cases" in ended.err) == (2, True)


def test_a_cause_that_the_rules_of_now_settle_already_is_said_to_be_so(desk: Desk) -> None:
    ran(desk, "states")
    assert reviewed(desk, "--cause", "1", "--map", "--yes").code == 0
    ended = reviewed(desk, "--cause", "1", "--ignore", "--yes")
    assert (ended.code, "the rules of now settle all 3 cases of this cause already" in ended.err) == (2, True)


def test_equal_cases_that_a_new_rule_would_make_deviate_are_counted(desk: Desk) -> None:
    wide = SETTINGS.replace("  - {at: body.id,", "  - {at: body.fee, within: 0.015}\n  - {at: body.id,")
    ran(desk, "fees", count=4, settings=wide)
    ended = reviewed(desk, "--cause", "1", "--map")
    assert "Settles 2 of 2 cases of this cause." in ended.out
    assert "2 cases that are equal by another rule would deviate." in ended.out


def test_a_golden_that_deviates_alone_gets_a_rule_of_its_own(desk: Desk) -> None:
    text = "# Why it is here.\ntitle: One   # two\nrequest: {path: /states/1}\n"
    desk.write("goldens/one.yaml", text)
    ran(desk, "same", count=1)
    ended = reviewed(desk, "--cause", "1", "--map", "--why", "w", "--yes")
    assert ended.code == 0
    assert "Settles 1 of 1 case of this cause." in ended.out
    written = Path("goldens/one.yaml").read_text("utf-8")
    assert written == text + '\ncompare:\n  - {at: body.state, map: [["05", refused]], why: w}\n'
    assert settings() == SETTINGS
    desk.cli("run", "--report", "json:again.json")
    assert desk.report("again.json")["counts"]["deviating"] == 0


def test_masked_values_are_named_and_no_token_is_a_reason(desk: Desk) -> None:
    ran(desk, "states", sides=SIDES.replace('"state"', '"password"').replace('"05"', '"hunter2-abc"'))
    shown = reviewed(desk, "--cause", "1", "--ignore")
    assert "at body.password tokens stand for masked values: what differs there cannot be" in shown.out
    assert 'why: "body.password: another value;' in shown.out.replace("\n    ", "")
    assert "tok_" not in shown.out
    refused = reviewed(desk, "--cause", "1", "--map")
    assert (refused.code, "a list of tokens would say nothing" in refused.err) == (2, True)


def test_a_promoted_cause_is_a_file_that_says_where_it_comes_from(desk: Desk) -> None:
    ran(desk, "fees")
    ended = reviewed(desk, "--cause", "1", "--promote", "--expect", "old", "--yes")
    assert (ended.code, ended.err) == (0, "")
    (path,) = Path("goldens/fees").iterdir()
    assert path.name.startswith("get-0-body-fee-")
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "title: GET /fees/0"
    assert lines[1].startswith("why: 'body.fee: ")
    assert "; found by run 2" in path.read_text("utf-8")
    assert "tags: [promoted]" in lines
    case = read_golden(path.read_bytes(), "x", path)
    assert case.request.headers == (("Accept-Language", "tr"),)
    assert case.expect is not None
    assert case.expect.status == 200
    desk.cli("run", "--only", "fees/", "--report", "json:again.json")
    assert desk.report("again.json")["counts"]["deviating"] == 1


def test_a_second_case_of_the_same_name_is_called_by_its_id(desk: Desk) -> None:
    ran(desk, "fees")
    assert reviewed(desk, "--cause", "1", "--promote", "--yes").code == 0
    assert reviewed(desk, "--cause", "1", "--promote", "--yes").code == 0
    assert len(list(Path("goldens").rglob("*.yaml"))) == 2
    third = reviewed(desk, "--cause", "1", "--promote", "--yes")
    assert (third.code, "there is a golden here already" in third.err) == (2, True)


def test_without_a_terminal_the_flags_are_named(desk: Desk) -> None:
    ran(desk, "fees")
    ended = reviewed(desk)
    assert (ended.code, ended.out) == (2, "")
    assert "a review by keys needs a terminal" in ended.err
    assert "--cause CAUSE with --promote, --ignore" in ended.err


def test_nothing_to_review_is_said(desk: Desk) -> None:
    ran(desk, "same")
    ended = reviewed(desk)
    assert (ended.code, "there is nothing to review" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--cause", "nowhere"], "no cause of this run is called 'nowhere'"),
        (["--cause", "body"], "'body' is part of 2 causes"),
        (["--cause", "99"], "no cause of this run is called '99'"),
        (["--ignore"], "--ignore of which cause?"),
        (["--cause", "1", "--ignore", "--map"], "--ignore and --map are two actions"),
        (["--cause", "1", "--waive"], "a waiver needs an owner, a reason and a last day"),
        (["--cause", "1", "--promote", "--expect", "both"], "there is no such side"),
        (["--cause", "1", "--promote", "--name", "../x"], "is no name for a golden"),
        (["--cause", "1", "--unordered"], "is not only in another order"),
        (["nowhere"], "there is no run 'nowhere'"),
        (["--store", "nowhere.sqlite"], "there is no store yet"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_written(desk: Desk, arguments: list[str], fact: str) -> None:
    ran(desk, "fees", "states", count=2)
    ended = reviewed(desk, *arguments, "--yes")
    assert (ended.code, fact in ended.err, settings()) == (2, True, SETTINGS)
    assert not Path("goldens").exists()


@pytest.mark.parametrize(
    ("value", "fact"),
    [("wide", "is no tolerance"), ("-1", "cannot be negative"), ("1000000000000", "allows almost any value")],
)
def test_a_tolerance_that_makes_no_sense_is_told(desk: Desk, value: str, fact: str) -> None:
    ran(desk, "fees")
    ended = reviewed(desk, "--cause", "1", "--tolerate", "--within", value)
    assert fact in ended.text
    assert settings() == SETTINGS


def test_settings_in_another_style_keep_it(desk: Desk) -> None:
    flow = "old: sides:old\nnew: sides:new\ntraffic: c.jsonl\ncompare: [{at: body.id, ignore: true}] # one\n"
    ran(desk, "states", settings=flow)
    assert reviewed(desk, "--cause", "1", "--ignore", "--why", "w", "--yes").code == 0
    rule = '{on: "GET /states/*", at: body.state, ignore: true, why: w}'
    assert settings() == flow.replace("true}]", f"true}}, {rule}]")


@pytest.mark.parametrize(
    "text",
    [
        '{old: "sides:old", new: "sides:new", traffic: c.jsonl}\n',
        "old: sides:old\nnew: sides:new\ntraffic: c.jsonl\n...\n",
    ],
)
def test_settings_that_cannot_be_changed_safely_are_left_alone(desk: Desk, text: str) -> None:
    ran(desk, "states", settings=text)
    ended = reviewed(desk, "--cause", "1", "--ignore", "--yes")
    assert (ended.code, "cannot be changed safely" in ended.err, settings()) == (2, True, text)
    assert '  - {on: "GET /states/*", at: body.state, ignore: true, why: "body.state' in ended.err


def test_settings_in_pyproject_are_left_alone_and_the_rule_is_there_to_paste(desk: Desk) -> None:
    ran(desk, "states")
    Path("replay.yaml").unlink()
    text = '[tool.replay]\nold = "sides:old"\nnew = "sides:new"\ntraffic = ["c.jsonl"]\n'
    desk.write("pyproject.toml", text)
    ended = reviewed(desk, "--cause", "1", "--map", "--why", 'a "b" $c', "--yes")
    assert (ended.code, Path("pyproject.toml").read_text()) == (2, text)
    pasted = ended.err.partition("compare = [")[2]
    assert pasted, ended.err
    desk.write("pyproject.toml", f"{text}compare = [{pasted}")
    assert desk.cli("judge").code in (0, 1, 3)
    assert deviating(desk) == 0


def test_an_environment_with_rules_of_its_own_gets_the_rule(desk: Desk) -> None:
    desk.write("replay.ci.yaml", "compare:\n  - {at: body.id, ignore: true}\n")
    ran(desk, "states")
    assert reviewed(desk, "--cause", "1", "--ignore", "--why", "w", "--yes", "--env", "ci").code == 0
    assert settings() == SETTINGS
    assert "body.state, ignore: true" in Path("replay.ci.yaml").read_text("utf-8")


def test_a_dollar_in_a_reason_is_no_variable(desk: Desk) -> None:
    ran(desk, "states")
    assert reviewed(desk, "--cause", "1", "--ignore", "--why", "costs ${MONEY} $", "--yes").code == 0
    assert "costs $${MONEY} $$" in settings()
    assert "costs ${MONEY} $" in desk.cli("rules", "explain", "states-0").out


# ------------------------------------------------------------------------------------------------------------ terminal


@pytest.fixture
def keyboard() -> type[Keyboard]:
    pytest.importorskip("pty")
    from tests.cli.keyboard import Keyboard as AtTerminal  # noqa: PLC0415 - there is none on Windows

    return AtTerminal


def test_a_cause_is_shown_with_its_diff_and_the_keys_that_make_sense(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states")
    with keyboard("review") as hands:
        page = hands.see("? help")
        assert 'Cause 1 of 1: body.state: "05" -> "refused" (3 cases)' in page
        assert '    old "05"\n    new "refused"\n' in page
        assert "p promote to a golden  i ignore here  m map  w waive until\n" in page
        assert "unordered" not in page
        assert all(len(line) <= 80 for line in page.splitlines())
        assert len(page.splitlines()) <= 24
        hands.type("q")
        assert hands.ended() == 0


STEPS = {
    "i": [("why? Enter", "nobody reads it\r"), ("Write it?", "y")],
    "m": [("why? Enter", "\r"), ("Write it?", "y")],
    "w": [("owner [checkout-team]", "\r"), ("until [", "2999-01-02\r"),
          ("reason: ", "\r"), ("a waiver needs its reason", "later\r"), ("Write it?", "y")],
    "p": [("why is it worth keeping?", "INC-7\r"), ("what is right", "n\r"), ("Write it?", "y")],
    "t": [("within [0.02]", "\r"), ("why? Enter", "\r"), ("Write it?", "y")],
    "u": [("why? Enter", "\r"), ("Write it?", "y")],
}  # fmt: skip
CAUSES = {"i": "states", "m": "states", "w": "states", "p": "states", "t": "fees", "u": "tags"}


def files() -> dict[str, bytes]:
    """Return every file that a review may touch, and any that it left behind."""
    found = [Path("replay.yaml"), *Path().glob(".*.partial"), *Path("goldens").rglob("*")]
    return {str(path): path.read_bytes() for path in found if path.is_file()}


@pytest.mark.parametrize("key", STEPS)
def test_undo_gives_the_file_what_it_held_after_every_action(desk: Desk, keyboard: type[Keyboard], key: str) -> None:
    ran(desk, CAUSES[key])
    before = files()
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type(key)
        for question, answer in STEPS[key]:
            hands.see(question)
            hands.type(answer)
        hands.see("is written")
        assert files() != before
        hands.see("That was the last cause.")
        hands.type("z")
        hands.see("Cause 1 of 1")
        assert files() == before
        assert not Path("goldens").exists()
        hands.see("? help")
        hands.type("z")
        hands.see("there is nothing to take back")
        hands.type("q")
        assert hands.ended() == 0


@pytest.mark.parametrize(
    ("key", "prompt"), [("i", 0), ("i", 1), ("w", 0), ("w", 1), ("w", 2), ("p", 0), ("p", 1), ("t", 0)]
)
def test_ctrl_c_at_every_prompt_leaves_files_whole(desk: Desk, keyboard: type[Keyboard], key: str, prompt: int) -> None:
    ran(desk, CAUSES[key])
    before = files()
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type(key)
        for question, answer in STEPS[key][:prompt]:
            hands.see(question)
            hands.type(answer)
        hands.see(STEPS[key][prompt][0])
        hands.type("\x03")
        assert hands.ended() == 130
    assert files() == before


def test_ctrl_c_keeps_what_was_written_before_and_says_so(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states", "fees")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("i")
        hands.see("why? Enter")
        hands.type("\r")
        hands.see("Write it?")
        hands.type("y")
        hands.see("Cause 2 of 2")
        hands.see("? help")
        hands.type("\x03")
        assert hands.ended() == 130
        assert "written: replay.yaml" in hands.shown
    assert "ignore: true, why:" in settings()


def test_no_at_the_end_and_the_end_of_input_write_nothing(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("i")
        hands.see("why? Enter")
        hands.type("\x04")
        hands.see("nothing is written")
        hands.type("i")
        hands.see("why? Enter")
        hands.type("x\r")
        hands.see("Write it?")
        hands.type("n")
        hands.see("nothing is written")
        hands.type("?")
        hands.see("z  undo: take the last step back")
        hands.type("\x04")
        assert hands.ended() == 0
    assert settings() == SETTINGS


def test_a_file_that_somebody_changed_meanwhile_is_neither_overwritten_nor_taken_back(
    desk: Desk, keyboard: type[Keyboard]
) -> None:
    ran(desk, "states")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("i")
        hands.see("why? Enter")
        hands.type("\r")
        hands.see("Write it?")
        desk.write("replay.yaml", SETTINGS + "# another hand\n")
        hands.type("y")
        hands.see("somebody has changed this file meanwhile")
        assert settings() == SETTINGS + "# another hand\n"
        hands.type("i")
        hands.see("why? Enter")
        hands.type("\r")
        hands.see("Write it?")
        hands.type("y")
        hands.see("That was the last cause.")
        desk.write("replay.yaml", "# all new\n")
        hands.type("z")
        hands.see("somebody has changed this file meanwhile")
        hands.type("q")
        assert hands.ended() == 0
    assert settings() == "# all new\n"


def test_skipping_goes_on_and_undo_comes_back(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states", "fees")
    with keyboard("review") as hands:
        hands.see("Cause 1 of 2")
        hands.type("s")
        hands.see("Cause 2 of 2")
        hands.type("z")
        hands.see("Cause 1 of 2")
        hands.type("q")
        assert hands.ended() == 0


def test_what_was_typed_too_early_is_not_lost(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states", "fees", "tags")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("ssq")
        assert hands.ended() == 0
        assert "Cause 3 of 3" in hands.shown


def test_a_line_that_was_typed_before_it_was_asked_for_is_taken(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "fees")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("iclocks differ\n")
        hands.see("Write it?")
        hands.type("y")
        hands.see("That was the last cause")
        hands.type("q")
        assert hands.ended() == 0
    assert 'why: "clocks differ"' in Path("replay.yaml").read_text("utf-8")


def test_keys_behind_an_arrow_are_not_lost(desk: Desk, keyboard: type[Keyboard]) -> None:
    ran(desk, "states", "fees", "tags")
    with keyboard("review") as hands:
        hands.see("? help")
        hands.type("\x1b[Assq")
        assert hands.ended() == 0
        assert "Cause 3 of 3" in hands.shown
