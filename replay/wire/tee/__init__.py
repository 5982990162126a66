"""The small server that tees: traffic passes through as it came, and what passed is handed to whoever keeps it."""

from replay.wire.tee.carried import Carried, Room
from replay.wire.tee.heads import AnswerHead, BadMessageError, RequestHead, read_answer_head, read_request_head
from replay.wire.tee.server import Admitted, Limits, Tee, Usher

__all__ = [
    "Admitted",
    "AnswerHead",
    "BadMessageError",
    "Carried",
    "Limits",
    "RequestHead",
    "Room",
    "Tee",
    "Usher",
    "read_answer_head",
    "read_request_head",
]
