"""What the nearest photographs show of a frame: their colours carried over along the frame's own depth.

A refiner that only sees a render can sharpen it; one that sees what the photographs show there knows what is true.
Every pixel's point on the surface is looked up in the photographs taken nearest to the camera. A photograph counts
where the depth it was taken at agrees, so that it says nothing of what it did not see. Its weight falls to zero before
another one takes its place: nothing jumps while a camera moves. It is a function of camera and depth, pixel by pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splatfilm.cameras import Camera

PLANES = 5
"""Blended colour (3), how much of the weight agrees in depth, mean disagreement of the colours."""
NEAREST = 4  # photographs that a frame is looked up in
_TURN = math.radians(25)  # a photograph that looks elsewhere by this much counts a factor exp(-1/2) less
_TOLERANCE = 0.04  # of the depth: surfaces nearer together than that are one
_EDGE = 4.0  # pixels: a photograph fades out towards its border


@dataclass(frozen=True, eq=False)
class Reference:
    """One photograph, multiplied by its matte, and the depth of the splats from where it was taken."""

    name: str
    camera: Camera
    colour: Tensor  # [3, H, W] uint8
    depth: Tensor  # [H, W] float16 metres, 0 where nothing is

    def to(self, device: torch.device) -> Reference:
        """The same on another device."""
        return Reference(self.name, self.camera, self.colour.to(device), self.depth.to(device))


def spacing_of(cameras: Sequence[Camera]) -> float:
    """Metres between neighbouring cameras: the median distance to the second nearest; 1 for a single one."""
    places = np.stack([camera.position for camera in cameras])
    if len(places) < 3:
        return 1.0
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    return max(1e-6, float(np.median(np.sort(apart, axis=1)[:, 2])))


def nearest(references: Sequence[Reference], camera: Camera, spacing: float) -> list[tuple[Reference, float]]:
    """The photographs that count for a camera with their weights, which are continuous in the camera's pose."""
    scores = []
    for reference in references:
        away = float(np.linalg.norm(reference.camera.position - camera.position)) / spacing
        turn = math.acos(max(-1.0, min(1.0, float(reference.camera.forward @ camera.forward)))) / _TURN
        scores.append(-0.5 * (away * away + turn * turn))
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    floor = scores[order[NEAREST]] if len(order) > NEAREST else -math.inf
    best = scores[order[0]] if order else 0.0
    chosen = [(index, math.exp(scores[index] - best) - math.exp(floor - best)) for index in order[:NEAREST]]
    return [(references[index], weight) for index, weight in chosen if weight > 0]


def carried_over(
    references: Sequence[Reference],
    spacing: float,
    camera: Camera,
    depth: Tensor,  # [H, W] metres
) -> Tensor:  # [5, H, W]
    """What the photographs show of a frame, before the render comes in; zeros where none of them knows."""
    colours, weights = [], []
    chosen = nearest(references, camera, spacing)
    world = _points(camera, depth)
    for reference, weight in chosen:
        colour, agrees = _looked_up(reference, world)
        colours.append(colour)
        weights.append(weight * agrees * (depth > 0))
    if not chosen:
        return depth.new_zeros(PLANES, *depth.shape)
    total = sum(weights[1:], weights[0])
    known = total.clamp_min(1e-6)
    blend = sum((c * w for c, w in zip(colours, weights, strict=True)), torch.zeros_like(colours[0])) / known
    apart = [(colour - blend).abs().mean(0) * w for colour, w in zip(colours, weights, strict=True)]
    disagreement = sum(apart[1:], apart[0]) / known
    share = total / sum(weight for _, weight in chosen)
    return torch.cat([blend, share[None], disagreement[None]])


def _points(camera: Camera, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # each [H, W], metres in the world
    height, width = depth.shape
    across = (torch.arange(width, device=depth.device) + 0.5 - camera.cx) / camera.fx
    down = (torch.arange(height, device=depth.device) + 0.5 - camera.cy) / camera.fy
    x, y = across[None] * depth, down[:, None] * depth
    rows = camera.pose[:3].tolist()
    return tuple(row[0] * x + row[1] * y + row[2] * depth + row[3] for row in rows)


def _looked_up(reference: Reference, world: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """([3, H, W] colours, [H, W] 0..1 how far the photograph shows that very surface)."""
    camera = reference.camera
    rows = camera.world_to_camera()[:3].tolist()
    x, y, z = (row[0] * world[0] + row[1] * world[1] + row[2] * world[2] + row[3] for row in rows)
    ahead = z.clamp_min(1e-3)
    u, v = camera.fx * x / ahead + camera.cx, camera.fy * y / ahead + camera.cy
    grid = torch.stack([2 * u / camera.width - 1, 2 * v / camera.height - 1], -1)[None]
    seen = torch.cat([reference.colour.to(z.dtype) / 255, reference.depth.to(z.dtype)[None]])[None]
    found = torch.nn.functional.grid_sample(seen, grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
    inside = torch.minimum(torch.minimum(u, camera.width - u), torch.minimum(v, camera.height - v)) / _EDGE
    agrees = 1 - (found[3] - z).abs() / (_TOLERANCE * ahead)
    return found[:3], torch.where(z > 0, inside.clamp(0, 1) * agrees.clamp(0, 1), torch.zeros_like(z))


# ---- on disk ---------------------------------------------------------------------------------------------------------


def as_tensors(references: Sequence[Reference]) -> dict[str, Tensor]:
    """Pictures and depths by name, for a file of tensors."""
    found = {f"colour {number:04}": reference.colour.cpu() for number, reference in enumerate(references)}
    return found | {f"depth {number:04}": reference.depth.cpu() for number, reference in enumerate(references)}


def as_plain(references: Sequence[Reference]) -> list[dict[str, Any]]:
    """Names and cameras, for JSON."""
    return [
        {
            "name": r.name,
            "pose": r.camera.pose.tolist(),
            "intrinsics": [r.camera.fx, r.camera.fy, r.camera.cx, r.camera.cy],
            "size": [r.camera.width, r.camera.height],
        }
        for r in references
    ]


def from_plain(listed: Sequence[Mapping[str, Any]], tensors: Mapping[str, Tensor]) -> tuple[Reference, ...]:
    """The references that were written. Raises `KeyError`, `TypeError` or `ValueError` for what is none."""
    found = []
    for number, value in enumerate(listed):
        width, height = (int(side) for side in value["size"])
        fx, fy, cx, cy = (float(part) for part in value["intrinsics"])
        camera = Camera(np.array(value["pose"], dtype=np.float64), fx, fy, cx, cy, width, height)
        colour, depth = tensors[f"colour {number:04}"], tensors[f"depth {number:04}"]
        if colour.shape != (3, height, width) or depth.shape != (height, width):
            raise ValueError(f"{value['name']} is {list(colour.shape)}, its camera {width} x {height}")
        found.append(Reference(str(value["name"]), camera, colour, depth))
    return tuple(found)
