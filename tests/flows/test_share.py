"""A rate that many keep together: how it is kept, and who gets how much of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.flows.test_flow import settle

from riverrun.errors import BrokenError
from riverrun.flows import Direction, Flow, Flows, Waiting

SECONDS = 5.0
EXACT = 0.03


TURN = 1e-6


class FastTime:
    """A loop's clock that leaps to the next thing to do, so that seconds take no time.

    A turn of the loop takes a microsecond, however long the machine needs for it.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        selector = loop._selector  # type: ignore[attr-defined]
        self._select = selector.select

        def select(timeout: float | None) -> object:
            self._now += timeout or TURN
            return self._select(0)

        selector.select = select
        loop.time = self.now  # type: ignore[method-assign]

    def now(self) -> float:
        return self._now


@pytest.fixture
async def clock() -> Callable[[], float]:
    return FastTime().now


async def run(flow: Flow, want: int = 1 << 20) -> None:
    """Move as much as the flow lets, without an end."""
    while True:
        flow.moved += await flow.turn(want)
        await asyncio.sleep(0)


async def moved_in(seconds: float, flows: list[Flow], want: int = 1 << 20) -> list[int]:
    """How much each of `flows` moves in that time."""
    before = [flow.moved for flow in flows]
    tasks = [asyncio.ensure_future(run(flow, want)) for flow in flows]
    await asyncio.sleep(seconds)
    moved = [flow.moved - then for flow, then in zip(flows, before, strict=True)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return moved


class Someone:
    method = "GET"
    target = b"/"
    fields: dict[bytes, bytes] = {}  # noqa: RUF012

    def __init__(self, client: str) -> None:
        self.client = client


@pytest.mark.parametrize("rate", [20_000, 1_000_000, 50_000_000])
@pytest.mark.parametrize("count", [1, 3, 100])
async def test_a_total_is_kept_and_everybody_gets_a_share(
    clock: Callable[[], float], rate: int, count: int
) -> None:
    flows = Flows(total_rate=rate, clock=clock)
    moved = await moved_in(SECONDS, [flows.open() for _ in range(count)])
    assert sum(moved) == pytest.approx(rate * SECONDS, rel=EXACT)
    share = rate * SECONDS / count
    slack = max(0.1 * share, 1024)
    assert min(moved) >= share - slack
    assert max(moved) <= share + slack


@pytest.mark.parametrize("want", [1, 100, 65536])
async def test_whatever_is_asked_for_at_once(clock: Callable[[], float], want: int) -> None:
    rate = 2000 if want == 1 else 100_000
    flows = Flows(total_rate=rate, clock=clock)
    moved = await moved_in(SECONDS, [flows.open() for _ in range(3)], want)
    assert sum(moved) == pytest.approx(rate * SECONDS, rel=EXACT, abs=512)


async def test_clients_share_the_total_and_their_own_rate(clock: Callable[[], float]) -> None:
    """The one with four transfers has no more than its rate; the other takes what is left."""
    flows = Flows(client_rate=300_000, total_rate=500_000, clock=clock)
    many = [flows.open(subject=Someone("10.0.0.1")) for _ in range(4)]
    one = flows.open(subject=Someone("10.0.0.2"))
    moved = await moved_in(SECONDS, [*many, one])
    assert sum(moved) == pytest.approx(500_000 * SECONDS, rel=EXACT)
    assert sum(moved[:4]) <= 300_000 * SECONDS * (1 + EXACT)
    assert moved[4] <= 300_000 * SECONDS * (1 + EXACT)
    assert max(moved[:4]) - min(moved[:4]) <= 0.1 * max(moved[:4])


async def test_who_is_limited_by_itself_leaves_the_rest_to_others(
    clock: Callable[[], float],
) -> None:
    flows = Flows(total_rate=1_000_000, clock=clock)
    slow, fast, faster = (flows.open() for _ in range(3))
    slow.rate = 50_000
    moved = await moved_in(SECONDS, [slow, fast, faster])
    assert moved[0] == pytest.approx(50_000 * SECONDS, rel=EXACT)
    assert sum(moved) == pytest.approx(1_000_000 * SECONDS, rel=EXACT)
    assert moved[1] == pytest.approx(moved[2], rel=0.1)


async def test_each_direction_has_the_rate_for_itself(clock: Callable[[], float]) -> None:
    flows = Flows(total_rate=100_000, clock=clock)
    moved = await moved_in(SECONDS, [flows.open(Direction.IN), flows.open(Direction.OUT)])
    assert moved == [pytest.approx(100_000 * SECONDS, rel=EXACT)] * 2


async def test_a_rate_is_changed_while_they_move(clock: Callable[[], float]) -> None:
    flows = Flows(total_rate=1_000_000, clock=clock)
    several = [flows.open() for _ in range(5)]
    for rate in (1_000_000, 200_000, 3_000_000):
        flows.total_rate = rate
        moved = await moved_in(SECONDS, several)
        assert sum(moved) == pytest.approx(rate * SECONDS, rel=EXACT)
    flows.total_rate = None
    assert all(flow.free for flow in several)
    flows.client_rate = 10
    assert all(flow.free for flow in several)  # they have no address


async def test_who_waits_goes_on_at_once_when_the_limit_is_taken_away() -> None:
    flows = Flows(total_rate=1)
    flow, other = flows.open(), flows.open()
    await flow.turn(512)
    await flow.turn(512)
    turns = [asyncio.ensure_future(each.turn(4096)) for each in (flow, other)]
    await settle()
    assert (flow.waiting, other.waiting) == (Waiting.LIMIT, Waiting.LIMIT)
    flows.total_rate = None
    assert await asyncio.gather(*turns) == [4096, 4096]


@pytest.mark.parametrize("how", ["pause", "cancel", "leave", "task"])
async def test_who_stops_waiting_holds_up_nobody(clock: Callable[[], float], how: str) -> None:
    flows = Flows(total_rate=100_000, clock=clock)
    first, second = flows.open(), flows.open()
    await first.turn(1 << 20)
    await first.turn(1 << 20)
    waits = asyncio.ensure_future(first.turn(1 << 20))
    await settle()
    behind = asyncio.ensure_future(moved_in(SECONDS, [second]))
    await settle()
    match how:
        case "pause":
            first.pause()
        case "cancel":
            first.cancel()
        case "leave":
            waits.cancel()
            first.close()
        case "task":
            waits.cancel()
    assert sum(await behind) == pytest.approx(100_000 * SECONDS, rel=EXACT)
    waits.cancel()
    with suppress(asyncio.CancelledError, BrokenError):
        await waits
    assert not list(flows._totals[Direction.OUT]._queue)


async def test_small_bodies_count_though_they_need_no_flow(clock: Callable[[], float]) -> None:
    flows = Flows(total_rate=100_000, clock=clock)
    flow = flows.open()
    small = 0

    async def answer() -> None:
        nonlocal small
        while True:
            if flows.admits("10.0.0.1", 500):
                small += 500
            await asyncio.sleep(0.02)

    answering = asyncio.ensure_future(answer())
    (moved,) = await moved_in(SECONDS, [flow])
    answering.cancel()
    assert moved + small == pytest.approx(100_000 * SECONDS, rel=EXACT)


async def test_small_bodies_wait_their_turn_behind_others() -> None:
    flows = Flows(total_rate=10_000)
    assert flows.admits("10.0.0.1", 900)
    assert flows.admits("10.0.0.1", 900)  # the rest of what may go at once, and a debt
    assert not flows.admits("10.0.0.1", 1)


async def test_quiet_clients_are_forgotten(clock: Callable[[], float]) -> None:
    flows = Flows(client_rate=100_000, clock=clock)
    flow = flows.open(subject=Someone("10.0.0.1"))
    await flow.turn(5000)
    assert flows.admits("10.0.0.2", 5000)
    flows.tidy()
    assert len(flows._clients) == 2
    await asyncio.sleep(1)
    flows.tidy()
    assert len(flows._clients) == 1
    flow.close()
    flows.tidy()
    assert not flows._clients
