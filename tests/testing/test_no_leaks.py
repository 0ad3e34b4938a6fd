"""What was left open is noticed."""

import asyncio
import os

import pytest

from riverrun.testing import no_leaks


async def test_a_task_that_still_runs_is_noticed() -> None:
    with pytest.raises(AssertionError, match="still running"):
        async with no_leaks():
            task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()


async def test_a_descriptor_that_is_still_open_is_noticed() -> None:
    with pytest.raises(AssertionError, match="still open"):
        async with no_leaks():
            descriptors = os.pipe()
    for each in descriptors:
        os.close(each)


async def test_what_was_open_before_and_what_closes_soon_are_no_leaks() -> None:
    before = asyncio.ensure_future(asyncio.Event().wait())
    async with no_leaks():
        asyncio.ensure_future(asyncio.sleep(0))  # noqa: RUF006
        os.close(os.dup(0))
    before.cancel()


async def test_a_descriptor_whose_number_is_given_out_again_is_noticed() -> None:
    first, second = os.pipe()
    with pytest.raises(AssertionError, match="still open"):
        async with no_leaks():
            os.dup2(0, first)  # closes what first was
    os.close(first)
    os.close(second)
