"""Sending regions of files to a socket whose other end reads or does not."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from riverrun.flows import Flow, Waiting
from riverrun.server import sendfile
from riverrun.server.sendfile import RegionSender
from riverrun.streams.contracts import FileRegion

KIB = 1024
SIZE = 2048 * KIB


@pytest.mark.parametrize("buffer", [48 * KIB, 96 * KIB])
async def test_a_reader_that_stalls_is_waited_for_also_when_a_turn_has_filled_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    """A socket is writable again only when a good part of its buffer is free."""
    monkeypatch.setattr(sendfile, "SLICE_SIZE", 64 * KIB)
    (tmp_path / "file").write_bytes(bytes(SIZE))
    ours, theirs = socket.socketpair()
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        ours.setblocking(False)
        theirs.setblocking(False)
        loop, flow = asyncio.get_running_loop(), Flow()
        sender = RegionSender(loop, ours.fileno())
        sending = asyncio.create_task(sender.send(FileRegion(descriptor, 0, SIZE), flow))
        moved = -1
        while moved != flow.moved:  # until the loop has nothing more to do
            moved = flow.moved
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert flow.moved < SIZE
        stalled = flow.waiting
        assert stalled is Waiting.PEER

        taken = 0
        while taken < SIZE:
            taken += len(await loop.sock_recv(theirs, 1 << 16))
        assert await sending == SIZE
        assert flow.waiting is None
    os.close(descriptor)
