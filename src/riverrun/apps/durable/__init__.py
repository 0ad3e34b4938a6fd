"""The Durable Streams protocol over logs: create, append, close, read, follow, fork, by HTTP."""

from riverrun.apps.durable.overview import StreamsOverview
from riverrun.apps.durable.settings import StreamSettings
from riverrun.apps.durable.streams import Streams

__all__ = ["StreamSettings", "Streams", "StreamsOverview"]
