"""The ledger example: two services on a PostgreSQL of their own, started, reset before each case, and compared."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "ledger"
PROGRAMS: Final = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda it: int(it.parent.name), default=None)
NOBODY: Final = "nobody"
BOUND: Final = 60


def as_nobody() -> dict[str, str]:
    """Return who runs the server: PostgreSQL refuses to be run by root."""
    return {"user": NOBODY} if os.geteuid() == 0 else {}


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """Run a throw-away PostgreSQL on a socket in a folder of its own; yield the variables that lead psql to it."""
    if PROGRAMS is None or not (PROGRAMS / "initdb").exists() or shutil.which("psql") is None:
        pytest.skip("PostgreSQL's server programs are not installed, so that examples/ledger was not run")
    # Not below tmp_path: only its owner may look into that, and a socket's path holds 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, -1)
        data = f"{folder}/data"
        settings = f"-c listen_addresses='' -c fsync=off -k {folder}"
        control(folder, "initdb", "-D", data, "-U", "ledger", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        control(folder, "pg_ctl", "start", "-w", "-t", str(BOUND), "-D", data, "-l", f"{folder}/log", "-o", settings)
        try:
            yield {"PGHOST": folder, "PGPORT": "5432", "PGUSER": "ledger", "PGDATABASE": "postgres"}
        finally:
            control(folder, "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)


def control(folder: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs to its end; the server that it starts keeps no pipe of ours open."""
    assert PROGRAMS is not None
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with Path(folder, f"{program}.out").open("w+b") as said:
        done = subprocess.run(
            [PROGRAMS / program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
            timeout=2 * BOUND,
            env=variables,
            **as_nobody(),  # type: ignore[call-overload]
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return a copy of the example, to run and to change."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "ledger", ignore=shutil.ignore_patterns(".replay", "__pycache__")))


def run(ledger: Path, database: dict[str, str]) -> tuple[int, str]:
    """Run the example as its README says; return the exit code and what was printed, with single blanks."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, **database, "PATH": path, "COLUMNS": "200", "NO_COLOR": "1"}
    command = [shutil.which("replay", path=path) or "replay", "run"]
    done = subprocess.run(
        command, cwd=ledger, env=variables, capture_output=True, text=True, check=False, timeout=BOUND
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def planted(file: Path, right: str, wrong: str) -> None:
    """Put a slip into a file, which has to be there to be changed."""
    text = file.read_text("utf-8")
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong), "utf-8")


def test_both_ledgers_agree_though_each_names_its_transfers_itself(ledger: Path, database: dict[str, str]) -> None:
    code, told = run(ledger, database)
    assert code == 0, told
    assert "compared 4 = matched 4 + deviating 0" in told


def test_a_reversal_that_pays_the_wrong_way_is_no_go(ledger: Path, database: dict[str, str]) -> None:
    planted(
        ledger / "new" / "tables.sql", "first.payee, first.payer, first.cents", "first.payer, first.payee, first.cents"
    )
    code, told = run(ledger, database)
    assert code == 1, told
    assert "compared 4 = matched 3 + deviating 1" in told
    assert "steps.payer.body.balance" in told


def test_without_its_reset_a_side_remembers_the_case_before(ledger: Path, database: dict[str, str]) -> None:
    planted(
        ledger / "replay.yaml", "  reset: psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file new/accounts.sql\n", ""
    )
    planted(ledger / "replay.yaml", "--file new/tables.sql", "--file new/tables.sql --file new/accounts.sql")
    code, told = run(ledger, database)
    assert code == 1, told
    assert "1 failed on new only: reversal" in told


def test_a_database_that_is_not_there_ends_the_run_before_anything_is_sent(ledger: Path, tmp_path: Path) -> None:
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed, so that examples/ledger was not run without its database")
    code, told = run(ledger, {"PGHOST": str(tmp_path), "PGPORT": "5432"})
    assert code == 2, told
    assert "old cannot start: its setup failed: psql: exit code 2" in told
