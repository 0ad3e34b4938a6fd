"""The memory a reader costs who asks for a large file and then reads no further than its head."""

from __future__ import annotations

import contextlib
import resource
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection
from bench.model import Metric, Target, VoidReadingError
from bench.peers import FILES
from bench.work.tables import COST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bench.process import Trial

SIZE = "1GiB"
MEMORY = Metric("stalled", "A stalled reader", "KiB", COST, "lower", 1)
_RECEIVE_BUFFER = 1024
_SPARE_FILES = 256


@dataclass(frozen=True)
class StalledReaders:
    """All of them at once."""

    name: str = "stalled"
    needs: str = FILES
    quick: bool = True
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
            file_limit_of_at_least(count + _SPARE_FILES),
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


@contextlib.contextmanager
def file_limit_of_at_least(count: int) -> Iterator[None]:
    """Let this process, and the servers it starts meanwhile, open that many files.

    Raises:
        VoidReadingError: The hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise VoidReadingError(f"the system allows {hard} open files, {count} are needed")
    if soft == resource.RLIM_INFINITY or soft >= 2 * count:
        yield
        return
    raised = 2 * count if hard == resource.RLIM_INFINITY else min(hard, 2 * count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settled(
    read: Callable[[], int],
    sleep: Callable[[float], None] = time.sleep,
    step_seconds: float = 0.25,
    most_steps: int = 40,
) -> int:
    """The value of `read` once it has hardly moved for four readings, or the last one."""
    recent = [read()]
    for _ in range(most_steps):
        sleep(step_seconds)
        recent = [*recent[-3:], read()]
        if len(recent) == 4 and max(recent) - min(recent) <= 0.002 * max(recent):
            break
    return recent[-1]


def _ask_and_stall(clients: list[Connection], path: str) -> None:
    for client in clients:
        client.ask(path)
    for client in clients:
        if client.read_head(max_bytes=256).status != 200:
            raise VoidReadingError("not every reader got the file")


WORKS = (StalledReaders(),)
