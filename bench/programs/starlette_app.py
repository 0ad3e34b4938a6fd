# mypy: disable-error-code="import-not-found"
"""Starlette's StaticFiles on uvicorn with uvloop and httptools: starlette_app.py FOLDER PORT."""

import sys

import uvicorn
from starlette.staticfiles import StaticFiles

if __name__ == "__main__":
    folder, port = sys.argv[1:]
    uvicorn.run(
        StaticFiles(directory=folder),
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
