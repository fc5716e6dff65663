"""A room whose geometry is known exactly: a floor, a wall, a ball and the sky, seen from anywhere on an orbit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from splatfilm.refine.noise import Anchors

BALL, RADIUS = (0.3, 2.2, 0.5), 0.5
WALL_AT, WALL_TOP = 4.0, 1.9
NAMES = ("sky", "room/room", "ball/ball")


@dataclass(frozen=True, eq=False)
class View:
    """One look at the room: anchors for noise, and the regions in which it is judged."""

    anchors: Anchors
    eye: Tensor  # [3]
    turn: float  # radians about Z
    focal: float  # px
    points: Tensor  # [H, W, 3] where there is a surface
    edges: Tensor  # [H, W] bool: at silhouettes
    grazing: Tensor  # [H, W] bool: seen at less than a quarter of facing

    @property
    def sky(self) -> Tensor:
        return self.anchors.spaces == 0

    def regions(self) -> dict[str, Tensor]:
        return {"all": torch.ones_like(self.sky), "edges": self.edges, "grazing": self.grazing, "sky": self.sky}


def view(
    degrees: float = 0.0, size: tuple[int, int] = (256, 144), error: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> View:
    """The room from an orbit about the ball. `error` is the deviation of depth, in footprints, of each pixel.

    `shift` moves the ball over the floor, which stays where it is in its own rest space.
    """
    width, height = size
    turn, focal = math.radians(degrees), width / 2 / math.tan(math.radians(30))
    eye = torch.tensor([BALL[0] + 2.2 * math.sin(turn), BALL[1] - 2.2 * math.cos(turn), 1.2]).double()
    ways = _ways(width, height, focal, turn)
    ball = torch.tensor([BALL[0] + shift[0], BALL[1] + shift[1], BALL[2]]).double()
    depth = torch.full((height, width), math.inf).double()
    spaces = torch.zeros(height, width, dtype=torch.int64)
    facing = torch.ones_like(depth)
    length = ways.norm(dim=-1)

    def put(found: Tensor, space: int, cosine: Tensor) -> None:
        nearer = (found > 0.05) & (found < depth)
        depth[nearer], spaces[nearer], facing[nearer] = found[nearer], space, cosine[nearer]

    put(torch.where(ways[..., 2] < -1e-9, -eye[2] / ways[..., 2], -1.0), 1, -ways[..., 2] / length)
    wall = (WALL_AT - eye[1]) / ways[..., 1]
    put(torch.where(eye[2] + wall * ways[..., 2] < WALL_TOP, wall, -1.0), 1, ways[..., 1] / length)
    off = eye - ball
    a, b, c = (ways * ways).sum(-1), (ways * off).sum(-1), (off * off).sum() - RADIUS**2
    inside = b * b - a * c
    hit = torch.where(inside > 0, (-b - inside.clamp_min(0).sqrt()) / a, -1.0)
    put(hit, 2, ((ball - eye - hit[..., None] * ways) * ways).sum(-1).abs() / (RADIUS * length))
    sky = spaces == 0
    depth = torch.where(sky, 1.0, depth)
    wrong = depth
    if error:
        generator = torch.Generator().manual_seed(round(1000 * degrees) + 1)
        wrong = depth * (1 + error / focal * torch.randn(height, width, generator=generator).double())
    points = eye + depth[..., None] * ways
    rest = eye + wrong[..., None] * ways - torch.where(spaces == 2, 1.0, 0.0)[..., None] * (ball - torch.tensor(BALL))
    places = torch.where(sky[..., None], ways / length[..., None], rest).float()
    footprints = torch.where(sky, 1 / focal, depth / focal).float()
    edges = _edges(torch.where(sky, 1e3, depth), spaces)
    return View(Anchors(places, footprints, spaces, NAMES), eye, turn, focal, points, edges, (facing < 0.25) & ~sky)


def agreement(a: View, b: View, noises: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """Correlation of the noises of two views where both see one surface: by nearest pixels, and low-passed (1.5 px)."""
    height, width = a.sky.shape
    off = a.points - b.eye
    c, s = math.cos(b.turn), math.sin(b.turn)
    ahead = -s * off[..., 0] + c * off[..., 1]
    u = (c * off[..., 0] + s * off[..., 1]) / ahead * b.focal + width / 2
    v = -off[..., 2] / ahead * b.focal + height / 2
    column, row = u.floor().long().clamp(0, width - 1), v.floor().long().clamp(0, height - 1)
    seen = (ahead > 0) & (u > 6) & (u < width - 6) & (v > 6) & (v < height - 6) & ~a.sky
    seen &= (a.anchors.spaces == b.anchors.spaces[row, column]) & ~a.edges
    seen &= (b.points[row, column] - a.points).norm(dim=-1) < 3 * a.anchors.footprints
    near = correlation(noises[0][seen], noises[1][row, column][seen])
    low = [low_passed(noise) for noise in noises]
    grid = torch.stack([u / width * 2 - 1, v / height * 2 - 1], -1)[None]
    there = nn.functional.grid_sample(low[1].movedim(-1, 0)[None], grid, align_corners=False)[0].movedim(0, -1)
    return near, correlation(low[0][seen], there[seen])


def correlation(a: Tensor, b: Tensor) -> float:
    x, y = a.double().flatten(), b.double().flatten()
    return float((x * y).mean() / (x.square().mean() * y.square().mean()).sqrt())


def low_passed(noise: Tensor, sigma: float = 1.5) -> Tensor:  # [H, W, C] float64
    taps = torch.exp(-(torch.arange(-5, 6).double() ** 2) / (2 * sigma * sigma))
    taps = taps / taps.sum()
    planes = noise.double().movedim(-1, 0)[:, None]
    planes = nn.functional.conv2d(planes, taps.view(1, 1, 1, -1), padding=(0, 5))
    return nn.functional.conv2d(planes, taps.view(1, 1, -1, 1), padding=(5, 0))[:, 0].movedim(0, -1)


def _ways(width: int, height: int, focal: float, turn: float) -> Tensor:  # [H, W, 3], 1 along the axis
    x = (torch.arange(width).double() + 0.5 - width / 2) / focal
    z = -(torch.arange(height).double() + 0.5 - height / 2) / focal
    z, x = torch.meshgrid(z, x, indexing="ij")
    c, s = math.cos(turn), math.sin(turn)
    return torch.stack([c * x - s, s * x + c, z], -1)


def _edges(depth: Tensor, spaces: Tensor) -> Tensor:
    """Pixels beside another thing, or beside a step in depth."""
    found = torch.zeros_like(spaces, dtype=torch.bool)
    for axis in (0, 1):
        length = depth.shape[axis] - 1
        here, there = (depth.narrow(axis, start, length) for start in (0, 1))
        other = spaces.narrow(axis, 0, length) != spaces.narrow(axis, 1, length)
        step = other | ((there - here).abs() > 0.1 * torch.minimum(here, there))
        found.narrow(axis, 0, length).logical_or_(step)
        found.narrow(axis, 1, length).logical_or_(step)
    return found
