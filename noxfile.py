"""What a contributor runs: `nox -l` lists it. Arguments after `--` go to the tool; `-P 3.13` picks another Python."""

from __future__ import annotations

import argparse
import re
import secrets
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "lint", "types"]
nox.options.reuse_existing_virtualenvs = True

PYPROJECT = Path(__file__).parent / "pyproject.toml"
OLDEST = "3.11"
COMMANDS_HEAD = """\
# Commands

What `--help` prints, as typer {version} lays it out. `nox -s docs` writes this page, and a test holds it
to the commands.
"""


def oldest_python() -> str:
    """Return the oldest supported Python where this machine has it, else the one that runs nox."""
    name = f"python{OLDEST}"
    return name if shutil.which(name) and runs(name) else sys.executable


def runs(name: str) -> bool:
    """Return whether a Python answers: version managers put launchers on the path for those that are not installed."""
    return subprocess.run([name, "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603 - a constant


def install(session: nox.Session, *arguments: str) -> None:
    """Install into the session's environment; `--no-venv` promises that everything is there already."""
    if session.venv_backend != "none":
        session.install(*arguments)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, with a coverage report."""
    install(session, "-e", ".[dev]")
    session.run("pytest", "--cov=replay", "--cov-report=term:skip-covered", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """Try the laws on examples that no run has drawn, until one breaks; `-- --minutes 60`: no round begins later."""
    install(session, "-e", ".[dev]")
    parser = argparse.ArgumentParser("nox -s explore --", add_help=False)
    parser.add_argument("--minutes", type=float, default=10)
    given, arguments = parser.parse_known_args(session.posargs)
    end = time.monotonic() + 60 * given.minutes
    # Round by round, since a test that says how many examples it draws is heard before any profile.
    while True:
        seed = f"--hypothesis-seed={secrets.randbits(32)}"
        session.run("pytest", "-q", "-m", "hypothesis", "--hypothesis-profile=explore", seed, *arguments)
        if time.monotonic() >= end:
            return


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format; `-- --fix` mends what can be mended."""
    install(session, "-e", ".[dev]")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly, over the tests and this file too."""
    install(session, "-e", ".[dev]")
    session.run("mypy", *session.posargs)


@nox.session(python=oldest_python())
def minimums(session: nox.Session) -> None:
    """Run the tests with the oldest versions of the dependencies that pyproject.toml allows."""
    constraints = Path(session.create_tmp()).resolve() / "minimums.txt"
    constraints.write_text("\n".join(lower_bounds()) + "\n", encoding="utf-8")
    session.install("-e", ".[dev]", "--constraint", str(constraints))
    session.run("pytest", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the bundled example: two versions of a shop, compared."""
    install(session, ".")
    session.run("replay", "run", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what sending and comparing cost, beside others; `-- --quick`: 30 seconds, docs left alone."""
    install(session, "-e", ".[dev]", "aiohttp", "deepdiff", "laboratory", "py-scientist", "uvicorn")
    page = [] if "--quick" in session.posargs else ["--page", "docs/performance.md"]
    session.run("python", "-m", "bench", *page, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Write docs/commands.md anew, from what `--help` prints at 80 columns."""
    install(session, "-e", ".")
    summary = help_of(session)
    commands = [name for command in named(summary) for name in (command, *below(session, command))]
    version = session.run("python", "-c", "import typer; print(typer.__version__)", silent=True)
    head = COMMANDS_HEAD.format(version=str(version).strip())
    pages = [f"## replay\n\n```text\n{summary}```\n"]
    pages += [f"## replay {name}\n\n```text\n{help_of(session, *name.split())}```\n" for name in commands]
    (PYPROJECT.parent / "docs" / "commands.md").write_text("\n".join([head, *pages]), encoding="utf-8")


def named(summary: str) -> list[str]:
    """Return the commands that a help text lists."""
    return re.findall(r"^│ (\w+) ", summary.partition("─ Commands")[2], re.MULTILINE)


def below(session: nox.Session, command: str) -> list[str]:
    """Return the commands of a group, with its name before theirs; none where it is no group."""
    return [f"{command} {name}" for name in named(help_of(session, command))]


def help_of(session: nox.Session, *command: str) -> str:
    """Return what a command says of itself, without the blanks at the ends of its lines."""
    env = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    printed = session.run("replay", *command, "--help", silent=True, env=env)
    return "\n".join(line.rstrip() for line in str(printed).strip("\n").splitlines()) + "\n"


def lower_bounds() -> list[str]:
    """Return `name==version; marker` for each dependency of the package. Its users meet these; the tools are ours."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    pairs = (line.partition(";") for line in project["dependencies"])
    return [f"{pinned(requirement)}{mark}{marker}" for requirement, mark, marker in pairs]


def pinned(requirement: str) -> str:
    """Turn `name>=1.2` into `name==1.2`; every dependency has such a bound."""
    name, bound, version = requirement.partition(">=")
    if not bound or "," in version:
        raise ValueError(f"{requirement!r} has no plain lower bound")
    return f"{name.strip()}=={version.strip()}"
