"""GoReplay's files: payloads with a head of their own (kind, id, nanoseconds), parted by a line of three monkeys."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from replay.cases.content import LARGEST_RECORD, ByteStream
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError
from replay.cases.recordings.exchanges import answer, instant_of, paired, sendable, target_of
from replay.cases.recordings.messages import read_request, read_response
from replay.models import Observation, Request

SEPARATOR: Final = "\n🐵🙈🙉\n".encode()
HEAD = re.compile(rb"([123]) ([0-9A-Za-z_-]{1,64}) ([0-9]{1,19})(?: -?[0-9]+)*\r?\n")
_LONGEST_HEAD: Final = 256
_STEP: Final = 1 << 16
_AHEAD: Final = 1_000
"""How many requests are held back for their answers: they are recorded as they come, among other requests."""
_AHEAD_BYTES: Final = 64 << 20

_REQUEST, _ANSWER, _REPLAYED = b"1", b"2", b"3"


@dataclass(slots=True)
class Payloads:
    """A request and its answer, as recorded; one of them may be missing."""

    request: bytes | None
    nanoseconds: int = 0
    answer: bytes | None = None
    answered: int = 0
    replayed: bool = False


class GorFile(RecordedFile[Payloads]):
    """What `gor --output-file` writes; answers are found by their request's id."""

    form: ClassVar[str] = "GoReplay"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by the head of the first payload."""
        return HEAD.match(head.lstrip()) is not None

    def pieces(self, stream: ByteStream) -> Iterator[Payloads]:
        """Yield each request with its answer, in the order of the requests, and what belongs to none."""
        waiting: OrderedDict[bytes, Payloads] = OrderedDict()
        held = 0
        for payload in payloads(stream):
            head = HEAD.match(payload)
            if head is None:
                raise FlawError("malformed head", f"a payload begins {payload[:40]!a}, and not with its kind and id")
            kind, key, moment, content = head[1], head[2], int(head[3]), payload[head.end() :]
            if kind == _REQUEST:
                if key in waiting:  # an id that comes again is another request
                    held -= _weight(waiting[key])
                    yield waiting.pop(key)
                waiting[key] = Payloads(content, moment)
                held += len(content)
            elif kind == _ANSWER and key in waiting and waiting[key].answer is None:
                waiting[key].answer, waiting[key].answered = content, moment
                held += len(content)
            else:
                yield Payloads(None, replayed=kind == _REPLAYED)
            while waiting and (len(waiting) > _AHEAD or held > _AHEAD_BYTES or _is_whole(waiting)):
                held -= _weight(first := waiting.popitem(last=False)[1])
                yield first
        yield from waiting.values()

    def exchange(self, piece: Payloads) -> Exchange:
        """Return a request with its answer. Answers without a request, or of a replay, are counted."""
        if piece.request is None:
            raise UnusableError("answer of a replay" if piece.replayed else "answer without a request")
        message = read_request(piece.request)
        target = target_of(message.target.decode("latin-1"))
        request = sendable(message.method, target, paired(message.headers), message.body)
        return Exchange(request, _observed(piece, request), instant_of(piece.nanoseconds / 1e9))


def _is_whole(waiting: OrderedDict[bytes, Payloads]) -> bool:
    return next(iter(waiting.values())).answer is not None


def _weight(piece: Payloads) -> int:
    return len(piece.request or b"") + len(piece.answer or b"")


def _observed(piece: Payloads, request: Request) -> Observation | None:
    message = read_response(piece.answer) if piece.answer is not None else None
    if message is None:
        return None
    spent = (piece.answered - piece.nanoseconds) / 1e6
    return answer(message.status, paired(message.headers), message.body, method=request.method, milliseconds=spent)


def payloads(stream: ByteStream) -> Iterator[bytes]:
    """Yield what stands between separators. A separator counts only where a head, or nothing, follows it."""
    buffer = bytearray()
    at, ended = 0, False
    while not ended:
        data = stream.read(_STEP)
        ended = not data
        buffer += data
        while (end := buffer.find(SEPARATOR, at)) >= 0:
            after = end + len(SEPARATOR)
            if not ended and len(buffer) - after < _LONGEST_HEAD:
                break
            if (ended and after == len(buffer)) or HEAD.match(buffer, after):
                yield bytes(buffer[:end])
                del buffer[:after]
                at = 0
            else:
                at = after
        if len(buffer) > LARGEST_RECORD:
            raise FlawError("too_long", f"a payload of more than {LARGEST_RECORD >> 20} MB")
        at = max(at, len(buffer) - len(SEPARATOR)) if end < 0 else end
    if buffer.strip():
        yield _whole(bytes(buffer))


def _whole(last: bytes) -> bytes:
    """Return the last payload without what a cut file has of the separator behind it."""
    pieces = (SEPARATOR[:size] for size in range(len(SEPARATOR) - 1, 1, -1))
    return next((last.removesuffix(piece) for piece in pieces if last.endswith(piece)), last)
