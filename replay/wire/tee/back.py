"""The connection to the upstream: answers come back over it, and are handed on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from replay.wire.clock import now_ns
from replay.wire.tee.bodies import Endless, MalformedBodyError
from replay.wire.tee.carried import Carried
from replay.wire.tee.heads import END, LONGEST, AnswerHead, BadMessageError, RequestHead, read_answer_head

_LONGEST_ANSWER_HEAD: Final = 8 * LONGEST
_START: Final = b"HTTP/1."


class Asker(Protocol):
    """Who waits for the answer."""

    def answered(self, data: bytes) -> None:
        """Pass bytes of the answer on."""

    def tunnelled(self) -> None:
        """Pass on whatever comes from now on: both sides speak another protocol."""

    def answer_over(self, *, lasting: bool) -> None:
        """Take note that the answer has come to its end; `lasting` tells whether the client may ask again."""

    def answer_failed(self, status: int, why: str, *, begun: bool) -> None:
        """Take note that no answer comes, or no more of the one that has begun."""

    def upstream_ended(self) -> None:
        """Take note that the upstream has nothing more to send: in a tunnel, or beside a request still coming."""

    def hold(self) -> None:
        """Send no more for now."""

    def go_on(self) -> None:
        """Send on."""


class Back(asyncio.Protocol):
    """One connection to the upstream; it carries one exchange at a time."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._transport: asyncio.Transport | None = None
        self._request: RequestHead | None = None
        self._carried: Carried | None = None
        self._answer: AnswerHead | None = None
        self._content: Callable[[bytes], object] = len
        self._held = b""
        self._begun = self._ended = self._tunnel = False
        self.exchanges = 0
        self.rests_since = 0
        self.interim = False
        """Whether an interim answer was passed on."""

    @property
    def usable(self) -> bool:
        """Tell whether another request may be sent."""
        return self._transport is not None and not self._ended and not self._transport.is_closing()

    @property
    def stale(self) -> bool:
        """Tell whether the upstream gave a kept connection up before it can have seen the request."""
        return self.exchanges > 1 and not self._begun

    @property
    def endless(self) -> bool:
        """Tell whether nothing but the end of the connection tells where the answer ends."""
        return self._answer is not None and isinstance(self._answer.body, Endless)

    def ask(self, request: RequestHead, message: bytes, carried: Carried) -> None:
        """Send a request's head."""
        self.exchanges += 1
        self._request, self._carried, self._answer = request, carried, None
        self._begun = self.interim = False
        self._content = carried.answer_body.add if carried.wanted else len
        carried.begun_ns = now_ns()
        self.send(message)
        if self._held:
            early, self._held = self._held, b""
            self.data_received(early)
        if self._ended and self._request is request:
            self._end(None)

    def send(self, data: bytes) -> None:
        """Send bytes of a request, or of a tunnel."""
        if self._transport is not None and not self._ended:
            self._transport.write(data)

    def end_sending(self) -> None:
        """Say that nothing more will be sent."""
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self.drop()

    def drop(self) -> None:
        """Let go at once; nobody is told."""
        self._request, self._ended, self._tunnel = None, True, False
        if self._transport is not None:
            self._transport.abort()

    def read_on(self, *, on: bool) -> None:
        """Read from the upstream, or let it wait."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # ----------------------------------------------------------------------------------------------- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in bytes of an answer, and pass them on."""
        if self._tunnel:
            self._asker.answered(data)
        elif self._request is None and not self.exchanges and len(self._held) < LONGEST:
            self._held += data  # it answers before it was asked: that is its answer to the first request
        elif self._request is None:
            self.drop()  # nobody asked: what it would answer next cannot be told from this
        else:
            self._begun = True
            try:
                self._take(data)
            except BadMessageError as error:
                self._fail(error.status, error.fact)
            except MalformedBodyError as error:
                self._fail(502, f"malformed body of the answer: {error}")

    def eof_received(self) -> bool | None:
        """Take the end of the upstream's bytes for the end of the connection, except in a tunnel."""
        if self._tunnel and self._transport is not None and self._transport.can_write_eof():
            self._asker.upstream_ended()
            return True
        self._end(None)
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way."""
        self._end(exc)
        self._transport = None

    def pause_writing(self) -> None:
        """Have the client wait until the upstream has read."""
        self._asker.hold()

    def resume_writing(self) -> None:
        """Have the client go on."""
        self._asker.go_on()

    # ------------------------------------------------------------------------------------------------------------ parts

    def _take(self, data: bytes) -> None:
        while data and self._request is not None and not self._tunnel:
            if self._answer is None:
                data = self._take_head(self._held + data)
            else:
                size = self._answer.body.take(data, self._content)
                self._asker.answered(data if size == len(data) else data[:size])
                data = data[size:]
            if self._answer is not None and self._answer.body.done and not self._tunnel:
                self._finish(spoiled=bool(data))
        if data and self._tunnel:
            self._asker.answered(data)

    def _take_head(self, data: bytes) -> bytes:
        """Read the head, and pass it on with as much of the body as came with it; return what came after."""
        request, carried = cast("RequestHead", self._request), cast("Carried", self._carried)
        end = data.find(END) + len(END)
        if end < len(END):
            self._held = data
            bare = b"\n" in data.replace(b"\r\n", b"")
            if bare or len(data) > _LONGEST_ANSWER_HEAD or data[: len(_START)] != _START[: len(data)]:
                raise BadMessageError(502, "malformed answer")
            return b""
        self._held = b""
        head = read_answer_head(data[:end], request)
        if head.interim:
            self.interim = True
            self._asker.answered(head.raw)
            return data[end:]
        carried.first_ns = now_ns()
        if head.switches:
            return self._switch(data, end)
        rest = data[end:] if len(data) > end else b""
        size = head.body.take(rest, self._content) if rest and not head.body.done else 0
        carried.status, carried.answer_head = head.status, head.raw
        self._answer = head
        self._asker.answered(data if end + size == len(data) else data[: end + size])
        return rest[size:]

    def _switch(self, data: bytes, end: int) -> bytes:
        self._tunnel = True
        self._asker.answered(data[:end])
        self._asker.tunnelled()
        return data[end:]

    def _finish(self, *, spoiled: bool) -> None:
        answer = cast("AnswerHead", self._answer)
        self._request, self._answer = None, None
        self.rests_since = cast("Carried", self._carried).ended_ns = now_ns()
        if spoiled or not answer.lasting:
            self._ended = True
        self._asker.answer_over(lasting=answer.lasting and not spoiled)
        if self._ended and self._transport is not None and spoiled:
            self._transport.abort()

    def _end(self, error: Exception | None) -> None:
        if self._ended and self._request is None:
            return
        self._ended = True
        tunnel, self._tunnel = self._tunnel, False
        if tunnel or self._request is None:
            if self.exchanges:
                self._asker.upstream_ended()
        elif error is None and self.endless:
            self._finish(spoiled=False)
        else:
            where = "within its answer" if self._begun else "before it answered"
            self._fail(502, f"the upstream closed the connection {where}")

    def _fail(self, status: int, why: str) -> None:
        begun = self._answer is not None
        self._request = None
        self._ended = True
        self._asker.answer_failed(status, why, begun=begun)
        if self._transport is not None:
            self._transport.abort()
