"""One message to many live readers: what a delivery costs, how late it is, what a reader holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.audience import Audience, Channel
from bench.crowd import SPARE_FILES, file_limit_of_at_least, settled
from bench.model import Metric, Target, VoidReadingError
from bench.peers import FAN_OUT, STREAMS_PREFIX
from bench.work.tables import FAN_OUT_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Server, Trial

RATE = 50.0
STALLED_SHARE = 0.1
FILLING_RATE, FILLING_SECONDS, FILLING_SIZE = 10.0, 3.0, 16 << 10
"""More than fits into the sockets of those who do not read."""

MOST_LOAD = 0.95
"""A load that was busier than this may have been the limit."""

DELIVERY = Metric("delivery", "CPU a delivery", "µs", FAN_OUT_TABLE, "lower", 1, True)
LATE = Metric("late", "p99", "ms", FAN_OUT_TABLE, "lower", 1)
READER = Metric("reader", "A reader", "KiB", FAN_OUT_TABLE, "lower", 1)
DELIVERY_STALLED = Metric(
    "delivery stalled", "CPU a delivery, 1 of 10 stalled", "µs", FAN_OUT_TABLE, "lower", 1, True
)
LATE_STALLED = Metric("late stalled", "p99, 1 of 10 stalled", "ms", FAN_OUT_TABLE, "lower", 1)


@dataclass(frozen=True)
class FanOut:
    """All of them at once, first all reading, then one in ten not."""

    name: str = "fan-out"
    needs: str = FAN_OUT
    quick: bool = True
    once: bool = False
    metrics: tuple[Metric, ...] = (DELIVERY, LATE, READER, DELIVERY_STALLED, LATE_STALLED)
    targets: tuple[Target, ...] = (
        Target(
            "A delivery to a live reader, of nginx with nchan",
            (DELIVERY.name, DELIVERY_STALLED.name),
            peer="riverrun-broadcast",
            at_most=1.07,
        ),
        Target(
            "p99 of deliveries",
            (LATE.name, LATE_STALLED.name),
            peer="riverrun-broadcast",
            against=None,
            at_most=30,
            unit="ms",
            digits=1,
        ),
        Target(
            "Memory a live reader holds",
            (READER.name,),
            peer="riverrun-broadcast",
            against=None,
            at_most=12,
            unit="KiB",
            digits=1,
        ),
    )
    method: str = (
        "Fan-out: messages of 100 bytes, 50 a second, each to all readers of an event stream. The"
        " readers are sockets of one process on the load's core; a round in which that was busy all"
        " the time does not count. CPU is that of the server's tree for a message that reached a"
        " reader, the publishing included; p99 is from just before a message is posted to when a"
        " reader has it, of every tenth reader, which the load reads first. Then a tenth of the"
        " readers more come and never read, until nothing more fits into their sockets, and the"
        " same is measured again."
    )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Everything, from one start of the peer."""
        count, seconds = trial.settings.live_readers, trial.settings.seconds
        with (
            file_limit_of_at_least(4 * count + SPARE_FILES),
            trial.server(self.needs) as server,
            Audience(server.port, channel_of(server)) as audience,
        ):
            audience.join(1)  # what a server loads on first use is not counted
            audience.hear(RATE, trial.settings.warm_up_seconds)
            before = settled(server.memory_bytes)
            audience.join(count - 1)
            audience.hear(RATE, trial.settings.warm_up_seconds)
            memory = settled(server.memory_bytes) - before
            delivery, late = _hear(server, audience, seconds)
            audience.join(int(count * STALLED_SHARE), receive_buffer=1024, reads=False)
            audience.hear(FILLING_RATE, FILLING_SECONDS, size=FILLING_SIZE)
            delivery_stalled, late_stalled = _hear(server, audience, seconds)
        return {
            DELIVERY.name: delivery,
            LATE.name: late,
            READER.name: memory / 1024 / (count - 1),
            DELIVERY_STALLED.name: delivery_stalled,
            LATE_STALLED.name: late_stalled,
        }


def channel_of(server: Server) -> Channel:
    """Where a peer's channel is: a durable stream, or what its configuration says."""
    prefix = server.prefix
    if prefix == STREAMS_PREFIX:
        return Channel(f"{prefix}bench", f"{prefix}bench?offset=now&live=sse", create=True)
    return Channel(f"{prefix}publish", f"{prefix}events")


def _hear(server: Server, audience: Audience, seconds: float) -> tuple[float, float]:
    """Microseconds of CPU a delivery, and the 99th percentile of the latency in milliseconds."""
    server_cpu, load_cpu, began = server.cpu_seconds(), time.process_time(), time.perf_counter()
    heard = audience.hear(RATE, seconds)
    server_cpu = server.cpu_seconds() - server_cpu
    load = (time.process_time() - load_cpu) / (time.perf_counter() - began)
    if load > MOST_LOAD:
        raise VoidReadingError(f"the load's core was {load:.0%} busy")
    if not heard.latencies:
        raise VoidReadingError("nothing reached the readers")
    return server_cpu / heard.messages * 1e6, heard.percentile(0.99) * 1000


WORKS = (FanOut(),)
