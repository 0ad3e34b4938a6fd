"""Bytes in motion: the two ends of a stream, what joins them, and what changes bytes on the way.

This room knows no HTTP and no disk. `contracts` says what a stream promises; `readable` and
`writable` are bases that keep those promises; `pipeline` runs a source into a sink.
"""

from riverrun.streams.buffer import ByteBuffer
from riverrun.streams.contracts import (
    Chunk,
    FileRegion,
    Readable,
    RegionSink,
    RegionSource,
    Writable,
)
from riverrun.streams.iterables import FunctionSink, IterableSource
from riverrun.streams.memory import MemorySink, collect, pipe
from riverrun.streams.pipeline import Transform, pipeline
from riverrun.streams.readable import Source
from riverrun.streams.writable import BufferedSink, Sink

__all__ = [
    "BufferedSink",
    "ByteBuffer",
    "Chunk",
    "FileRegion",
    "FunctionSink",
    "IterableSource",
    "MemorySink",
    "Readable",
    "RegionSink",
    "RegionSource",
    "Sink",
    "Source",
    "Transform",
    "Writable",
    "collect",
    "pipe",
    "pipeline",
]
