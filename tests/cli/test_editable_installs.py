"""A commit against another where the project is installed in editable mode: nothing may come from the working tree."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from replay.models import TargetSpec
from replay.services.imports import Taken, taken_from

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Ended

SHOP: Final = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

def total(n=100):
    return n * 119 // 100{slip}

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(total()).encode())

    def log_message(self, *arguments):
        pass

def serve(port):
    HTTPServer(("127.0.0.1", port), Shop).serve_forever()
"""
PROJECT: Final = '[build-system]\nrequires = []\nbuild-backend = "{}"\n[project]\nname = "shop"\nversion = "1.0"\n'
SETUPTOOLS, HATCHLING = PROJECT.format("setuptools.build_meta"), PROJECT.format("hatchling.build")
KINDS: Final = {
    "flat, a finder": (SETUPTOOLS + '[tool.setuptools]\npackages = ["shop"]\n', "shop", []),
    "src, a path": (SETUPTOOLS, "src/shop", []),
    "src, links": (SETUPTOOLS, "src/shop", ["--config-settings", "editable_mode=strict"]),
    "src, a finder of hatch": (HATCHLING + "[tool.hatch.build]\ndev-mode-exact = true\n", "src/shop", []),
}
NEEDED: Final = {"": ["setuptools/command/bdist_wheel.py"], "hatchling": ["hatchling", "editables"]}
"""What of the packages beside this Python installs a project of either backend, without asking any registry."""
CAN_BE_HAD: Final = [kind for kind in KINDS if kind != "src, links"]


def done(*command: str, **env: str) -> str:
    """Run a command to its end; return what it printed."""
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | env)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


class Workshop:
    """A repository of two commits, of which the second charges wrongly, and an environment that it is installed in."""

    def __init__(self, desk: Desk, kind: str, venv: Path) -> None:
        self._desk = desk
        project, package, flags = KINDS[kind]
        needed = ["pip", *NEEDED[project.partition("hatchling")[1]]]
        if not all(any(Path(place, name).exists() for place in site.getsitepackages()) for name in needed):
            pytest.skip("NOT TESTED: pip or a build backend is not installed here; pip install -e '.[dev]'")
        done(sys.executable, "-m", "venv", "--without-pip", str(venv))
        self.python = str(venv / "bin/python")
        desk.write("pyproject.toml", project)
        desk.write(".gitignore", ".replay/\nbuild/\n*.egg-info/\n__pycache__/\n*.json\n")
        desk.write("goldens/price.yaml", "title: The price of one\nrequest: {path: /, json: {n: 100}, method: GET}\n")
        done("git", "init", "-q", "-b", "main")
        self.charge(package, "")
        self.charge(package, " + 1")
        pip = ("-m", "pip", "--python", self.python, "install", "-q", "--no-index", "--no-deps", "--no-build-isolation")
        done(sys.executable, *pip, *flags, "-e", ".", PYTHONPATH=os.pathsep.join(site.getsitepackages()))
        editables = find_spec("editables")
        if "dev-mode-exact" in project and editables and editables.origin:
            shutil.copytree(Path(editables.origin).parent, next(venv.glob("lib/*/site-packages")) / "editables")
        assert "from" in done(self.python, "-c", "import shop.api; print('from', shop.api.__file__)")

    def charge(self, package: str, slip: str) -> None:
        """Commit a version of the shop."""
        self._desk.write(f"{package}/__init__.py", "")
        self._desk.write(f"{package}/api.py", SHOP.format(slip=slip))
        name = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")
        done("git", "add", "-A")
        done("git", *name, "commit", "-q", "-m", f"Charge{slip}")

    def run(self, *flags: str) -> Ended:
        """Have the environment's own Python run replay."""
        path = os.pathsep.join([str(Path(__file__).parents[2]), *site.getsitepackages()])
        command = [self.python, "-c", "from replay.cli import main; main()", "run", *flags]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, **options)  # type: ignore[call-overload]
        self._desk.started.append(process)
        return self._desk.ended(process, seconds=60)


@pytest.fixture
def workshop(desk: Desk, tmp_path: Path) -> Callable[[str], Workshop]:
    """Return what sets up a workshop of a kind."""
    return lambda kind: Workshop(desk, kind, tmp_path.with_name(f"{tmp_path.name}-venv"))


BOTH: Final = ("--old", "git:HEAD~1", "--new", "git:HEAD")


@pytest.mark.parametrize("kind", CAN_BE_HAD)
def test_each_side_imports_what_its_commit_holds(desk: Desk, workshop: Callable[[str], Workshop], kind: str) -> None:
    shop = workshop(kind)
    desk.write("replay.yaml", "new: {function: 'shop.api:total'}\n")
    assert shop.run(*BOTH).code == 1
    # A program of the environment, which looks for modules beside itself and not in the folder that it is started in.
    desk.write("../serve", f"#!{shop.python}\nimport sys, shop.api\nshop.api.serve(int(sys.argv[1]))\n").chmod(0o755)
    desk.write("replay.yaml", f"new: {{run: '{Path('../serve').resolve()} {{port}}'}}\n")
    ended = shop.run(*BOTH)
    assert ended.code == 1, ended.text
    assert "editable" not in ended.text


def test_what_cannot_be_had_from_a_commit_fails_its_side_or_is_told(
    desk: Desk, workshop: Callable[[str], Workshop]
) -> None:
    shop = workshop("src, links")
    desk.write("replay.yaml", "new: {function: 'shop.api:total'}\n")
    ended = shop.run(*BOTH)
    assert (ended.code, ended.out) == (2, "")
    assert "shop.api is imported from" in " ".join(ended.err.split())
    assert "which is not of HEAD~1" in " ".join(ended.err.split())
    desk.write("replay.yaml", f"new: {{run: '{shop.python} -c \"import shop.api; shop.api.serve({{port}})\"'}}\n")
    told = " ".join(shop.run(*BOTH).out.split())
    assert "the Python of old has shop from the working tree, installed in editable mode" in told
    desk.write("replay.yaml", Path("replay.yaml").read_text().replace("}\n", ", env: {PYTHONPATH: src}}\n"))
    ended = shop.run(*BOTH)
    assert (ended.code, "editable" in ended.text) == (1, False)


def test_a_module_that_a_case_imports_from_the_working_tree_fails_that_case(desk: Desk) -> None:
    done("git", "init", "-q", "-b", "main")
    desk.write("late/lazy.py", "TOTAL = 119\n")
    late = f"sys.path.append('{Path.cwd()}/late')\n    import lazy"
    desk.write("shop.py", f"import sys\ndef shop(n=0):\n    {late}\n    return 1\n")
    desk.write("goldens/price.yaml", "title: The price of one\nrequest: {json: {n: 100}}\n")
    desk.write("replay.yaml", "new: {function: 'shop:shop'}\n")
    done("git", "add", "-A")
    done("git", "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-q", "-m", "Begin")
    ended = desk.cli("run", "--old", ".", "--new", "git:HEAD", "--report", "json:report.json")
    (result,) = desk.report()["results"]
    assert (ended.code, result["outcome"]) == (1, "new_error")
    assert "lazy is imported from" in " ".join(desk.cli("show", "price").out.split())


def test_an_installed_copy_of_what_the_commit_has_itself_is_no_version_of_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("git", "init", "-q", "-b", "main")
    installed = tmp_path.with_name(f"{tmp_path.name}-venv") / "site-packages"
    for folder in ("src", str(installed)):
        desk.write(f"{folder}/prices.py", "def total(n): return n\n")
    desk.write("shop.py", "from prices import total\ndef shop(n=0): return total(n)\n")
    desk.write("goldens/price.yaml", "title: The price of one\nrequest: {json: {n: 100}}\n")
    desk.write("replay.yaml", "new: {function: 'shop:shop'}\n")
    done("git", "add", "-A")
    done("git", "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-q", "-m", "Begin")
    monkeypatch.setenv("PYTHONPATH", str(installed))
    ended = desk.cli("run", "--old", "git:HEAD", "--new", "git:HEAD")
    assert (ended.code, "prices is imported from" in " ".join(ended.err.split())) == (2, True)


def test_paths_of_the_environment_are_had_from_the_commit_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("src/prices.py", "")
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}/src")
    assert taken_from(Path.cwd(), TargetSpec(function="shop:shop")) == Taken(("src",))
    assert taken_from(Path.cwd(), TargetSpec(run="node server.js {port}")) == Taken()
    assert Taken(("a/src",), {"one": "a", "two": "b"}).astray(["a/src"]) == ["two"]


def test_a_command_that_would_import_an_installed_copy_is_refused_before_anything_is_sent(
    desk: Desk, tmp_path: Path
) -> None:
    venv = tmp_path.with_name(f"{tmp_path.name}-venv")
    done(sys.executable, "-m", "venv", "--without-pip", str(venv))
    (packages,) = venv.glob("lib/*/site-packages")
    done("git", "init", "-q", "-b", "main")
    desk.write("goldens/price.yaml", "title: The price of one\nrequest: {path: /}\n")
    desk.write(".gitignore", ".replay/\n__pycache__/\n")
    for slip in ("", " + 1"):
        desk.write("src/shop/__init__.py", "")
        desk.write("src/shop/api.py", SHOP.format(slip=slip))
        done("git", "add", "-A")
        done("git", "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-q", "-m", f"Charge{slip}")
    shutil.copytree("src/shop", packages / "shop")
    script = desk.write(
        str(venv / "bin/serve"), f"#!{venv}/bin/python\nimport sys, shop.api\nshop.api.serve(int(sys.argv[1]))\n"
    )
    script.chmod(0o755)
    desk.write("replay.yaml", f"new: {{run: '{script} {{port}}'}}\n")
    ended = desk.cli("run", *BOTH)
    said = " ".join(ended.err.split())
    assert (ended.code, ended.out) == (2, "")
    assert "old: shop would be imported from an installed copy, and not from HEAD~1" in said
    assert "env: {PYTHONPATH: src}" in said
    desk.write("replay.yaml", f"new: {{run: '{script} {{port}}', env: {{PYTHONPATH: src}}}}\n")
    assert desk.cli("run", *BOTH).code == 1
