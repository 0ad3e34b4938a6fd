"""A streaming server and a streams library: the slow side sets the pace.

The names below are imported when they are first used: a program that only moves bytes between
files never loads the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riverrun.apps.durable import Streams, StreamSettings
    from riverrun.apps.files import Files
    from riverrun.apps.uploads import Permissions, Upload, UploadLimits, Uploads
    from riverrun.flows import Flow, Flows, Shape
    from riverrun.http.broadcast import Broadcast
    from riverrun.http.events import Events
    from riverrun.http.handler import Handler
    from riverrun.http.limits import Limits
    from riverrun.http.request import Request
    from riverrun.http.response import Response
    from riverrun.http.server_sent_events import render_event
    from riverrun.io import open_file
    from riverrun.logs import Expiry, Log, LogStore, Producer, open_log, open_logs
    from riverrun.logs.disk import Retention
    from riverrun.logs.memory import MemoryLogStore
    from riverrun.server import AccessLog, LogFormat, Options, Server, run
    from riverrun.streams import Readable, Writable, pipeline

__version__ = "0.1.0"

__all__ = [
    "AccessLog",
    "Broadcast",
    "Events",
    "Expiry",
    "Files",
    "Flow",
    "Flows",
    "Handler",
    "Limits",
    "Log",
    "LogFormat",
    "LogStore",
    "MemoryLogStore",
    "Options",
    "Permissions",
    "Producer",
    "Readable",
    "Request",
    "Response",
    "Retention",
    "Server",
    "Shape",
    "StreamSettings",
    "Streams",
    "Upload",
    "UploadLimits",
    "Uploads",
    "Writable",
    "__version__",
    "open_file",
    "open_log",
    "open_logs",
    "pipeline",
    "render_event",
    "run",
]

_HOMES = {
    "AccessLog": "riverrun.server",
    "Broadcast": "riverrun.http.broadcast",
    "Events": "riverrun.http.events",
    "Expiry": "riverrun.logs",
    "Files": "riverrun.apps.files",
    "Flow": "riverrun.flows",
    "Flows": "riverrun.flows",
    "Handler": "riverrun.http.handler",
    "Limits": "riverrun.http.limits",
    "Log": "riverrun.logs",
    "LogFormat": "riverrun.server",
    "LogStore": "riverrun.logs",
    "MemoryLogStore": "riverrun.logs.memory",
    "Options": "riverrun.server",
    "Permissions": "riverrun.apps.uploads",
    "Producer": "riverrun.logs",
    "Readable": "riverrun.streams",
    "Request": "riverrun.http.request",
    "Response": "riverrun.http.response",
    "Retention": "riverrun.logs.disk",
    "Server": "riverrun.server",
    "Shape": "riverrun.flows",
    "StreamSettings": "riverrun.apps.durable",
    "Streams": "riverrun.apps.durable",
    "Upload": "riverrun.apps.uploads",
    "UploadLimits": "riverrun.apps.uploads",
    "Uploads": "riverrun.apps.uploads",
    "Writable": "riverrun.streams",
    "open_file": "riverrun.io",
    "open_log": "riverrun.logs",
    "open_logs": "riverrun.logs",
    "pipeline": "riverrun.streams",
    "render_event": "riverrun.http.server_sent_events",
    "run": "riverrun.server",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'riverrun' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
