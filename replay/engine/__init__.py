"""The dual run: scheduled, sent, compared, recorded; and the closing pass that makes sums of it."""

from replay.engine.closing import Tally, tally
from replay.engine.outcome import Referee
from replay.engine.plan import Plan, Sending
from replay.engine.run import Finished, Run

__all__ = ["Finished", "Plan", "Referee", "Run", "Sending", "Tally", "tally"]
