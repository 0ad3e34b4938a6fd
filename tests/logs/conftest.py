from collections.abc import AsyncIterator

import pytest

from riverrun.testing import no_leaks


@pytest.fixture(autouse=True)
async def nothing_left_open() -> AsyncIterator[None]:
    async with no_leaks():
        yield
