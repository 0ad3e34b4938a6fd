"""A cancel waits for what has begun."""

from __future__ import annotations

import asyncio
import threading

import pytest

from riverrun.io.threads import in_thread, to_its_end

PATIENCE = 5.0


async def test_a_result_and_an_error_come_as_they_are() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancel_waits_for_the_thread_however_often_it_comes(cancels: int) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        done.set()

    task = asyncio.ensure_future(in_thread(work))
    await asyncio.get_running_loop().run_in_executor(None, begun.wait, PATIENCE)
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_what_fails_behind_a_cancel_is_not_told() -> None:
    go_on = asyncio.Event()

    async def failing() -> None:
        await go_on.wait()
        raise ValueError

    task = asyncio.ensure_future(to_its_end(failing()))
    await asyncio.sleep(0)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_is_cancelled_itself_is_over() -> None:
    work = asyncio.ensure_future(asyncio.sleep(PATIENCE))
    task = asyncio.ensure_future(to_its_end(work))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
