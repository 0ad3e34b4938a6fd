"""One large upload to disk: bytes a second, and CPU seconds a gigabyte; by PUT, and by tus."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench import uploads
from bench.folder import SIZES, bring_into_page_cache, file_name
from bench.model import Metric, Target, VoidReadingError
from bench.peers import TUS, UPLOADS
from bench.work.tables import SERVER_CORE, UPLOAD_COST, UPLOAD_SPEED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.process import Server, Trial

SIZE = "1GiB"
METHOD = (
    "Uploads of 1 GiB: several one after the other, each over a connection of its own, after one"
    " that is not counted but compared with what was sent, byte by byte; sent from the page cache"
    " by sendfile, and timed from connect() to the answer. Each has to be on disk in its full size;"
    " then it is removed and the disk synced, outside the time, so that none pays for another."
    " riverrun answers after fsync, and its time and CPU include that; no other peer calls it, so"
    " their answers say that the kernel has the bytes, not the disk, and the kernel's own threads"
    " write them later at nobody's expense. tus is one POST and one PATCH. A GB is 10^9 bytes. CPU"
    " is user and system time of the server's whole tree of processes."
)


class Cost(NamedTuple):
    """Seconds of one upload: on the clock, and of the server's CPU."""

    elapsed: float
    cpu: float


@dataclass(frozen=True)
class LargeUpload:
    """The 1 GiB file, several times, in one dialect."""

    name: str
    title: str
    needs: str
    send: Callable[[Server, Path, int], None]
    relative: bool = False
    targets: tuple[Target, ...] = ()
    quick: bool = False
    once: bool = False
    method: str = METHOD

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Bytes a second, what a GB cost, and how busy the server's core was."""
        core, cpu_title = f"{self.name} core", f"CPU for a GB, {self.title}"
        ratio = self.relative
        return (
            Metric(self.name, self.title, "GB/s", UPLOAD_SPEED, "higher", 2, ratio, core),
            Metric(f"{self.name} cpu", cpu_title, "s", UPLOAD_COST, "lower", 3, ratio),
            Metric(core, self.title, "%", SERVER_CORE, None),
        )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """Time the uploads and the server's CPU over the same spans."""
        source = trial.folder / file_name(SIZE)
        bring_into_page_cache(source)
        transfers = trial.settings.bulk_transfers
        with trial.server(self.needs) as server:
            self._upload(server, source, compare=True)
            costs = [self._upload(server, source) for _ in range(transfers)]
        elapsed, cpu = sum(cost.elapsed for cost in costs), sum(cost.cpu for cost in costs)
        gigabytes = transfers * SIZES[SIZE] / 1e9
        return {
            self.name: gigabytes / elapsed,
            f"{self.name} cpu": cpu / gigabytes,
            f"{self.name} core": 100 * cpu / elapsed,
        }

    def _upload(self, server: Server, source: Path, *, compare: bool = False) -> Cost:
        os.sync()
        cpu, began = server.cpu_seconds(), time.perf_counter()
        self.send(server, source, SIZES[SIZE])
        cost = Cost(time.perf_counter() - began, server.cpu_seconds() - cpu)
        stored = uploads.stored_file(server.folder, SIZES[SIZE])
        if compare and not uploads.same_bytes(stored, source):
            raise VoidReadingError("what was stored is not what was sent")
        stored.unlink()
        return cost


WORKS = (
    LargeUpload(
        "put",
        "1 GiB PUT",
        UPLOADS,
        uploads.put,
        relative=True,
        targets=(Target("CPU for a GB PUT to disk, of nginx", ("put cpu",), at_most=1.00),),
        quick=True,
    ),
    LargeUpload("tus", "1 GiB by tus", TUS, uploads.tus),
)
