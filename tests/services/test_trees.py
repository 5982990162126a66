"""Work trees are made once, held while they are used, and bounded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from replay.errors import SettingsError
from replay.services import trees
from replay.services.git import label_of, resolve
from replay.services.trees import TREES_KEPT, remove_trees, work_tree


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *name, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number in range(2):
        (folder / "file").write_text(f"{number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", str(number))
    return folder


def test_a_tree_holds_the_files_of_its_commit_and_is_a_repository(repository: Path) -> None:
    with work_tree(resolve(repository, "main~1")) as tree:
        assert (tree / "file").read_text() == "0\n"
        assert git(tree, "rev-parse", "HEAD") == git(repository, "rev-parse", "main~1")
    assert git(repository, "worktree", "list").count("\n") == 0


def test_two_may_hold_one_tree_and_it_stays_while_one_does(repository: Path) -> None:
    commit = resolve(repository, "HEAD")
    with work_tree(commit) as one, work_tree(commit) as other:
        assert one == other
        removed = remove_trees()
        assert (removed.count, removed.held) == (0, 1)
        assert (one / "file").exists()
    assert remove_trees().count == 1
    assert not one.exists()


def test_a_tree_that_was_cut_off_is_made_anew(repository: Path) -> None:
    commit = resolve(repository, "HEAD")
    partial = trees.tree_of(commit).with_name(trees.tree_of(commit).name + ".partial")
    partial.mkdir()
    (partial / "file").write_text("half")
    with work_tree(commit) as tree:
        assert (tree / "file").read_text() == "1\n"


def test_files_that_changed_are_put_back_and_what_was_built_stays(repository: Path) -> None:
    commit = resolve(repository, "HEAD")
    with work_tree(commit) as tree:
        (tree / "file").write_text("somebody was here\n")
        (tree / "built").write_text("by a setup\n")
        with work_tree(commit):
            assert (tree / "file").read_text() == "somebody was here\n"
    with work_tree(commit):
        assert (tree / "file").read_text() == "1\n"
        assert (tree / "built").read_text() == "by a setup\n"
    (tree / "file").unlink()
    with work_tree(commit):
        assert (tree / "file").read_text() == "1\n"


@pytest.mark.parametrize("damage", ["none of it", "no head", "no index", "a broken index", "a lock", "no objects"])
def test_a_tree_whose_repository_is_damaged_is_made_anew_and_the_one_around_it_is_left_alone(
    repository: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setenv("REPLAY_CACHE", str(repository / ".cache"))
    commit, head = resolve(repository, "HEAD~1"), git(repository, "rev-parse", "main")
    with work_tree(commit) as tree:
        pass
    (repository / "file").write_text("not committed yet\n")
    (tree / "file").write_text("somebody was here\n")
    _damage(tree / ".git", damage)
    with work_tree(commit):
        assert (tree / "file").read_text() == "0\n"
        assert git(tree, "rev-parse", "HEAD") == commit.id
    assert (repository / "file").read_text() == "not committed yet\n"
    assert git(repository, "rev-parse", "main") == head


def _damage(inner: Path, how: str) -> None:
    if how == "none of it":
        shutil.rmtree(inner)
    elif how == "no head":
        (inner / "HEAD").unlink()
    elif how == "no index":
        (inner / "index").unlink()
    elif how == "a broken index":
        (inner / "index").write_bytes(b"nonsense")
    elif how == "a lock":
        (inner / "index.lock").touch()
    else:
        (inner / "objects/info/alternates").unlink()


def test_a_setup_that_checks_something_else_out_does_not_pass_for_the_commit(repository: Path) -> None:
    commit = resolve(repository, "HEAD~1")
    with work_tree(commit) as tree:
        git(tree, "checkout", "-q", resolve(repository, "HEAD").id)
    with work_tree(commit):
        assert (tree / "file").read_text() == "0\n"


def test_all_that_is_not_in_a_commit_is_no_commit(repository: Path) -> None:
    with pytest.raises(SettingsError, match="knows no such commit"):
        resolve(repository, "^HEAD")


def test_only_so_many_trees_are_kept(repository: Path) -> None:
    for number in range(TREES_KEPT + 3):
        git(repository, "commit", "-q", "--allow-empty", "-m", str(number))
        with work_tree(resolve(repository, "HEAD")) as tree:
            os.utime(tree.with_name(f"{tree.name}.lock"), (number, number))
    kept = [each for each in tree.parent.iterdir() if each.is_dir()]
    assert len(kept) == TREES_KEPT
    assert tree in kept


def test_a_shallow_clone_knows_what_it_has(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    with work_tree(resolve(tmp_path / "shallow", "HEAD")) as tree:
        assert (tree / "file").read_text() == "1\n"
    with pytest.raises(SettingsError, match="knows no such commit") as refused:
        resolve(tmp_path / "shallow", "HEAD~1")
    assert "fetch-depth" in str(refused.value)


def test_a_working_tree_is_its_commit_and_whether_tracked_files_changed(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")[:10]
    (repository / "untracked").write_text("x")
    assert label_of(repository) == commit
    drafts = []
    for change in (b"x", b"y", b"\0binary", b"\0another", b"index 1..2\n"):
        (repository / "file").write_bytes(change)
        drafts.append(label_of(repository))
    (repository / "file").unlink()
    drafts.append(label_of(repository))
    assert all(re.fullmatch(f"{commit} with changes [0-9a-f]{{6}}", draft) for draft in drafts)
    assert len(set(drafts)) == len(drafts)
    git(repository, "checkout", "-q", "file")
    (repository / "file").chmod(0o755)
    assert "with changes" in label_of(repository)
    git(repository, "reset", "-q", "--hard")
    assert label_of(repository) == commit
    assert label_of(tmp_path) == ""


def test_hooks_of_the_repository_are_not_run(repository: Path) -> None:
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository}/hooked\n")
    hook.chmod(0o755)
    with work_tree(resolve(repository, "HEAD")):
        assert not (repository / "hooked").exists()


def test_a_cache_that_cannot_be_made_is_named(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="cannot be made"), work_tree(resolve(repository, "HEAD")):
        pass


def test_a_cache_in_which_nothing_can_be_written_is_named(repository: Path) -> None:
    commit = resolve(repository, "HEAD")
    trees.tree_of(commit).with_name(f"{trees.tree_of(commit).name}.lock").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"), work_tree(commit):
        pass
