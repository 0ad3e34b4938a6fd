"""Another name for a file whose own is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riverrun.apps.files.confinement import Root
from riverrun.apps.uploads.clashes import free_name


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    root = Root(tmp_path)
    yield root
    root.close()


@pytest.mark.parametrize(
    ("standing", "target", "free"),
    [
        ([], "a.txt", "a.txt"),
        (["b.txt"], "a.txt", "a.txt"),
        (["a.txt"], "a.txt", "a (2).txt"),
        (["a.txt", "a (2).txt"], "a.txt", "a (3).txt"),
        (["a.txt", "a (3).txt"], "a.txt", "a (2).txt"),
        (["a"], "a", "a (2)"),
        (["a.tar.gz"], "a.tar.gz", "a.tar (2).gz"),
        (["a (2).txt"], "a (2).txt", "a (2) (2).txt"),
        (["x/a.txt"], "a.txt", "a.txt"),
        (["x/a.txt"], "x/a.txt", "x/a (2).txt"),
        (["x/a.txt"], "x", "x (2)"),
        (["x"], "x/a.txt", "x/a.txt"),
        (["n" * 255], "n" * 255, "n" * 251 + " (2)"),
        (["n" * 251 + ".txt"], "n" * 251 + ".txt", "n" * 247 + " (2).txt"),
        (["ü" * 127], "ü" * 127, "ü" * 125 + " (2)"),
        (["a." + "n" * 253], "a." + "n" * 253, "a." + "n" * 249 + " (2)"),
    ],
)
def test_the_first_name_that_is_free(
    root: Root, tmp_path: Path, standing: list[str], target: str, free: str
) -> None:
    for name in standing:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert "/".join(free_name(root, tuple(target.split("/")))) == free


def test_a_link_counts_wherever_it_leads(root: Root, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/nowhere")
    assert free_name(root, ("a",)) == ("a (2)",)


def test_a_name_that_is_promised_is_taken(root: Root, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert free_name(root, ("a",), taken={("a (2)",)}) == ("a (3)",)
    assert free_name(root, ("new", "b"), taken={("new", "b")}) == ("new", "b (2)")
