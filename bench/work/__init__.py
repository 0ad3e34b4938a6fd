"""What is measured. Each module holds one kind of work and lists it in `WORKS`.

To add a kind, write such a module and name it here; command line, rounds, tables, targets and page
follow from what it says of itself.
"""

from __future__ import annotations

from bench.model import Metric, Target, Work
from bench.work import (
    appends,
    catch_up,
    fan_out,
    first_byte,
    flows_cost,
    large_file,
    large_uploads,
    slow_senders,
    small_files,
    stalled_readers,
    start_up,
    upload_memory,
)
from bench.work.tables import THROUGHPUT

ALL: tuple[Work, ...] = (
    *small_files.WORKS,
    *large_file.WORKS,
    *stalled_readers.WORKS,
    *first_byte.WORKS,
    *start_up.WORKS,
    *large_uploads.WORKS,
    *upload_memory.WORKS,
    *slow_senders.WORKS,
    *fan_out.WORKS,
    *appends.WORKS,
    *catch_up.WORKS,
    *flows_cost.WORKS,
)

METRICS: tuple[Metric, ...] = tuple(metric for work in ALL for metric in work.metrics)

_SPEEDS = tuple(metric.name for metric in METRICS if metric.table == THROUGHPUT)

TARGETS: tuple[Target, ...] = (
    *(target for work in ALL for target in work.targets),
    Target("Access log on, of riverrun without", _SPEEDS, "riverrun-log", "riverrun", 0.90),
    Target("Unreached rate limit, of riverrun without", _SPEEDS, "riverrun-rate", "riverrun", 0.90),
)


def choose(names: list[str] | None, *, quick: bool) -> list[Work]:
    """The works of those names, or all that the run includes.

    Raises:
        ValueError: A name is not among them.
    """
    if names is None:
        return [work for work in ALL if work.quick or not quick]
    known = [work.name for work in ALL]
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(f"no work named {', '.join(unknown)}; there are {', '.join(known)}")
    return [work for work in ALL if work.name in names]
