"""Words that arrive one by one from a slow teller, and a page that shows them as they come.

The words are a durable stream, which the page follows as events. Reload it, cut its connection,
kill this program and start it again: no word is lost, and none comes twice. When the story is told,
the stream is closed; `--again` forgets it first.

    python examples/tokens.py [--port 4000] [--every 0.25] [--folder .cache/tokens] [--again]
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
from pathlib import Path

import riverrun
from riverrun.apps.mounts import Mounts

EXAMPLES = Path(__file__).resolve().parent
FOLDER = EXAMPLES.parent / ".cache" / "tokens"
PAGE = (EXAMPLES / "tokens" / "page.html").read_bytes()
STORY = (EXAMPLES / "tokens" / "story.txt").read_text()
NAME = "story"
WORD = re.compile(r"\S+\s*")


class Teller:
    """Tells the story into a stream, a word at a time, and shows the page."""

    def __init__(self, logs: riverrun.LogStore, every: float) -> None:
        self._logs = logs
        self._every = every
        self._telling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The server listens: go on telling."""
        self._telling = asyncio.create_task(self._tell())

    def stop(self) -> None:
        """The server stops."""
        if self._telling is not None:
            self._telling.cancel()

    async def __call__(self, request: riverrun.Request, response: riverrun.Response) -> None:
        response.headers["content-type"] = "text/html; charset=utf-8"
        response.headers["content-security-policy"] = (
            "default-src 'none'; connect-src 'self'; img-src data:; "
            "script-src 'unsafe-inline'; style-src 'unsafe-inline'"
        )
        await response.end(PAGE)

    async def _tell(self) -> None:
        log = await riverrun.open_log(self._logs, NAME, content_type="text/plain; charset=utf-8")
        # What is stored is where we are: a word is there when `append` has returned, or not at all.
        rest = STORY.encode()[log.info.tail :].decode()
        for word in WORD.findall(rest):
            await log.append(word.encode())
            await asyncio.sleep(self._every)
        await log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4000)
    parser.add_argument("--every", type=float, default=0.25, help="seconds from word to word")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--again", action="store_true", help="forget what was told")
    options = parser.parse_args()
    if options.again:
        shutil.rmtree(options.folder, ignore_errors=True)
    logs = riverrun.open_logs(options.folder)
    handler = Mounts(Teller(logs, options.every), {"/v1/stream": riverrun.Streams(logs)})
    riverrun.run(
        handler,
        port=options.port,
        started=lambda server: print(f"http://127.0.0.1:{server.port}/", flush=True),
    )


if __name__ == "__main__":
    main()
