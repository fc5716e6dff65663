"""Textures painted with numpy and Pillow: wood, plaster, cloth, paper, prints, sky.

They are pictures rather than shader noise because a picture is looked up in one fetch where procedural noise is
computed anew for every bounce of every ray, and because a painter can look at a picture. Everything is seeded; every
texture that must repeat does so without a seam (its noise is made in the frequency domain). Each painter returns
`(colour, height)`: colour [H, W, 3] sRGB in 0..1, height [H, W] in 0..1 for the bump.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from brush import Painted, flat, gradient, mix, noise, smoothstep, to_pil
from cloths import flesh, kilim, knit, linen, moons, quilt, quilted, strands, terry, wicker
from prints import (
    brick,
    cover,
    leaded,
    pages,
    pottery,
    print_botanical,
    print_moon,
    print_portrait,
    print_shapes,
    roof,
    sky,
    wallpaper,
)


def wood(dark: str, mid: str, light: str, seed: int, rings: int = 9) -> Painted:
    """Boards cut along the grain; the grain runs across the picture (U)."""
    h, w = 768, 1536
    v = np.linspace(0, 1, h, endpoint=False)[:, None] * np.ones((1, w))
    u = np.linspace(0, 1, w, endpoint=False)[None, :] * np.ones((h, 1))
    warp = noise((h, w), seed, 3.2, (1.0, 5.0))
    rng = np.random.default_rng(seed)
    knots = np.zeros((h, w))
    for _ in range(5):
        ku, kv, size = rng.uniform(), rng.uniform(), rng.uniform(0.012, 0.026)
        du = (u - ku + 0.5) % 1 - 0.5
        dv = (v - kv + 0.5) % 1 - 0.5
        r2 = (du / (size * 3.2)) ** 2 + (dv / size) ** 2
        warp = warp + 2.2 * np.exp(-r2 / 2.5)
        knots = np.maximum(knots, np.exp(-r2 * 2.2))
    phase = v * rings + 0.55 * warp
    ring = (phase % 1.0) ** 1.6
    fibre = noise((h, w), seed + 1, 1.3, (1.0, 22.0))
    pores = smoothstep(1.0, 2.0, noise((h, w), seed + 2, 0.7, (1.0, 30.0), 8))
    tone = 0.56 - 0.42 * ring + 0.10 * fibre + 0.10 * noise((h, w), seed + 3, 3.0, (1, 3))
    tone = np.clip(tone - 0.25 * pores - 0.5 * knots, 0, 1)
    colour = gradient(tone, (0, dark), (0.5, mid), (1, light))
    return colour, np.clip(0.6 - 0.3 * pores - 0.12 * ring + 0.06 * fibre, 0, 1)


def plaster(base: str, dark: str, light: str, seed: int, strength: float = 1.0) -> Painted:
    """Lime wash laid on with a broad brush: clouds, crossing strokes, hairline cracks, flecks."""
    s = (1024, 1024)
    cloud = noise(s, seed, 2.6)
    strokes = noise(s, seed + 1, 1.9, (1, 4.5), 6) + noise(s, seed + 2, 1.9, (4.5, 1), 6)
    fleck = noise(s, seed + 3, 0.9, low=40)
    cracks = np.exp(-((noise(s, seed + 4, 3.2) / 0.012) ** 2)) * smoothstep(0.6, 1.4, noise(s, seed + 5, 2.8))
    tone = 0.5 + strength * (0.15 * cloud + 0.10 * strokes + 0.045 * fleck)
    colour = gradient(np.clip(tone, 0, 1), (0, dark), (0.5, base), (1, light))
    chips = smoothstep(2.05, 2.3, noise(s, seed + 6, 1.7, low=8))
    colour = mix(colour, flat(s, "cream"), 0.55 * chips)
    colour = colour * (1 - 0.30 * cracks[..., None])
    return colour, np.clip(0.5 + 0.12 * strokes + 0.08 * fleck - 0.3 * cracks - 0.25 * chips, 0, 1)


def paint(base: str, under: str, seed: int) -> Painted:
    """Brushed gloss paint over wood: strokes along U, the wood coming through where hands and feet went."""
    s = (768, 1024)
    strokes = noise(s, seed, 1.6, (1, 16))
    cloud = noise(s, seed + 1, 2.4)
    worn = smoothstep(1.55, 2.1, noise(s, seed + 2, 1.9, (1, 3)) + 0.5 * noise(s, seed + 3, 0.9, (1, 4)))
    colour = flat(s, base) * (1 + 0.055 * strokes + 0.07 * cloud)[..., None]
    return mix(colour, flat(s, under), 0.75 * worn), np.clip(0.5 + 0.12 * strokes - 0.3 * worn, 0, 1)


def glaze(base: str, dark: str, light: str, seed: int) -> Painted:
    """Hand-glazed clay: pooled colour, pin holes, fine craquelure."""
    s = (1024, 1024)
    pool = noise(s, seed, 2.6, low=3)
    grain = noise(s, seed + 1, 1.2, low=24)
    craze = np.exp(-((noise(s, seed + 2, 2.4, low=10) / 0.03) ** 2))
    pins = smoothstep(2.3, 2.6, noise(s, seed + 3, 0.6, low=60))
    colour = gradient(np.clip(0.5 + 0.17 * pool + 0.05 * grain, 0, 1), (0, dark), (0.5, base), (1, light))
    colour = colour * (1 - 0.10 * craze - 0.35 * pins)[..., None]
    return colour, np.clip(0.5 + 0.1 * pool + 0.04 * grain - 0.3 * pins, 0, 1)


def metal(base: str, dark: str, seed: int) -> Painted:
    """Old brass or iron: patina in clouds and scratches."""
    s = (512, 512)
    tone = 0.55 + 0.2 * noise(s, seed, 2.2, low=3) + 0.08 * noise(s, seed + 1, 0.8, (1, 10), 10)
    return gradient(np.clip(tone, 0, 1), (0, dark), (1, base)), np.clip(tone, 0, 1)


TEXTURES: dict[str, Callable[[], Painted]] = {
    "oak": lambda: wood("oak dark", "oak", "pine", 11),
    "walnut": lambda: wood("walnut dark", "walnut", "oak", 12, 7),
    "cherry": lambda: wood("walnut", "cherry", "oak", 13, 8),
    "pine": lambda: wood("oak", "pine", "buff light", 14, 6),
    "plaster buff": lambda: plaster("buff", "#b78f68", "buff light", 21),
    "plaster rose": lambda: plaster("#d3a68e", "#b07f68", "#e6c6ae", 22),
    "plaster ceiling": lambda: plaster("#dccfb2", "#b7a684", "#efe6cf", 23),
    "facade": lambda: plaster("#dcc3a0", "#b59873", "#efdcc0", 24),
    "paint sage": lambda: paint("sage", "pine", 31),
    "paint cream": lambda: paint("cream", "oak", 32),
    "paint teal": lambda: paint("teal", "pine", 33),
    "paint rust": lambda: paint("rust", "pine", 34),
    "paint mustard": lambda: paint("ochre", "pine", 35),
    "glaze": lambda: glaze("#c9c9c9", "#8f8f8f", "#f2f2f2", 41),
    "enamel": lambda: glaze("#e4dccb", "#bfb49c", "#f4efe2", 42),
    "cement": lambda: glaze("#c4c0b8", "#8a857c", "#ecebe6", 43),
    "brass": lambda: metal("#c99a4b", "#6b4a20", 44),
    "iron": lambda: metal("#57514b", "#1f1c1a", 45),
    "mist": lambda: plaster("#b9c6bd", "#8d9f9a", "#dfe3d2", 46, 1.3),
    "quilt": lambda: quilt(51),
    "sheet": lambda: linen("cream", 52, "slate", 14, 0.07),
    "ticking": lambda: linen("cream", 53, "slate", 7, 0.30, "navy"),
    "ticking rust": lambda: linen("linen", 57, "rust", 6, 0.22, "terracotta"),
    "curtain": lambda: linen("ochre", 54, "rust", 6, 0.14, "cream"),
    "shade": lambda: linen("buff light", 55),
    "linen rust": lambda: linen("terracotta", 56, "cream", 9, 0.06),
    "knit": lambda: knit("mustard", "#7d5518", 58),
    "knit plum": lambda: knit("#8d5563", "#41222c", 59),
    "towel": lambda: terry("#d9c7a8", "rust", 60),
    "towel teal": lambda: terry("#6f9c99", "cream", 61),
    "kilim": lambda: kilim(62),
    "wicker": lambda: wicker("#c79c5e", "#4b3016", 63),
    "wallpaper": lambda: wallpaper(71),
    "print moon": lambda: print_moon(72),
    "print botanical": lambda: print_botanical(73),
    "print shapes": lambda: print_shapes(74),
    "print cat": lambda: print_portrait(75),
    "flesh": lambda: flesh(91),
    "strands": lambda: strands("#24100a", "#552613", "#94502a", 92),
    "quilted": lambda: quilted("#8a4a5a", "#4a2431", "mustard", 93),
    "moons": lambda: moons(94),
    "cover": lambda: cover("plum", "mustard", "terracotta", 76),
    "pages": lambda: pages(77),
    "pottery": lambda: pottery("#dcd3bd", "slate", "rust", 78),
    "vase": lambda: pottery("teal", "cream", "mustard", 79),
    "leaded": lambda: leaded(80),
    "sky": lambda: sky(81),
    "roof": lambda: roof("#c0653f", "#5a2a1c", 82),
    "roof slate": lambda: roof("#7f8f98", "#343f47", 83),
    "brick": lambda: brick("#b96f4d", "#6d3524", 84),
}


def paint_all(folder: Path) -> None:
    """Paint every texture that is not yet in `folder` as NAME.png and NAME-height.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, painter in TEXTURES.items():
        file = folder / f"{name}.png"
        if file.exists():
            continue
        colour, height = painter()
        to_pil(np.repeat(height[..., None], 3, -1)).convert("L").save(folder / f"{name}-height.png")
        partial = folder / f".{name}.png"
        to_pil(colour).save(partial)
        partial.replace(file)
