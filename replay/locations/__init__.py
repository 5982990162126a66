"""The location language: a JSONPath (RFC 9535) without `$`, rooted in the observation; parsed, matched and printed."""

from replay.locations.general import general
from replay.locations.matching import Machine, State
from replay.locations.parsing import ROOTS, Pattern, parse_location
from replay.locations.patience import PATTERN_SECONDS, limited
from replay.locations.printing import EVERY, ROOT, Keyed, Path, Segment, print_location, segments
from replay.locations.query import Filtering, compile_query, only_filter, told

__all__ = [
    "EVERY",
    "PATTERN_SECONDS",
    "ROOT",
    "ROOTS",
    "Filtering",
    "Keyed",
    "Machine",
    "Path",
    "Pattern",
    "Segment",
    "State",
    "compile_query",
    "general",
    "limited",
    "only_filter",
    "parse_location",
    "print_location",
    "segments",
    "told",
]
