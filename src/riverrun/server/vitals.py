"""What a server counts of itself, for whoever keeps an eye on it.

On the way of a request there are whole numbers to be added to, and nothing else; what they mean is
worked out when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from riverrun.flows import Flows
from riverrun.http.response import Response
from riverrun.streams.budget import BufferBudget

LAG_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""In seconds: how late the event loop came to its ticks is counted between these."""


class Counter(NamedTuple):
    """A number that only grows, kept by somebody else; `read` gives it."""

    name: str
    help: str
    read: Callable[[], float]


class Vitals:
    """The counts of one server; give it to `Options` to read them.

    `answered` are responses by the first digit of their status, `sent` the bytes of the bodies
    that were no flows, `received` those of all that came in. `lags` counts ticks of the event loop
    by how late they were (`LAG_BOUNDS`, and beyond), and `lag` is the sum in seconds.
    """

    __slots__ = (
        "accepted",
        "answered",
        "budget",
        "connections",
        "counters",
        "flows",
        "lag",
        "lags",
        "received",
        "sent",
    )

    def __init__(self) -> None:
        self.flows: Flows | None = None
        self.budget: BufferBudget | None = None
        self.counters: list[Counter] = []
        self.accepted = 0
        self.connections = 0
        self.answered = [0] * 10
        self.sent = 0
        self.received = 0
        self.lags = [0] * (len(LAG_BOUNDS) + 1)
        self.lag = 0.0

    def watch(self, flows: Flows, budget: BufferBudget) -> None:
        """A server starts, with these."""
        self.flows = flows
        self.budget = budget

    def count(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Tell of another number that only grows, such as ``riverrun_log_commits``."""
        self.counters.append(Counter(name, meaning, read))

    def settle(self, response: Response) -> None:
        """An exchange is over: its flow, if there is one, has come to its end."""
        self.answered[response.status // 100 % 10] += 1
        if response.opened_flow is None:
            self.sent += response.body_sent
        else:
            response.settle()

    def ticked(self, late: float) -> None:
        """The event loop came to a tick, so many seconds late."""
        self.lags[bisect_left(LAG_BOUNDS, late)] += 1
        self.lag += late
