"""The programs on the page about events run, and it leads where it says."""

import re
from pathlib import Path
from typing import Any

from tests.conftest import Serve
from tests.server.client import Client, request, until

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def names_of(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(program, PAGE, "exec"), names)
    return names


async def test_the_ticks_go_on_where_the_client_was(serve: Serve) -> None:
    server = await serve(names_of(PROGRAMS[0])["ticks"])
    async with await Client.connect(server) as client:
        await client.send(request("/", "GET", "Last-Event-ID: 41"))
        shown = await client.reader.readuntil(b"tick 43\n\n")
    told = b"retry: 1000\nid: 42\ndata: tick 42\n\n"
    assert told in shown
    assert told.decode().strip() in PAGE.read_text()


async def test_a_channel_is_sent_to_everybody_from_its_beginning(serve: Serve) -> None:
    channel = names_of(PROGRAMS[1])["Channel"]()
    server = await serve(channel)
    channel.publish(b"one ")
    async with await Client.connect(server) as early, await Client.connect(server) as late:
        await early.send(request())
        await until(lambda: channel.broadcast.readers == 1)
        channel.publish(b"two ")
        await late.send(request())
        await until(lambda: channel.broadcast.readers == 2)
        channel.publish(b"three")
        channel.broadcast.end()
        for client in (early, late):
            assert (await client.reply()).body == b"one two three"


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
