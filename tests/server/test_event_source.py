"""Event streams as a browser's own EventSource sees them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.browser import eventually, launched, visiting

from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server

PAGE = b"""<!doctype html><title>events</title><link rel=icon href="data:,"><script>
seen = []
source = new EventSource("/events")
const note = event => seen.push([event.type, event.data, event.lastEventId])
source.onopen = () => seen.push(["open"])
source.onmessage = note
source.addEventListener("pair", note)
source.addEventListener("done", event => { note(event); source.close() })
</script>"""


class Story:
    """Tells a story in two visits: the first is cut off after its second event."""

    def __init__(self) -> None:
        self.visits: list[str | None] = []
        self.times: list[float] = []

    async def __call__(self, request: Request, response: Response) -> None:
        if request.target == b"/":
            response.headers["content-type"] = "text/html; charset=utf-8"
            await response.end(PAGE)
            return
        self.times.append(asyncio.get_running_loop().time())
        events = response.events(heartbeat=0.05, retry=0.2)
        self.visits.append(events.last_event_id)
        if events.last_event_id is None:
            await events.send("one", id="1")
            await asyncio.sleep(0.2)  # with heartbeats, which nobody sees
            await events.send("two\nlines and 🌊", event="pair", id="2 ž")
            await asyncio.sleep(0.1)
            events.abort()
            return
        async with events:
            await events.send("three")
            await events.send("", event="done", id="")


async def test_a_browser_sees_every_event_once_and_comes_again_where_it_was() -> None:
    story = Story()
    async with (
        Server(story, port=0) as server,
        launched() as browser,
        visiting(browser) as visit,
    ):
        await visit.page.goto(f"http://127.0.0.1:{server.port}/")

        async def seen() -> Any:
            return await visit.page.evaluate("seen")

        found = await eventually(seen, lambda seen: seen[-1:] == [["done", "", ""]])
    assert found == [
        ["open"],
        ["message", "one", "1"],
        ["pair", "two\nlines and 🌊", "2 ž"],
        ["open"],
        ["message", "three", "2 ž"],
        ["done", "", ""],
    ]
    assert story.visits == [None, "2 ž"]
    assert story.times[1] - story.times[0] < 3  # the browser's own pause is 3 s, after 0.3 s here
