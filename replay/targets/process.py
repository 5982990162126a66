"""One worker process, seen from the parent: started, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from replay.errors import SettingsError
from replay.models import TargetSpec
from replay.services.clock import spare_folders
from replay.services.commands import inherited
from replay.targets import worker

TAIL: Final = 4096


class WorkerDiedError(Exception):
    """The process ended, or said what no worker says. The message is fit for a report."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the workers of one side."""

    python: str
    cwd: str | None
    env: Mapping[str, str]
    settings: Mapping[str, Any]
    max_body: int = field(default=64 * 2**20)


def plan(spec: TargetSpec, target: str, kind: str) -> Launch:
    """Return how to start a side's workers. Raises SettingsError for a folder or an interpreter that is not there."""
    python, paths = _place(spec.at)
    cwd = os.path.abspath(spec.cwd) if spec.cwd else None  # noqa: PTH100 - symlinks stay as they are
    if cwd and not (spec.at or "").startswith("git:") and not Path(cwd).is_dir():
        raise SettingsError(f"the working directory {spec.cwd} is not there", hint="correct `cwd`")
    settings = {
        "target": target,
        "kind": kind,
        "paths": [*paths, cwd or str(Path.cwd()), *(map(str, spec.home.folders) if spec.home else ())],
        "tree": _tree(spec),
        "spare": spare_folders(),
        "max_body": spec.max_body,
    }
    return Launch(python, cwd, _environment(spec), settings, spec.max_body)


def _tree(spec: TargetSpec) -> dict[str, str] | None:
    """Return which files a side has to be made of, where they are those of a commit."""
    home = spec.home
    if home is None:
        return None
    sources = (home.tree / "src", Path((spec.at or "").partition(":")[2]) / "src")
    told = {"root": home.tree, "repository": home.repository, "sources": os.pathsep.join(map(str, sources))}
    return {"name": home.name, **{key: str(value) for key, value in told.items()}}


def _place(at: str | None) -> tuple[str, list[str]]:
    """Return the interpreter, and what stands first on its path."""
    kind, _, name = (at or "").partition(":")
    folder = os.path.abspath(name)  # noqa: PTH100 - resolving the links of a venv would leave the venv
    if at is None:
        return sys.executable, []
    if kind == "path" and name:
        if not Path(folder).is_dir():
            raise SettingsError(f"the folder {name} is not there", hint="correct `at: path:DIR`")
        return sys.executable, [folder]
    if kind == "venv" and name:
        return _interpreter(Path(folder), name), []
    if kind == "git" and name:
        return sys.executable, []  # It becomes a `path:` once its files are there, and nothing is started before.
    raise SettingsError(f"'{at}' is no place that code is had from", hint="write git:REF, venv:DIR or path:DIR")


def _interpreter(folder: Path, name: str) -> str:
    for python in (folder / "bin" / "python", folder / "Scripts" / "python.exe"):
        if python.exists():
            return str(python)
    raise SettingsError(f"no Python interpreter in {name}", hint=f"make it with: python -m venv {name}")


def _environment(spec: TargetSpec) -> dict[str, str]:
    fixed = {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", "TZ": "UTC"}
    # These describe this process's interpreter, not the side's.
    kept = {name: value for name, value in inherited().items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    return {**kept, **fixed, **spec.env}


class Tail:
    """The last of what a worker printed. Reading goes on all the time, so that a noisy app never blocks."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pipe: int) -> None:
        self._loop = loop
        self._pipe: int | None = pipe
        self._text = b""
        os.set_blocking(pipe, False)
        loop.add_reader(pipe, self._read)

    def _read(self) -> None:
        if self._pipe is None:
            return
        try:
            chunk = os.read(self._pipe, 65536)
        except BlockingIOError:
            return
        self._text = (self._text + chunk)[-TAIL:]
        if not chunk:
            self.close()

    def text(self) -> str:
        """Return the last lines in one, or nothing."""
        self._read()
        lines = [line.strip() for line in self._text.decode("utf-8", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-6:])[-600:]

    def forget(self) -> None:
        """Drop what was printed so far: the next case did not print it."""
        self._read()
        self._text = b""

    def close(self) -> None:
        """Let go of the pipe."""
        if self._pipe is not None:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = None


class WorkerProcess:
    """One process and the socket to it. `alive` is False from the first fault on; it is never asked again then."""

    def __init__(self, launch: Launch) -> None:
        ours, theirs = socket.socketpair()
        output, printed = os.pipe()
        command = [launch.python, worker.__file__, str(theirs.fileno())]
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own app, by the interpreter of their choice
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    cwd=launch.cwd,
                    env=dict(launch.env),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is for this tool, which ends its workers itself
                )
        except BaseException:
            ours.close()
            os.close(output)
            raise
        finally:
            os.close(printed)
        self._launch = launch
        self._socket = ours
        self._tail = Tail(asyncio.get_running_loop(), output)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked = 0
        self._killed = False
        self.alive = True

    async def begin(self) -> dict[str, Any]:
        """Wait until the target is loaded; return what the worker says of it. Raises WorkerDiedError, with why."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        hello, _ = await self._ask(dict(self._launch.settings), b"")
        if "failed" in hello:
            raise WorkerDiedError(str(hello["failed"]))
        return hello

    async def ask(self, header: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Send one case and wait for its answer. Raises WorkerDiedError when the process ends instead."""
        self._asked += 1
        self._tail.forget()
        reply, answer = await self._ask({**header, "n": self._asked}, body)
        if reply.get("n") != self._asked:
            raise WorkerDiedError("the worker answered another case")
        return reply, answer

    async def _ask(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        if self._reader is None or self._writer is None:
            raise RuntimeError("begin() comes first")
        try:
            self._writer.write(worker.pack(header, body))
            await self._writer.drain()
            return await self._read(self._reader)
        except (OSError, EOFError, ValueError) as error:
            raise WorkerDiedError(await self._epitaph(error)) from error

    async def _read(self, reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
        head, body = worker.LENGTHS.unpack(await reader.readexactly(worker.LENGTHS.size))
        if head > worker.MAX_HEADER or body > self._launch.max_body:
            raise ValueError("the worker's answer is larger than any worker sends")
        header = json.loads(await reader.readexactly(head))
        if not isinstance(header, dict):
            raise ValueError("the worker's answer is none")  # noqa: TRY004 - as every other malformed frame
        return header, await reader.readexactly(body)

    async def _epitaph(self, error: Exception) -> str:
        """Say how the process ended: its exit code or signal, and the last that it printed."""
        code = await self._exit_code(seconds=1.0)
        if code is None:
            how = "the worker closed its connection" if isinstance(error, EOFError | OSError) else str(error)
        else:
            how = f"exit code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"
        return self.with_output(how)

    def with_output(self, fact: str) -> str:
        """Return a fact about this worker with the last that it printed."""
        printed = self._tail.text()
        return f"{fact}; last output: {printed}" if printed else fact

    def ended(self) -> bool:
        """Return whether the process is gone, or is going."""
        return not self.alive or self._process.poll() is not None or (self._reader is None or self._reader.at_eof())

    async def _exit_code(self, seconds: float) -> int | None:
        """Wait a little for the process to end; return its exit code, or None."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._process.poll() is None and loop.time() < deadline:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
        return self._process.returncode

    async def stop(self, seconds: float = 3.0) -> None:
        """Let the app shut down, then end the process; after `seconds` whatever it still does."""
        if self.alive and self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(worker.pack({"stop": True}))
                await self._exit_code(seconds)
        self.kill()
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def kill(self) -> None:
        """End the process and what it has started, at once; may be called twice."""
        self.alive = False
        if self._killed:
            return  # its number may belong to another process by now
        self._killed = True
        # The group outlives its leader where the app left children behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._tail.close()
        if self._writer is not None:
            self._writer.close()
        else:
            self._socket.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
