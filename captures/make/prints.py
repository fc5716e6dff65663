"""What is printed, drawn, glazed or built in courses: wallpaper, pictures, pots, glass, the town. See `textures`."""

from __future__ import annotations

import numpy as np
from brush import Field, Painted, flat, from_pil, gradient, mix, noise, rgb8, slub, smoothstep
from palette import srgb
from PIL import Image, ImageDraw, ImageFilter


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
                sort = ("sage", "sage pale", "mustard")
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
    cloud = noise(s, seed, 2.5, (1.0, 4.0)) + 0.35 * noise(s, seed + 1, 1.5, (1, 3), 6)
    colour = mix(
        colour, gradient(y, (0, "#e6e6dc"), (0.6, "#f7ead0"), (1, "#f6d7ae")), smoothstep(0.1, 1.2, cloud) * 0.85
    )
    strokes = noise(s, seed + 2, 1.4, (1, 8), 10)
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
