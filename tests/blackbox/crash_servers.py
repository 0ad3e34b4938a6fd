"""Servers that are made to be killed: each is forked from a process that has imported everything.

To start Python and to import takes longer than all that a round of crashes is about. What is forked
runs the same code as a program that was started, on a folder that it opens for itself; it just
finds its modules there. Whatever it writes comes by a pipe, so that nothing it says is missed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from tests.cli.programs import read_until

import riverrun
from riverrun.apps.uploads import upload
from riverrun.cli import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [__name__, "riverrun.cli.folder", "riverrun.cli.serving", "riverrun.apps.durable.streams"]
)
GREETING_ENDS = "Ctrl-C"
PATIENCE = 240.0  # seconds until it listens: what is tested is not how fast the machine is


def serve_uploads(folder: str, sync_size: int) -> None:
    """`riverrun serve` that takes uploads, and syncs after so many bytes of each."""
    upload.SYNC_SIZE = sync_size
    what = ("--allow", "upload,overwrite", "--port", "0", "--log", "none")
    sys.argv = ["riverrun", "serve", folder, *what]
    main()


def serve_streams(folder: str) -> None:
    """The streams that are in a folder; greets as `riverrun serve` does."""

    def greet(server: riverrun.Server) -> None:
        print(f"http://127.0.0.1:{server.port}/  {GREETING_ENDS}", flush=True)

    riverrun.run(riverrun.Streams(riverrun.open_logs(folder)), port=0, started=greet)


class CrashServer:
    """A process that runs `serve(*arguments)` until it is killed, or the block ends.

    The block is entered when it listens; `port` is where. What it has said behind its greeting is
    `said`, once it has been killed.
    """

    def __init__(self, serve: Callable[..., None], *arguments: object) -> None:
        self.port = 0
        self.said = b""
        self._output, output = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_run, args=(output, serve, arguments))
        self._theirs = output

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._output.close()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._process.kill()
        self._process.join()
        while piece := os.read(self._output.fileno(), 65536):
            self.said += piece

    def _start(self) -> None:
        with self._theirs:
            self._process.start()
        greeting = read_until(self._output.fileno(), GREETING_ENDS, PATIENCE)
        while not greeting.endswith("\n"):
            greeting += read_until(self._output.fileno(), "\n", PATIENCE)
        address = next(line for line in greeting.splitlines() if line.startswith("http://"))
        self.port = int(address.split()[0].rstrip("/").rpartition(":")[2])


def _run(output: Connection, serve: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """What the process does."""
    warnings.simplefilter("error")
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    output.close()
    serve(*arguments)
