"""Streams for ``riverrun run``, in the folder that STREAMS_FOLDER names; long-polls are short."""

from __future__ import annotations

import os

import riverrun

handler = riverrun.Streams(
    riverrun.open_logs(os.environ["STREAMS_FOLDER"]),
    settings=riverrun.StreamSettings(long_poll_timeout=2.0),
    cors="*",
)
