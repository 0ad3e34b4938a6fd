"""What a server counts, in the formats of Prometheus.

Nothing is kept here: at each scrape the numbers are read where they are counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from riverrun.apps.flows.steering import Access
from riverrun.errors import HTTPError
from riverrun.flows import Direction, Flows, Waiting
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io.threads import in_thread
from riverrun.server.vitals import LAG_BOUNDS, Vitals

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

NO_FLOWS = Flows()


class Metrics:
    """A handler for the metrics of a server, which is given the same `vitals` in its options.

    To be mounted: ``Mounts(root, {"/~/metrics": Metrics(vitals)})``.
    """

    def __init__(self, vitals: Vitals, access: Access | None = None) -> None:
        self._vitals = vitals
        self._access = access or Access()
        self._render: Callable[[str], tuple[bytes, str]] | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, request: Request, response: Response) -> None:
        """Answer a scrape, in the format that the scraper prefers."""
        self._access.check(request)
        if request.method not in ("GET", "HEAD"):
            raise HTTPError(405, headers={"allow": "GET, HEAD"})
        async with self._loading:
            if self._render is None:
                # It takes longer to import than a loop should be held up.
                self._render = await in_thread(lambda: _make_renderer(self._vitals))
        body, content_type = self._render(request.headers.get("accept", ""))
        response.headers["content-type"] = content_type
        response.headers["content-length"] = str(len(body))
        response.headers["cache-control"] = "no-store"
        response.headers["vary"] = "accept"
        await response.end(b"" if request.method == "HEAD" else body)


def _make_renderer(vitals: Vitals) -> Callable[[str], tuple[bytes, str]]:
    from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    class ServerCollector(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from collect(vitals)

    registry = CollectorRegistry()
    registry.register(ServerCollector())
    ProcessCollector(registry=registry)

    def render(accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    return render


def collect(vitals: Vitals) -> Iterator[Metric]:
    """Everything that is told, as it is now."""
    from prometheus_client.metrics_core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    flows = NO_FLOWS if vitals.flows is None else vitals.flows
    requests = CounterMetricFamily(
        "riverrun_requests", "Requests answered, by the class of the status.", labels=["status"]
    )
    for first in range(1, 6):
        requests.add_metric([f"{first}xx"], vitals.answered[first])
    yield requests
    yield CounterMetricFamily(
        "riverrun_connections_accepted", "Connections accepted.", value=vitals.accepted
    )
    yield GaugeMetricFamily("riverrun_connections", "Connections open.", value=vitals.connections)
    yield from _collect_flows(vitals, flows)
    yield from _collect_buffers(vitals)
    yield _lags(vitals)
    for counter in vitals.counters:
        yield CounterMetricFamily(counter.name, counter.help, value=counter.read())


def _collect_flows(vitals: Vitals, flows: Flows) -> Iterator[Metric]:
    from prometheus_client.metrics_core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    sent = vitals.sent + flows.moved[Direction.OUT]
    waited = dict(flows.waited)
    standing: Counter[tuple[str, str, str]] = Counter()
    for flow in flows:
        if flow.direction is Direction.OUT:
            sent += flow.moved
        for why, seconds in flow.waited().items():
            waited[why] += seconds
        why_now = "nothing" if flow.waiting is None else flow.waiting.value
        standing[flow.direction.value, flow.state.value, why_now] += 1
    moved = CounterMetricFamily(
        "riverrun_bytes", "Bytes of bodies, sent (out) and received (in).", labels=["direction"]
    )
    moved.add_metric(["out"], sent)
    moved.add_metric(["in"], vitals.received)
    yield moved
    yield CounterMetricFamily(
        "riverrun_flows_opened", "Transfers that took more than one write.", value=flows.opened
    )
    open_now = GaugeMetricFamily(
        "riverrun_flows",
        "Transfers under way, by state and by what they wait for.",
        labels=["direction", "state", "waiting"],
    )
    for direction in Direction:
        standing.setdefault((direction.value, "running", "nothing"), 0)
    for labels, count in sorted(standing.items()):
        open_now.add_metric(list(labels), count)
    yield open_now
    wait = CounterMetricFamily(
        "riverrun_flow_seconds",
        "Seconds that transfers took, by what they waited for; source is this side.",
        labels=["reason"],
    )
    for why in Waiting:
        wait.add_metric([why.value], waited[why])
    yield wait


def _collect_buffers(vitals: Vitals) -> Iterator[Metric]:
    from prometheus_client.metrics_core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
    )

    budget = vitals.budget
    if budget is None:
        return
    yield GaugeMetricFamily(
        "riverrun_buffer_bytes", "Bytes that wait in buffers.", value=budget.level
    )
    yield GaugeMetricFamily(
        "riverrun_buffer_limit_bytes",
        "Bytes in buffers at which no more is read.",
        value=budget.limit,
    )
    yield GaugeMetricFamily(
        "riverrun_buffer_waiting",
        "Connections that are not read because the buffers are full.",
        value=budget.waiting,
    )
    yield CounterMetricFamily(
        "riverrun_buffer_waits",
        "How often a connection was not read because the buffers were full.",
        value=budget.waits,
    )


def _lags(vitals: Vitals) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily  # noqa: PLC0415
    from prometheus_client.utils import floatToGoString  # noqa: PLC0415

    bounds = [*map(floatToGoString, LAG_BOUNDS), "+Inf"]
    return HistogramMetricFamily(
        "riverrun_event_loop_lag_seconds",
        "How late the event loop came to its ticks, four a second.",
        buckets=list(zip(bounds, accumulate(vitals.lags), strict=True)),
        sum_value=vitals.lag,
    )
