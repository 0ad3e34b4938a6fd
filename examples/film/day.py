"""A day in the valley: the same place in four lights, one fading into the next, and birds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

FRAMES_A_SECOND = 24
HOLD, FADE = 2.6, 2.4  # seconds in one light, and from one to the next
FLOCK = ((0.0, 0.0), (0.035, 0.02), (0.032, -0.018), (0.075, 0.034), (0.07, -0.03), (0.11, 0.045))
FINER = 3


def length_of(lights: int) -> float:
    """How many seconds a day of so many lights takes."""
    return lights * HOLD + (lights - 1) * FADE


def frames(pictures: Sequence[Image.Image], size: tuple[int, int]) -> Iterator[Image.Image]:
    """Every frame, in order; `pictures` are somewhat larger than `size` and of the same place."""
    seconds = length_of(len(pictures))
    total = round(seconds * FRAMES_A_SECOND)
    for number in range(total):
        at = number / FRAMES_A_SECOND
        frame = closer(lit(pictures, at), size, at / seconds)
        fly(frame, at - 1.0, row=0.16)
        fly(frame, at - 8.5, row=0.24)
        yield frame


def lit(pictures: Sequence[Image.Image], at: float) -> Image.Image:
    """The place in the light of second `at`."""
    index, within = divmod(at, HOLD + FADE)
    now = pictures[int(index)]
    if within <= HOLD or int(index) + 1 == len(pictures):
        return now
    along = (within - HOLD) / FADE
    return Image.blend(now, pictures[int(index) + 1], along * along * (3 - 2 * along))


def closer(picture: Image.Image, size: tuple[int, int], along: float) -> Image.Image:
    """Cut to a part that gets smaller as the film goes along."""
    part = 1.0 - 0.14 * (0.5 - 0.5 * math.cos(math.pi * along))
    wide, tall = picture.width * part, picture.height * part
    left, top = (picture.width - wide) * 0.58, (picture.height - tall) * 0.42
    return picture.resize(
        size, Image.Resampling.BICUBIC, (left, top, left + wide, top + tall), reducing_gap=2.0
    )


def fly(frame: Image.Image, since: float, row: float) -> None:
    """A flock that began to cross the sky `since` seconds ago."""
    across = since / 9.0
    if not 0 < across < 1.2:
        return
    band = (0, 0, frame.width, frame.height // 2)
    cover = Image.new("L", (frame.width * FINER, frame.height // 2 * FINER))
    draw = ImageDraw.Draw(cover)
    for number, (behind, beside) in enumerate(FLOCK):
        x = (across - behind - 0.02) * cover.width
        sway = 0.012 * math.sin(since * 1.3 + number * 1.9)
        y = (row + beside + sway - across * 0.05) * frame.height * FINER
        wing = frame.width * FINER * 0.0075
        lift = math.sin(since * 9 + number * 2.1) * 0.75
        for side in (-1, 1):
            elbow = (x + side * wing * 0.5, y - wing * lift * 0.55)
            tip = (x + side * wing, y - wing * lift * 0.35)
            draw.line([(x, y), elbow, tip], 200, FINER, joint="curve")
    small = cover.resize((frame.width, frame.height // 2), Image.Resampling.BOX)
    frame.paste((38, 42, 60), band, small)
