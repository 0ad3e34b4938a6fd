"""One transfer as seen and steered from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from riverrun.errors import BrokenError
from riverrun.flows import Flow, Flows, FlowState, Shape, Waiting
from riverrun.io import FileSink, open_file
from riverrun.streams import MemorySink, pipeline

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


async def test_a_pipeline_goes_as_its_flow_lets() -> None:
    flows = Flows()
    sink = MemorySink()
    with flows.open(name="a copy", expected=30) as flow:
        flow.pause()
        copying = asyncio.ensure_future(pipeline([b"x" * 10] * 3, sink, flow=flow))
        await settle()
        assert (flow.moved, sink.value, list(flows)) == (0, b"", [flow])
        flow.shape = Shape(chunk_size=4)
        flow.resume()
        assert await copying == 30
        assert (flow.moved, sink.value) == (30, b"x" * 30)
    assert not list(flows)
    assert flows.moved[flow.direction] == 30


async def test_a_pipeline_whose_flow_is_cancelled_fails() -> None:
    with Flows().open() as flow:
        flow.pause()
        copying = asyncio.ensure_future(pipeline([b"x"], MemorySink(), flow=flow))
        await settle()
        flow.cancel()
        with pytest.raises(BrokenError):
            await copying


async def test_a_file_passes_its_flow_on_the_way_to_another(tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(bytes(100_000))
    with Flows().open() as flow:
        await pipeline(open_file(tmp_path / "from"), FileSink(tmp_path / "to"), flow=flow)
    assert flow.moved == (tmp_path / "to").stat().st_size == 100_000


async def test_the_reasons_add_up_to_the_age() -> None:
    clock = Clock()
    flow = Flow(clock=clock)
    clock.now = 1.0  # the source's
    flow.waiting = Waiting.PEER
    clock.now = 3.0
    flow.pause()  # while it waits for its peer: from now on it is the operator's
    clock.now = 7.0
    flow.resume()
    clock.now = 8.0
    flow.waiting = None
    clock.now = 8.5
    flow.waiting = Waiting.LIMIT
    clock.now = 9.0
    told = {why.value: seconds for why, seconds in flow.waited().items()}
    assert told == {"source": 1.5, "peer": 3.0, "limit": 0.5, "paused": 4.0}
    flow.close()
    clock.now = 100.0
    assert sum(flow.waited().values()) == flow.age == 9.0
