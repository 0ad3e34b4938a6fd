"""A proxy that takes small requests only, as many stand before servers; it may say what it takes.

with gateway(server.port, most=1000, announces="max-append-size=1000") as proxy:
    ...  # talk to 127.0.0.1:proxy.port
    assert proxy.refused == 0
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = ("connection", "transfer-encoding", "keep-alive")
CHUNK = 1 << 16
DEADLINE = 30.0


class Gateway(ThreadingHTTPServer):
    """Forwards to `upstream` what has `most` bytes at the most; counts what it has seen.

    What is larger is answered with 413, after its body was read if it is `patient`.
    """

    daemon_threads = True

    def __init__(self, upstream: int, *, most: int, announces: str | None, patient: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.upstream = upstream
        self.most = most
        self.announces = announces
        self.patient = patient
        self.refused = 0
        self.pieces: list[int] = []
        """The sizes of the bodies of PATCH that went through, in bytes."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Exchange(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if size > self.server.most:
            self._refuse(size)
        else:
            self._forward(size)

    do_HEAD = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as http.server has them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing."""

    def _refuse(self, size: int) -> None:
        self.server.refused += 1
        while self.server.patient and size > 0:
            size -= len(self.rfile.read(min(size, CHUNK)))
        self.send_response(413)
        self.end_headers()

    def _forward(self, size: int) -> None:
        if self.command == "PATCH":
            self.server.pieces.append(size)
        onward = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=DEADLINE)
        try:
            # The Host field is as it came: the server looks whether the page is its own.
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    onward.putheader(name, value)
            onward.endheaders()
            while size > 0:
                chunk = self.rfile.read(min(size, CHUNK))
                if not chunk:
                    return
                onward.send(chunk)
                size -= len(chunk)
            self._answer(onward.getresponse())
        finally:
            onward.close()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if self.server.announces is not None:
            self.send_header("Upload-Limit", self.server.announces)
        self.end_headers()
        while chunk := answer.read1(CHUNK):
            self.wfile.write(chunk)


@contextmanager
def gateway(
    upstream: int, *, most: int, announces: str | None = None, patient: bool = False
) -> Iterator[Gateway]:
    """One that runs before the server at `upstream` until the block is left."""
    with Gateway(upstream, most=most, announces=announces, patient=patient) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
