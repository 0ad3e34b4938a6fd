"""What flows cost where they are not needed: an answer that is one write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import wrk
from bench.folder import SIZES
from bench.model import Metric, Target, VoidReadingError
from bench.peers import WITHOUT_FLOWS
from bench.work.tables import FLOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.process import Trial

RATE = "1KiB flows"
COST = "1KiB flows cpu"
FILE = "1KiB"
RUNS = 3


@dataclass(frozen=True)
class FlowsCost:
    """Small answers, with flows and without."""

    name: str = "flows"
    needs: str = WITHOUT_FLOWS
    quick: bool = False
    once: bool = False
    method: str = (
        "Flows: 1 KiB answers of riverrun as it comes, and of the same program with its flows"
        " compiled out of their way (`bench/programs/riverrun_without_flows.py`); three runs of wrk"
        " after a warm-up, the least disturbed of which counts."
    )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Requests a second, and what each cost."""
        return (
            Metric(RATE, "1 KiB", "requests/s", FLOWS, "higher"),
            Metric(COST, "CPU a request", "µs", FLOWS, "lower", 1),
        )

    @property
    def targets(self) -> tuple[Target, ...]:
        """Three in a hundred."""
        return (
            Target(
                "Flows on, 1 KiB, of riverrun without",
                (RATE,),
                against="riverrun-without-flows",
                at_least=0.97,
            ),
        )

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """A few runs against one server."""
        settings = trial.settings
        rates, costs = [], []
        with trial.server(self.needs) as server:
            url = server.url(FILE)
            wrk.run(url, settings.connections, settings.warm_up_seconds)
            for _ in range(RUNS):
                cpu = server.cpu_seconds()
                load = wrk.run(url, settings.connections, settings.seconds)
                if load.bytes_read / load.requests < 0.97 * SIZES[FILE]:
                    raise VoidReadingError("bodies shorter than the file")
                rates.append(load.requests_per_second)
                costs.append(1e6 * (server.cpu_seconds() - cpu) / load.requests)
        return {RATE: max(rates), COST: min(costs)}


WORKS = (FlowsCost(),)
