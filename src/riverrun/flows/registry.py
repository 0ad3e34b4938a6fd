"""The flows of a server, or of any program: who moves now, and the rates that hold for all.

A body that outlives one write opens a flow here and closes it at its end, so a small answer never
comes by. What has ended is kept only as sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from riverrun.flows.flow import Carrier, Direction, Flow, Subject, Waiting
from riverrun.flows.pace import Shape
from riverrun.flows.share import Share


class Flows:
    """Every flow that is open, by its number, and the limits on them.

    `shape` holds for each transfer: all of it for what is sent, its rate for what is received.
    `client_rate` is shared by the transfers of one address, `total_rate` by all; both in bytes a
    second, None for no limit, and for either direction by itself. All may be changed while
    transfers run.
    """

    def __init__(
        self,
        *,
        shape: Shape | None = None,
        client_rate: float | None = None,
        total_rate: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self._open: dict[int, Flow] = {}
        self._last_id = 0
        self._totals: dict[Direction, Share] = {}
        self._clients: dict[tuple[Direction, str], Share] = {}
        self.moved = dict.fromkeys(Direction, 0)
        """Bytes of the flows that have ended."""
        self.waited = dict.fromkeys(Waiting, 0.0)
        """Seconds that flows which have ended waited, by reason."""
        self.opened = 0
        """How many flows there have been."""
        self._shape = shape
        self._client_rate = client_rate
        self._total_rate = total_rate
        self.limited = False
        """Whether there is any limit: while there is none, nothing need be asked."""
        self._note_limits()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Flow]:
        return iter(list(self._open.values()))

    def get(self, number: int) -> Flow | None:
        """The open flow of that number, if there is one."""
        return self._open.get(number)

    def open(
        self,
        direction: Direction = Direction.OUT,
        *,
        name: str | None = None,
        subject: Subject | None = None,
        expected: int | None = None,
        carrier: Carrier | None = None,
    ) -> Flow:
        """A new flow, under the limits in force; close it when the transfer is over."""
        self._last_id = number = self._last_id + 1
        self.opened += 1
        flow = Flow(expected=expected, clock=self._clock)
        flow.id = number
        flow.name = name
        flow.direction = direction
        flow.subject = subject
        flow.carrier = carrier
        flow.registry = self
        if self.limited:
            shape = self._shape_of(direction)
            if shape is not None:
                flow.shape = shape
            self._join(flow)
        self._open[number] = flow
        return flow

    def leave(self, flow: Flow) -> None:
        """Called by a flow that is closed."""
        if self._open.pop(flow.id, None) is None:
            return
        self.moved[flow.direction] += flow.moved
        for reason, seconds in flow.waited().items():
            self.waited[reason] += seconds
        for share in flow.shares:
            share.members -= 1

    @property
    def shape(self) -> Shape | None:
        """How each transfer is limited that is not steered by itself."""
        return self._shape

    @property
    def rate(self) -> float | None:
        """What each transfer may make at most; changed for all but those steered by themselves."""
        return None if self._shape is None else self._shape.rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        former = self.rate
        self._shape = Shape.with_rate(self._shape, rate)
        self._note_limits()
        for flow in self:
            if flow.rate == former:
                flow.rate = rate

    @property
    def client_rate(self) -> float | None:
        """What the transfers of one address share."""
        return self._client_rate

    @client_rate.setter
    def client_rate(self, rate: float | None) -> None:
        self._client_rate = rate
        self._change(self._clients, rate)

    @property
    def total_rate(self) -> float | None:
        """What all transfers share."""
        return self._total_rate

    @total_rate.setter
    def total_rate(self, rate: float | None) -> None:
        self._total_rate = rate
        self._change(self._totals, rate)

    def admits(self, client: str, size: int) -> bool:
        """Whether a body of `size` bytes may be sent to `client` at once, without a flow.

        What is admitted is taken to be sent.
        """
        if self._shape is not None and size > self._shape.at_once:
            return False
        if self._client_rate is None and self._total_rate is None:
            return True
        now = self._clock()
        taken: list[Share] = []
        for share in self._shares_of(Direction.OUT, client):
            if not share.take_at_once(size, now):
                for earlier in taken:
                    earlier.give_back(size)
                return False
            taken.append(share)
        return True

    def take_back(self, flow: Flow, size: int) -> None:
        """Of what was admitted, `size` bytes have not been sent: `flow` will ask for them."""
        for share in flow.shares:
            share.give_back(size)

    def tidy(self) -> None:
        """Forget the shares of clients that have been quiet; called now and then."""
        now = self._clock()
        for key in [key for key, share in self._clients.items() if share.idle(now)]:
            del self._clients[key]

    def _note_limits(self) -> None:
        rates = (self._client_rate, self._total_rate)
        self.limited = self._shape is not None or any(rate is not None for rate in rates)

    def _change(self, shares: dict[Any, Share], rate: float | None) -> None:
        now = self._clock()
        if rate is None:
            shares.clear()
        for share in shares.values():
            share.change(rate or 0.0, now)
        self._note_limits()
        for flow in self:
            self._join(flow)

    def _shape_of(self, direction: Direction) -> Shape | None:
        if direction is Direction.IN and self._shape is not None:
            return None if self._shape.rate is None else Shape(rate=self._shape.rate)
        return self._shape

    def _join(self, flow: Flow) -> None:
        client = "" if flow.subject is None else flow.subject.client
        shares = self._shares_of(flow.direction, client)
        if shares != flow.shares:
            for share in flow.shares:
                share.members -= 1
            for share in shares:
                share.members += 1
            flow.shares = shares

    def _shares_of(self, direction: Direction, client: str) -> tuple[Share, ...]:
        """The client's first: what it may not move itself, it need not keep from others."""
        shares = []
        if self._client_rate is not None and client:
            key = direction, client
            if key not in self._clients:
                self._clients[key] = Share(self._client_rate, self._clock())
            shares.append(self._clients[key])
        if self._total_rate is not None:
            if direction not in self._totals:
                self._totals[direction] = Share(self._total_rate, self._clock())
            shares.append(self._totals[direction])
        return tuple(shares)
