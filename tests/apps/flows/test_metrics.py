"""What a server counts, read as Prometheus reads it: by its own parser."""

from __future__ import annotations

import asyncio
import time

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.apps.flows.rivers import River, river
from tests.conftest import Serve
from tests.server.client import Client, Reply, until

from riverrun.apps.flows import Access, Metrics
from riverrun.apps.mounts import Mounts
from riverrun.flows import Flows
from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Options, Vitals

KIB = 1024
Labels = tuple[tuple[str, str], ...]


async def answer(request: Request, response: Response) -> None:
    match request.path:
        case "/held":
            await asyncio.Event().wait()
        case "/absent":
            response.status = 404
            await response.end(b"absent")
        case "/river":
            await river(request, response)
        case _:
            async for _ in request:
                pass
            await response.end(b"hello")


class Measured(River):
    """A server that is scraped."""

    vitals: Vitals

    async def scrape(self, *lines: str) -> dict[tuple[str, Labels], float]:
        """Every number by its name and labels."""
        reply = await self.ask("GET", "/~/metrics", *lines)
        assert reply.status == 200
        return numbers(reply)


def numbers(reply: Reply) -> dict[tuple[str, Labels], float]:
    openmetrics = (reply["content-type"] or "").startswith("application/openmetrics-text")
    assert openmetrics or (reply["content-type"] or "").startswith("text/plain")
    parse = parse_openmetrics if openmetrics else parse_text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(reply.body.decode())
        for sample in family.samples
    }


async def measure(serve: Serve, access: Access | None = None, **limits: int) -> Measured:
    flows, vitals = Flows(), Vitals()
    server = await serve(
        Mounts(answer, {"/~/metrics": Metrics(vitals, access)}),
        options=Options(flows=flows, vitals=vitals, limits=Limits(**limits)),
    )
    measured = Measured(server, flows)
    measured.vitals = vitals
    return measured


async def test_requests_and_bytes_are_counted(serve: Serve) -> None:
    measured = await measure(serve)
    async with await Client.connect(measured.server) as client:
        for path in ("/a", "/b", "/absent"):
            await client.ask(path)
        await client.ask("/in", "POST", body=bytes(3000))
        await client.send(b"no request\r\n\r\n")
        assert (await client.reply()).status == 400
    found = await measured.scrape()
    assert found["riverrun_requests_total", (("status", "2xx"),)] == 3
    assert found["riverrun_requests_total", (("status", "4xx"),)] == 2
    assert found["riverrun_bytes_total", (("direction", "in"),)] == 3000
    assert found["riverrun_connections_accepted_total", ()] == 2
    assert found["riverrun_connections", ()] == 1
    assert found["process_open_fds", ()] > 3
    assert found["riverrun_event_loop_lag_seconds_count", ()] >= 1


async def test_bytes_that_are_under_way_count_and_never_become_less(serve: Serve) -> None:
    measured = await measure(serve)
    sent = 0.0
    for _ in range(3):
        async with measured.running() as (_, flow):
            await until(lambda: flow.moved > 1 << 20)
            found = await measured.scrape()
            assert found["riverrun_bytes_total", (("direction", "out"),)] >= sent + (1 << 20)
            sent = found["riverrun_bytes_total", (("direction", "out"),)]
        found = await measured.scrape()
        assert found["riverrun_bytes_total", (("direction", "out"),)] >= sent
    assert found["riverrun_flows_opened_total", ()] == 3


@pytest.mark.timing  # two tenths of a second of a pause
async def test_flows_are_counted_by_state_and_the_seconds_by_reason(serve: Serve) -> None:
    measured = await measure(serve)
    async with measured.running() as (_, flow):
        flow.pause()
        await asyncio.sleep(0.2)
        found = await measured.scrape()
        labels = (("direction", "out"), ("state", "paused"), ("waiting", "paused"))
        assert found["riverrun_flows", labels] == 1
        paused = found["riverrun_flow_seconds_total", (("reason", "paused"),)]
        assert paused == pytest.approx(0.2, abs=0.1)
    await until(lambda: not len(measured.flows))
    found = await measured.scrape()
    assert found["riverrun_flow_seconds_total", (("reason", "paused"),)] >= paused
    assert ("riverrun_flows", labels) not in found


async def test_a_spent_budget_shows(serve: Serve) -> None:
    measured = await measure(serve, buffer_budget=16 * KIB)
    head = b"POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    async with await Client.connect(measured.server) as client:
        await client.send(head + bytes(50 * KIB))
        await until(lambda: measured.server.budget.spent)
        found = await measured.scrape()
        assert found["riverrun_buffer_bytes", ()] >= 16 * KIB
        assert found["riverrun_buffer_limit_bytes", ()] == 16 * KIB
        assert found["riverrun_buffer_waiting", ()] == 1
        assert found["riverrun_buffer_waits_total", ()] == 1
    await until(lambda: not measured.server.budget.level)
    found = await measured.scrape()
    assert found["riverrun_buffer_waiting", ()] == 0


async def test_another_counter_may_be_told_too(serve: Serve) -> None:
    measured = await measure(serve)
    measured.vitals.count("riverrun_log_commits", "Commits of logs.", lambda: 7)
    assert (await measured.scrape())["riverrun_log_commits_total", ()] == 7


async def test_a_scraper_may_prefer_openmetrics(serve: Serve) -> None:
    measured = await measure(serve)
    found = await measured.scrape("Accept: application/openmetrics-text; version=1.0.0")
    assert found["riverrun_connections", ()] == 1


async def test_the_metrics_are_for_this_machine_and_for_reading(serve: Serve) -> None:
    measured = await measure(serve)
    assert (await measured.ask("GET", "/~/metrics", "X-Forwarded-For: 10.0.0.1")).status == 403
    assert (await measured.ask("GET", "/~/metrics", "Origin: http://evil.example")).status == 403
    assert (await measured.ask("DELETE", "/~/metrics")).status == 405
    assert (await measured.ask("HEAD", "/~/metrics")).body == b""
    measured = await measure(serve, Access(remote=True))
    assert (await measured.ask("GET", "/~/metrics", "X-Forwarded-For: 10.0.0.1")).status == 200


async def test_a_loop_that_is_late_shows(serve: Serve) -> None:
    measured = await measure(serve)
    ticks = sum(measured.vitals.lags)
    await asyncio.sleep(0.1)
    time.sleep(0.4)
    await until(lambda: sum(measured.vitals.lags) > ticks)
    found = await measured.scrape()
    assert found["riverrun_event_loop_lag_seconds_bucket", (("le", "+Inf"),)] >= 1
    late = found["riverrun_event_loop_lag_seconds_sum", ()]
    assert late >= 0.1
