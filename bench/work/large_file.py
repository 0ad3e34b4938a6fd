"""One large file to one client that discards it: bytes a second, and CPU seconds a gigabyte."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection
from bench.folder import SIZES, bring_into_page_cache, file_name
from bench.model import Metric, Target
from bench.peers import FILES
from bench.work.tables import COST, SERVER_CORE, THROUGHPUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

SIZE = "1GiB"
SPEED = Metric(SIZE, "1 GiB", "GB/s", THROUGHPUT, "higher", 2, True, f"{SIZE} core")
CPU = Metric("cpu", "CPU for a GB sent", "s", COST, "lower", 3, relative=True)
CORE = Metric(f"{SIZE} core", "1 GiB", "%", SERVER_CORE, None)
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class LargeFile:
    """The 1 GiB file, several times over one connection."""

    name: str = SIZE
    needs: str = FILES
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (SPEED, CPU, CORE)
    targets: tuple[Target, ...] = (
        Target("1 GiB file, of nginx", (SPEED.name,), at_least=1.20),
        Target("CPU for a GB sent, of nginx", (CPU.name,), at_most=0.85),
    )
    method: str = (
        "1 GiB: several downloads one after the other over one connection, after one that is not"
        " counted, to a client that reads 1 MiB at a time and throws it away; the file is in the"
        " page cache. A GB is 10^9 bytes. CPU is user and system time of the server's whole tree"
        " of processes."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Time the downloads and the server's CPU over the same span."""
        bring_into_page_cache(trial.folder / file_name(SIZE))
        buffer = bytearray(_READ_BYTES)
        transfers = trial.settings.bulk_transfers
        with trial.server() as server, Connection(server.port) as client:
            _download(client, server.path(SIZE), buffer)
            cpu, began = server.cpu_seconds(), time.perf_counter()
            for _ in range(transfers):
                _download(client, server.path(SIZE), buffer)
            elapsed = time.perf_counter() - began
            cpu = server.cpu_seconds() - cpu
        gigabytes = transfers * SIZES[SIZE] / 1e9
        return {
            SPEED.name: gigabytes / elapsed,
            CPU.name: cpu / gigabytes,
            CORE.name: 100 * cpu / elapsed,
        }


def _download(client: Connection, path: str, buffer: bytearray) -> None:
    client.ask(path)
    client.discard_body(client.read_head(), SIZES[SIZE], buffer)


WORKS = (LargeFile(),)
