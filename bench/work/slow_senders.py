"""The memory a sender costs who announces a large upload and then sends a byte now and then."""

from __future__ import annotations

import contextlib
import itertools
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import Connection, request_head
from bench.crowd import SPARE_FILES, file_limit_of_at_least, settled
from bench.folder import SIZES
from bench.model import Metric, Target, VoidReadingError
from bench.peers import UPLOADS
from bench.work.tables import UPLOAD_COST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.process import Trial

ANNOUNCED = SIZES["1GiB"]
FIRST_BYTES = 8 << 10
MEMORY = Metric("slow sender", "A slow sender", "KiB", UPLOAD_COST, "lower", 1)
_PARTS = 4
_FILES_EACH = 2


@dataclass(frozen=True)
class SlowSenders:
    """All of them at once, each to a name of its own."""

    name: str = "slow-senders"
    needs: str = UPLOADS
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (MEMORY,)
    targets: tuple[Target, ...] = (
        Target(
            "Memory a slow sender holds",
            (MEMORY.name,),
            against=None,
            at_most=16,
            unit="KiB",
            digits=1,
        ),
    )
    method: str = (
        "Slow senders: many connections each begin a PUT of 1 GiB, send its first 8 KiB, and then a"
        " byte about once a second. Memory is the proportional set size of the server's tree, once"
        " it has settled, less what it was before they came, divided by their number."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Settled memory with the senders, less without."""
        count = trial.settings.slow_senders
        with (
            file_limit_of_at_least(_FILES_EACH * count + SPARE_FILES),
            trial.server(self.needs) as server,
            contextlib.ExitStack() as senders,
        ):
            # One of them beforehand, so that what a server loads on first use is not counted.
            with Connection(server.port) as first:
                _begin(first, f"{server.prefix}first.bin")
                settled(server.memory_bytes)
                first.reset()
            before = settled(server.memory_bytes)
            clients = [senders.enter_context(Connection(server.port)) for _ in range(count)]
            for number, client in enumerate(clients):
                _begin(client, f"{server.prefix}slow-{number}.bin")
            after = settled(server.memory_bytes, sleep=trickle(clients))
            refuse_answers(clients)
            for client in clients:
                client.reset()
        return {MEMORY.name: (after - before) / count / 1024}


def trickle(
    clients: Sequence[Connection], sleep: Callable[[float], None] = time.sleep
) -> Callable[[float], None]:
    """A sleep in which some of the clients first send a byte: each of them at every fourth."""
    parts = itertools.cycle([clients[first::_PARTS] for first in range(_PARTS)])

    def send_and_sleep(seconds: float) -> None:
        for client in next(parts):
            client.socket.sendall(b"x")
        sleep(seconds)

    return send_and_sleep


def refuse_answers(clients: Sequence[Connection]) -> None:
    """Make sure that every sender is still being listened to.

    Raises:
        VoidReadingError: A server answered, or hung up, before the body was whole.
    """
    waiting = select.poll()
    for client in clients:
        waiting.register(client.socket, select.POLLIN)
    if answered := waiting.poll(0):
        raise VoidReadingError(f"{len(answered)} of {len(clients)} senders were not let finish")


def _begin(client: Connection, path: str) -> None:
    client.socket.sendall(request_head("PUT", path, {"Content-Length": str(ANNOUNCED)}))
    client.socket.sendall(bytes(FIRST_BYTES))


WORKS = (SlowSenders(),)
