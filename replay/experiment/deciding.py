"""Which calls of an experiment are compared, and whose answer is used: asked on every call, so it has to be quick."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from replay.experiment.callbacks import Callback, NoTruthError, taking_arguments, truth
from replay.experiment.drawing import drawn
from replay.experiment.freezing import describe
from replay.experiment.outside import contain

if TYPE_CHECKING:
    from replay.models import Side

Switch = bool | Callback
_BITS: Final = 64
MOST_KEYS: Final = 4096
"""Of which it is remembered whether they are in the sample: users come again, and hashing costs more than all else."""
_LONGEST: Final = 100
UNKEYED: Final = ""


class Deciding:
    """Decides about calls.

    A callback that raises, or says neither yes nor no, is told of, and taken to say what a program without it would do.
    """

    def __init__(
        self,
        name: str,
        *,
        use_new: Switch,
        enabled: Switch,
        sample: float,
        key: Callback | None,
        only_if: Callback | None,
        tell: Callable[[str, str], None],
    ) -> None:
        """Take what the experiment says; `tell` is given the name of a callback, and what is wrong with it."""
        self._tell = tell
        self._use_new = taking_arguments(use_new) if callable(use_new) else None
        self._fixed: Side = "new" if use_new is True else "old"
        self._enabled = taking_arguments(enabled) if callable(enabled) else None
        self._only_if = None if only_if is None else taking_arguments(only_if)
        self._key = None if key is None else taking_arguments(key)
        self._sample = 0.0 if enabled is False else sample
        self._all = sample >= 1.0
        self._below = b"" if self._all else int(sample * (1 << _BITS)).to_bytes(_BITS // 8)
        self._known: dict[str, bool] = {}
        # What `replay.sampling.unit` hashes, begun once: samples are the same everywhere, and nest.
        self._hash = blake2b(f"{name}\0".encode("utf-8", "surrogatepass"), digest_size=_BITS // 8)

    def side(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Side:
        """Return the side whose answer is used."""
        if self._use_new is None:
            return self._fixed
        return "new" if self._asked("use_new", self._use_new, args, kwargs) else "old"

    def wants(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        """Return the key by which a call is compared, which may be empty; None where it is not."""
        if self._sample <= 0.0:
            return None
        if self._key is None and self._sample < 1.0 and drawn() >= self._sample:
            return None
        if self._enabled is not None and not self._asked("enabled", self._enabled, args, kwargs):
            return None
        key = UNKEYED if self._key is None else self._sticky(self._key, args, kwargs)
        if key is None or (self._only_if is not None and not self._asked("only_if", self._only_if, args, kwargs)):
            return None
        return key

    def _sticky(self, key: Callback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        """Return the key of a call that is in the sample."""
        try:
            text = key(*args, **kwargs)
            if type(text) is not str:
                text = str.__str__(str(text))
            known = self._known.get(text)
            if known is None:
                known = self._is_below(text)
        except BaseException as error:  # noqa: BLE001 - a callback may raise anything
            contain(error)
            self._tell("key", f"raised {describe(error)}")
            return None
        return text if known else None

    def _is_below(self, text: str) -> bool:
        """Tell whether a key is in the sample, by its hash, and remember it."""
        spot = self._hash.copy()
        spot.update(text.encode("utf-8", "surrogatepass"))
        found = self._all or spot.digest() < self._below
        if len(self._known) >= MOST_KEYS:
            self._known.clear()
        if len(text) <= _LONGEST:
            self._known[text] = found
        return found

    def _asked(self, name: str, callback: Callback, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        try:
            return truth(callback(*args, **kwargs))
        except NoTruthError as error:
            self._tell(name, str(error))
        except BaseException as error:  # noqa: BLE001 - a callback may raise anything
            contain(error)
            self._tell(name, f"raised {describe(error)}")
        return False
