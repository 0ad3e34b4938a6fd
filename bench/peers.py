"""Who is measured: one table of peers, each with its command line and what is on and off in it.

Every peer gets the settings its own documentation would give a careful operator for this work, and
the page says which they are. A peer's abilities are the kinds of work it can be asked for.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import HOST
from bench.tools import (
    NODE_MODULES,
    PROGRAMS,
    in_bench_venv,
    in_product_venv,
    installed,
    node_package_version,
    package_version,
    version_from,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.process import Site

FILES = "files"
"""The ability to serve a folder."""

UPLOADS = "uploads"
"""The ability to store what is PUT into a folder."""

TUS = "tus"
"""The ability to take resumable uploads by tus 1.0."""

FAN_OUT = "fan-out"
"""The ability to send what is published to all who follow: a stream, or a channel in memory."""

STREAMS = "streams"
"""The ability to keep durable streams."""

CATCH_UP = "catch-up"
"""The ability to send what is kept in full: a stream, or a file that is put into its folder."""

WITHOUT_FLOWS = "without flows"
"""The ability to give small answers with flows, or with the same program without them."""

STREAMS_PREFIX = "/v1/stream/"
CHANNEL_PREFIX = "/channel/"


@dataclass(frozen=True)
class Service:
    """How a peer is started for one ability, and where it then is.

    Attributes:
        arguments: Its command line after the executable; may write files into the scratch folder.
        prefix: The path under which it serves the folder, or takes what is sent.
    """

    arguments: Callable[[Site], list[str]]
    prefix: str = "/"


@dataclass(frozen=True)
class Peer:
    """One server, in one configuration.

    Attributes:
        name: The name on the command line and in JSON.
        title: The name in tables.
        note: What is on and off in it, for the page.
        install: How to get it.
        program: Finds its executable, or None where it is not installed.
        services: What it can do, by ability; works ask for these.
        version: Finds its version.
        variant_of: The peer that it differs from by one setting.
    """

    name: str
    title: str
    note: str
    install: str
    program: Callable[[], str | None]
    services: Mapping[str, Service]
    version: Callable[[], str | None]
    variant_of: str | None = None

    def missing(self) -> str | None:
        """Why it cannot be started, or None."""
        return None if self.program() else f"not installed ({self.install})"

    def command(self, service: Service, site: Site) -> list[str]:
        """The whole command line; only for a peer that is not missing."""
        return [self.program() or self.name, *service.arguments(site)]


def nginx_configuration(site: Site, *, as_root: bool, more: str = "", main: str = "") -> str:
    """The text of nginx.conf. As root it must be told to stay root to read a private folder."""
    user = "user root;" if as_root else ""
    return textwrap.dedent(f"""\
        {main}
        {user}
        worker_processes 1;
        daemon off;
        pid {site.scratch}/nginx.pid;
        error_log stderr error;
        events {{ worker_connections 16384; }}
        http {{
            default_type application/octet-stream;
            access_log off;
            sendfile on;
            tcp_nopush on;
            keepalive_requests 100000000;
            client_body_temp_path {site.scratch}/body;
            proxy_temp_path {site.scratch}/proxy;
            fastcgi_temp_path {site.scratch}/fastcgi;
            uwsgi_temp_path {site.scratch}/uwsgi;
            scgi_temp_path {site.scratch}/scgi;
            server {{
                listen {HOST}:{site.port};
                root {site.folder};
                {more}
            }}
        }}
        """)


def _nginx(more: str = "", main: str = "") -> Callable[[Site], list[str]]:
    def arguments(site: Site) -> list[str]:
        configuration = site.scratch / "nginx.conf"
        as_root = os.geteuid() == 0
        configuration.write_text(nginx_configuration(site, as_root=as_root, more=more, main=main))
        return ["-p", str(site.scratch), "-c", str(configuration), "-e", "stderr"]

    return arguments


def _caddy(site: Site) -> list[str]:
    listen = f"{HOST}:{site.port}"
    return ["file-server", "--root", str(site.folder), "--listen", listen, "--no-compress"]


def _granian(site: Site) -> list[str]:
    return [
        *("--interface", "asgi", "--host", HOST, "--port", str(site.port), "--workers", "1"),
        *("--static-path-mount", str(site.folder), "--no-access-log", "--log-level", "error"),
        *("--working-dir", str(PROGRAMS), "granian_app:app"),
    ]


def _own_program(file_name: str) -> Callable[[Site], list[str]]:
    return lambda site: [str(PROGRAMS / file_name), str(site.folder), str(site.port)]


def _tus_server(site: Site) -> list[str]:
    program = str(PROGRAMS / "tus_server.mjs")
    return [program, str(site.folder), str(site.port), str(NODE_MODULES)]


def _durable_streams(site: Site) -> list[str]:
    program = str(PROGRAMS / "durable_streams_server.mjs")
    return [program, str(site.folder), str(site.port), str(NODE_MODULES)]


def _riverrun(*options: str) -> Callable[[Site], list[str]]:
    return lambda site: ["serve", str(site.folder), "--port", str(site.port), *options]


def _node_with(package: str) -> Callable[[], str | None]:
    return lambda: installed("node") if node_package_version(package) else None


def _bench_python() -> str | None:
    return in_bench_venv("python")


def _with_package(package: str) -> Callable[[], str | None]:
    def find() -> str | None:
        python = _bench_python()
        return python if package_version(python, package) else None

    return find


def _package_version(package: str) -> Callable[[], str | None]:
    return lambda: package_version(_bench_python(), package)


def _starlette_version() -> str | None:
    python = _bench_python()
    parts = [package_version(python, name) for name in ("starlette", "uvicorn")]
    return f"{parts[0]} on uvicorn {parts[1]}" if all(parts) else None


def _riverrun_program() -> str | None:
    return in_product_venv("riverrun")


def _riverrun_version() -> str | None:
    return package_version(in_product_venv("python"), "riverrun")


_FROM_VENV = "bench/requirements.txt"
_NGINX_UPLOADS = "dav_methods PUT; client_max_body_size 0;"
_RIVERRUN_UPLOADS = _riverrun("--log", "none", "--allow", "upload,overwrite")

_NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so"
_NCHAN_LOCATIONS = (
    f"location {CHANNEL_PREFIX}publish {{ nchan_publisher; nchan_channel_id bench; }}"
    f" location {CHANNEL_PREFIX}events {{ nchan_subscriber; nchan_channel_id bench;"
    " nchan_subscriber_first_message newest; tcp_nopush off; }"
)

PEERS = (
    Peer(
        "nginx",
        "nginx",
        "One worker, sendfile and tcp_nopush on, access log off, keep-alive without a limit of"
        " requests, no open_file_cache (its default: a changed file is seen at once). Uploads: its"
        " DAV module, `dav_methods PUT`, no limit of size, `client_body_buffer_size 128k`, which"
        " saves it more than half of the CPU; no fsync. Fan-out: its module nchan, in memory,"
        " with tcp_nopush off: with it, once a message of 16 KiB has gone, each later one waits"
        " 200 ms for more.",
        "Debian packages nginx-light, and libnginx-mod-nchan for fan-out",
        lambda: installed("nginx"),
        {
            FILES: Service(_nginx()),
            UPLOADS: Service(_nginx(f"{_NGINX_UPLOADS} client_body_buffer_size 128k;")),
            FAN_OUT: Service(_nginx(_NCHAN_LOCATIONS, f"load_module {_NCHAN};"), CHANNEL_PREFIX),
            CATCH_UP: Service(_nginx()),
        },
        lambda: version_from(installed("nginx"), "-v"),
    ),
    Peer(
        "nginx-plain",
        "nginx, body buffer as it comes",
        "Uploads with its own 16 KiB of `client_body_buffer_size`.",
        "Debian packages nginx-light, and libnginx-mod-nchan for fan-out",
        lambda: installed("nginx"),
        {UPLOADS: Service(_nginx(_NGINX_UPLOADS))},
        lambda: version_from(installed("nginx"), "-v"),
        variant_of="nginx",
    ),
    Peer(
        "caddy",
        "Caddy",
        "`file-server`, compression off, access log off (its default), administration off.",
        _FROM_VENV,
        lambda: in_bench_venv("caddy"),
        {FILES: Service(_caddy)},
        lambda: version_from(in_bench_venv("caddy"), "version"),
    ),
    Peer(
        "node",
        "Node pipeline",
        "A program of 35 lines: stat, createReadStream, stream.pipeline into the response;"
        " one process, no log. Uploads: another of 25, stream.pipeline from the request into"
        " createWriteStream; no fsync.",
        "Node.js 18 or newer",
        lambda: installed("node"),
        {
            FILES: Service(_own_program("node_pipeline.mjs")),
            UPLOADS: Service(_own_program("node_upload.mjs")),
        },
        lambda: version_from(installed("node"), "--version"),
    ),
    Peer(
        "starlette",
        "Starlette on uvicorn",
        "StaticFiles, one process, uvloop and httptools, access log off. Uploads: request.stream()"
        " into anyio's file, which writes in threads; no fsync.",
        _FROM_VENV,
        _with_package("starlette"),
        {
            FILES: Service(_own_program("starlette_app.py")),
            UPLOADS: Service(_own_program("starlette_upload.py")),
        },
        _starlette_version,
    ),
    Peer(
        "granian",
        "granian static",
        "Its own static-file option (in Rust), one worker, access log off. It answers chunked,"
        " without Content-Length.",
        _FROM_VENV,
        lambda: in_bench_venv("granian"),
        {FILES: Service(_granian, "/static/")},
        _package_version("granian"),
    ),
    Peer(
        "aiohttp",
        "aiohttp",
        "add_static (FileResponse) on the asyncio loop, which has the sendfile that uvloop lacks;"
        " access log off. Uploads: request.content.iter_chunked(64 KiB), written in place, so that"
        " everybody else waits for the disk; no fsync.",
        _FROM_VENV,
        _with_package("aiohttp"),
        {
            FILES: Service(_own_program("aiohttp_app.py")),
            UPLOADS: Service(_own_program("aiohttp_upload.py")),
        },
        _package_version("aiohttp"),
    ),
    Peer(
        "tus-node",
        "@tus/server",
        "The reference server of tus in Node.js, with @tus/file-store; one process, no log; no"
        " fsync.",
        "bench/package.json",
        _node_with("@tus/server"),
        {TUS: Service(_tus_server, "/files/")},
        lambda: node_package_version("@tus/server"),
    ),
    Peer(
        "durable-streams",
        "@durable-streams/server",
        "The reference server of Durable Streams in Node.js, on files; one process, no log.",
        "bench/package.json",
        _node_with("@durable-streams/server"),
        dict.fromkeys((FAN_OUT, STREAMS), Service(_durable_streams, STREAMS_PREFIX)),
        lambda: node_package_version("@durable-streams/server"),
    ),
    Peer(
        "riverrun",
        "riverrun",
        "`riverrun serve --log none`; everything else as it comes: flows, limits and timeouts on;"
        " over loopback it asks the kernel to pace and to queue less (decision 15), and the"
        " others do not."
        " Uploads: `--allow upload,overwrite`; fsync, rename and fsync of the folder before the"
        " answer. Fan-out: a durable stream, every message on disk before it is sent. Appends and"
        " catch-up: durable streams as they come.",
        "this working tree",
        _riverrun_program,
        {
            FILES: Service(_riverrun("--log", "none")),
            WITHOUT_FLOWS: Service(_riverrun("--log", "none")),
            UPLOADS: Service(_RIVERRUN_UPLOADS),
            TUS: Service(_RIVERRUN_UPLOADS, "/~/tus/"),
            **dict.fromkeys(
                (FAN_OUT, STREAMS, CATCH_UP),
                Service(_riverrun("--log", "none", "--allow", "streams"), STREAMS_PREFIX),
            ),
        },
        _riverrun_version,
    ),
    Peer(
        "riverrun-broadcast",
        "riverrun, a channel in memory",
        "Fan-out: `riverrun.Broadcast` in a program of 20 lines; nothing is kept, as with nchan.",
        "this working tree",
        lambda: in_product_venv("python"),
        {FAN_OUT: Service(_own_program("riverrun_broadcast.py"), CHANNEL_PREFIX)},
        _riverrun_version,
        variant_of="riverrun",
    ),
    Peer(
        "riverrun-without-flows",
        "riverrun, flows compiled out",
        "As riverrun, but a small answer never asks for its flow.",
        "this working tree",
        lambda: in_product_venv("python"),
        {WITHOUT_FLOWS: Service(_own_program("riverrun_without_flows.py"))},
        _riverrun_version,
        variant_of="riverrun",
    ),
    Peer(
        "riverrun-log",
        "riverrun, access log on",
        "`--log text`, written to a file.",
        "this working tree",
        _riverrun_program,
        {FILES: Service(_riverrun("--log", "text"))},
        _riverrun_version,
        variant_of="riverrun",
    ),
    Peer(
        "riverrun-rate",
        "riverrun, rate limit never reached",
        "`--log none --rate 100GB/s`.",
        "this working tree",
        _riverrun_program,
        {FILES: Service(_riverrun("--log", "none", "--rate", "100GB/s"))},
        _riverrun_version,
        variant_of="riverrun",
    ),
)


def choose(names: list[str] | None) -> list[Peer]:
    """The peers of those names in the table's order; nginx always, being the measure.

    Raises:
        ValueError: A name is not in the table.
    """
    if names is None:
        return list(PEERS)
    known = {peer.name for peer in PEERS}
    if unknown := sorted(set(names) - known):
        raise ValueError(
            f"no peer named {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
    return [peer for peer in PEERS if peer.name in names or peer is PEERS[0]]
