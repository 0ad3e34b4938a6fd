# mypy: disable-error-code="import-not-found,no-any-unimported,misc"
"""Starlette's request.stream() into a file written in threads: starlette_upload.py FOLDER PORT."""

import sys
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def put(request: Request) -> Response:
    """Store the body under its name."""
    async with await anyio.open_file(folder / request.path_params["name"], "wb") as file:
        async for chunk in request.stream():
            await file.write(chunk)
    return Response(status_code=201)


if __name__ == "__main__":
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(
        Starlette(routes=[Route("/{name}", put, methods=["PUT"])]),
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
