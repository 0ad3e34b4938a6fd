"""Draws the river, the same picture every time, as `river.webp` and `river.jpg`.

A lossy WebP arrives from the top to the bottom; a progressive JPEG arrives from coarse to fine.

    python examples/draw_river.py [DIRECTORY] [--scale 1.0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from landscape.painting import paint
from landscape.scene import Scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=Path(__file__).parent / "river")
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    picture = paint(Scene(), options.scale)
    webp, jpeg = options.directory / "river.webp", options.directory / "river.jpg"
    picture.save(webp, quality=80, method=6)
    picture.save(jpeg, quality=76, progressive=True, optimize=True)
    for path in (webp, jpeg):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
