"""Cloth, skin and hair: linen, knitting, a quilt, a rug, what the actor wears and is made of. See `textures`."""

from __future__ import annotations

import numpy as np
from brush import Field, Painted, flat, from_pil, gradient, mix, noise, rgb8, slub, smoothstep
from palette import srgb
from PIL import Image, ImageDraw


def linen(
    base: str, seed: int, stripe: str | None = None, stripes: int = 8, width: float = 0.16, second: str | None = None
) -> Painted:
    """Woven linen, plain or with stripes running down the picture (V)."""
    s = (1024, 1024)
    u = np.broadcast_to(np.linspace(0, 1, s[1], endpoint=False)[None, :], s)
    colour = flat(s, base)
    if stripe is not None:
        wobble = 0.012 * noise(s, seed + 5, 2.2)
        t = (u * stripes + wobble) % 1
        colour = mix(colour, flat(s, stripe), smoothstep(width / 2 + 0.02, width / 2, np.abs(t - 0.5)) * 0.9)
        if second is not None:
            near = smoothstep(0.035, 0.02, np.abs(np.abs(t - 0.5) - width * 0.95))
            colour = mix(colour, flat(s, second), 0.85 * near)
    threads = slub(s, seed)
    colour = colour * (1 + 0.085 * threads + 0.06 * noise(s, seed + 3, 2.3))[..., None]
    return colour, np.clip(0.5 + 0.16 * threads, 0, 1)


def knit(base: str, dark: str, seed: int, columns: int = 24, rows: int = 30) -> Painted:
    """Chunky stocking stitch: columns of plaited V's."""
    s = (1024, 1024)
    u = np.linspace(0, columns, s[1], endpoint=False)[None, :] * np.ones((s[0], 1))
    v = np.linspace(0, rows, s[0], endpoint=False)[:, None] * np.ones((1, s[1]))
    fu = u % 1 - 0.5
    along = (v + 0.9 * np.abs(fu)) % 1 - 0.5
    across = np.abs(fu) - 0.25
    body = np.clip(1 - (along / 0.5) ** 2 - (across / 0.27) ** 2, 0, 1)
    fuzz = noise(s, seed, 1.0, low=20)
    row_tone = np.repeat(np.random.default_rng(seed).normal(0, 0.06, rows), s[0] // rows + 1)[: s[0], None]
    tone = np.clip(0.12 + 0.8 * np.sqrt(body) + 0.05 * fuzz + row_tone + 0.06 * noise(s, seed + 1, 2.4), 0, 1)
    return gradient(tone, (0, dark), (0.85, base), (1, "cream")), np.sqrt(body)


def terry(base: str, stripe: str, seed: int) -> Painted:
    """Towelling with a few woven bands near the ends of the picture."""
    s = (1024, 512)
    v = np.broadcast_to(np.linspace(0, 1, s[0])[:, None], s)
    bands = sum(smoothstep(0.016, 0.010, np.abs(v - c)) for c in (0.10, 0.15, 0.20, 0.80, 0.85, 0.90))
    loops = noise(s, seed, 0.5, low=50)
    colour = mix(flat(s, base), flat(s, stripe), bands)
    colour = colour * (1 + 0.09 * loops + 0.08 * noise(s, seed + 1, 2.2))[..., None]
    return colour, np.clip(0.5 + 0.2 * loops * (1 - bands), 0, 1)


def _patch_cloth(kind: int, x: Field, y: Field, rng: np.random.Generator) -> Field:
    """One of the cloths a quilt is sewn from, on patch coordinates in 0..1."""
    grounds = ("cream", "terracotta", "sage", "mustard", "slate", "rose", "teal", "linen", "rust")
    prints = ("slate", "cream", "cream", "rust", "cream", "plum", "mustard", "rust", "mustard")
    ground, ink = srgb(grounds[kind % 9]), srgb(prints[kind % 9])
    n = int(rng.integers(3, 6))
    pattern = kind % 5
    if pattern == 0:  # dots, half drop
        dx = (x * n + 0.5 * (np.floor(y * n) % 2)) % 1 - 0.5
        amount = smoothstep(0.26, 0.20, np.hypot(dx, y * n % 1 - 0.5))
    elif pattern == 1:  # stripes
        t = x if rng.uniform() < 0.5 else y
        amount = smoothstep(0.24, 0.18, np.abs(t * (n + 1) % 1 - 0.5))
    elif pattern == 2:  # gingham
        a, b = (np.abs(x * n % 1 - 0.5) < 0.25), (np.abs(y * n % 1 - 0.5) < 0.25)
        amount = 0.45 * a + 0.45 * b
    elif pattern == 3:  # sprigs
        dx, dy = (x * n + 0.5 * (np.floor(y * n) % 2)) % 1 - 0.5, y * n % 1 - 0.5
        leaf = np.minimum(
            np.hypot((dx - 0.1 + dy * 0.6) / 0.10, dy / 0.3), np.hypot((dx + 0.1 - dy * 0.6) / 0.10, dy / 0.3)
        )
        amount = smoothstep(1.1, 0.85, leaf)
    else:  # windowpane
        amount = np.maximum(
            smoothstep(0.09, 0.05, np.abs(x * n % 1 - 0.5)), smoothstep(0.09, 0.05, np.abs(y * n % 1 - 0.5))
        )
    return ground + (ink - ground) * (0.85 * amount)[..., None]


def quilt(seed: int, across: int = 10, down: int = 10) -> Painted:
    """A patchwork quilt, every patch its own cloth; the picture is the whole quilt."""
    px = 192
    rng = np.random.default_rng(seed)
    s = (down * px, across * px)
    colour, height = np.zeros((*s, 3)), np.zeros(s)
    x, y = np.meshgrid((np.arange(px) + 0.5) / px, (np.arange(px) + 0.5) / px)
    edge = np.minimum.reduce([x, y, 1 - x, 1 - y])
    previous = -1
    for row in range(down):
        for column in range(across):
            kind = int(rng.integers(0, 45))
            while kind % 9 == previous % 9:
                kind = int(rng.integers(0, 45))
            previous = kind
            cell = (slice(row * px, (row + 1) * px), slice(column * px, (column + 1) * px))
            colour[cell] = _patch_cloth(kind, x, y, rng) * rng.uniform(0.9, 1.06)
            height[cell] = np.sqrt(np.clip(edge * 4, 0, 1))
            stitch = smoothstep(0.016, 0.008, np.abs(edge - 0.05)) * (((x + y) * 14) % 1 < 0.6)
            colour[cell] = mix(colour[cell], flat((px, px), "cream"), 0.8 * stitch)
            colour[cell] *= (1 - 0.45 * smoothstep(0.025, 0.0, edge))[..., None]
    colour = colour * (1 + 0.06 * slub(s, seed + 1) + 0.05 * noise(s, seed + 3, 2.2))[..., None]
    return colour, height


def kilim(seed: int) -> Painted:
    """A flat-woven rug, woven in steps: three stepped medallions, a comb border, moth-eaten tone."""
    rows, columns, px = 150, 96, 10
    j, i = np.meshgrid(np.arange(columns), np.arange(rows))
    x = np.abs(j - (columns - 1) / 2)
    along = (i - 15) % 40
    inside = (i >= 15) & (i < rows - 15) & (x < 36)
    step = np.floor(x / 3) * 3 + np.floor(np.abs(along - 20) / 3) * 5
    rings = np.array(
        ["navy", "cream", "rust", "mustard", "teal", "cream", "plum", "rust", "navy", "rust", "terracotta", "navy"]
    )
    index = np.clip(step // 7, 0, len(rings) - 1).astype(int)
    table = np.array([srgb(c) for c in rings])
    colour = np.where(inside[..., None], table[index], srgb("rust"))
    comb = (np.floor(j / 4) + np.floor(i / 4)) % 2
    border = (~inside) & (x >= 36)
    ends = (~inside) & (x < 36)
    colour = np.where((border & (x < 39.5))[..., None], srgb("navy"), colour)
    colour = np.where(
        (border & (x >= 39.5) & (x < 44.5))[..., None],
        np.where(comb[..., None] > 0, srgb("cream"), srgb("teal")),
        colour,
    )
    colour = np.where((border & (x >= 44.5))[..., None], srgb("rust"), colour)
    zigzag = np.abs((j % 12) - 6) + (np.minimum(i, rows - 1 - i))
    colour = np.where(ends[..., None], table[np.clip(zigzag // 3, 0, 6)], colour)
    colour = np.kron(colour, np.ones((px, px, 1)))
    s = colour.shape[:2]
    weft = noise(s, seed, 0.8, (1, 30), 20)
    abrash = noise(s, seed + 1, 1.8, (1, 12))
    rib = 0.5 + 0.5 * np.sin(np.arange(s[0]) * 2 * np.pi / 10)[:, None] * np.ones((1, s[1]))
    colour = colour * (1 + 0.09 * weft + 0.10 * abrash + 0.06 * (rib - 0.5))[..., None]
    return colour, np.clip(0.3 + 0.4 * rib + 0.1 * weft, 0, 1)


def wicker(base: str, dark: str, seed: int) -> Painted:
    s = (768, 768)
    n = 18
    u = np.linspace(0, n, s[1], endpoint=False)[None, :] * np.ones((s[0], 1))
    v = np.linspace(0, n, s[0], endpoint=False)[:, None] * np.ones((1, s[1]))
    over = (np.floor(u) + np.floor(v * 1.0)) % 2
    h = np.where(
        over > 0, np.sin(np.pi * (u % 1)) * np.sqrt(np.sin(np.pi * (v % 1))), 0.55 * np.sqrt(np.sin(np.pi * (u % 1)))
    )
    tone = np.clip(0.15 + 0.75 * h + 0.09 * noise(s, seed, 0.9, (1, 12), 8) + 0.09 * noise(s, seed + 1, 2.2), 0, 1)
    return gradient(tone, (0, dark), (1, base)), h


def flesh(seed: int) -> Painted:
    """A puppet's skin: painted silicone in warm strokes, freckles, the brush still to be seen."""
    s = (1024, 1024)
    cloud = noise(s, seed, 2.3, low=3)
    strokes = noise(s, seed + 1, 1.6, (1, 5), 8) + noise(s, seed + 2, 1.6, (5, 1), 8)
    freckle = smoothstep(1.7, 2.15, noise(s, seed + 3, 0.8, low=26))
    colour = gradient(
        np.clip(0.55 + 0.11 * cloud + 0.06 * strokes, 0, 1), (0, "#b9734f"), (0.5, "#e0a480"), (1, "#f2c9a6")
    )
    colour = mix(colour, flat(s, "#9c5a3a"), 0.5 * freckle)
    return colour, np.clip(0.5 + 0.1 * strokes, 0, 1)


def strands(dark: str, mid: str, light: str, seed: int) -> Painted:
    """Hair in combed strands along V."""
    s = (1024, 512)
    fine = noise(s, seed, 1.1, (18, 1), 6)
    broad = noise(s, seed + 1, 1.8, (8, 1), 3)
    tone = np.clip(0.5 + 0.17 * fine + 0.16 * broad, 0, 1)
    return gradient(tone, (0, dark), (0.5, mid), (1, light)), np.clip(0.5 + 0.2 * fine, 0, 1)


def quilted(base: str, dark: str, thread: str, seed: int) -> Painted:
    """Quilted cloth: diamonds of puffed satin, a stitch between them, a small print."""
    s = (1024, 1024)
    v, u = np.meshgrid(np.linspace(0, 8, s[0], endpoint=False), np.linspace(0, 8, s[1], endpoint=False), indexing="ij")
    a, b = (u + v) % 1, (u - v) % 1
    edge = np.minimum(np.minimum(a, 1 - a), np.minimum(b, 1 - b))
    puff = np.sqrt(np.clip(edge * 2.4, 0, 1))
    tone = np.clip(0.25 + 0.5 * puff + 0.06 * slub(s, seed) + 0.07 * noise(s, seed + 2, 2.1), 0, 1)
    colour = gradient(tone, (0, dark), (0.8, base), (1, "#c58a92"))
    dot = smoothstep(0.13, 0.09, np.hypot(a - 0.5, b - 0.5))
    stitch = smoothstep(0.035, 0.02, edge) * ((u * 6) % 1 < 0.6)
    return mix(mix(colour, flat(s, thread), 0.75 * dot), flat(s, thread), 0.5 * stitch), puff


def moons(seed: int) -> Painted:
    """Pyjama cotton: dusty blue with cream moons and stars, woven and a little washed out."""
    n = 1024
    picture = Image.new("RGB", (n, n), rgb8("#7f9db0"))
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(seed)
    for row in range(8):
        for column in range(8):
            x, y = (column + 0.5 * (row % 2) + 0.25) * n / 8 % n, (row + 0.5) * n / 8
            x, y = x + rng.normal(0, 4), y + rng.normal(0, 4)
            for ox in (-n, 0, n):
                if (row + column) % 3 == 0:
                    draw.ellipse((x + ox - 30, y - 30, x + ox + 30, y + 30), fill=rgb8("mustard"))
                    draw.ellipse((x + ox - 16, y - 36, x + ox + 40, y + 26), fill=rgb8("#7f9db0"))
                else:
                    for k in range(4):
                        a = np.pi * k / 4 + row
                        r = 20 if k % 2 == 0 else 13
                        draw.line(
                            (x + ox - r * np.cos(a), y - r * np.sin(a), x + ox + r * np.cos(a), y + r * np.sin(a)),
                            fill=rgb8("cream"),
                            width=7,
                        )
    threads = slub((n, n), seed)
    return from_pil(picture) * (1 + 0.08 * threads + 0.06 * noise((n, n), seed + 3, 2.2))[..., None], np.clip(
        0.5 + 0.15 * threads, 0, 1
    )
