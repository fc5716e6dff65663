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
from numpy.typing import NDArray
from palette import srgb
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.float64]
Painted = tuple[Field, Field]


# ---- tools of the painter ------------------------------------------------------------------------------------------


def noise(
    shape: tuple[int, int], seed: int, beta: float = 2.0, stretch: tuple[float, float] = (1, 1), low: float = 1
) -> Field:
    """Seamless noise of spectrum 1/f^(beta/2), zero mean, unit deviation, clipped at three.

    `stretch` (down, across) makes the grain longer in that direction; features larger than 1/`low` of the picture
    are left out.
    """
    h, w = shape
    fy = np.fft.fftfreq(h)[:, None] * h * stretch[0]
    fx = np.fft.rfftfreq(w)[None, :] * w * stretch[1]
    frequency = np.hypot(fy, fx)
    amplitude = np.where(frequency >= low, np.maximum(frequency, 1e-9) ** (-beta / 2), 0.0)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, amplitude.shape)
    field = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape)
    return np.clip((field - field.mean()) / field.std(), -3, 3)


def gradient(value: Field, *stops: tuple[float, str]) -> Field:
    """Colours for values in 0..1 through named stops."""
    at = [s for s, _ in stops]
    colours = np.array([srgb(c) for _, c in stops])
    return np.stack([np.interp(value, at, colours[:, i]) for i in range(3)], -1)


def flat(shape: tuple[int, int], colour: str) -> Field:
    return np.broadcast_to(srgb(colour), (*shape, 3)).copy()


def mix(a: Field, b: Field, amount: Field) -> Field:
    return a + (b - a) * np.clip(amount, 0, 1)[..., None]


def smoothstep(low: float, high: float, x: Field) -> Field:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def from_pil(picture: Image.Image) -> Field:
    return np.asarray(picture.convert("RGB"), dtype=np.float64) / 255


def to_pil(colour: Field) -> Image.Image:
    return Image.fromarray((np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))


def rgb8(colour: str) -> tuple[int, int, int]:
    r, g, b = (round(float(c) * 255) for c in srgb(colour))
    return r, g, b


# ---- wood, plaster, stone ------------------------------------------------------------------------------------------


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


# ---- cloth ---------------------------------------------------------------------------------------------------------


def slub(shape: tuple[int, int], seed: int) -> Field:
    """The uneven threads of linen, about zero, both directions."""
    return 0.5 * noise(shape, seed, 0.9, (1, 26), 6) + 0.5 * noise(shape, seed + 1, 0.9, (26, 1), 6)


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


# ---- paper and prints ----------------------------------------------------------------------------------------------


def _leaf(
    draw: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, width: float, colour: str
) -> None:
    t = np.linspace(0, 1, 14)
    half = width * np.sin(np.pi * t**0.8)
    c, s = np.cos(angle), np.sin(angle)
    side = [(x + c * a * length - s * b, y + s * a * length + c * b) for a, b in zip(t, half, strict=True)]
    back = [(x + c * a * length + s * b, y + s * a * length - c * b) for a, b in zip(t[::-1], half[::-1], strict=True)]
    draw.polygon(side + back, fill=rgb8(colour))


def _sprig(
    draw: ImageDraw.ImageDraw, x: float, y: float, size: float, lean: float, colours: tuple[str, str, str]
) -> None:
    """A stem with paired leaves and a berry head."""
    stem = [(x + lean * size * 0.5 * t * t, y - size * t) for t in np.linspace(0, 1, 12)]
    draw.line(stem, fill=rgb8(colours[0]), width=max(2, int(size * 0.025)))
    for k in range(2, 11, 2):
        px, py = stem[k]
        for side in (-1, 1):
            angle = -np.pi / 2 + side * (1.05 - 0.04 * k) + lean * 0.4
            _leaf(draw, px, py, angle, size * (0.36 - 0.018 * k), size * 0.055, colours[k // 2 % 2])
    hx, hy = stem[-1]
    for a in np.linspace(0, 2 * np.pi, 7)[:-1]:
        r = size * 0.045
        bx, by = hx + np.cos(a) * r * 1.5, hy + np.sin(a) * r * 1.5
        draw.ellipse((bx - r, by - r, bx + r, by + r), fill=rgb8(colours[2]))


def wallpaper(seed: int) -> Painted:
    """A dark paper with sprigs, printed by hand: ink a little uneven, paper a little rubbed."""
    n, scale = 1536, 1
    picture = Image.new("RGB", (n, n), rgb8("teal deep"))
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(seed)
    places = [
        (c * n / 4 + (r % 2) * n / 8 + rng.normal(0, 8), r * n / 4 + rng.normal(0, 8), rng.normal(0, 0.25))
        for r in range(4)
        for c in range(4)
    ]
    for x, y, lean in places:
        for ox in (-n, 0, n):
            for oy in (-n, 0, n):
                sort = ("sage", "sage pale", "mustard") if rng.uniform() < 2 else ("sage",) * 3
                _sprig(draw, x + ox, y + oy + n / 5, n / 4.6 * scale, lean + 0.5 * np.sin(x), sort)
                draw.ellipse((x + ox + n / 8 - 9, y + oy - 9, x + ox + n / 8 + 9, y + oy + 9), fill=rgb8("terracotta"))
    s = (n, n)
    rub = noise(s, seed, 2.2)
    fibre = noise(s, seed + 1, 1.0, low=30)
    colour = from_pil(picture.filter(ImageFilter.GaussianBlur(0.8)))
    colour = mix(colour, flat(s, "teal"), 0.22 + 0.16 * rub) * (1 + 0.05 * fibre)[..., None]
    return colour, np.clip(0.5 + 0.1 * fibre, 0, 1)


def print_moon(seed: int) -> Painted:
    """A framed print: a rust moon over layered hills."""
    w, h = 600, 800
    y = np.linspace(0, 1, h)[:, None] * np.ones((1, w))
    x = np.linspace(0, 1, w)[None, :] * np.ones((h, 1))
    colour = gradient(y, (0, "sky"), (0.45, "cream"), (1, "rose"))
    moon = np.hypot((x - 0.56) * w, (y - 0.34) * h)
    colour = mix(colour, flat((h, w), "rust"), smoothstep(142, 136, moon))
    for k, name in enumerate(("sage pale", "sage", "teal", "teal deep", "navy")):
        ridge = (
            0.52
            + 0.09 * k
            + 0.045 * np.sin(x * (5 + 2 * k) + k * 1.7)
            + 0.02 * noise((h, w), seed + k, 3.0)[0][None, :]
        )
        colour = mix(colour, flat((h, w), name), smoothstep(-0.004, 0.004, y - ridge))
    return _mounted(colour, seed)


def print_botanical(seed: int) -> Painted:
    """A framed print: a fern and seed heads on buff paper."""
    picture = Image.new("RGB", (600, 800), rgb8("buff light"))
    draw = ImageDraw.Draw(picture)
    _sprig(draw, 300, 730, 560, 0.25, ("leaf dark", "leaf", "rust"))
    _sprig(draw, 200, 740, 330, -0.7, ("leaf", "sage", "plum"))
    _sprig(draw, 430, 740, 300, 0.6, ("leaf", "leaf dark", "ochre"))
    return _mounted(from_pil(picture), seed)


def print_shapes(seed: int) -> Painted:
    """A framed print: a still life cut from paper."""
    picture = Image.new("RGB", (800, 600), rgb8("cream"))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 390, 800, 600), fill=rgb8("terracotta"))
    draw.ellipse((90, 150, 330, 450), fill=rgb8("teal"))
    draw.rectangle((175, 90, 245, 190), fill=rgb8("teal"))
    draw.pieslice((330, 300, 560, 560), 180, 360, fill=rgb8("mustard"))
    draw.ellipse((540, 340, 640, 440), fill=rgb8("rust"))
    draw.ellipse((610, 360, 720, 470), fill=rgb8("ochre"))
    draw.polygon([(420, 60), (470, 300), (380, 300)], fill=rgb8("plum"))
    for k in range(6):
        _leaf(draw, 212, 110, -np.pi / 2 + (k - 2.5) * 0.42, 150, 17, "leaf dark" if k % 2 else "leaf")
    return _mounted(from_pil(picture), seed)


def print_portrait(seed: int) -> Painted:
    """A framed print: a cat, sitting, seen from behind at a window."""
    picture = Image.new("RGB", (600, 800), rgb8("mustard"))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 60, 540, 560), fill=rgb8("sky"))
    draw.rectangle((290, 60, 310, 560), fill=rgb8("cream"))
    draw.rectangle((60, 300, 540, 320), fill=rgb8("cream"))
    draw.ellipse((380, 110, 500, 230), fill=rgb8("cream"))
    draw.rectangle((0, 560, 600, 800), fill=rgb8("plum"))
    draw.ellipse((190, 330, 410, 700), fill=rgb8("navy"))
    draw.ellipse((220, 220, 380, 370), fill=rgb8("navy"))
    draw.polygon([(228, 270), (238, 180), (300, 235)], fill=rgb8("navy"))
    draw.polygon([(372, 270), (362, 180), (300, 235)], fill=rgb8("navy"))
    draw.arc((330, 560, 560, 740), 20, 200, fill=rgb8("navy"), width=34)
    return _mounted(from_pil(picture), seed)


def _mounted(art: Field, seed: int) -> Painted:
    """The art printed with grain, in a cream mount."""
    h, w = art.shape[:2]
    m = int(0.11 * min(h, w))
    sheet = flat((h + 2 * m, w + 2 * m), "cream")
    sheet[m:-m, m:-m] = art * (1 + 0.05 * noise((h, w), seed + 20, 1.2, low=20))[..., None]
    s = sheet.shape[:2]
    return sheet * (1 + 0.035 * noise(s, seed + 21, 2.0))[..., None], np.full(s, 0.5)


def cover(base: str, ink: str, accent: str, seed: int) -> Painted:
    """The front of a cloth-bound book, stamped: a sun over waves in a frame."""
    w, h = 600, 840
    picture = Image.new("RGB", (w, h), rgb8(base))
    draw = ImageDraw.Draw(picture)
    for inset, width in ((34, 8), (52, 3)):
        draw.rectangle((inset, inset, w - inset, h - inset), outline=rgb8(ink), width=width)
    draw.ellipse((200, 190, 400, 390), fill=rgb8(accent))
    for k in range(16):
        a = 2 * np.pi * k / 16
        draw.line(
            (300 + 118 * np.cos(a), 290 + 118 * np.sin(a), 300 + 158 * np.cos(a), 290 + 158 * np.sin(a)),
            fill=rgb8(ink),
            width=9,
        )
    for k in range(5):
        draw.line(
            [(80 + t, 520 + 46 * k + 15 * np.sin(t / 34 + k)) for t in range(0, 441, 6)],
            fill=rgb8(ink if k % 2 else accent),
            width=10,
        )
    s = (h, w)
    threads = slub(s, seed)
    rub = smoothstep(1.3, 2.1, noise(s, seed + 2, 1.8))
    colour = from_pil(picture) * (1 + 0.09 * threads)[..., None]
    return mix(colour, flat(s, "linen"), 0.35 * rub), np.clip(0.5 + 0.15 * threads, 0, 1)


def pages(seed: int) -> Painted:
    """The edge of a book block: leaves lying along U."""
    s = (256, 512)
    leaves = noise(s, seed, 0.6, (1, 60))
    return gradient(np.clip(0.62 + 0.2 * leaves, 0, 1), (0, "oak dark"), (0.4, "linen"), (1, "cream")), np.clip(
        0.5 + 0.2 * leaves, 0, 1
    )


def pottery(base: str, band: str, dot: str, seed: int) -> Painted:
    """A thrown pot's wall, wrapped once around in U: brushed bands, a row of leaves, speckled glaze."""
    w, h = 1400, 560
    picture = Image.new("RGB", (w, h), rgb8(base))
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(seed)
    draw.rectangle((0, 400, w, 560), fill=rgb8(band))
    draw.rectangle((0, 372, w, 386), fill=rgb8(dot))
    draw.rectangle((0, 28, w, 52), fill=rgb8(band))
    for k in range(14):
        x = k * w / 14 + rng.normal(0, 5)
        for ox in (-w, 0, w):
            for side in (-1, 1):
                _leaf(
                    draw,
                    x + ox + 40,
                    330,
                    -np.pi / 2 + side * 0.55,
                    190 + rng.normal(0, 12),
                    22,
                    band if k % 2 else dot,
                )
            draw.line((x + ox + 40, 345, x + ox + 40, 120), fill=rgb8("navy"), width=6)
            draw.ellipse((x + ox + 26, 96, x + ox + 54, 124), fill=rgb8("mustard"))
    s = (h, w)
    speck = smoothstep(1.75, 2.1, noise(s, seed, 0.8, low=30))
    colour = from_pil(picture.filter(ImageFilter.GaussianBlur(1.2)))
    colour = colour * (1 + 0.06 * noise(s, seed + 1, 1.9, (1, 6)))[..., None]
    return mix(colour, flat(s, "walnut dark"), 0.65 * speck), np.clip(
        0.5 + 0.15 * noise(s, seed + 1, 1.9, (1, 6)), 0, 1
    )


def leaded(seed: int) -> Painted:
    """A leaded window for the bathroom: diamond quarries in uneven glass."""
    s = (900, 700)
    v, u = np.meshgrid(np.linspace(0, 9, s[0]), np.linspace(0, 7, s[1]), indexing="ij")
    a, b = u + v, u - v + 40
    cell = (np.floor(a) * 7 + np.floor(b) * 13).astype(int)
    names = ("cream", "sky", "cream", "mustard", "linen", "aqua", "sky", "rose", "cream")
    colour = np.array([srgb(c) for c in names])[cell % 9]
    lead = np.minimum(np.minimum(a % 1, 1 - a % 1), np.minimum(b % 1, 1 - b % 1))
    colour = colour * (1 + 0.09 * noise(s, seed, 2.0))[..., None]
    return mix(flat(s, "iron"), colour, smoothstep(0.045, 0.075, lead)), lead


def sky(seed: int) -> Painted:
    """The painted cloth behind the roofs: early light, brushed clouds, two ranges of hills."""
    s = (1024, 2048)
    y = np.linspace(0, 1, s[0])[:, None] * np.ones((1, s[1]))
    colour = gradient(y, (0, "#6fa0b8"), (0.35, "#a9c9d0"), (0.6, "#eedcb8"), (1, "#f0c99a"))
    cloud = noise(s, seed, 2.5, (4.0, 1.0)) + 0.35 * noise(s, seed + 1, 1.5, (3, 1), 6)
    colour = mix(
        colour, gradient(y, (0, "#e6e6dc"), (0.6, "#f7ead0"), (1, "#f6d7ae")), smoothstep(0.1, 1.2, cloud) * 0.85
    )
    strokes = noise(s, seed + 2, 1.4, (8, 1), 10)
    colour = colour * (1 + 0.03 * strokes)[..., None]
    x = np.linspace(0, 1, s[1])
    for k, (name, top) in enumerate((("#a7b8ad", 0.60), ("#86a08c", 0.67), ("#6d8a70", 0.75))):
        ridge = top + 0.03 * np.sin(x * (9 + 5 * k) + k) + 0.012 * noise((8, s[1]), seed + 5 + k, 2.2)[0]
        colour = mix(
            colour,
            flat(s, name) * (1 + 0.06 * noise(s, seed + 9 + k, 1.4, low=12))[..., None],
            smoothstep(-0.002, 0.002, y - ridge[None, :]),
        )
    return colour, np.full(s, 0.5)


def roof(base: str, dark: str, seed: int) -> Painted:
    """Scalloped roof tiles in courses."""
    s = (768, 768)
    n = 12
    v = np.linspace(0, n, s[0], endpoint=False)[:, None] * np.ones((1, s[1]))
    u = np.linspace(0, n, s[1], endpoint=False)[None, :] + 0.5 * (np.floor(v) % 2)
    fu, fv = u % 1 - 0.5, v % 1
    lip = smoothstep(0.0, 0.22, 1 - fv - 0.9 * fu**2)
    tone_of = np.random.default_rng(seed).uniform(-0.28, 0.28, (n + 1, n + 1))
    tone = 0.6 + tone_of[np.floor(v).astype(int) % n, np.floor(u).astype(int) % n] + 0.08 * noise(s, seed, 1.3)
    return gradient(np.clip(tone * (0.45 + 0.55 * lip), 0, 1), (0, dark), (1, base)), lip * fv


def brick(base: str, dark: str, seed: int) -> Painted:
    s = (768, 768)
    rows, columns = 12, 4
    v = np.linspace(0, rows, s[0], endpoint=False)[:, None] * np.ones((1, s[1]))
    u = np.linspace(0, columns, s[1], endpoint=False)[None, :] + 0.5 * (np.floor(v) % 2)
    gap = np.minimum(np.minimum(u % 1, 1 - u % 1) * 3, np.minimum(v % 1, 1 - v % 1))
    tone_of = np.random.default_rng(seed).uniform(-0.25, 0.25, (rows, columns))
    tone = 0.6 + tone_of[np.floor(v).astype(int) % rows, np.floor(u).astype(int) % columns] + 0.1 * noise(s, seed, 1.4)
    colour = gradient(np.clip(tone, 0, 1), (0, dark), (1, base))
    return mix(flat(s, "grout"), colour, smoothstep(0.05, 0.12, gap)), smoothstep(0.04, 0.14, gap)


def tiles(colours: tuple[str, ...], seed: int, count: int = 6, decorated: float = 0.18) -> Painted:
    """Square hand-made tiles in grout, every one its own tone; a few carry a painted star."""
    s = (1024, 1024)
    v = np.linspace(0, count, s[0], endpoint=False)[:, None] * np.ones((1, s[1]))
    u = np.linspace(0, count, s[1], endpoint=False)[None, :] * np.ones((s[0], 1))
    rng = np.random.default_rng(seed)
    row, column = np.floor(v).astype(int), np.floor(u).astype(int)
    kind = rng.integers(0, len(colours), (count, count))[row, column]
    tone = rng.uniform(-0.10, 0.10, (count, count))[row, column]
    cloud = noise(s, seed + 1, 2.2)
    palette = np.array([srgb(c) for c in colours])
    colour = palette[kind] * (1 + tone + 0.05 * cloud + 0.03 * noise(s, seed + 2, 0.9, low=30))[..., None]
    x, y = u % 1 - 0.5, v % 1 - 0.5
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    star = (
        smoothstep(0.02, -0.02, radius - 0.2 - 0.11 * np.cos(8 * angle))
        * (rng.uniform(size=(count, count)) < decorated)[row, column]
    )
    ring = np.exp(-(((radius - 0.4) / 0.018) ** 2)) * (rng.uniform(size=(count, count)) < 0.5)[row, column]
    colour = mix(colour, flat(s, "delft"), 0.8 * star)
    colour = mix(colour, flat(s, "slate"), 0.45 * ring)
    edge = np.minimum(0.5 - np.abs(x), 0.5 - np.abs(y)) + 0.004 * noise(s, seed + 3, 1.5)
    body = smoothstep(0.018, 0.034, edge)
    grout = flat(s, "grout") * (1 + 0.08 * noise(s, seed + 4, 1.0))[..., None]
    return mix(grout, colour, body), np.clip(0.25 + 0.6 * smoothstep(0.015, 0.07, edge) + 0.04 * cloud, 0, 1)


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
    "pewter": lambda: metal("#8f938f", "#4d504e", 46),
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
    "bath tiles": lambda: tiles(("aqua", "#a9c6bb", "#8fb8b0", "cream"), 91),
    "floor tiles": lambda: tiles(("cream", "terracotta", "buff"), 92, 5, 0.3),
    "foliage": lambda: plaster("leaf", "leaf dark", "sage", 93, 2.2),
    "wallpaper": lambda: wallpaper(71),
    "print moon": lambda: print_moon(72),
    "print botanical": lambda: print_botanical(73),
    "print shapes": lambda: print_shapes(74),
    "print cat": lambda: print_portrait(75),
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
