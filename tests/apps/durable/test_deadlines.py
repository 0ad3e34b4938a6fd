"""Blocks that end in time, in the order in which they were entered, and as a timeout does."""

from __future__ import annotations

import asyncio

import pytest

from riverrun.apps.durable.deadlines import Deadlines


async def wait_in(deadlines: Deadlines, over: list[str], name: str) -> None:
    try:
        async with asyncio.timeout(None) as timeout:
            deadlines.add(timeout)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                deadlines.discard(timeout)
    finally:
        over.append(name)


async def test_every_block_ends_in_time_and_the_first_to_come_first() -> None:
    deadlines, over = Deadlines(0.05), list[str]()
    began = asyncio.get_running_loop().time()
    first = asyncio.create_task(wait_in(deadlines, over, "first"))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(wait_in(deadlines, over, "second"))
    for task in (first, second):
        with pytest.raises(TimeoutError):
            await task
    assert over == ["first", "second"]
    assert asyncio.get_running_loop().time() - began >= 0.06


async def test_a_block_that_is_left_does_not_end_those_behind_it() -> None:
    deadlines, over = Deadlines(0.05), list[str]()
    first = asyncio.create_task(wait_in(deadlines, over, "first"))
    second = asyncio.create_task(wait_in(deadlines, over, "second"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not second.done()
    with pytest.raises(TimeoutError):
        await second


async def test_a_cancel_from_outside_stays_a_cancel() -> None:
    deadlines, over = Deadlines(60), list[str]()
    task = asyncio.create_task(wait_in(deadlines, over, "one"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_comes_when_all_have_left_is_given_the_whole_time() -> None:
    deadlines, over = Deadlines(0.05), list[str]()
    with pytest.raises(TimeoutError):
        await wait_in(deadlines, over, "first")
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await wait_in(deadlines, over, "second")
    assert asyncio.get_running_loop().time() - began >= 0.049
