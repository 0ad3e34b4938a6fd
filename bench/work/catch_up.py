"""A stream of 1 GiB, read from its beginning, beside a file of that size."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection
from bench.folder import SIZES, bring_into_page_cache, file_name
from bench.model import Metric, Target, VoidReadingError
from bench.peers import CATCH_UP, STREAMS_PREFIX
from bench.streams import append_file, create, read_through
from bench.work.tables import CATCH_UP_TABLE, SERVER_CORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.process import Server, Trial

SIZE = "1GiB"
SPEED = Metric(
    "catch-up", "1 GiB stream", "GB/s", CATCH_UP_TABLE, "higher", 2, True, "catch-up core"
)
CPU = Metric("catch-up cpu", "CPU for a GB", "s", CATCH_UP_TABLE, "lower", 3, relative=True)
CORE = Metric("catch-up core", "1 GiB stream", "%", SERVER_CORE, None)
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class CatchUp:
    """All of it, several times over one connection."""

    name: str = "catch-up"
    needs: str = CATCH_UP
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (SPEED, CPU, CORE)
    targets: tuple[Target, ...] = (
        Target("1 GiB stream, of a file by nginx", (SPEED.name,), at_least=1.00),
    )
    method: str = (
        "Catch-up: a durable stream of 1 GiB is read from its beginning, several times over one"
        " connection after once that is not counted, as 1 GiB files are; it takes as many requests"
        " as the peer has it take. nginx sends a file of that size in one."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Time the reads and the server's CPU over the same span."""
        transfers = trial.settings.bulk_transfers
        with trial.server(self.needs) as server, Connection(server.port) as client:
            read = _prepared(server, client, trial.folder / file_name(SIZE))
            read()
            cpu, began = server.cpu_seconds(), time.perf_counter()
            for _ in range(transfers):
                read()
            elapsed = time.perf_counter() - began
            cpu = server.cpu_seconds() - cpu
        gigabytes = transfers * SIZES[SIZE] / 1e9
        return {
            SPEED.name: gigabytes / elapsed,
            CPU.name: cpu / gigabytes,
            CORE.name: 100 * cpu / elapsed,
        }


def _prepared(server: Server, client: Connection, source: Path) -> Callable[[], None]:
    """Give the peer what is to be read; return what reads it."""
    buffer = bytearray(_READ_BYTES)
    bring_into_page_cache(source)
    if server.prefix != STREAMS_PREFIX:
        os.link(source, server.folder / source.name)

        def read_file() -> None:
            client.ask(server.path(SIZE))
            client.discard_body(client.read_head(), SIZES[SIZE], buffer)

        return read_file
    path = f"{server.prefix}long"
    create(client, path)
    append_file(client, path, source, SIZES[SIZE])

    def read_stream() -> None:
        if (length := read_through(client, path, buffer)) != SIZES[SIZE]:
            raise VoidReadingError(f"the stream has {length} bytes")

    return read_stream


WORKS = (CatchUp(),)
