from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.media_types import (
    COMPRESSIBLE,
    EXTENSIONS,
    TYPES,
    content_type_of,
    is_compressible,
    is_script,
    media_type_of,
)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("data.json", "application/json"),
        ("data.ndjson", "application/x-ndjson"),
        ("data.jsonl", "application/x-ndjson"),
        ("data.yaml", "application/yaml"),
        ("data.yml", "application/yaml"),
        ("data.toml", "application/toml"),
        ("data.csv", "text/csv; charset=utf-8"),
        ("data.xml", "application/xml"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.log", "text/plain; charset=utf-8"),
        ("a.md", "text/markdown; charset=utf-8"),
        ("a.py", "text/plain; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.JPEG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("a.jxl", "image/jxl"),
        ("a.svg", "image/svg+xml"),
        ("a.ico", "image/vnd.microsoft.icon"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.mkv", "video/matroska"),
        ("a.mov", "video/quicktime"),
        ("a.ts", "video/mp2t"),
        ("a.m3u8", "application/vnd.apple.mpegurl"),
        ("a.mpd", "application/dash+xml"),
        ("a.m4s", "video/mp4"),
        ("a.vtt", "text/vtt; charset=utf-8"),
        ("a.srt", "application/x-subrip"),
        ("a.mp3", "audio/mpeg"),
        ("a.m4a", "audio/mp4"),
        ("a.opus", "audio/ogg"),
        ("a.flac", "audio/flac"),
        ("a.wav", "audio/wav"),
        ("a.pdf", "application/pdf"),
        ("a.zip", "application/zip"),
        ("a.tar.gz", "application/gzip"),
        ("a.tar", "application/x-tar"),
        ("a.bin", "application/octet-stream"),
        # The last extension counts, and only it.
        ("a.html.zip", "application/zip"),
        ("a.zip.html", "text/html; charset=utf-8"),
        ("a.unheard-of", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("html", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("README", "text/plain; charset=utf-8"),
        ("Makefile", "text/plain; charset=utf-8"),
        (".gitignore", "text/plain; charset=utf-8"),
    ],
)
def test_a_name_stands_for_a_type(name: str, content_type: str) -> None:
    assert content_type_of(name) == content_type
    assert media_type_of(name) == content_type.partition(";")[0]


def test_the_table_is_consistent() -> None:
    extensions = " ".join(EXTENSIONS.values()).split()
    assert len(extensions) == len(set(extensions)) == len(TYPES)
    assert all(extension == extension.lower() for extension in extensions)
    for media_type in {*EXTENSIONS, *COMPRESSIBLE}:
        assert re.fullmatch(r"[a-z]+/[a-z0-9][a-z0-9.+-]*", media_type)


@pytest.mark.parametrize(
    ("content_type", "compressible"),
    [
        ("text/html; charset=utf-8", True),
        ("Text/Plain", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/wasm", True),
        ("application/vnd.apple.mpegurl", True),
        ("image/png", False),
        ("image/jpeg", False),
        ("video/mp4", False),
        ("audio/mpeg", False),
        ("font/woff2", False),
        ("application/zip", False),
        ("application/gzip", False),
        ("application/pdf", False),
        ("application/octet-stream", False),
        ("", False),
    ],
)
def test_what_is_worth_compressing(content_type: str, compressible: bool) -> None:
    assert is_compressible(content_type) is compressible


@pytest.mark.parametrize(
    ("content_type", "script"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        (" text/html", True),
        ("application/xhtml+xml", True),
        ("image/svg+xml", True),
        ("application/xml", True),
        ("text/xml", True),
        ("application/rss+xml", True),
        ("text/javascript", True),
        ("application/javascript", True),
        ("text/plain", False),
        ("text/css", False),
        ("application/json", False),
        ("image/png", False),
        ("video/mp4", False),
        ("application/pdf", False),
        ("application/octet-stream", False),
    ],
)
def test_what_a_browser_could_run(content_type: str, script: bool) -> None:
    assert is_script(content_type) is script


@given(st.text())
def test_any_name_has_a_type(name: str) -> None:
    content_type = content_type_of(name)
    assert content_type.isascii()
    is_compressible(name)
    is_script(name)
