"""The golden set grows: stored cases become files. It writes text; the command line validates it again."""

from replay.curation.promote import Promotion, golden_name, promote

__all__ = ["Promotion", "golden_name", "promote"]
