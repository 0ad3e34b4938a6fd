"""Streams that touch the machine: files, processes, and asyncio's own streams."""

from riverrun.io.asyncio_streams import ReaderSource, WriterSink
from riverrun.io.files import FileSink, FileSource, open_file
from riverrun.io.processes import ProcessSink, ProcessSource, read_process, write_process

__all__ = [
    "FileSink",
    "FileSource",
    "ProcessSink",
    "ProcessSource",
    "ReaderSource",
    "WriterSink",
    "open_file",
    "read_process",
    "write_process",
]
