"""Who gets the page and who gets data, and what the page's documents may do."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, Reply

from riverrun.apps.files import Files
from riverrun.apps.page import PageHead, Views
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.web import Build

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HEAD = PageHead(Build(Path(), "assets/main-1.js", ("assets/main-2.css",)), ("upload", "<steer>"))


async def programs(_request: Request, response: Response) -> None:
    response.headers["content-type"] = "application/json"
    await response.end(b"{}")


@pytest.fixture
async def views(serve: Serve) -> AsyncIterator[Client]:
    async with await Client.connect(await serve(Views(HEAD, programs))) as client:
        yield client


@pytest.mark.parametrize(
    ("lines", "page"),
    [
        ((BROWSER,), True),
        ((), False),
        (("Accept: */*",), False),
        (("Accept: application/json",), False),
        (("Accept: text/event-stream",), False),
        (("Accept: application/json, text/html;q=0.5",), False),
    ],
)
async def test_people_get_the_page_and_programs_the_data(
    views: Client, lines: tuple[str, ...], page: bool
) -> None:
    reply = await views.ask("/~/flows", "GET", *lines)
    assert (reply["content-type"] == "text/html; charset=utf-8") is page


async def test_what_changes_something_goes_to_who_can_change_it(views: Client) -> None:
    reply = await views.ask("/~/flows", "PATCH", BROWSER)
    assert reply["content-type"] == "application/json"


def policy(reply: Reply) -> dict[str, list[str]]:
    directives = (reply["content-security-policy"] or "").split(";")
    return {words[0]: words[1:] for each in directives if (words := each.split())}


async def test_the_documents_run_no_script_but_the_page(views: Client) -> None:
    reply = await views.ask("/~/flows", "GET", BROWSER)
    rules = policy(reply)
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'"]
    assert rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert not any("unsafe" in word for words in rules.values() for word in words)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", reply.body.decode(), re.DOTALL)
    assert scripts == [""]


async def test_a_listing_is_enhanced_only_where_that_is_asked_for(
    tmp_path: Path, serve: Serve
) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}").touch()
    enhanced, plain = Files(tmp_path, enhancement=HEAD.enhancement), Files(tmp_path)
    async with await Client.connect(await serve(enhanced)) as client:
        reply = await client.ask("/", "GET", BROWSER)
        assert b'src="/~/assets/main-1.js"' in reply.body
        assert policy(reply)["script-src"] == ["'self'"]
        assert b"Next page" in reply.body
        assert reply.body.count(b"<tr><td>") == 250
        assert b"limit=" not in reply.body
        (following,) = re.findall(rb'href="([^"]*)" rel="next"', reply.body)
        rest = await client.ask("/" + unescape(following.decode()), "GET", BROWSER)
        assert rest.body.count(b"<tr><td>") == 50
    async with await Client.connect(await serve(plain)) as client:
        reply = await client.ask("/", "GET", BROWSER)
        assert b"<script" not in reply.body
        assert "script-src" not in policy(reply)
        assert reply.body.count(b"<tr><td>") == 300
    enhanced.root.close()
    plain.root.close()


async def test_the_page_is_told_what_is_allowed(views: Client) -> None:
    reply = await views.ask("/~/flows", "GET", BROWSER)
    found = re.search(rb'<meta name="riverrun" content="([^"]*)">', reply.body)
    assert found is not None
    assert json.loads(unescape(found[1].decode())) == {"allowed": ["<steer>", "upload"]}
