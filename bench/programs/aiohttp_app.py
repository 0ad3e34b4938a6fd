# mypy: disable-error-code="import-not-found"
"""aiohttp's own static folder, which answers with FileResponse: aiohttp_app.py FOLDER PORT."""

import sys

from aiohttp import web

if __name__ == "__main__":
    folder, port = sys.argv[1:]
    app = web.Application()
    app.router.add_static("/", folder)
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)
