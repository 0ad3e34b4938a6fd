"""A streaming server and a streams library: the slow side sets the pace."""

from riverrun.apps.files import Files
from riverrun.flows import Flow, Shape
from riverrun.http.handler import Handler
from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io import open_file
from riverrun.server import AccessLog, LogFormat, Options, Server, run
from riverrun.streams import Readable, Writable, pipeline

__version__ = "0.1.0"

__all__ = [
    "AccessLog",
    "Files",
    "Flow",
    "Handler",
    "Limits",
    "LogFormat",
    "Options",
    "Readable",
    "Request",
    "Response",
    "Server",
    "Shape",
    "Writable",
    "__version__",
    "open_file",
    "pipeline",
    "run",
]
