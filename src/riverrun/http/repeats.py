"""What is needed to answer a request again that is, byte for byte, one that was answered before.

Much of what is decided about a request depends on nothing but its bytes. A handler that can tell
what else its answer depends on, and look at that quickly, need not be handed the same bytes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from riverrun.http.handler import FINISHED, Finished, Handler
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.wire import ServerFields
from riverrun.streams.contracts import Chunk


class RepeatWire(Protocol):
    """A connection on which nothing else is going on, as a repeated answer sees it.

    What is handed to `send_last` and `hold_region` leaves a moment later, with the answers to
    others.
    """

    clock: ServerFields
    """What tells the fields that every response carries."""

    def admits(self, size: int) -> bool:
        """Whether no limit is in the way of a body of `size` bytes, which is then to be sent."""

    def send_last(self, pieces: Sequence[Chunk]) -> None:
        """Hand over a whole response."""

    def hold_region(self, head: bytes, descriptor: int, offset: int, length: int) -> bool:
        """Hand over a response with a body in a file, which stays open until the turn ends.

        Returns False, with nothing done, if the body is too long for that.
        """

    def try_send_region(self, head: bytes, descriptor: int, offset: int, length: int) -> int:
        """As `Wire.try_send_region`."""

    def call_at_turn_end(self, callback: Callable[[], None]) -> None:
        """Call back, in a moment, when all that had come with this request has been answered.

        What is true of one of them now is so for the others. `callback` may raise `OSError`.
        """


def nothing_left(_request: Request, _response: Response) -> Finished:
    """What is left to do when an answer has been handed over whole."""
    return FINISHED


class Repeat(Protocol):
    """An answer of `status` with a body of `length` bytes, 0 if none is sent.

    `region` is whether the body goes from the file to the socket, and never enters Python.
    """

    status: int
    length: int
    region: bool

    def send(self, wire: RepeatWire, now: float) -> Handler | None:
        """Give the answer again, if it is still the one and `wire` admits it.

        Returns what sends the rest of it: `nothing_left`, or else a handler that is to be called
        now, with a response to `take_up`. None, with nothing done, if the answer has to be found
        anew. `now` is a time of `time.monotonic`, which is the loop's clock too, read a moment ago.
        """


@runtime_checkable
class Repeatable(Protocol):
    """A handler whose answers are the same, time and again, until something changes."""

    def repeat(self, request: Request) -> Repeat | None:
        """What answers the requests that are byte for byte this one, from whomever they come.

        None if it takes the handler. The request was answered just now, at once and well. It has no
        body, and its connection stays open. Raises `OSError` if it cannot be told now.
        """


def repeatable(handler: object) -> Repeatable | None:
    """`handler`, if its answers may be given again.

    A class that answers in a way of its own, and inherits `repeat` from one that does not know of
    it, may add a check or a field: its answers are not.
    """
    if not isinstance(handler, Repeatable):
        return None
    for kind in type(handler).__mro__:
        if "repeat" in vars(kind):
            return handler
        if "__call__" in vars(kind):
            break
    return None
