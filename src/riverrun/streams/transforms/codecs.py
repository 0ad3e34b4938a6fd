"""The compression libraries behind one face, named as HTTP names content codings.

gzip comes with Python. zstd does from Python 3.14 on; before it, and for br, the extra
``riverrun[compression]`` is needed, which is said by the error that its absence raises.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from riverrun.errors import BrokenError

GZIP_WINDOW = 31  # zlib's word for: the largest window, in a gzip wrapper
ZSTD_WINDOW_LOG = 23  # 8 MiB, the most a decoder has to have (RFC 9659)


class Compressor(Protocol):
    """One stream on its way in."""

    def compress(self, data: bytes) -> bytes:
        """Take `data`, and give what is ready."""

    def flush(self) -> bytes:
        """Give what makes everything taken so far readable."""

    def finish(self) -> bytes:
        """Give the rest, with the end of the stream."""


class Decompressor(Protocol):
    """One stream on its way out."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """Give at most about `max_length` bytes; `data` must be empty while `starved` is False."""

    @property
    def starved(self) -> bool:
        """Whether nothing comes without more data."""

    @property
    def ended(self) -> bool:
        """Whether the stream's own end was reached."""

    @property
    def rest(self) -> bytes:
        """What came behind the end."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How one content coding is written and read; levels go from `lowest` to `highest`."""

    compressor: Callable[[int], Compressor]
    decompressor: Callable[[], Decompressor]
    lowest: int
    default: int
    highest: int
    continues: bool  # whether a stream may follow a stream, as members or frames


def codec(encoding: str) -> Codec:
    """Return the codec of ``gzip``, ``zstd`` or ``br``.

    Raises `ValueError` for another name, and `ImportError` when its library is not installed.
    """
    try:
        library, found = _CODECS[encoding]
    except KeyError:
        known = ", ".join(_CODECS)
        raise ValueError(f"{encoding!r} is not one of the encodings {known}") from None
    library()
    return found


def _require(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name} is not installed; it comes with the extra riverrun[compression]"
        ) from error


def _zstd() -> ModuleType:
    return _require("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _brotli() -> ModuleType:
    return _require("brotli")


def _zlib() -> ModuleType:
    return zlib


class _GzipCompressor:
    def __init__(self, level: int) -> None:
        self._stream = zlib.compressobj(level, wbits=GZIP_WINDOW)

    def compress(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def flush(self) -> bytes:
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._stream.flush()


class _GzipDecompressor:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_WINDOW)
        self.starved = True

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        stream = self._stream
        try:
            out = stream.decompress(data or stream.unconsumed_tail, max_length)
        except zlib.error as error:
            raise BrokenError(f"not gzip: {error}") from error
        # zlib may hold output back without input left over, but only when it filled its quota.
        self.starved = len(out) < max_length and not stream.unconsumed_tail
        return out

    @property
    def ended(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data


class _ZstdCompressor:
    def __init__(self, level: int) -> None:
        self._stream: Any = _zstd().ZstdCompressor(level)

    def compress(self, data: bytes) -> bytes:
        out: bytes = self._stream.compress(data)
        return out

    def flush(self) -> bytes:
        out: bytes = self._stream.flush(self._stream.FLUSH_BLOCK)
        return out

    def finish(self) -> bytes:
        out: bytes = self._stream.flush()
        return out


class _ZstdDecompressor:
    def __init__(self) -> None:
        zstd = _zstd()
        self._error = zstd.ZstdError
        self._stream: Any = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
        )

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        try:
            out: bytes = self._stream.decompress(data, max_length)
        except self._error as error:
            raise BrokenError(f"not zstd: {error}") from error
        return out

    @property
    def starved(self) -> bool:
        return bool(self._stream.needs_input)

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._stream.unused_data)


class _BrotliCompressor:
    def __init__(self, level: int) -> None:
        self._stream: Any = _brotli().Compressor(quality=level)

    def compress(self, data: bytes) -> bytes:
        out: bytes = self._stream.process(data)
        return out

    def flush(self) -> bytes:
        out: bytes = self._stream.flush()
        return out

    def finish(self) -> bytes:
        out: bytes = self._stream.finish()
        return out


class _BrotliDecompressor:
    def __init__(self) -> None:
        brotli = _brotli()
        self._error = brotli.error
        self._stream: Any = brotli.Decompressor()
        self.starved = True

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        try:
            out: bytes = self._stream.process(data, output_buffer_limit=max_length)
        except self._error as error:
            raise BrokenError(f"not br: {error}") from error
        # It may accept more while it holds output back, but only when it filled its quota.
        self.starved = len(out) < max_length and self._stream.can_accept_more_data()
        return out

    @property
    def ended(self) -> bool:
        return bool(self._stream.is_finished())

    @property
    def rest(self) -> bytes:
        return b""  # brotli raises for data behind the end


_CODECS: dict[str, tuple[Callable[[], ModuleType], Codec]] = {
    "gzip": (_zlib, Codec(_GzipCompressor, _GzipDecompressor, 0, 6, 9, continues=True)),
    "zstd": (_zstd, Codec(_ZstdCompressor, _ZstdDecompressor, 1, 3, 19, continues=True)),
    "br": (_brotli, Codec(_BrotliCompressor, _BrotliDecompressor, 0, 5, 11, continues=False)),
}
