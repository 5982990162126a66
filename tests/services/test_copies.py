"""What is installed as a copy is no version of a commit that holds it: who would import it, and who would not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from replay.models import TargetSpec
from replay.services.copies import Copy, installed_copy
from replay.services.git import Commit, resolve

NAME = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")


def done(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def written(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", "utf-8")


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that has copies of two packages, of which each lies elsewhere in the repository."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", "--without-pip", str(folder))
    (packages,) = folder.glob("lib/*/site-packages")
    written(packages, "shop/__init__.py", "prices.py", "tests/__init__.py", "other/__init__.py")
    for script in ("shop-server", "uvicorn"):
        (folder / "bin" / script).write_text(f"#!{folder}/bin/python\n", "utf-8")
        (folder / "bin" / script).chmod(0o755)
    return folder


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """Return a commit with a package at its top, a module in `src`, and what no service imports."""
    written(tmp_path, "shop/__init__.py", "shop/api.py", "src/prices.py", "tests/__init__.py", "web/serve.py")
    for command in (("init", "-q"), ("add", "-A"), (*NAME, "commit", "-q", "-m", "Begin")):
        done("git", "-C", str(tmp_path), *command)
    return resolve(tmp_path, "HEAD")


@pytest.mark.parametrize(("run", "paths", "names"), [
    ("shop-server {port}", "", "shop prices"),
    ("shop-server {port}", ".", "prices"),
    ("shop-server {port}", "src", "shop"),
    ("shop-server {port}", ".:src", ""),
    ("shop-server {port}", "/elsewhere", "shop prices"),
    ("uvicorn shop.api:app --port {port}", "", "prices"),
    ("uvicorn --app-dir=src shop.api:app --port {port}", "", ""),
    ("python -m shop {port}", "", "prices"),
    ("python -X dev -W error -m shop {port}", "", "prices"),
    ("python -P -m shop {port}", "", "shop prices"),
    ("python -I -m shop {port}", ".:src", "shop prices"),
    ("python web/serve.py {port}", "", "shop prices"),
    ("python serve.py {port}", "", "prices"),
    ("sh -c 'shop-server {port}'", "", "shop prices"),
    ("./shop-server {port}", "", ""),
    ("node server.js {port}", "", ""),
])  # fmt: skip
def test_a_command_imports_a_copy_unless_it_looks_into_the_commit_before(
    commit: Commit, venv: Path, run: str, paths: str, names: str
) -> None:
    spec = TargetSpec(run=run, env={"PATH": f"{venv}/bin:/bin:/usr/bin"} | ({"PYTHONPATH": paths} if paths else {}))
    found = installed_copy(commit, spec)
    assert (found.name if found is not None else "") == names.partition(" ")[0]


def test_it_is_told_where_the_copy_lies_and_where_the_commit_has_its_own(commit: Commit, venv: Path) -> None:
    spec = TargetSpec(run=f"{venv}/bin/python serve.py", cwd="web")
    (packages,) = venv.glob("lib/*/site-packages")
    assert installed_copy(commit, spec) == Copy("shop", f"{packages}/shop/__init__.py", "..")


def test_workers_look_for_themselves(commit: Commit) -> None:
    assert installed_copy(commit, TargetSpec(app="shop.api:app")) is None
