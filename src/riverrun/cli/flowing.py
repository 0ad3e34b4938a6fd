"""`riverrun flows`: what a server's transfers do, live, and the levers on them as keys."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Final

import click
import httpx
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from riverrun.cli import INTERRUPTED
from riverrun.cli.errors import CannotStartError
from riverrun.cli.flow_table import FlowTable
from riverrun.client.session import parse_address
from riverrun.errors import RiverrunError

PATH: Final = "/~/flows"
SILENCE: Final = 45.0
"""In seconds; a server that is there says something every fifteen."""

PATIENCE: Final = 5.0
"""In seconds; for the beginning of an answer, which no server that is there thinks about."""

REDRAW: Final = 0.5
KEYS: Final = "↑↓ select  p pause  r resume  l limit  c cancel  s sort  q quit"
UP: Final = ("k", "\x1b[A", "\x1bOA")
DOWN: Final = ("j", "\x1b[B", "\x1bOB")
RETURN: Final = ("\r", "\n")
ESCAPE: Final = "\x1b"
BACKSPACE: Final = ("\x7f", "\b")


def show_flows(url: str, *, as_json: bool) -> None:
    """Show the flows of the server at `url` until a key or Ctrl-C ends it.

    As JSON, a line for each event; without a terminal, the table once. Raises `CannotStartError`
    where no server answers within `PATIENCE`, and `click.exceptions.Exit` 130 behind Ctrl-C.
    """
    try:
        address = parse_address(url).copy_with(path=PATH, query=None)
    except RiverrunError as error:
        raise CannotStartError(str(error)) from None
    interactive = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        if as_json:
            asyncio.run(_print_events(str(address)))
        elif interactive:
            asyncio.run(_Screen(str(address)).run())
        else:
            asyncio.run(_print_once(str(address)))
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Who read it has enough. What is still to be flushed at the exit has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TimeoutError:
        raise CannotStartError(f"{_nobody(address)}: nothing came for {PATIENCE:g} s") from None
    except httpx.TransportError as error:
        raise CannotStartError(
            f"{_nobody(address)}: {str(error) or type(error).__name__}"
        ) from None


async def follow(client: httpx.AsyncClient, address: str) -> AsyncIterator[tuple[str, Any]]:
    """The events of the flows: their names and data.

    Raises `CannotStartError` if refused, `TimeoutError` where no answer begins within `PATIENCE`.
    """
    request = client.build_request("GET", address, headers={"accept": "text/event-stream"})
    async with asyncio.timeout(PATIENCE):
        answer = await client.send(request, stream=True)
    async with aclosing(answer):
        if answer.status_code != 200:
            await answer.aread()
            raise CannotStartError(f"{address}: {_problem(answer)}")
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise CannotStartError(f"{address}: the server does not tell of its transfers")
        event = "message"
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data":
                yield event, msgspec.json.decode(value)


def _nobody(address: httpx.URL) -> str:
    return f"no server answers at {address.copy_with(path='/')}"


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase}"


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=httpx.Timeout(10.0, read=SILENCE))


async def _print_events(address: str) -> None:
    async with _client() as client:
        async for event, data in follow(client, address):
            line = msgspec.json.encode({"event": event, **data})
            sys.stdout.write(line.decode() + "\n")
            sys.stdout.flush()


async def _print_once(address: str) -> None:
    table = FlowTable()
    async with _client() as client:
        async for event, data in follow(client, address):
            table.apply(event, data)
            break
    console = Console()
    console.print(table.render(len(table.rows()), console.width))


class _Screen:
    """The table on a terminal, and the keys."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._table = FlowTable()
        self._said = ""
        self._typed: str | None = None  # a limit that is being typed
        self._sure: int | None = None  # whose cancel waits to be confirmed
        self._keys: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        console = Console()
        with (
            _keys_at_once(self._keys),
            Live(console=console, screen=True, auto_refresh=False) as live,
        ):
            async with _client() as client:
                following = asyncio.ensure_future(self._follow(client))
                steering = asyncio.ensure_future(self._obey(client))
                tasks = {following, steering}
                try:
                    while not any(task.done() for task in tasks):
                        live.update(self._render(console), refresh=True)
                        await asyncio.wait(
                            tasks, timeout=REDRAW / 4, return_when=asyncio.FIRST_COMPLETED
                        )
                finally:
                    for task in tasks:
                        task.cancel()
                    ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome
        if following.done() and not following.cancelled():
            click.echo("the server has ended the stream", err=True)

    async def _follow(self, client: httpx.AsyncClient) -> None:
        async for event, data in follow(client, self._address):
            self._table.apply(event, data)

    async def _obey(self, client: httpx.AsyncClient) -> None:
        """Do what the keys say, until one says to quit."""
        while True:
            key = await self._keys.get()
            if self._typed is not None:
                await self._type(client, key)
            elif key == "q":
                return
            elif key == "s":
                self._table.by_wait = not self._table.by_wait
            elif key in UP:
                self._table.move(-1)
            elif key in DOWN:
                self._table.move(1)
            elif self._table.selected is not None:
                await self._steer(client, key, self._table.selected)

    async def _steer(self, client: httpx.AsyncClient, key: str, number: int) -> None:
        sure, self._sure = self._sure, None
        if key == "p":
            await self._change(client, number, {"paused": True})
        elif key == "r":
            await self._change(client, number, {"paused": False})
        elif key == "l":
            self._typed = ""
        elif key == "c" and sure == number:
            answer = await client.delete(f"{self._address}/{number}")
            self._said = "cancelled" if answer.is_success else _problem(answer)
        elif key == "c":
            self._sure = number
            self._said = "once more to cancel it"

    async def _type(self, client: httpx.AsyncClient, key: str) -> None:
        assert self._typed is not None
        if key in RETURN:
            rate, self._typed = self._typed.strip(), None
            if self._table.selected is not None:
                await self._change(client, self._table.selected, {"rate": rate or None})
        elif key == ESCAPE:
            self._typed = None
        elif key in BACKSPACE:
            self._typed = self._typed[:-1]
        elif key.isprintable():
            self._typed += key

    async def _change(self, client: httpx.AsyncClient, number: int, change: dict[str, Any]) -> None:
        answer = await client.patch(f"{self._address}/{number}", json=change)
        self._said = "" if answer.is_success else _problem(answer)

    def _render(self, console: Console) -> Group:
        if self._typed is not None:
            below = f"limit, such as 500 kB/s; nothing takes it away: {self._typed}▏"
        else:
            below = self._said or (KEYS if self._table.steerable else "↑↓ select  s sort  q quit")
        order = "longest wait first" if self._table.by_wait else "fastest first"
        table = self._table.render(max(1, console.height - 7), console.width)
        return Group(table, Text(f"{order}   {below}", style="dim"))


@contextmanager
def _keys_at_once(keys: asyncio.Queue[str]) -> Iterator[None]:
    """Have what is typed put into `keys` at once, unseen; the terminal is left as it was."""
    descriptor = sys.stdin.fileno()
    former = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(BlockingIOError):
            typed = os.read(descriptor, 64).decode("utf-8", "ignore")
            if typed.startswith(ESCAPE):
                keys.put_nowait(typed)
            else:
                for key in typed:
                    keys.put_nowait(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, former)
