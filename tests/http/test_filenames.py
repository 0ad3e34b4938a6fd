"""Names of files from clients, made safe."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riverrun.http.filenames import safe_name, safe_segments

SEGMENTS = {
    # What is fit for a name stays as it is
    "river.mp4": ("river.mp4",),
    "a fluß & more (1).tar.gz": ("a fluß & more (1).tar.gz",),
    "日本 😀.txt": ("日本 😀.txt",),
    "12:30 notes": ("12:30 notes",),
    "-rf ~ $HOME *?<>|\"'": ("-rf ~ $HOME *?<>|\"'",),
    "ends with a dot.": ("ends with a dot.",),
    # Folders, as browsers send them
    "holiday/day 1/a.jpg": ("holiday", "day 1", "a.jpg"),
    "holiday\\day 1\\a.jpg": ("holiday", "day 1", "a.jpg"),
    # What leads elsewhere
    "../../etc/passwd": ("etc", "passwd"),
    "..\\..\\windows\\x.ini": ("windows", "x.ini"),
    "a/../../b": ("a", "b"),
    "/etc/passwd": ("etc", "passwd"),
    "//server/share/x": ("server", "share", "x"),
    "\\\\server\\share\\x": ("server", "share", "x"),
    "C:\\fakepath\\a.txt": ("fakepath", "a.txt"),
    "c:/a.txt": ("a.txt",),
    "C:": ("unnamed",),
    "a/ C:/b": ("a", "b"),
    "a//b/./c/": ("a", "b", "c"),
    # What is hidden, or nothing
    ".bashrc": ("bashrc",),
    ". .a": ("a",),
    ".git/hooks/.x": ("git", "hooks", "x"),
    "...a": ("a",),
    "": ("unnamed",),
    ".": ("unnamed",),
    "..": ("unnamed",),
    "/": ("unnamed",),
    " ": ("unnamed",),
    "./../...": ("unnamed",),
    " a b ": ("a b",),
    # What no name may hold
    "a\0b": ("a_b",),
    "a\r\n\tb\x7f\x85": ("a___b__",),
    "a\u202egpj.exe": ("a_gpj.exe",),
    "a\udcffb": ("a_b",),
    # One name for what looks the same
    "cafe\u0301": ("caf\u00e9",),
}


@pytest.mark.parametrize(("path", "segments"), SEGMENTS.items())
def test_a_path_stays_within_its_folder(path: str, segments: tuple[str, ...]) -> None:
    assert safe_segments(path) == segments
    assert safe_name(path) == segments[-1]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 255),
        ("x" * 300 + ".mp4", "x" * 251 + ".mp4"),
        ("x" * 300 + ".tar.gz", "x" * 252 + ".gz"),
        ("ü" * 200, "ü" * 127),
        ("x" + "ü" * 200, "x" + "ü" * 127),
        ("😀" * 100 + ".jpg", "😀" * 62 + ".jpg"),
        ("x." + "y" * 300, "x." + "y" * 253),
        ("x" * 250 + " " * 10 + ".txt", "x" * 250 + ".txt"),
        ("x" * 250 + " " * 10 + "y", "x" * 250),
    ],
)
def test_a_long_name_is_cut_before_its_extension(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert safe_segments(f"{name}/{name}") == (safe, safe)


NAMES = st.text() | st.text("./\\ \0\t\n\u202e\udc80Cc:~_a\u0301é", max_size=20)
LONG_NAMES = st.builds(lambda text, times: text * times, NAMES, st.integers(1, 300))


def is_safe(name: str) -> bool:
    return (
        0 < len(name.encode()) <= 255
        and name not in (".", "..")
        and not name.startswith((".", " "))
        and not set(name) & {"/", "\\", "\0"}
        and not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
        and unicodedata.is_normalized("NFC", name)
    )


@given(NAMES | LONG_NAMES)
@example("." + "\u0301")
def test_any_name_is_made_safe_and_then_stays_as_it_is(filename: str) -> None:
    name = safe_name(filename)
    assert is_safe(name)
    assert safe_name(name) == name


@given(NAMES | LONG_NAMES | st.lists(NAMES).map("/".join))
def test_any_path_is_made_safe_and_then_stays_as_it_is(path: str) -> None:
    segments = safe_segments(path)
    assert segments
    assert all(is_safe(segment) for segment in segments)
    assert segments[-1] == safe_name(path)
    assert all(safe_segments(segment) == (segment,) for segment in segments)
