"""A textured bedroom whose every pixel is known exactly: colour, depth and object, by casting rays in numpy.

A box of a room with a bed, a dresser and a ball. Faults are made in known steps by building a faulty room, or by
spoiling pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from splatfilm.cameras.camera import Camera
from splatfilm.compare.views import Clip, Lazy, ShotTruth, View

OBJECTS = ("room", "bed", "dresser", "ball")
BASE = np.array([[0.55, 0.5, 0.45], [0.3, 0.4, 0.6], [0.2, 0.35, 0.45], [0.75, 0.45, 0.2]])
SIZE = (256, 144)


@dataclass(frozen=True)
class Bedroom:
    """The room. `drift` mixes another texture in; `gain` is on red; objects move by `shifts` (metres)."""

    seed: int = 1
    drift: float = 0.0
    other_seed: int = 2
    shifts: dict = field(default_factory=dict)
    tint: dict = field(default_factory=dict)  # object -> colour added

    def look(self, camera: Camera) -> View:
        """The exact view of a camera."""
        v, u = np.mgrid[: camera.height, : camera.width] + 0.5
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
        direction = rays @ camera.pose[:3, :3].T  # its length is that of one metre of depth
        eye = camera.position
        hits = [
            self._box(eye, direction, (-2.5, -2.5, 0.0), (2.5, 2.5, 2.6), 0, inside=True),
            self._box(eye, direction, (-1.0, 0.3, 0.0), (1.0, 2.3, 0.6), 1),
            self._box(eye, direction, (1.9, -1.0, 0.0), (2.5, 0.2, 1.0), 2),
            self._ball(eye, direction, (-1.5, 0.2, 0.25), 0.25),
        ]
        depths = np.stack(hits)
        ids = depths.argmin(axis=0)
        depth = depths.min(axis=0)
        points = eye + direction * depth[..., None]
        picture = np.zeros((*ids.shape, 3))
        for index in range(len(OBJECTS)):
            there = ids == index
            local = points[there] - self._shift(index)
            colour = (1 - self.drift) * texture(local, self.seed * 31 + index)
            if self.drift:
                colour = colour + self.drift * texture(local, self.other_seed * 31 + index)
            picture[there] = BASE[index] + colour + np.array(self.tint.get(OBJECTS[index], (0, 0, 0)))
        return View(np.clip(picture, 0, 1).astype(np.float32), depth.astype(np.float32), ids.astype(np.int16), camera)

    def _shift(self, index: int) -> np.ndarray:
        return np.array(self.shifts.get(OBJECTS[index], (0.0, 0.0, 0.0)))

    def _box(self, eye, direction, low, high, index: int, inside: bool = False) -> np.ndarray:
        shift = self._shift(index)
        with np.errstate(divide="ignore"):
            one = (np.array(low) + shift - eye) / direction
            two = (np.array(high) + shift - eye) / direction
        near, far = np.minimum(one, two).max(-1), np.maximum(one, two).min(-1)
        if inside:
            return far
        return np.where((near < far) & (near > 0), near, np.inf)

    def _ball(self, eye, direction, centre, radius: float) -> np.ndarray:
        away = eye - np.array(centre) - self._shift(3)
        a, b = (direction**2).sum(-1), direction @ away
        under = b * b - a * (away @ away - radius**2)
        with np.errstate(invalid="ignore"):
            near = (-b - np.sqrt(under)) / a
        return np.where((under > 0) & (near > 0), near, np.inf)


def texture(points: np.ndarray, seed: int) -> np.ndarray:  # [N, 3] metres -> [N, 3]
    """Smooth value noise on a lattice in space, two octaves, a colour of its own each."""
    rng = np.random.default_rng(seed)
    out = np.zeros((len(points), 3))
    for cell, height in ((0.28, 0.3), (0.1, 0.2)):
        table = rng.uniform(-1, 1, (16, 16, 16, 3)).astype(np.float32)
        place = points / cell + rng.uniform(0, 16, 3)
        low = np.floor(place).astype(int)
        part = place - low
        part = part * part * (3 - 2 * part)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, part, 1 - part), axis=1)
            x, y, z = ((low + corner) % 16).T
            out += height * weight[:, None] * table[x, y, z]
    return out


def look_at(eye, target, size=SIZE, focal: float = 0.6) -> Camera:
    """A camera of focal length `focal` picture widths."""
    eye, target = np.array(eye, float), np.array(target, float)
    z = (target - eye) / np.linalg.norm(target - eye)
    x = np.cross(z, (0, 0, 1.0))
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], 1)
    pose[:3, 3] = eye
    width, height = size
    return Camera(pose, focal * width, focal * width, width / 2, height / 2, width, height)


def turned(camera: Camera, yaw: float = 0.0, shift: float = 0.0) -> Camera:
    """The camera turned by `yaw` degrees about the vertical, and moved sideways by `shift` metres."""
    angle = np.radians(yaw)
    about = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    pose = camera.pose.copy()
    pose[:3, :3] = about @ pose[:3, :3]
    pose[:3, 3] = camera.position + shift * camera.pose[:3, 0]
    return replace(camera, pose=pose)


def dolly(frames: int = 4, size=SIZE) -> list[Camera]:
    """Shot A: past the foot of the bed."""
    return [look_at((-0.5 + t, -2.0, 1.4), (0.0, 1.0, 0.5), size) for t in np.linspace(0, 0.8, frames)]


def second_angle(frames: int = 4, size=SIZE) -> list[Camera]:
    """Shot B: from the left, closing in."""
    return [look_at((-1.7 + t, -1.6 + t, 1.6), (0.2, 1.2, 0.4), size) for t in np.linspace(0, 0.3, frames)]


def shot(name: str, cameras: list[Camera], room: Bedroom = Bedroom(), keep: int = 64) -> ShotTruth:
    """A shot of the room, as the measures know it."""
    return ShotTruth(
        name,
        "bedroom",
        tuple(range(1001, 1001 + len(cameras))),
        tuple(cameras),
        OBJECTS,
        Lazy(len(cameras), lambda i: room.look(cameras[i]), keep),
        see=lambda i, camera: room.look(camera),
    )


def clip_of(room: Bedroom, cameras: list[Camera]) -> Clip:
    """What a method that shows this room from these cameras delivers."""
    return Clip(Lazy(len(cameras), lambda i: room.look(cameras[i]).picture, 64))


def spoilt(clip: Clip, how) -> Clip:
    """Every picture of a clip changed by `how(picture, index)`."""
    return Clip(Lazy(len(clip), lambda i: np.clip(how(clip.frames[i], i), 0, 1).astype(np.float32), 64))


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, edges repeated."""
    half = int(3 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        pads = [(half, half) if a == axis else (0, 0) for a in range(3)]
        wide = np.pad(picture, pads, mode="edge")
        size = picture.shape[axis]
        picture = sum(w * np.take(wide, range(k, k + size), axis) for k, w in enumerate(weights))
    return picture


def noisy(picture: np.ndarray, index: int, sd: float) -> np.ndarray:
    """Independent noise, its own for every frame."""
    return picture + np.random.default_rng([index, 7]).normal(0, sd, picture.shape)
