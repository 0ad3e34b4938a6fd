"""Draws the pictures of the demo folder: other valleys, at other hours.

python examples/draw_pictures.py [DIRECTORY] [--scale 1.0] [NAME...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from landscape.painting import paint
from landscape.scene import Light, Scene
from PIL import Image

DIRECTORY = Path(__file__).parent / "demo" / "pictures"
WIDE, TALL = (1440, 960), (1080, 1440)

DAWN = Light(
    sun_at=(0.24, 0.30),
    towards_sun=(-0.86, 0.34, 0.22),
    sunlight=(1.36, 0.98, 0.80),
    shade=(0.44, 0.47, 0.62),
    haze=(198, 190, 214),
    haze_by_the_sun=(255, 204, 178),
    high=(96, 124, 178),
    middle=(214, 190, 206),
    low=(255, 196, 168),
    sun=(255, 232, 208),
    cloud_lit=(255, 200, 186),
    cloud_dark=(150, 138, 172),
)
NOON = Light(
    sun_at=(0.62, -0.35),
    towards_sun=(0.45, 0.82, 0.05),
    sunlight=(1.16, 1.12, 1.02),
    shade=(0.36, 0.45, 0.60),
    haze=(188, 210, 232),
    haze_by_the_sun=(206, 222, 236),
    glint=(255, 255, 250),
    high=(38, 104, 182),
    middle=(132, 182, 222),
    low=(206, 224, 236),
    sun=(255, 255, 246),
    cloud_lit=(255, 253, 248),
    cloud_dark=(176, 190, 210),
)
EVENING = Light(
    sun_at=(0.70, 0.335),
    towards_sun=(0.92, 0.26, 0.16),
    sunlight=(1.44, 0.82, 0.46),
    shade=(0.34, 0.36, 0.56),
    haze=(150, 136, 176),
    haze_by_the_sun=(255, 166, 104),
    glint=(255, 196, 132),
    high=(52, 66, 132),
    middle=(182, 124, 150),
    low=(255, 150, 84),
    sun=(255, 220, 160),
    cloud_lit=(255, 150, 112),
    cloud_dark=(96, 78, 124),
)
MOONLIGHT = Light(
    sun_at=(0.34, 0.15),
    towards_sun=(-0.55, 0.62, 0.20),
    sunlight=(0.36, 0.44, 0.62),
    shade=(0.10, 0.14, 0.26),
    haze=(34, 50, 86),
    haze_by_the_sun=(70, 92, 132),
    glint=(196, 214, 240),
    high=(8, 14, 34),
    middle=(20, 36, 74),
    low=(44, 66, 108),
    sun=(236, 240, 246),
    cloud_lit=(92, 108, 144),
    cloud_dark=(22, 32, 58),
)
WINTER = Light(
    sun_at=(0.80, 0.20),
    towards_sun=(0.78, 0.52, 0.12),
    sunlight=(1.12, 1.02, 0.94),
    shade=(0.46, 0.54, 0.70),
    haze=(196, 210, 230),
    haze_by_the_sun=(250, 232, 214),
    high=(84, 132, 190),
    middle=(180, 206, 228),
    low=(244, 226, 214),
    cloud_lit=(255, 244, 236),
    cloud_dark=(164, 174, 200),
)

SCENES = {
    "dawn.jpg": Scene(DAWN, WIDE, 0.42, land_seed=7, seed=11, bend=1.2, peaks=0.72),
    "noon.webp": Scene(
        NOON, WIDE, 0.40, land_seed=1941, seed=27, bend=4.4, peaks=0.55, haziness=0.5
    ),
    "evening.jpg": Scene(EVENING, WIDE, 0.44, land_seed=1882, seed=16, bend=2.6, peaks=0.72),
    "moonlight.jpg": Scene(MOONLIGHT, WIDE, 0.44, land_seed=1939, seed=4, bend=3.3, peaks=0.66),
    "winter.webp": Scene(WINTER, TALL, 0.36, land_seed=1907, seed=31, bend=3.9, frost=0.95),
    "summer.jpg": Scene(NOON, TALL, 0.34, land_seed=1914, seed=8, bend=0.4, haziness=0.6),
}


def save(picture: Image.Image, path: Path) -> None:
    """Write it so that it arrives from coarse to fine (JPEG) or from the top (WebP)."""
    if path.suffix == ".webp":
        picture.save(path, quality=70, method=6)
    else:
        picture.save(path, quality=70, progressive=True, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENES))
    parser.add_argument("--directory", type=Path, default=DIRECTORY)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for name in options.names or SCENES:
        path = options.directory / name
        save(paint(SCENES[name], options.scale), path)
        print(f"{name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
