"""The golden set grows: stored cases become files. It writes text; the command line validates it again."""

from replay.curation.choosing import coverage_of, suggested
from replay.curation.gathering import Gathering
from replay.curation.promote import Promotion, golden_name, promote
from replay.curation.sessions import needs_session

__all__ = ["Gathering", "Promotion", "coverage_of", "golden_name", "needs_session", "promote", "suggested"]
