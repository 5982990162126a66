"""A branch against its base: refs of a repository that the test makes, checked out once and kept."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended

SERVER: Final = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
import prices

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"price": prices.total(100), "next": f"http://{self.headers['Host']}/2"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("location", f"http://{self.headers['Host']}/2")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""
PYTHON: Final = shlex.quote(sys.executable)
RUN: Final = f'new: {{run: "{PYTHON} server.py {{port}}"}}\nfreeze: 2024-02-29T23:59:59Z\n'
APP: Final = """
import prices

def shop(n=100):
    return prices.total(n)
"""


def git(*arguments: str) -> str:
    name = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *name, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(desk: Desk, total: str) -> str:
    desk.write("prices.py", f"def total(net):\n    return {total}\n")
    git("add", "-A", ":!.replay")
    git("commit", "-q", "-m", f"Charge {total}")
    return git("rev-parse", "HEAD")


@pytest.fixture
def two(desk: Desk) -> tuple[str, str]:
    """Make a repository of two commits; the second one charges wrongly. Return both."""
    git("init", "-q", "-b", "main")
    desk.write("server.py", SERVER)
    desk.write("shop.py", APP)
    desk.write("replay.yaml", RUN)
    desk.write(".gitignore", ".replay/\n*.json\n__pycache__/\n")
    desk.write("goldens/price.yaml", "title: The price of one\nrequest: {path: /price}\n")
    return commit(desk, "net * 119 // 100"), commit(desk, "net * 119 // 100 + (net == 100)")


def run(desk: Desk, *flags: str) -> Ended:
    return desk.cli("run", *flags, "--report", "json:report.json")


def trees() -> list[Path]:
    return [each for each in Path(os.environ["REPLAY_CACHE"], "trees").iterdir() if each.is_dir()]


def test_a_regression_between_two_commits_is_found_and_the_trees_are_kept(desk: Desk, two: tuple[str, str]) -> None:
    ended = run(desk, "--old", "git:HEAD~1", "--new", "git:HEAD")
    assert ended.code == 1, ended.text
    (result,) = desk.report()["results"]
    assert [(each["at"], each["old"], each["new"]) for each in result["differences"]] == [("body.price", 119, 120)]
    told = " ".join(ended.out.split())
    assert f"at git:HEAD~1 ({two[0][:10]})" in told
    assert f"at git:HEAD ({two[1][:10]})" in told
    assert told.count(two[0][:10]) == 1
    made = {each: each.stat().st_ino for each in trees()}
    assert len(made) == 2
    assert run(desk, "--old", f"git:{two[0]}", "--new", "git:main").code == 1
    assert {each: each.stat().st_ino for each in trees()} == made
    assert git("status", "--porcelain") == ""
    assert git("worktree", "list").count("\n") == 0


def test_the_working_tree_is_compared_with_what_is_committed(desk: Desk, two: tuple[str, str]) -> None:
    desk.write("prices.py", "def total(net):\n    return net * 119 // 100\n")
    ended = run(desk, "--old", "git:HEAD", "--new", ".")
    assert ended.code == 1, ended.text
    told = " ".join(ended.out.split())
    assert re.search(rf"server\.py {{port}} \({two[1][:10]} with changes [0-9a-f]{{6}}\)", told)
    assert f"old is HEAD ({two[1][:10]}) without the changes that are not committed" in told
    assert run(desk, "--old", "git:HEAD~1", "--new", ".").code == 0


def test_a_run_of_one_draft_is_not_gone_on_with_by_another(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    desk.write("replay.yaml", RUN.replace('}"}', '}", stop_after: 1}'))
    for number in range(3):
        desk.write(f"goldens/{number}.yaml", f"title: Another one\nrequest: {{path: /{number}}}\n")
    desk.write("prices.py", "def total(net):\n    raise ValueError\n")
    begun = run(desk, "--old", "git:HEAD~1", "--new", ".", "--concurrency", "1")
    assert "not completed" in begun.out, begun.text
    desk.write("prices.py", "def total(net):\n    return net * 119 // 100\n")
    ended = run(desk, "--old", "git:HEAD~1", "--new", ".", "--resume")
    assert ended.code == 2, ended.text
    assert "new" in ended.err, ended.err


def test_a_working_tree_without_changes_is_said_to_be_what_it_is_compared_with(
    desk: Desk, two: tuple[str, str]
) -> None:
    ended = run(desk, "--old", "git:main", "--new", ".")
    assert f"old and new are both {two[1][:10]}, and nothing is changed" in " ".join(ended.out.split())
    desk.write("prices.py", "def total(net):\n    return net\n")
    for old in ("git:main", "git:HEAD~1"):
        assert "nothing is changed" not in " ".join(run(desk, "--old", old, "--new", ".").out.split())


def test_so_is_one_that_is_imported(desk: Desk, two: tuple[str, str]) -> None:
    flags = ("--old", "git:HEAD", "--new", "shop:shop")
    assert f"old and new are both {two[1][:10]}, and nothing is changed" in " ".join(run(desk, *flags).out.split())
    desk.write("prices.py", "def total(net):\n    return net\n")
    assert "nothing is changed" not in " ".join(run(desk, *flags).out.split())


def test_two_folders_of_one_commit_are_two_programs(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    for folder in ("one", "other"):
        Path(folder).mkdir()
        desk.write(f"{folder}/server.py", SERVER)
        desk.write(f"{folder}/prices.py", "def total(net):\n    return net\n")
    git("add", "one", "other")
    git("commit", "-q", "-m", "Two programs")
    desk.write(
        "replay.yaml",
        RUN.replace('}"}', '}", cwd: other}')
        + f'old: {{run: "{PYTHON} server.py {{port}}", cwd: one, at: git:HEAD}}\n',
    )
    ended = run(desk)
    assert ended.code == 0, ended.text
    assert "nothing is changed" not in " ".join(ended.out.split())


@pytest.mark.parametrize(("cwd", "fact"), [
    ("{here}", "is not in git:HEAD~1"), ("..", "leads out of the files of HEAD~1"), ("out", "leads out of the files"),
])  # fmt: skip
def test_a_folder_that_is_not_the_commits_is_refused_for_both_sides_would_be_of_one_version(
    desk: Desk, two: tuple[str, str], cwd: str, fact: str
) -> None:
    assert two
    Path("out").symlink_to(Path.cwd())
    git("add", "out")
    git("commit", "-q", "-m", "A way out")
    where = cwd.format(here=Path.cwd())
    desk.write("replay.yaml", RUN.replace('}"}', f'}}", cwd: {where}}}'))
    ended = run(desk, "--old", "git:HEAD" if cwd == "out" else "git:HEAD~1", "--new", ".")
    assert ended.code == 2, ended.text
    assert "old: " in ended.err
    assert fact in " ".join(ended.err.split())


def test_an_absolute_folder_has_to_be_in_the_one_that_the_code_is_had_from(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    desk.write("replay.yaml", RUN.replace('}"}', f'}}", cwd: {Path.cwd()}}}'))
    Path("elsewhere").mkdir()
    ended = run(desk, "--old", "path:elsewhere", "--new", ".")
    assert ended.code == 2
    assert "is not in path:elsewhere" in ended.err
    assert run(desk, "--old", ".", "--new", ".").code == 0


@pytest.mark.parametrize("how", ["word", "variable"])
def test_a_commit_that_is_started_with_files_of_the_working_tree_is_warned_of(
    desk: Desk, two: tuple[str, str], how: str
) -> None:
    assert two
    here = Path.cwd()
    text = (
        RUN.replace("server.py", f"{here}/server.py")
        if how == "word"
        else RUN.replace('}"}', f'}}", env: {{PYTHONPATH: /nowhere:{here}}}}}')
    )
    desk.write("replay.yaml", text)
    ended = run(desk, "--old", "git:HEAD~1", "--new", "git:HEAD")
    told = "".join(ended.out.split())
    named = f"{here}/server.py" if how == "word" else f"{here}"
    assert f"oldisstartedwith{named},whichisoftheworkingtree" in told


def test_apps_and_functions_are_had_from_a_commit_too(desk: Desk, two: tuple[str, str]) -> None:
    desk.write("replay.yaml", "new: {function: 'shop:shop'}\nold: git:HEAD~1\n")
    desk.write("goldens/price.yaml", "title: The price of one\nrequest: {json: {n: 100}}\n")
    # What is no longer in the working tree is not had from there.
    desk.write("prices.py", "raise SystemExit('this is the working tree')\n")
    for flags, code in ((("--new", "git:HEAD"), 1), (("--new", "git:HEAD~1"), 0)):
        ended = desk.cli("run", *flags)
        assert ended.code == code, ended.text
    assert f"shop:shop at git:HEAD~1 ({two[0][:10]})" in " ".join(ended.out.split())
    assert len(trees()) == 2


def test_settings_below_the_top_of_a_repository_run_below_it_in_a_tree(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    Path("below").mkdir()
    git("mv", "server.py", "shop.py", "prices.py", "replay.yaml", "goldens", "below")
    git("commit", "-q", "-m", "Move")
    os.chdir("below")
    assert run(desk, "--old", "git:HEAD", "--new", "git:HEAD").code == 0
    ended = run(desk, "--old", "git:HEAD~1", "--new", "git:HEAD")
    assert ended.code == 2
    assert "old: HEAD~1" in ended.err
    assert "has no folder below" in ended.err


@pytest.mark.parametrize(("ref", "fact"), [
    ("gone", "git:gone: old: the repository knows no such commit"),
    ("-x", "this is no name of a commit"),
    ("HEAD:prices.py", "the repository knows no such commit"),
    ("--output=oh", "this is no name of a commit"),
])  # fmt: skip
def test_a_ref_that_is_none_ends_with_2(desk: Desk, two: tuple[str, str], ref: str, fact: str) -> None:
    assert two
    ended = desk.cli("run", "--old", f"git:{ref}", "--new", "git:HEAD")
    assert ended.code == 2
    assert fact in ended.err
    assert not Path("oh").exists()


def test_a_commit_with_a_submodule_is_refused_by_name(desk: Desk, two: tuple[str, str]) -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{two[0]},vendor/lib")
    git("commit", "-q", "-m", "Vendor a library")
    ended = desk.cli("run", "--old", "git:HEAD~1", "--new", "git:HEAD")
    assert ended.code == 2
    assert "this commit has a submodule (vendor/lib)" in ended.err


def test_a_side_that_nothing_can_be_borrowed_for_is_named(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    desk.write("replay.yaml", "new: http://127.0.0.1:9\n")
    ended = desk.cli("run", "--old", "git:HEAD")
    assert ended.code == 2
    assert "old: 'git:HEAD' says where the code is, and nothing says what to start there" in " ".join(ended.err.split())


def test_a_hook_that_runs_this_sees_the_right_repository(
    desk: Desk, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two
    monkeypatch.setenv("GIT_DIR", "/nowhere/.git")
    assert desk.cli("run", "--dry-run", "--old", "git:HEAD~1", "--new", "git:HEAD").code == 0
    assert not Path(os.environ["REPLAY_CACHE"], "trees").exists()


def test_clean_removes_trees_and_logs_and_nothing_else(desk: Desk, two: tuple[str, str]) -> None:
    assert two
    assert run(desk, "--old", "git:HEAD~1", "--new", "git:HEAD").code == 1
    desk.write(".replay/notes.log", "mine")
    before = {str(each) for each in Path().rglob("*") if not each.name.endswith(("old.log", "new.log"))}
    cleaned = desk.cli("clean")
    assert "work trees: 2 removed" in cleaned.out
    assert "logs: 2 removed" in cleaned.out
    assert trees() == []
    assert {str(each) for each in Path().rglob("*")} == before
    assert "work trees: 0 removed" in desk.cli("clean").out
