"""A forest: trees planted by the thousand, each with its shadow and its mirror image."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageMath, ImageOps

from .fields import bytes_of, mixed
from .land import SNOW, Land
from .scene import RGB
from .shapes import Shape, broadleaf, fir
from .survey import Survey

FARTHEST = 5200.0  # metres; beyond, woods are only a colour
LANDMARKS = (  # part of the width, part of the height, metres tall
    (0.04, 0.833, 25), (0.115, 0.867, 19), (0.93, 0.894, 24), (0.985, 0.856, 28),
    (0.86, 0.939, 15), (0.17, 0.944, 13),
)  # fmt: skip


@dataclass(frozen=True)
class Tree:
    slice: int
    column: int
    tall: float  # metres
    shape: Shape


class Forest:
    """Every tree of the picture, far ones first."""

    def __init__(self, land: Land, survey: Survey, rng: random.Random, candidates: int) -> None:
        self.view = land.view
        self.daylight = land.daylight
        self.survey = survey
        firs = [fir(rng) for _ in range(9)]
        crowns = [broadleaf(rng) for _ in range(8)]
        depths = self.view.depths
        reach = sum(depth < FARTHEST for depth in depths)
        self.trees: list[Tree] = []
        for _ in range(candidates):
            i, column = rng.randrange(reach), rng.randrange(self.view.width)
            sparse = min(1.0, (depths[i] / 1100) ** 1.9)
            if rng.random() > survey.woods[column, i] * sparse:
                continue
            leafy = rng.random() < (0.42 if survey.rise[column, i] < 0.12 else 0.10)
            tall = rng.uniform(7, 12) if leafy else rng.uniform(11, 21)
            shape = rng.choice(crowns if leafy else firs)
            self.trees.append(Tree(i, column, tall, shape))
        rows = [self.view.row(4, depth) for depth in depths[:reach]]
        for across, down, tall in LANDMARKS:
            i = min(range(reach), key=lambda n: abs(rows[n] - down * self.view.height))
            self.trees.append(Tree(i, round(across * self.view.width), tall, rng.choice(firs)))
        self.trees.sort(key=lambda tree: -tree.slice)

    def shadows(self) -> Image.Image:
        """Where trees keep the sun off the ground, in slice space."""
        view = self.view
        mask = Image.new("L", view.slices)
        draw = ImageDraw.Draw(mask)
        for tree in self.trees:
            depth = view.depths[tree.slice]
            metre = view.focus / depth
            long, deep = tree.tall * 1.15 * metre, tree.tall * 0.10
            near = self._slice_at(depth - deep, tree.slice)
            away = self._slice_at(depth + deep * 0.4, tree.slice)
            box = (tree.column - long, near, tree.column + 0.10 * long, max(away, near + 1))
            draw.ellipse(box, 255)
        return mask.filter(ImageFilter.GaussianBlur(1.2))

    def _slice_at(self, depth: float, start: int) -> int:
        depths, i = self.view.depths, start
        while i > 0 and depths[i] > depth:
            i -= 1
        while i < len(depths) - 1 and depths[i] < depth:
            i += 1
        return i

    def colours(self, tree: Tree) -> tuple[RGB, RGB]:
        """What its darkest and its brightest part look like from here."""
        at = (tree.column, tree.slice)
        sun = 0.62 + 0.70 * self.survey.light[at]
        frost = self.view.scene.frost
        shaded, lit = (
            (colour[0] * light[0], colour[1] * light[1], colour[2] * light[2])
            for colour, light in (
                (
                    mixed(tree.shape.dark, SNOW, frost * 0.12),
                    mixed(self.daylight.shade, (1.0, 1.0, 1.0), 0.35),
                ),
                (
                    mixed(tree.shape.bright, SNOW, frost * 0.7),
                    mixed((0, 0, 0), self.daylight.sunlight, sun),
                ),
            )
        )
        return self.survey.hazed(shaded, at), self.survey.hazed(lit, at)

    def plant(self, picture: Image.Image, seen: Image.Image) -> None:
        """Draw every tree where no land is nearer."""
        for tree in self.trees:
            depth = self.view.depths[tree.slice]
            height = max(self.survey.height[tree.column, tree.slice], 0)
            foot = self.view.row(height - 0.4, depth)
            tall = round(tree.tall * self.view.focus / depth)
            if tall >= 2:
                self._paste(picture, seen, tree, tree.shape.scaled(tall), round(foot) - tall)

    def mirror(self, picture: Image.Image, seen: Image.Image) -> None:
        """Draw upside down every tree that the water may show."""
        for tree in self.trees:
            at = (tree.column, tree.slice)
            depth = self.view.depths[tree.slice]
            tall = round(tree.tall * self.view.focus / depth)
            if tall >= 3 and self.survey.off_river[at] < 160:
                foot = self.view.row(-max(self.survey.height[at], 0), depth)
                cover, light = tree.shape.scaled(tall)
                upside_down = (ImageOps.flip(cover), ImageOps.flip(light))
                self._paste(picture, seen, tree, upside_down, round(foot))

    def _paste(
        self,
        picture: Image.Image,
        seen: Image.Image,
        tree: Tree,
        drawn: tuple[Image.Image, Image.Image],
        top: int,
    ) -> None:
        cover, light = drawn
        left = tree.column - cover.width // 2
        slices = seen.crop((left, top, left + cover.width, top + cover.height))
        in_view = ImageMath.lambda_eval(
            lambda v: v["convert"]((v["at"] >= tree.slice) * 255, "L"), at=slices
        )
        dark, bright = self.colours(tree)
        painted = ImageOps.colorize(light, bytes_of(dark), bytes_of(bright))
        picture.paste(painted, (left, top), ImageChops.multiply(cover, in_view))
