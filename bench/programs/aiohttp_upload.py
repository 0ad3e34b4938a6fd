# mypy: disable-error-code="import-not-found,no-any-unimported,misc"
"""aiohttp's request.content.iter_chunked() into a file: aiohttp_upload.py FOLDER PORT."""

import sys
from pathlib import Path

from aiohttp import web

CHUNK = 64 * 1024


async def put(request: web.Request) -> web.Response:
    """Store the body under its name, writing in place as aiohttp's own examples do."""
    with (folder / request.match_info["name"]).open("wb") as file:
        async for chunk in request.content.iter_chunked(CHUNK):
            file.write(chunk)
    return web.Response(status=201)


if __name__ == "__main__":
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    app = web.Application()
    app.router.add_put("/{name}", put)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)
