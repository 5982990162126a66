"""The connection of a client: requests are read, let in and sent on, one after the other, as they come."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import Final, cast

from replay.wire.clock import now_ns
from replay.wire.tee.back import Back
from replay.wire.tee.bodies import MalformedBodyError
from replay.wire.tee.carried import Carried
from replay.wire.tee.heads import END, BadMessageError, RequestHead, hopeless, read_request_head
from replay.wire.tee.house import House
from replay.wire.tee.reach import UnreachedError, reach
from replay.wire.tee.visitor import DONE, DONE_AND_CLOSED, FOREVER, HELD, UNREAD, Visitor

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class Front(Visitor):
    """One connection of a client."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._step = self._begin
        self._head: RequestHead | None = None
        self._carried: Carried | None = None
        self._message = b""
        self._back: Back | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._repeated = self._answered = False
        self._lasting = True

    # ----------------------------------------------------------------------------------------------- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Welcome a client, or send it away where there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._house.members.add(self)
        self._wait(self._limits.idle)
        if self._house.leaving:
            self._close()
        elif len(self._house.members) > self._limits.connections:
            self._refuse(BadMessageError(503, "there are too many connections"))

    def data_received(self, data: bytes) -> None:
        """Take in what a client sent."""
        if self._held:
            known = len(self._held)
            self._held += data
            if self._step == self._begin and self._held.find(END, max(0, known - 3)) < 0:
                self._await_head()
                return
            data = bytes(self._held)
            self._held.clear()
        self._take(data)

    def eof_received(self) -> bool | None:
        """Let a client that will send nothing more read what it asked for."""
        self._half_closed = True
        if self._step == self._tunnel and self._back is not None:
            self._back.end_sending()
            return True
        return self._awaited

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a client that is gone is gone
        """Let go of what the client no longer waits for."""
        self._transport = None
        self._house.gone(self)
        self._end_exchange("the client went away")
        self._let_go()

    def pause_writing(self) -> None:
        """Have the upstream wait until the client has read."""
        self._wait(self._limits.stalled)
        self._stuck = True
        if self._back is not None:
            self._back.read_on(on=False)

    def resume_writing(self) -> None:
        """Have the upstream go on."""
        self._stuck = False
        self._wait_on()
        if self._back is not None:
            self._back.read_on(on=True)

    def check(self, now_ns: int) -> None:
        """End what has waited for too long."""
        if now_ns < self._deadline:
            return
        self._deadline = FOREVER
        if self._connecting is not None:
            self.answer_failed(504, "the upstream did not take the connection", begun=False)
        elif self._step == self._hold and self._head is not None and not self._stuck:
            self.answer_failed(504, "the upstream was silent for too long", begun=self._answered)
        elif self._step == self._begin and self._held:
            self._refuse(BadMessageError(408, "the head did not come in time"))
        else:
            self._end_exchange("the client stalled")
            self._abort()

    def leave(self, *, at_once: bool) -> None:
        """End: an idle connection now, another one after its answer, or at once."""
        if at_once:
            self._end_exchange("cut off at the end")
            self._abort()
        elif self._head is None or self._step == self._tunnel:
            self._close()

    # ---------------------------------------------------------------------------------------------- what the back tells

    def answered(self, data: bytes) -> None:
        """Pass bytes of the answer on."""
        self._answered = True
        if self._transport is not None:
            self._transport.write(data)
            if not self._stuck:
                self._wait_on()

    def tunnelled(self) -> None:
        """Pass on whatever comes from now on."""
        self._end_exchange("upgraded to another protocol")
        self._step = self._tunnel
        self._wait(self._limits.tunnel)
        self._flush()

    def answer_over(self, *, lasting: bool) -> None:
        """End the exchange where the request has come to its end, too."""
        self._lasting = self._lasting and lasting
        head = cast("RequestHead", self._head)
        if head.body.done:
            self._finish()
        elif not lasting or (head.waits and not cast("Back", self._back).interim):
            # Nobody reads the rest of the body, or the client may not send it at all.
            self._end_exchange("answered before the request was whole")
            self._linger()

    def answer_failed(self, status: int, why: str, *, begun: bool) -> None:
        """Tell the client, if nothing was told yet, that there is no answer; else break off."""
        back, carried = self._back, self._carried
        if back is not None and status == HTTPStatus.BAD_GATEWAY and self._repeatable(back):
            self._repeated = True
            self._connect()
        elif begun or carried is None:
            self._end_exchange(f"broken off: {why}")
            # What came is passed on, and must not look whole.
            (self._abort if back is not None and back.endless else self._close)()
        else:
            carried.status = status
            self._end_exchange(f"no answer: {why}")
            self._tell(status, why)

    def upstream_ended(self) -> None:
        """End a tunnel in this direction; beside a request that is still coming, nobody reads it any more."""
        if self._step == self._tunnel:
            self._end_tunnel()
        elif self._head is not None and self._step == self._pass_body:
            self._end_exchange("answered before the request was whole")
            self._linger()

    def hold(self) -> None:
        """Send no more for now."""
        self._pause(UNREAD)

    def go_on(self) -> None:
        """Send on."""
        self._resume(UNREAD)

    # ------------------------------------------------------------------------------------------------------------ steps

    @property
    def _awaited(self) -> bool:
        """Tell whether an answer is awaited for a request that has come, at least to here, in full."""
        return self._head is not None and (self._step == self._hold or self._connecting is not None)

    def _take(self, data: bytes) -> None:
        try:
            while data:
                data = self._step(data)
        except BadMessageError as error:
            self._refuse(error)
        except MalformedBodyError as error:
            self._refuse(BadMessageError(400, f"malformed body: {error}"))

    def _begin(self, data: bytes) -> bytes:
        """Read the head of a request, and send it on."""
        while data.startswith(b"\r\n"):  # line ends before a request are passed over
            data = data[2:]
        end = data.find(END) + len(END)
        if end < len(END):
            if data:
                self._held += data
                self._wait(self._limits.head)
                self._await_head()
            return b""
        head = read_request_head(data if end == len(data) else data[:end])
        admitted = self._house.usher.admit(head)
        carried = Carried(head, time.time_ns(), now_ns(), self._house.room, self._limits.kept_body)
        carried.correlation, carried.wanted = admitted.correlation, admitted.wanted
        self._head, self._carried, self._message = head, carried, admitted.message
        self._lasting, self._repeated, self._answered = head.lasting, False, False
        self._step = self._hold if head.body.done else self._pass_body
        self._send_on(head, carried)
        return data[end:] if end < len(data) else b""

    def _await_head(self) -> None:
        if error := hopeless(self._held):
            self._refuse(error)

    def _send_on(self, head: RequestHead, carried: Carried) -> None:
        if self._house.upstream is None:
            self._sink(head)
        elif self._back is not None and self._rested(self._back, head):
            self._wait_on()
            self._back.ask(head, self._message, carried)
        else:
            self._connect()

    def _rested(self, back: Back, head: RequestHead) -> bool:
        """Tell whether a kept connection may carry a request: one that cannot be sent twice must not meet its end."""
        return back.usable and (head.method in _SAFE or now_ns() - back.rests_since <= self._limits.fresh * 1e9)

    def _repeatable(self, back: Back) -> bool:
        head, fresh = self._head, not back.stale or self._repeated
        return head is not None and not fresh and head.method in _SAFE and head.body.done and not head.upgrades

    def _pass_body(self, data: bytes) -> bytes:
        if self._connecting is not None:
            return self._hold(data)
        head, carried = cast("RequestHead", self._head), cast("Carried", self._carried)
        size = head.body.take(data, carried.body.add if carried.wanted else len)
        if self._back is not None:
            self._back.send(data if size == len(data) else data[:size])
        self._wait(self._limits.stalled)
        if head.body.done:
            self._body_over()
        return data[size:] if size < len(data) else b""

    def _body_over(self) -> None:
        self._step = self._hold
        self._wait(self._limits.silent)
        if self._house.upstream is None:
            self._finish_sink()
        elif cast("Carried", self._carried).ended_ns:
            self._finish()

    def _flush(self) -> None:
        """Go on with what was held."""
        self._resume(HELD)
        if self._held and self._transport is not None:
            held = bytes(self._held)
            self._held.clear()
            self._take(held)
        if self._half_closed and not self._awaited and self._step != self._drain:
            self._end_exchange("the client went away")
            self._close()

    def _tunnel(self, data: bytes) -> bytes:
        if self._back is not None:
            self._back.send(data)
        self._wait(self._limits.tunnel)
        return b""

    # ------------------------------------------------------------------------------------------------------- connecting

    def _connect(self) -> None:
        self._let_go()
        self._wait(self._limits.connect)
        self._connecting = asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        try:
            back = await reach(self._house, self)
        except UnreachedError as error:
            self._connecting = None
            self.answer_failed(HTTPStatus.BAD_GATEWAY, str(error), begun=False)
        else:
            self._connecting, self._back = None, back
            self._ask(back)

    def _ask(self, back: Back) -> None:
        head, carried = self._head, self._carried
        if head is None or carried is None:
            self._let_go()
            return
        self._wait_on()
        back.ask(head, self._message, carried)
        if self._stuck:
            back.read_on(on=False)
        if self._step == self._pass_body:
            self._flush()

    def _let_go(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._back is not None:
            self._back.drop()
        self._connecting = self._back = None

    def _sink(self, head: RequestHead) -> None:
        self._wait(self._limits.stalled)
        if head.body.done:
            self._finish_sink()
        elif head.waits and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _finish_sink(self) -> None:
        if self._transport is not None:
            self._transport.write(DONE if self._lasting else DONE_AND_CLOSED)
        self._finish()

    # ---------------------------------------------------------------------------------------------------------- ending

    def _finish(self) -> None:
        """End an exchange that is whole, and go on with the next one."""
        self._end_exchange("")
        if not self._lasting or self._house.leaving or (self._half_closed and not self._held):
            self._close()
            return
        self._step = self._begin
        self._wait(self._limits.idle)
        if self._held or self._paused:
            self._flush()

    def _end_exchange(self, missing: str) -> None:
        carried, self._carried, self._head = self._carried, None, None
        if carried is not None:
            carried.refuse(missing)
            carried.ended_ns = carried.ended_ns or now_ns()
            self._house.keep(carried)

    def _refuse(self, error: BadMessageError) -> None:
        """Tell a client that its request is not passed on, and let go of what was under way."""
        carried = self._carried or Carried(None, time.time_ns(), now_ns(), self._house.room, 0)
        self._carried = carried
        answered, carried.status = self._answered and self._head is not None, error.status
        self._end_exchange(f"refused: {error.fact}")
        self._let_go()
        if answered:
            self._abort()
        else:
            self._tell(error.status, error.fact)

    def _wait_on(self) -> None:
        if self._step == self._tunnel:
            self._wait(self._limits.tunnel)
        elif self._head is not None:
            self._wait(self._limits.silent if self._head.body.done else self._limits.stalled)
