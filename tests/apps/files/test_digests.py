"""The digest of what is served, for who asks for it (RFC 9530, 3 and 4)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import threading
from contextlib import AsyncExitStack

import pytest
from tests.apps.files.sites import Site, leaving_no_descriptors
from tests.server.client import Client, request, until

CONTENT = os.urandom(2_500_000)


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


@pytest.mark.parametrize("name", ["small.bin", "small.txt", "large.bin"])
async def test_the_digest_is_that_of_the_whole(site: Site, name: str) -> None:
    content = CONTENT if name.startswith("large") else CONTENT[:1000]
    site.add(name, content)
    for lines in ((), ("Range: bytes=10-19",)):
        reply = await site.get(f"/{name}", "Want-Repr-Digest: sha-256=5, md5=10", *lines)
        assert reply["repr-digest"] == digest(content)
    head = await site.get(f"/{name}", "Want-Repr-Digest: sha-256=1", method="HEAD")
    assert head["repr-digest"] == digest(content)


async def test_a_new_state_has_its_own(site: Site) -> None:
    site.add("f", b"one", modified=1_700_000_000)
    await site.get("/f", "Want-Repr-Digest: sha-256=1")
    site.add("f", b"two", modified=1_700_000_001)
    reply = await site.get("/f", "Want-Repr-Digest: sha-256=1")
    assert reply["repr-digest"] == digest(b"two")


@pytest.mark.parametrize("wanted", ["sha-256=0", "md5=1", "nonsense!", "sha-256"])
async def test_who_wants_none_that_is_known_gets_none(site: Site, wanted: str) -> None:
    site.add("f", b"one")
    reply = await site.get("/f", f"Want-Repr-Digest: {wanted}")
    assert (reply.status, reply["repr-digest"]) == (200, None)


async def test_who_does_not_ask_gets_none(site: Site) -> None:
    site.add("f", b"one")
    assert (await site.get("/f"))["repr-digest"] is None


async def test_digests_hold_up_nobody_and_stop_when_nobody_waits(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.add("huge").open("r+b") as huge:
        huge.truncate(64 << 30)  # takes no room, and a minute to read
    site.add("small", b"x")
    reading = threading.Event()
    pread = os.pread

    def watched(descriptor: int, size: int, offset: int) -> bytes:
        reading.set()
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", watched)
    line = "Want-Repr-Digest: sha-256=1"
    async with leaving_no_descriptors():
        async with AsyncExitStack() as clients:
            for _ in range(20):
                client = await clients.enter_async_context(await Client.connect(site.server))
                await client.send(request("/huge", "GET", "Range: bytes=0-0", line))
            await until(reading.is_set)
            loop = asyncio.get_running_loop()
            assert await asyncio.wait_for(loop.run_in_executor(None, int), 1) == 0
        reply = await site.get("/small", line)
        assert reply["repr-digest"] == digest(b"x")
