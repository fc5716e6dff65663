"""Ada's hair: a chin-length bob of carved locks, parted on her left and still bent from the pillow."""

from __future__ import annotations

import numpy as np
from ada_head import Part, grid_faces, plain
from sculpt import Points, ball, carve, mesh

CENTRE = np.array([0.0, 0.018, 1.540])
RADII = np.array([0.104, 0.116, 0.112])
PARTING = 0.028  # metres to her left


def _lock(path: Points, wide: np.ndarray, thick: np.ndarray, shade: float, name: str) -> Part:
    """One carved lock: flat against the head, a ridge along it, pointed at the tip."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    out = path - (CENTRE - [0, 0, 0.05])
    out[:, 2] *= 0.35
    out -= (out * tangent).sum(1, keepdims=True) * tangent
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    side = np.cross(tangent, out)
    sides = 13 if len(path) > 12 else 7
    a = np.linspace(0, 2 * np.pi, sides)
    ridge = 1 + 0.22 * np.cos(3 * a)
    rings = (
        path[:, None]
        + wide[:, None, None] * (np.cos(a) * ridge)[None, :, None] * side[:, None]
        + thick[:, None, None] * np.sin(a)[None, :, None] * out[:, None]
    )
    faces = grid_faces(len(path), sides)
    return Part(
        name,
        rings.reshape(-1, 3),
        faces,
        "hair",
        plain(len(faces), (shade, shade, shade)),
        np.zeros(rings.shape[0] * sides),
    )


def _on_head(azimuth: np.ndarray, polar: np.ndarray, lift: float | np.ndarray) -> Points:
    """A point over the skull: azimuth 0 is the back, growing to her left; polar 0 is the crown; `lift` metres off."""
    x, y, z = np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth), np.cos(polar)
    direction = np.stack([x, y, z], -1)
    return CENTRE + direction * (RADII + np.asarray(lift)[..., None])


def hair_parts(coarse: float = 1.0) -> list[Part]:
    """The cap under everything, then locks from the parting round to both temples, then the fringe."""
    random = np.random.default_rng(31)
    face = ball((0, -0.120, 1.470), (0.086, 0.085, 0.112))
    vertices, faces = mesh(
        carve(ball(CENTRE, RADII), face, 0.012), (-0.13, -0.13, 1.40), (0.13, 0.16, 1.68), 0.005 * coarse
    )
    parts = [Part("hair cap", vertices, faces, "hair", plain(len(faces), (0.62, 0.6, 0.6)), np.zeros(len(vertices)))]
    t = np.linspace(0, 1, 20 if coarse <= 1 else 9)
    for layer, (count, reach, low) in enumerate(((30, 2.22, 1.405), (30, 2.32, 1.425), (24, 2.2, 1.46))):
        for k in range(count):
            azimuth = np.linspace(-reach, reach, count)[k] + random.normal(0, 0.035)
            top = 0.16 + 0.06 * random.uniform()
            polar = top + (1.50 - top) * np.clip(t / 0.62, 0, 1)
            swing = azimuth + 0.10 * np.sin(np.pi * t) * np.sign(azimuth)
            path = _on_head(swing, polar, 0.004 + 0.005 * layer + 0.006 * np.sin(np.pi * np.clip(t / 0.7, 0, 1)))
            path[:, 0] += PARTING * np.exp(-((polar / 0.55) ** 2))
            hang = np.clip((t - 0.62) / 0.38, 0, 1)
            length = (CENTRE[2] - low) * (1 + random.normal(0, 0.05))
            path[:, 2] -= length * hang * 0.96
            curl = 0.026 * np.sin(np.pi * 0.9 * hang) - 0.026 * hang**2 + 0.012 * random.normal() * hang**2
            outward = np.stack([np.sin(swing), np.cos(swing), 0 * swing], -1)
            path += outward * curl[:, None]
            wide = (0.0135 - 0.001 * layer) * np.clip(np.sin(np.pi * (0.08 + 0.90 * t)) ** 0.5, 0.03, 1)
            wide[-1] = 0.0006
            parts.append(
                _lock(path, wide, 0.0052 + 0 * t - 0.0035 * t**3, random.uniform(0.8, 1.25), f"hair {layer} {k}")
            )
    for side, count in ((-1, 7), (1, 4)):
        for k in range(count):
            s = k / (count - 1)
            start = np.array([PARTING, -0.012 - 0.062 * s, 1.6505 - 0.022 * s])
            end_x = side * (0.083 + 0.010 * random.normal()) - (0.0 if side < 0 else -0.004)
            end = np.array([end_x, -0.075 + 0.05 * (1 - s), 1.520 - 0.02 * (1 - s)])
            sag = start + (end - start) * t[:, None]
            arch = np.sin(np.pi * t)
            direction = sag - CENTRE
            scale = 1 / np.sqrt(((direction / (RADII + 0.010)) ** 2).sum(1))
            path = CENTRE + direction * np.maximum(scale, 1.0)[:, None] + np.outer(arch, [0, -0.006, 0.004])
            wide = 0.0125 * np.clip(np.sin(np.pi * (0.12 + 0.87 * t)) ** 0.6, 0.05, 1)
            parts.append(_lock(path, wide, 0.0050 - 0.003 * t**2, random.uniform(0.85, 1.3), f"hair fringe {side} {k}"))
    for k in range(5):  # what the pillow did
        azimuth, polar = random.uniform(-1.2, 1.2), random.uniform(0.25, 0.8)
        root = _on_head(np.array(azimuth), np.array(polar), np.array(0.006))
        out = (root - CENTRE) / np.linalg.norm(root - CENTRE)
        lean = np.array([random.normal(), random.normal(), 0.2])
        path = root + np.outer(0.055 * t, out) + np.outer(0.04 * t**2, lean) - np.outer(0.03 * t**3, [0, 0, 1])
        parts.append(_lock(path, 0.006 * (1.02 - t), 0.003 * (1.02 - t), 1.1, f"hair wild {k}"))
    return parts
