"""Programs run as their users run them, and a gate between a program and its reader."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
HEAD_END = b"\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Program:
    """A program that serves on a port of this machine."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def peak_memory(self) -> int:
        """The most memory it has held at once, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1])


@asynccontextmanager
async def running(arguments: Sequence[str | Path], port: int) -> AsyncIterator[Program]:
    """Run Python with `arguments` until the block ends; enter when `port` answers."""
    process = await asyncio.create_subprocess_exec(sys.executable, *map(str, arguments))
    try:
        async with asyncio.timeout(20):
            while not await answers(port):
                assert process.returncode is None, "the program ended before it listened"
                await asyncio.sleep(0.02)
        yield Program(process, port)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def fetch(port: int, path: str = "/") -> tuple[bytes, int]:
    """GET `path`, forgetting the body as it comes; return the head and the body's length."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
        )
        head = await reader.readuntil(HEAD_END)
        length = 0
        while chunk := await reader.read(1 << 18):
            length += len(chunk)
        return head, length
    finally:
        writer.close()
        await writer.wait_closed()


class Gate:
    """Stands before a program and lets only so much of one path's body through.

    A byte past `level` waits here until the level rises, however long that takes, so what a
    browser paints meanwhile can depend on no later byte. Other paths are answered with nothing.
    """

    def __init__(self, port: int, path: str) -> None:
        self.port = port
        self.path = path
        self.passed = 0
        self._level = 0
        self._closed = False
        self._changed = asyncio.Condition()
        self._exchanges: set[asyncio.Task[None] | None] = set()

    async def raise_to(self, level: int) -> None:
        async with self._changed:
            self._level = level
            self._changed.notify_all()

    async def level_reached(self) -> bool:
        return self.passed == self._level

    async def aclose(self) -> None:
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
        await asyncio.gather(*filter(None, self._exchanges))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._exchanges.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                request = await reader.readuntil(HEAD_END)
                if request.split()[1] == self.path.encode():
                    await self._pass_on(request.replace(b"keep-alive", b"close"), writer)
                else:
                    writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        finally:
            writer.close()
            self._exchanges.discard(asyncio.current_task())

    async def _pass_on(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            back.write(request)
            writer.write(await there.readuntil(HEAD_END))
            while chunk := await there.read(await self._room()):
                self.passed += len(chunk)
                writer.write(chunk)
                await writer.drain()
        finally:
            back.close()

    async def _room(self) -> int:
        """Wait until more may pass, and say how much; nothing once the gate is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self.passed < self._level)
            return 0 if self._closed else min(self._level - self.passed, 1 << 14)


@asynccontextmanager
async def gated(port: int, path: str) -> AsyncIterator[tuple[Gate, str]]:
    """Put a gate before `path` on `port`; give the gate and the address to ask."""
    gate = Gate(port, path)
    async with await asyncio.start_server(gate.serve, "127.0.0.1", 0) as server:
        yield gate, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
        server.close()
        await gate.aclose()
