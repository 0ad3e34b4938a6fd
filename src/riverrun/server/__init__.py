"""The asyncio shell: sockets, exchanges, timeouts, graceful stop."""

from riverrun.http.handler import Handler
from riverrun.server.access_log import AccessLog, LogFormat
from riverrun.server.options import Options
from riverrun.server.run import run
from riverrun.server.server import Server
from riverrun.server.vitals import Vitals

__all__ = ["AccessLog", "Handler", "LogFormat", "Options", "Server", "Vitals", "run"]
