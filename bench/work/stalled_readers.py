"""The memory a reader costs who asks for a large file and then reads no further than its head."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection
from bench.crowd import SPARE_FILES, file_limit_of_at_least, settled
from bench.model import Metric, Target, VoidReadingError
from bench.peers import FILES
from bench.work.tables import COST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

SIZE = "1GiB"
MEMORY = Metric("stalled", "A stalled reader", "KiB", COST, "lower", 1)
_RECEIVE_BUFFER = 1024


@dataclass(frozen=True)
class StalledReaders:
    """All of them at once."""

    name: str = "stalled"
    needs: str = FILES
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (MEMORY,)
    targets: tuple[Target, ...] = (
        Target(
            "Memory a stalled reader holds",
            (MEMORY.name,),
            against=None,
            at_most=12,
            unit="KiB",
            digits=1,
        ),
    )
    method: str = (
        "Stalled readers: many connections with the smallest receive buffer ask for the 1 GiB"
        " file, read its head and stop. Memory is the proportional set size of the server's tree,"
        " once it has settled, less what it was before they came, divided by their number. Socket"
        " buffers belong to the kernel and are in no peer's figure."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Settled memory with the readers, less without."""
        count = trial.settings.stalled_readers
        with (
            file_limit_of_at_least(count + SPARE_FILES),
            trial.server() as server,
            contextlib.ExitStack() as readers,
        ):
            # One of them beforehand, so that what a server loads on first use is not counted.
            with Connection(server.port, _RECEIVE_BUFFER) as first:
                _ask_and_stall([first], server.path(SIZE))
            before = settled(server.memory_bytes)
            clients = [
                readers.enter_context(Connection(server.port, _RECEIVE_BUFFER))
                for _ in range(count)
            ]
            _ask_and_stall(clients, server.path(SIZE))
            after = settled(server.memory_bytes)
            for client in clients:
                client.reset()
        return {MEMORY.name: (after - before) / count / 1024}


def _ask_and_stall(clients: list[Connection], path: str) -> None:
    for client in clients:
        client.ask(path)
    for client in clients:
        if client.read_head(max_bytes=256).status != 200:
            raise VoidReadingError("not every reader got the file")


WORKS = (StalledReaders(),)
