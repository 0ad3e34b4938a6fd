"""Makes the film and the sound of the demo folder: drawn, synthesised, and encoded by PyAV.

pip install av
python examples/make_film.py [--directory DIRECTORY] [--scale 1.0] [--seconds 40]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from draw_pictures import DAWN, EVENING, MOONLIGHT, NOON
from film.day import FADE, FRAMES_A_SECOND, HOLD, frames, length_of
from film.sound import RATE, as_pcm, brook, cricket, mixed_in, song, tune
from landscape.painting import paint
from landscape.scene import Light, Scene

DIRECTORY = Path(__file__).parent / "demo"
SIZE = (854, 480)
SLACK = 1.12  # the place is drawn this much larger, for the film to come closer
LIGHTS = (DAWN, NOON, EVENING, MOONLIGHT)
SEED = 1904
SAMPLES_A_FRAME = 960  # 20 ms, as Opus has it
MUXING = {"cues_to_front": "1", "max_interleave_delta": "0"}
VIDEO = {"crf": "36", "b:v": "0", "deadline": "good", "cpu-used": "2", "row-mt": "1", "g": "60"}


def place(light: Light) -> Scene:
    """The valley of the film in a `light`."""
    size = (round(SIZE[0] * SLACK), round(SIZE[1] * SLACK))
    return Scene(
        light, size, 0.44, land_seed=1924, seed=SEED, bend=2.9, peaks=0.62, haziness=0.8,
        birds=False,
    )  # fmt: skip


def day_sound(seconds: float, night: float) -> bytes:
    """The brook all day, strings, birds in the morning and a cricket from second `night`."""
    rng = random.Random(SEED)
    samples = brook(seconds, rng)
    mixed_in(samples, tune(seconds, rng), 0, 0.8)
    for _ in range(7):
        mixed_in(samples, song(rng), rng.uniform(0.2, seconds * 0.5))
    mixed_in(samples, cricket(seconds - night), night)
    return as_pcm(samples)


def brook_sound(seconds: float) -> bytes:
    """The brook alone, with a string now and then."""
    rng = random.Random(SEED + 1)
    samples = brook(seconds, rng)
    mixed_in(samples, tune(seconds, rng), 0, 1.2)
    return as_pcm(samples, fade=2.0)


def encode_sound(container: OutputContainer, stream: AudioStream, pcm: bytes) -> None:
    """Encode `pcm`, one channel of 16 bits."""
    step = SAMPLES_A_FRAME * 2
    for start in range(0, len(pcm) - step + 1, step):
        frame = av.AudioFrame("s16", "mono", SAMPLES_A_FRAME)
        frame.planes[0].update(pcm[start : start + step])
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = start // 2
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def make_film(path: Path, scale: float, lights: Sequence[Light] = LIGHTS) -> None:
    """Write the film, VP9 and Opus in WebM, with its index in front so that it can be sought."""
    size = (round(SIZE[0] * scale) // 2 * 2, round(SIZE[1] * scale) // 2 * 2)
    pictures = [paint(place(light), scale) for light in lights]
    with av.open(str(path), "w", format="webm", options=MUXING) as container:
        video = container.add_stream("libvpx-vp9", rate=FRAMES_A_SECOND, options=VIDEO)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = container.add_stream("libopus", rate=RATE, layout="mono")
        audio.bit_rate = 64_000
        seconds = length_of(len(lights))
        sound = day_sound(seconds, night=seconds - HOLD - FADE / 2)
        for number, picture in enumerate(frames(pictures, size)):
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        encode_sound(container, audio, sound)


def make_sound(path: Path, seconds: float) -> None:
    """Write the sound, Opus in Ogg."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = 64_000
        encode_sound(container, stream, brook_sound(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=DIRECTORY)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=40.0, help="of the sound")
    options = parser.parse_args()
    film, sound = options.directory / "film" / "day.webm", options.directory / "sound" / "brook.ogg"
    for path in (film, sound):
        path.parent.mkdir(parents=True, exist_ok=True)
    make_sound(sound, options.seconds)
    make_film(film, options.scale)
    for path in (film, sound):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
