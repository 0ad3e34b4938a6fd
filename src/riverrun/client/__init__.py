"""What talks to servers: files that come and go over as many connections as it takes.

`download` and `upload` move one file each, `upload_stream` what has no length yet. What breaks is
tried again, what is left is gone on from by the next call, and digests are compared where the
server gives them. `walk` and `walk_folder` list what is below a folder, there and here.
`append_stream` and `read_stream` are for durable streams. A `Session` keeps connections, and
patience, between transfers; a `Progress` is told how they go.

Nothing here knows who serves, nor that there is a command line.
"""

from riverrun.client.download import Download, download, is_same
from riverrun.client.errors import (
    AddressError,
    AnswerError,
    ChangedError,
    DigestError,
    ExistsError,
    FolderError,
    LostError,
    RefusalError,
)
from riverrun.client.fetching import fetch
from riverrun.client.listing import RemoteFile, walk
from riverrun.client.progress import SILENT, Progress, Stage
from riverrun.client.session import Patience, Session
from riverrun.client.sinks import DescriptorSink, Sink
from riverrun.client.stream_appending import Appended, append_stream
from riverrun.client.stream_reading import read_stream
from riverrun.client.stream_upload import upload_stream
from riverrun.client.upload import Check, Uploaded, UploadOptions, forget_done, upload
from riverrun.client.walking import LocalFile, walk_folder

__all__ = [
    "SILENT",
    "AddressError",
    "AnswerError",
    "Appended",
    "ChangedError",
    "Check",
    "DescriptorSink",
    "DigestError",
    "Download",
    "ExistsError",
    "FolderError",
    "LocalFile",
    "LostError",
    "Patience",
    "Progress",
    "RefusalError",
    "RemoteFile",
    "Session",
    "Sink",
    "Stage",
    "UploadOptions",
    "Uploaded",
    "append_stream",
    "download",
    "fetch",
    "forget_done",
    "is_same",
    "read_stream",
    "upload",
    "upload_stream",
    "walk",
    "walk_folder",
]
