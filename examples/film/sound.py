"""Sounds out of noise and arithmetic: a brook, birds, crickets, strings.

Every sound is a list of samples from -1 to 1, `RATE` a second; `mixed_in` lays one over another.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence

RATE = 48000
SCALE = (146.83, 174.61, 196.0, 220.0, 261.63, 293.66, 349.23, 392.0, 440.0)  # D minor, five notes


def brook(seconds: float, rng: random.Random) -> list[float]:
    """Water over stones: noise between two low passes, and bubbles that ring."""
    total = round(seconds * RATE)
    samples, fast, slow = [0.0] * total, 0.0, 0.0
    for i in range(total):
        white = rng.random() * 2 - 1
        fast += (white - fast) * 0.22
        slow += (fast - slow) * 0.03
        swell = 0.75 + 0.25 * math.sin(i / RATE * 0.9) * math.sin(i / RATE * 0.37 + 1)
        samples[i] = (fast - slow) * 0.30 * swell
    for _ in range(round(seconds * 14)):
        start, pitch = rng.randrange(total), rng.uniform(380, 1250)
        length, loud = round(rng.uniform(0.02, 0.07) * RATE), rng.uniform(0.01, 0.05)
        for i in range(min(length, total - start)):
            along = i / length
            turn = math.tau * pitch * (1 + 0.35 * along) * i / RATE
            samples[start + i] += math.sin(turn) * math.exp(-5 * along) * loud
    return samples


def song(rng: random.Random) -> list[float]:
    """What one bird says: a few whistles that fall and trill."""
    samples: list[float] = []
    for _ in range(rng.randint(3, 6)):
        pitch, fall = rng.uniform(2600, 4200), rng.uniform(-900, 500)
        length, trill = round(rng.uniform(0.06, 0.16) * RATE), rng.uniform(18, 42)
        turn = 0.0
        for i in range(length):
            along = i / length
            wobble = 260 * math.sin(math.tau * trill * i / RATE)
            turn += math.tau * (pitch + fall * along + wobble) / RATE
            samples.append(math.sin(turn) * math.sin(math.pi * along) ** 2 * 0.12)
        samples.extend([0.0] * round(rng.uniform(0.03, 0.12) * RATE))
    return samples


def cricket(seconds: float) -> list[float]:
    """A cricket: three pulses, a rest, and again."""
    samples = []
    for i in range(round(seconds * RATE)):
        at = i / RATE
        beat = at % 0.62
        pulse = max(0.0, math.sin(math.pi * beat * 24)) if beat < 0.125 else 0.0
        samples.append(math.sin(math.tau * 4400 * at) * pulse * 0.035)
    return samples


def string(pitch: float, seconds: float, rng: random.Random) -> list[float]:
    """A plucked string, after Karplus and Strong: a burst of noise that goes round and softens."""
    ring = [rng.random() * 2 - 1 for _ in range(round(RATE / pitch))]
    ring = [(ring[i] + ring[i - 1] + ring[i - 2]) / 3 for i in range(len(ring))]
    samples = []
    size = len(ring)
    for i in range(round(seconds * RATE)):
        at = i % size
        value = ring[at]
        ring[at] = (value + ring[(at + 1) % size]) * 0.4982
        samples.append(value * 0.5)
    return samples


def tune(seconds: float, rng: random.Random) -> list[float]:
    """Strings that wander up and down a scale, never in a hurry."""
    samples = [0.0] * round(seconds * RATE)
    at, step = 0.6, 3
    while at < seconds - 3:
        mixed_in(samples, string(SCALE[step], 3.5, rng), at, 0.34)
        if rng.random() < 0.4:
            mixed_in(samples, string(SCALE[step % 3] / 2, 4, rng), at, 0.3)
        step = max(0, min(len(SCALE) - 1, step + rng.choice((-2, -1, -1, 1, 1, 2))))
        at += rng.choice((0.5, 0.5, 0.75, 1.0, 1.5))
    return samples


def mixed_in(samples: list[float], sound: Sequence[float], at: float, loud: float = 1.0) -> None:
    """Lay `sound` over `samples` from second `at`; what does not fit is left out."""
    start = round(at * RATE)
    for i, value in enumerate(sound[: len(samples) - start], start):
        samples[i] += value * loud


def as_pcm(samples: list[float], fade: float = 1.0) -> bytes:
    """16 bits a sample, faded in and out, as loud as goes without distortion."""
    edge = round(fade * RATE)
    loudest = max(map(abs, samples))
    gain = 0.85 * 32767 / loudest
    last = len(samples) - 1
    return array(
        "h",
        (
            round(value * gain * min(1.0, i / edge, (last - i) / edge))
            for i, value in enumerate(samples)
        ),
    ).tobytes()
