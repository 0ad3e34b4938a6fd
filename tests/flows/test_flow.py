"""One transfer as seen and steered from outside."""

from __future__ import annotations

import asyncio

import pytest

from riverrun.errors import BrokenError
from riverrun.flows import Flow, FlowState, Shape, Waiting

TURNS = 5


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_a_free_flow_grants_all_at_once() -> None:
    flow = Flow(expected=10)
    assert flow.free
    assert (flow.expected, flow.moved, flow.state) == (10, 0, FlowState.RUNNING)
    assert await flow.turn(1 << 40) == 1 << 40


async def test_a_paused_flow_waits_until_it_resumes() -> None:
    flow = Flow()
    flow.pause()
    flow.pause()
    assert (flow.free, flow.state) == (False, FlowState.PAUSED)
    turn = asyncio.ensure_future(flow.turn(5))
    await settle()
    assert (turn.done(), flow.waiting) == (False, Waiting.PAUSED)
    flow.resume()
    assert await turn == 5
    assert (flow.free, flow.waiting, flow.state) == (True, None, FlowState.RUNNING)


async def test_a_flow_that_pauses_and_resumes_at_once_goes_on() -> None:
    flow = Flow()
    flow.pause()
    turn = asyncio.ensure_future(flow.turn(5))
    await settle()
    flow.resume()
    flow.pause()
    await settle()
    assert (turn.done(), flow.waiting) == (False, Waiting.PAUSED)
    flow.resume()
    assert await turn == 5


@pytest.mark.parametrize("while_waiting", [False, True])
async def test_a_cancelled_flow_raises_and_stays_so(while_waiting: bool) -> None:
    flow = Flow()
    flow.pause()
    turn = asyncio.ensure_future(flow.turn(5))
    if while_waiting:
        await settle()
    flow.cancel()
    with pytest.raises(BrokenError):
        await turn
    flow.resume()
    flow.pause()
    assert (flow.state, flow.free) == (FlowState.CANCELLED, False)
    with pytest.raises(BrokenError):
        await flow.turn(1)


async def test_a_limited_flow_waits_for_its_turn() -> None:
    clock = Clock()
    flow = Flow(shape=Shape(chunk_size=10, delay=0.01), clock=clock)
    assert not flow.free
    assert await flow.turn(100) == 10
    turn = asyncio.ensure_future(flow.turn(100))
    await settle()
    assert (turn.done(), flow.waiting) == (False, Waiting.LIMIT)
    clock.now = 0.01
    assert await turn == 10
    assert flow.waiting is None


async def test_a_limit_is_changed_while_it_waits() -> None:
    flow = Flow(shape=Shape(chunk_size=10, delay=1000))
    await flow.turn(100)
    turn = asyncio.ensure_future(flow.turn(100))
    await settle()
    flow.shape = Shape(chunk_size=20)
    assert await turn == 20
    assert flow.shape == Shape(chunk_size=20)
    flow.shape = None
    assert (flow.free, flow.shape) == (True, None)
    assert await flow.turn(100) == 100


async def test_a_limit_that_is_set_holds_from_then_on() -> None:
    flow = Flow()
    assert await flow.turn(100) == 100
    flow.shape = Shape(chunk_size=10)
    assert not flow.free
    assert await flow.turn(100) == 10


async def test_a_limited_flow_that_is_paused_waits_for_both() -> None:
    flow = Flow(shape=Shape(chunk_size=10))
    flow.pause()
    turn = asyncio.ensure_future(flow.turn(100))
    await settle()
    assert flow.waiting is Waiting.PAUSED
    flow.shape = None
    await settle()
    assert (turn.done(), flow.free) == (False, False)
    flow.resume()
    assert await turn == 100


async def test_a_turn_that_is_cancelled_leaves_the_flow_as_it_was() -> None:
    flow = Flow()
    flow.pause()
    turn = asyncio.ensure_future(flow.turn(5))
    await settle()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert flow.waiting is Waiting.PAUSED  # for it still is
    flow.resume()
    assert await flow.turn(5) == 5


async def test_a_turn_may_be_given_a_time() -> None:
    flow = Flow()
    flow.pause()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await flow.turn(5)
    flow.resume()
    assert await flow.turn(5) == 5
