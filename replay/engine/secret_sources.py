"""Secrets, read from where the settings say that they are: a variable, a file, or what a command prints.

Decisions:

- One line end at the end is taken off: editors and commands put it there. Every other character counts.
- What is shorter than six characters is refused: it could not be told from other text, and so not be kept out of it.
- A command gets no shell, no input, the variables of this process but for this tool's own, and a time; what it started
  ends with it. Nothing that it prints is shown, since that may be the secret.
"""

from __future__ import annotations

import os
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from replay.cases.content import read_file
from replay.errors import InputError, SettingsError
from replay.models import SecretSource
from replay.services.commands import inherited, words_of

SHORTEST: Final = 6
LARGEST: Final = 64 * 2**10
_EVERYBODY: Final = stat.S_IROTH | stat.S_IWOTH


def read_secret(name: str, source: SecretSource, root: Path, environment: Mapping[str, str]) -> str:
    """Return a secret; paths are relative to `root`. Raise SettingsError, without a word of it, where there is none."""
    try:
        raw = _raw(source, root, environment)
    except InputError as error:
        fact = f"{error.place}: {error.fact}" if error.place else error.fact
        raise SettingsError(f"secret '{name}': {fact}", hint=error.hint) from None
    value = raw.removesuffix("\n").removesuffix("\r") if raw.endswith("\n") else raw
    if not value:
        empty = f"{source} holds nothing" if source.command is None else "its command printed nothing"
        raise SettingsError(f"secret '{name}': {empty}", hint="put the secret there")
    if len(value) < SHORTEST:
        fact = f"secret '{name}' has fewer than {SHORTEST} characters, and could not be kept out of what is written"
        raise SettingsError(fact, hint="what is as short as that can stand in the golden itself")
    return value


def _raw(source: SecretSource, root: Path, environment: Mapping[str, str]) -> str:
    if source.env is not None:
        return _variable(source.env, environment)
    if source.file is not None:
        path = root / Path(source.file).expanduser()
        return _text(_of_file(path, source.file), str(source))
    return _text(_printed(source, root), "what the command printed")


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SettingsError(f"the variable {name} is not set", hint=f"export {name}=...")
    return _text(environment[name].encode("utf-8", "surrogateescape"), f"the variable {name}")


def _text(data: bytes, what: str) -> str:
    if len(data) > LARGEST:
        raise SettingsError(f"{what} is larger than {LARGEST >> 10} KB, and so no secret", hint="name the right one")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SettingsError(f"{what} is no UTF-8", hint="keep it in base64, and write it so") from None


# ---------------------------------------------------------------------------------------------------------------- files


def _of_file(path: Path, shown: str) -> bytes:
    """Return what a file holds; one that everybody can read or change is no place for a secret."""
    data = read_file(path, shown)
    mode = path.stat()
    # What belongs to somebody else, as root's mounts in a container, is theirs to keep; ours we can.
    if os.name == "posix" and mode.st_uid == os.getuid() != 0 and mode.st_mode & _EVERYBODY:
        raise SettingsError(f"{shown} can be read or changed by everybody", hint=f"chmod 600 {shown}")
    return data


# ------------------------------------------------------------------------------------------------------------- commands


def _printed(source: SecretSource, root: Path) -> bytes:
    words, seconds = words_of(source.command or ()), source.timeout.total_seconds()
    try:
        process = subprocess.Popen(  # noqa: S603 - what the settings say, and no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env=inherited(),
            start_new_session=True,
        )
    except OSError as error:
        raise SettingsError(f"its command cannot be started: {(error.strerror or str(error)).lower()}") from None
    try:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        return _outcome(process, process.stdout, time.monotonic() + seconds, seconds)
    finally:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _outcome(process: subprocess.Popen[bytes], out: IO[bytes], until: float, seconds: float) -> bytes:
    """Return what a command prints up to its end."""
    printed = b""
    late = SettingsError(f"its command was not over within {seconds:g} s", hint="give it more: timeout: 1m")
    with out, selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while len(printed) <= LARGEST:
            if not selector.select(max(until - time.monotonic(), 0)):
                raise late
            piece = os.read(out.fileno(), LARGEST)
            if not piece:
                break
            printed += piece
    if len(printed) > LARGEST:
        return printed
    try:
        code = process.wait(max(until - time.monotonic(), 0.001))
    except subprocess.TimeoutExpired:
        raise late from None
    if code:
        raise SettingsError(f"its command ended with {code}", hint="run it by hand to see why; nothing of it is shown")
    return printed
