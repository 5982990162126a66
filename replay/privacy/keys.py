"""The key of tokens: from the environment or from a file, or made for one run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replay.errors import SettingsError

VARIABLE: Final = "REPLAY_MASK_KEY"
FILE_VARIABLE: Final = "REPLAY_MASK_KEY_FILE"
_LARGEST: Final = 4096
_CHARACTERS: Final = 12


@dataclass(frozen=True, slots=True)
class MaskKey:
    """The key of a run's tokens. One that was `made` dies with the run: its tokens equal those of no other run."""

    key: bytes = field(repr=False)
    made: bool

    @property
    def fingerprint(self) -> str:
        """Return what tells this key from others, and says nothing of it."""
        told = hmac.digest(self.key, b"which key this is", hashlib.sha256)
        return base64.b32encode(told).decode("ascii")[:_CHARACTERS].lower()


def key_from_environment(
    environ: Mapping[str, str] | None = None, *, file: Path | None = None, shared: Iterable[Path] = ()
) -> MaskKey:
    """Return the key that REPLAY_MASK_KEY holds, or a file; a random one where none is named.

    The file is that of REPLAY_MASK_KEY_FILE, or else `file`. Raise SettingsError where it cannot be read or is empty,
    where everybody may read it, and where it lies in one of the `shared` folders, with what it keeps secret.
    """
    given = os.environ if environ is None else environ
    text = given.get(VARIABLE, "")
    if text:
        return MaskKey(text.encode("utf-8", "surrogateescape"), made=False)
    named = given.get(FILE_VARIABLE, "")
    file = Path(named) if named else file
    return MaskKey(secrets.token_bytes(32), made=True) if file is None else MaskKey(_read(file, shared), made=False)


def _read(file: Path, shared: Iterable[Path]) -> bytes:
    _require_apart(file, shared)
    try:
        with file.open("rb") as opened:
            _require_private(file, opened.fileno())
            key = opened.read(_LARGEST + 1).strip()
    except OSError as error:
        raise SettingsError(f"the key cannot be read: {error.strerror}", place=str(file), hint=_HINT) from None
    if not key or len(key) > _LARGEST:
        fact = "the file of the key is empty" if not key else f"a key of more than {_LARGEST} bytes"
        raise SettingsError(fact, place=str(file), hint=_HINT)
    return key


_HINT: Final = "make one: (umask 077; openssl rand -hex 32 > FILE)"


def _require_private(file: Path, descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        raise SettingsError("the key is no file", place=str(file), hint=_HINT)
    if mode & (stat.S_IROTH | stat.S_IWOTH) and os.name == "posix":
        raise SettingsError("everybody may read the key", place=str(file), hint=f"chmod 600 {file.name}")


def _require_apart(file: Path, shared: Iterable[Path]) -> None:
    place = file.resolve()
    for folder in shared:
        if place.is_relative_to(folder.resolve()):
            fact = f"the key lies in {folder.name}/, with what it keeps secret"
            raise SettingsError(fact, place=str(file), hint="keep it elsewhere: who gets that folder gets the key")
