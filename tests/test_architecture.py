"""The house as it is drawn: who may import whom, how long a module may be, and what a command line must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "replay"

FLOORS = {
    "models": 0,
    "errors": 0,
    "documents": 0,
    "locations": 0,
    "expressions": 0,
    "selection": 0,
    "identifiers": 0,
    "routes": 0,
    "placeholders": 0,
    "words": 0,
    "counting": 0,
    "finding": 0,
    "inert": 0,
    "sampling": 0,
    "wire": 1,
    "determinism": 1,
    "privacy": 1,
    "services": 1,
    "causes": 1,
    "cases": 2,
    "targets": 2,
    "rebinding": 2,
    "compare": 2,
    "store": 2,
    "verdict": 2,
    "reports": 2,
    "engine": 3,
    "experiment": 4,
    "cleaning": 3,
    "curation": 4,
    "live": 4,
    "config": 5,
    "cli": 6,
    "__main__": 7,
}
GROUND = 0

LONGEST = 350
LONGER = {
    "replay/targets/worker.py": 1_270,  # one self-contained file, so that another interpreter can run it
}

HEAVY = ("pydantic", "httpx", "jsonschema", "sqlite3", "freezegun", "jsonpath", "ruamel.yaml", "scipy")

MODULES = sorted(HOUSE.rglob("*.py"))
FRONT_DOOR = HOUSE / "__init__.py"
"""It stands on no floor: it shows what programs import of the house, and opens a room when one is asked for."""


@dataclass(frozen=True)
class Import:
    """One import of a module of ours: from `source`, of `target`, both as dotted names."""

    source: str
    target: str
    line: int

    @property
    def rooms(self) -> tuple[str, str]:
        """Return the importing and the imported room."""
        return room(self.source), room(self.target)

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """Return the room of a dotted name; the house itself is no room."""
    return module.partition(".")[2].partition(".")[0]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def named(node: ast.AST, package: str) -> Iterator[str]:
    """Yield what an import names, wherever it stands: in functions and under TYPE_CHECKING too."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in {"import_module", "__import__"}:
            yield str(node.args[0].value)


def everything_named(path: Path) -> Iterator[tuple[str, int]]:
    package = dotted(path) if path.name == "__init__.py" else dotted(path.parent / "__init__.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in named(node, package):
            yield name, getattr(node, "lineno", 0)


def imports(path: Path) -> Iterator[Import]:
    for name, line in everything_named(path):
        if name == "replay" or name.startswith("replay."):
            yield Import(dotted(path), name, line)


def allowed(edge: Import) -> bool:
    source, target = edge.rooms
    if source == target or not target:
        return True
    if FLOORS[source] == FLOORS[target] == GROUND:
        return True
    return FLOORS[target] < FLOORS[source]


def test_the_house_was_found() -> None:
    assert len(MODULES) > 10
    assert any(edge.rooms == ("verdict", "models") for path in MODULES for edge in imports(path))


def test_every_room_is_drawn() -> None:
    rooms = {room(dotted(path)) for path in MODULES} - {""}
    assert rooms <= FLOORS.keys()


@pytest.mark.parametrize("path", [path for path in MODULES if path != FRONT_DOOR], ids=dotted)
def test_a_room_imports_itself_and_lower_floors_only(path: Path) -> None:
    assert [str(edge) for edge in imports(path) if not allowed(edge)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    rooms = [path for path in MODULES if path != FRONT_DOOR]
    graph = {dotted(path): {edge.target for edge in imports(path)} - {dotted(path)} for path in rooms}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " -> ".join(error.args[1]))


def test_the_front_door_opens_no_room_by_itself() -> None:
    program = "import sys, replay; print(*[name for name in sys.modules if name.startswith('replay.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_httpx_is_imported_in_one_module_at_most() -> None:
    users = {dotted(path) for path in MODULES for name, _ in everything_named(path) if name.split(".")[0] == "httpx"}
    assert len(users) <= 1


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_fits_a_few_screens(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGER.get(path.relative_to(ROOT).as_posix(), LONGEST)


def test_the_drawing_names_every_room() -> None:
    drawing = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {room(dotted(path)) for path in MODULES} - {"", "__main__"}
    assert [name for name in sorted(rooms) if name not in drawing] == []


def test_every_room_stands_in_the_drawing_on_its_floor() -> None:
    rows = re.findall(r"^\| (\d) \| (`[^|]*`) \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    drawn = {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)(?:\.py|/)`", names)}
    assert drawn == {name: floor for name, floor in FLOORS.items() if name != "__main__"}


def test_every_file_that_the_drawing_speaks_of_is_there() -> None:
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []


def test_the_command_line_starts_without_heavy_libraries() -> None:
    program = "import sys, replay.cli; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    command = [sys.executable, "-c", program, *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


@pytest.mark.parametrize(
    ("source", "target", "fine"),
    [
        ("replay.verdict.judge", "replay.verdict.base", True),
        ("replay.verdict.judge", "replay.models", True),
        ("replay.engine.run", "replay.verdict", True),
        ("replay.locations", "replay.errors", True),
        ("replay.verdict.judge", "replay.store", False),
        ("replay.verdict.judge", "replay.engine", False),
        ("replay.wire.client", "replay.privacy", False),
        ("replay.models", "replay.wire", False),
        ("replay.engine.run", "replay.cli", False),
    ],
)
def test_the_rule_itself_tells_right_from_wrong(source: str, target: str, *, fine: bool) -> None:
    assert allowed(Import(source, target, 1)) is fine


@pytest.mark.parametrize(
    "line",
    [
        "import replay.engine.run",
        "from replay.engine import run",
        "from replay import engine",
        "from ..engine import run",
        "def late():\n    from replay.engine import run",
        "if TYPE_CHECKING:\n    import replay.engine",
        "import_module('replay.engine')",
        "importlib.import_module('replay.engine.run')",
    ],
)
def test_an_import_is_seen_however_it_is_written(line: str) -> None:
    found = [name for node in ast.walk(ast.parse(line)) for name in named(node, "replay.verdict")]
    assert [room(name) for name in found] == ["engine"]
