"""Ada's head: a stop-motion puppet's face with lids, brows, lips, teeth, and the shapes it can make.

She faces -y, her left is +x, the soles stand at z = 0. Every vertex keeps its rest place, so a face shape is a field of
displacements over the rest head: `shapes()` names them as ARKit does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sculpt import Field, Points, ball, carve, join, limb, mesh, mirrored

EYE = np.array([0.0395, -0.0755, 1.4990])
EYE_RADIUS = 0.0265
MOUTH = np.array([0.0, -0.0985, 1.4165])
JAW_HINGE = np.array([0.0, 0.012, 1.462])


def head_field(mouth: bool = True) -> Field:
    """Skull, cheeks, nose, ears and neck, melted together; without `mouth` the lips' slit is left closed."""
    skull = join(
        ball((0, 0.014, 1.540), (0.098, 0.110, 0.104)),
        ball((0, -0.020, 1.462), (0.077, 0.082, 0.092)),
        soft=0.05,
    )
    half = join(
        skull,
        limb((0.058, 0.005, 1.432), (0.0, -0.066, 1.391), 0.024, 0.022),
        ball((0.0, -0.079, 1.387), (0.022, 0.018, 0.018)),
        ball((0.044, -0.066, 1.450), (0.033, 0.031, 0.029)),
        limb((0.058, -0.076, 1.538), (0.016, -0.094, 1.530), 0.010, 0.012),
        soft=0.035,
    )
    half = carve(half, ball(EYE, EYE_RADIUS + 0.0016), 0.010)
    half = join(half, limb((0, -0.094, 1.506), (0, -0.1165, 1.4655), 0.0065, 0.0110), soft=0.016)
    half = join(half, ball((0.0100, -0.1065, 1.4600), (0.0075, 0.0090, 0.0065)), soft=0.008)
    half = carve(half, ball((0.0058, -0.1145, 1.4540), (0.0030, 0.004, 0.004)), 0.003)
    ear = carve(
        ball((0.1010, 0.0170, 1.4850), (0.0105, 0.0230, 0.0330)),
        ball((0.1120, 0.0100, 1.4880), (0.0085, 0.0140, 0.0215)),
        0.006,
    )
    half = join(half, ear, soft=0.010)
    neck = join(
        limb((0, 0.022, 1.26), (0, 0.012, 1.42), 0.042, 0.038), ball((0, 0.012, 1.262), (0.11, 0.06, 0.045)), soft=0.05
    )
    half = join(half, neck, soft=0.035)
    half = join(half, ball((0, -0.094, 1.4165), (0.030, 0.012, 0.017)), soft=0.014)
    if not mouth:
        return mirrored(half)
    slit = ball((0, -0.088, 1.4165), (0.0245, 0.034, 0.0030))
    return mirrored(carve(half, slit, 0.003))


@dataclass(frozen=True)
class Part:
    """A piece of the head: quads or a grid with a material, a colour and what its vertices belong to."""

    name: str
    vertices: Points  # [V, 3]
    faces: NDArray[np.int64]  # [F, 4]
    material: str
    tint: NDArray[np.float64]  # [F, 3]
    kind: NDArray[np.float64]  # [V] what the shapes need: see `shapes`


def grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    return np.stack([a, a + 1, a + columns + 1, a + columns], -1)


def plain(count: int, tint: tuple[float, float, float]) -> NDArray[np.float64]:
    return np.broadcast_to(np.array(tint, float), (count, 3)).copy()


def skin(cell: float = 0.0032) -> Part:
    """The head's skin, with paint on cheeks, nose, ears and lids."""
    vertices, faces = mesh(head_field(), (-0.15, -0.15, 1.225), (0.15, 0.15, 1.67), cell)
    centre = vertices[faces].mean(1)
    mirror = centre * [1, 1, 1]
    mirror[:, 0] = np.abs(mirror[:, 0])

    def near(point: tuple[float, float, float], size: float) -> NDArray[np.float64]:
        return np.exp(-((mirror - point) ** 2).sum(-1) / size**2)

    blush = (
        near((0.050, -0.085, 1.450), 0.026)
        + 0.9 * near((0, -0.128, 1.460), 0.016)
        + 0.7 * near((0.108, 0.0, 1.485), 0.03)
        + 0.35 * near((0, -0.095, 1.385), 0.02)
    )
    shade = 0.8 * near((0.040, -0.085, 1.524), 0.016) + 0.5 * near((0.040, -0.085, 1.474), 0.012)
    tint = 1 - blush[:, None] * np.array([0.05, 0.36, 0.40]) - shade[:, None] * np.array([0.10, 0.28, 0.22])
    tint = np.clip(tint, 0.2, 1.2)
    inside = (
        (np.abs(centre[:, 2] - MOUTH[2]) < 0.0055)
        & (np.abs(centre[:, 0]) < 0.026)
        & (centre[:, 1] > -0.101)
        & (centre[:, 1] < -0.045)
    )
    tint[inside] = (0.20, 0.035, 0.035)
    return Part("skin", vertices, faces, "skin", tint, np.zeros(len(vertices)))


def tube(
    path: Points, radii: NDArray[np.float64], sides: int = 12, flat: float = 1.0
) -> tuple[Points, NDArray[np.int64]]:
    """A tapered tube along a path; `flat` < 1 squashes it vertically."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, [0, 0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    rings = path[:, None] + radii[:, None, None] * (
        np.cos(angle)[None, :, None] * side[:, None] + flat * np.sin(angle)[None, :, None] * up[:, None]
    )
    return rings.reshape(-1, 3), grid_faces(len(path), sides + 1)


def _surface_y(x: NDArray[np.float64], z: NDArray[np.float64], field: Field) -> NDArray[np.float64]:
    """Where the face's front surface is at (x, z), by marching in from the front."""
    y = np.full_like(x, -0.16)
    for _ in range(60):
        y = y + np.maximum(field(np.stack([x, y, z], -1)), 0) * 0.8
    return y


def lips() -> list[Part]:
    """Two lips meeting over the mouth's slit; `kind` 1 is the lower one."""
    field = head_field(mouth=False)
    s = np.linspace(-1, 1, 33)
    x = 0.0275 * s
    made = []
    for kind in (0.0, 1.0):
        bow = (
            (0.0040 - 0.0018 * np.exp(-((s / 0.16) ** 2)) + 0.0012 * np.exp(-(((np.abs(s) - 0.3) / 0.18) ** 2)))
            if kind == 0
            else -0.0046 + 0 * s
        )
        taper = np.sqrt(np.clip(1 - np.abs(s) ** 2.4, 0, 1))
        z = MOUTH[2] + bow * taper + 0.0050 * s**2
        radius = 0.0012 + (0.0040 if kind == 0 else 0.0052) * taper
        y = _surface_y(x, z, field) + 0.0016
        vertices, faces = tube(np.stack([x, y, z], -1), radius, 12, 0.85)
        tone = (0.86, 0.42, 0.38) if kind == 0 else (0.95, 0.50, 0.44)
        made.append(
            Part(f"lip {int(kind)}", vertices, faces, "skin", plain(len(faces), tone), np.full(len(vertices), kind))
        )
    return made


def mouth() -> list[Part]:
    """What an open mouth shows besides its own dark skin: two rows of teeth, a tongue; `kind` 1 goes with the jaw."""
    parts: list[Part] = []
    for kind, z in ((0.0, 1.4200), (1.0, 1.4130)):
        s = np.linspace(-1, 1, 41)
        path = np.stack([0.0205 * s, -0.0915 + 0.016 * s**2, np.full_like(s, z)], -1)
        notch = 0.0032 * (1 - 0.16 * np.abs(np.cos(s * 5 * np.pi / 1.15)) ** 14)
        vertices, faces = tube(path, notch, 10, 1.0)
        parts.append(
            Part(
                f"teeth {int(kind)}",
                vertices,
                faces,
                "enamel",
                plain(len(faces), (1.05, 1.0, 0.92)),
                np.full(len(vertices), kind),
            )
        )
    field = ball((0, -0.072, 1.411), (0.016, 0.020, 0.0038))
    vertices, faces = mesh(field, (-0.02, -0.1, 1.404), (0.02, -0.04, 1.418), 0.0025)
    parts.append(Part("tongue", vertices, faces, "skin", plain(len(faces), (0.85, 0.32, 0.32)), np.ones(len(vertices))))
    return parts


def eyes() -> list[Part]:
    """Two painted glass eyes, poles forward (turned in a little); the iris is painted by colour."""
    made = []
    for side in (1, -1):
        a, t = np.meshgrid(
            np.linspace(0, 2 * np.pi, 41), np.concatenate([np.linspace(0, 0.66, 24), np.linspace(0.70, np.pi, 16)])
        )
        bulge = EYE_RADIUS + 0.0009 * np.exp(-((t / 0.4) ** 2))
        local = np.stack(
            [bulge * np.sin(t) * np.cos(a), -bulge * np.cos(t), bulge * np.sin(t) * np.sin(a)], -1
        ).reshape(-1, 3)
        faces = grid_faces(40, 41)
        angle = t.reshape(-1)[faces].mean(1)
        turn = a.reshape(-1)[faces].mean(1)
        ray = 0.85 + 0.3 * np.sin(turn * 17) * np.sin(turn * 5 + 1)
        colour = np.empty((len(faces), 3))
        white = np.array([0.96, 0.93, 0.87])
        colour[:] = white
        ring = angle < 0.58
        inner = np.clip((angle - 0.24) / 0.34, 0, 1)[:, None]
        colour[ring] = ((1 - inner) * np.array([0.50, 0.34, 0.12]) + inner * np.array([0.12, 0.30, 0.27]))[ring] * ray[
            ring, None
        ]
        colour[(angle > 0.52) & (angle < 0.60)] = (0.04, 0.07, 0.07)
        colour[angle < 0.26] = (0.012, 0.010, 0.010)
        glint = (angle < 0.40) & (angle > 0.16) & (np.abs((turn - 2.1 + np.pi) % (2 * np.pi) - np.pi) < 0.38)
        colour[glint] = (1, 1, 1)
        veins = angle > 1.0
        colour[veins] *= (1.0, 0.86, 0.80)
        centre = EYE * [side, 1, 1]
        made.append(
            Part(
                f"eye {'left' if side > 0 else 'right'}",
                local + centre,
                faces,
                "eye",
                colour,
                np.full(len(local), float(side)),
            )
        )
    return made


@dataclass(frozen=True)
class LidPose:
    """Where lid edges stand: degrees above the eye's equator, at the middle."""

    upper: float
    lower: float


OPEN, SHUT, WIDE, SQUINT = LidPose(24, -27), LidPose(-17, -19.5), LidPose(36, -30), LidPose(13, -12)


def lid_points(side: int, upper: bool, pose: LidPose) -> Points:
    """A lid's sheet at a pose: from its rim, thick as clay, back over the eyeball."""
    rows, columns = 15, 29
    a = np.radians(np.linspace(-74, 74, columns))
    t = np.linspace(0, 1, rows)
    cant = np.radians(3.5) * np.sin(a) / np.sin(a[-1]) * side
    bend = np.cos(a * 1.18)
    edge = np.radians(pose.upper if upper else pose.lower) * bend + np.radians(-2) * (1 - bend) + cant
    far = np.radians(108 if upper else -100)
    rho = edge + (far - edge) * t[:, None] ** 1.2
    lift = np.array([0.0002, 0.0021, 0.0027, 0.0027] + [0.0024] * (rows - 4))[:, None]
    radius = EYE_RADIUS + lift + (0.0002 if upper else 0.0)
    local = np.stack(
        [radius * np.sin(a) + 0 * rho, -radius * np.cos(a) * np.cos(rho), radius * np.cos(a) * np.sin(rho)], -1
    )
    return local.reshape(-1, 3) + EYE * [side, 1, 1]


def lids() -> list[Part]:
    """Four lids; the upper rims carry a dark lash line."""
    made = []
    for side in (1, -1):
        for upper in (True, False):
            vertices = lid_points(side, upper, OPEN)
            faces = grid_faces(15, 29)
            if not upper:
                faces = faces[:, ::-1]
            row = np.repeat(np.arange(14), 28)
            tint = plain(len(faces), (0.92, 0.70, 0.66) if upper else (0.97, 0.84, 0.80))
            if upper:
                tint[row < 2] = (0.20, 0.10, 0.07)
            else:
                tint[row < 1] = (0.55, 0.30, 0.25)
            made.append(Part(f"lid {side} {upper}", vertices, faces, "skin", tint, np.full(len(vertices), float(side))))
    return made


def brows() -> list[Part]:
    """Two brows, thick in the middle, tapering out; `kind` runs 0 (inner end) to 1 (outer), negative on her right."""
    field = head_field()
    made = []
    t = np.linspace(0, 1, 24)
    for side in (1, -1):
        x = 0.014 + 0.052 * t
        z = 1.5435 + 0.0135 * np.sin(np.pi * (0.12 + 0.72 * t)) - 0.004 * t
        y = _surface_y(x, z, field) - 0.0012
        radius = 0.0042 * np.clip(np.sin(np.pi * np.clip(0.16 + 0.84 * t, 0, 1)) ** 0.7, 0.12, 1)
        vertices, faces = tube(np.stack([side * x, y, z], -1), radius, 10, 0.95)
        if side < 0:
            faces = faces[:, ::-1]
        made.append(
            Part(
                f"brow {side}",
                vertices,
                faces,
                "hair",
                plain(len(faces), (0.8, 0.75, 0.75)),
                side * (0.001 + np.repeat(t, 11)),
            )
        )
    return made


def head_parts(coarse: float = 1.0) -> list[Part]:
    """Everything of the head but the hair; `coarse` times larger cells for a proxy."""
    return [skin(0.0032 * coarse), *lips(), *mouth(), *eyes(), *lids(), *brows()]


# ---- face shapes ---------------------------------------------------------------------------------------------------

Displace = Callable[[Part], Points]


def _bell(
    p: Points, centre: tuple[float, float, float], size: tuple[float, float, float] | float
) -> NDArray[np.float64]:
    return np.exp(-(((p - centre) / np.broadcast_to(np.asarray(size, float), 3)) ** 2).sum(-1))


def _soft(low: float, high: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def jaw_weight(part: Part) -> NDArray[np.float64]:  # [V]
    """How far each vertex goes with the jaw: sharp across the slit, gradual over cheeks and throat."""
    if part.name.startswith(("lid", "eye", "brow")):
        return np.zeros(len(part.vertices))
    p = part.vertices
    if part.name != "skin":
        corner = _soft(0.021, 0.030, np.abs(p[:, 0])) if part.name.startswith("lip") else 0.0
        return part.kind + (0.5 - part.kind) * corner
    width = 0.0012 + 0.030 * _soft(0.020, 0.060, np.abs(p[:, 0])) + 0.02 * _soft(-0.085, -0.04, p[:, 1])
    below = _soft(-1, 1, (MOUTH[2] - p[:, 2]) / width)
    front = 1 - _soft(-0.035, 0.020, p[:, 1])
    throat = _soft(1.325, 1.372, p[:, 2])
    return below * front * throat


def _jaw(open_degrees: float, sideways: float = 0.0) -> Displace:
    def displace(part: Part) -> Points:
        a = np.radians(open_degrees)
        q = part.vertices - JAW_HINGE
        moved = (
            np.stack(
                [q[:, 0], q[:, 1] * np.cos(a) - q[:, 2] * np.sin(a), q[:, 1] * np.sin(a) + q[:, 2] * np.cos(a)], -1
            )
            + JAW_HINGE
        )
        moved[:, 0] += sideways
        return jaw_weight(part)[:, None] * (moved - part.vertices)

    return displace


def _moves_skin(part: Part) -> bool:
    return part.name == "skin" or part.name.startswith("lip")


def _pull(*pulls: tuple[tuple[float, float, float], float, tuple[float, float, float]]) -> Displace:
    """Skin and lips pulled: (centre, reach, by) each."""

    def displace(part: Part) -> Points:
        result = np.zeros_like(part.vertices)
        if _moves_skin(part):
            for centre, reach, by in pulls:
                result += _bell(part.vertices, centre, reach)[:, None] * np.array(by)
        return result

    return displace


def _round(narrow: float, forward: float, part_lips: float) -> Displace:
    def displace(part: Part) -> Points:
        result = np.zeros_like(part.vertices)
        if _moves_skin(part):
            w = _bell(part.vertices, tuple(MOUTH), (0.030, 0.03, 0.020))
            lower = part.kind if part.name.startswith("lip") else (part.vertices[:, 2] < MOUTH[2]).astype(float)
            result[:, 0] = -narrow * part.vertices[:, 0] * w
            result[:, 1] = -forward * w
            result[:, 2] = part_lips * w * (1 - 2 * lower) * (1 - _soft(0.012, 0.028, np.abs(part.vertices[:, 0])))
        return result

    return displace


def _lids(side: int, pose: LidPose) -> Displace:
    def displace(part: Part) -> Points:
        for upper in (True, False):
            if part.name == f"lid {side} {upper}":
                return lid_points(side, upper, pose) - part.vertices
        return np.zeros_like(part.vertices)

    return displace


def _brow(sides: tuple[int, ...], inner: tuple[float, float, float], outer: tuple[float, float, float]) -> Displace:
    def displace(part: Part) -> Points:
        result = np.zeros_like(part.vertices)
        for side in sides:
            i, o = np.array(inner) * [side, 1, 1], np.array(outer) * [side, 1, 1]
            if part.name == f"brow {side}":
                t = np.clip(np.abs(part.kind), 0, 1)[:, None]
                result += i * (1 - t) ** 1.3 + o * t
            elif part.name == "skin":
                result += 0.6 * _bell(part.vertices, (0.020 * side, -0.092, 1.545), 0.020)[:, None] * i
                result += 0.6 * _bell(part.vertices, (0.055 * side, -0.080, 1.545), 0.020)[:, None] * o
        return result

    return displace


def shapes() -> dict[str, Displace]:
    """Face shapes by ARKit's names; each gives displacements [V, 3] of a part's vertices at full strength."""
    made: dict[str, Displace] = {
        "jawOpen": _jaw(17),
        "jawLeft": _jaw(0, 0.008),
        "jawRight": _jaw(0, -0.008),
        "mouthPucker": _round(0.42, 0.009, -0.0008),
        "mouthFunnel": _round(0.30, 0.008, 0.0055),
        "browInnerUp": _brow((1, -1), (0.001, 0, 0.013), (0, 0, 0.002)),
        "cheekPuff": _pull(
            ((0.050, -0.075, 1.430), 0.028, (0.010, -0.007, 0)), ((-0.050, -0.075, 1.430), 0.028, (-0.010, -0.007, 0))
        ),
    }
    for side, word in ((1, "Left"), (-1, "Right")):
        corner = (0.027 * side, -0.092, 1.418)
        cheek = (0.048 * side, -0.082, 1.450)
        made[f"eyeBlink{word}"] = _lids(side, SHUT)
        made[f"eyeWide{word}"] = _lids(side, WIDE)
        made[f"eyeSquint{word}"] = _lids(side, SQUINT)
        made[f"mouthSmile{word}"] = _pull(
            (corner, 0.020, (0.0085 * side, 0.0045, 0.0105)), (cheek, 0.024, (0.002 * side, -0.004, 0.006))
        )
        made[f"mouthFrown{word}"] = _pull((corner, 0.018, (0.002 * side, 0.002, -0.009)))
        made[f"browDown{word}"] = _brow((side,), (-0.003, -0.002, -0.009), (0, 0, -0.003))
        made[f"browOuterUp{word}"] = _brow((side,), (0, 0, 0.001), (0, 0, 0.011))
    return made
