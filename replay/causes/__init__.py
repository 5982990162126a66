"""What deviating and failing cases have in common: a thousand deviations are useless, three causes a morning's work."""

from replay.causes.causes import Causes
from replay.causes.gathering import DEPARTING
from replay.causes.naming import Naming
from replay.causes.ways import FAILED, telling, ways_of
from replay.causes.wording import also, worded

__all__ = ["DEPARTING", "FAILED", "Causes", "Naming", "also", "telling", "ways_of", "worded"]
