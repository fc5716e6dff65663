"""The passes beside beauty, alpha and depth: what each of them is, per splat, and how a pixel gets it (docs/passes.md).

Every pass that is blended goes through the renderer as feature channels, with the very weights of beauty, so that it
fits the picture to the last edge. All arithmetic here is elementwise and in a written order; no product of matrices,
whose last bits differ between processors. What is done per pixel is done in numpy, beside torch's threads: on a busy
machine these wait for each other at every one of many small steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.render.constants import MIN_DEPTH_WEIGHT, NEAR
from splatfilm.render.frame import Frame
from splatfilm.render.rays import pixels_of, rays_of
from splatfilm.render.renderer import render
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.splats import Splats

DEPTHS = ("depth-median", "depth-front")
RANKS = 6  # objects that a pixel can name: three Cryptomatte layers, as every renderer has by default
OBJECTS_AT_ONCE = 8  # coverages blended in one go: 32 bytes a pixel, within the memory of a pass
ROWS_AT_ONCE = 64  # of the picture while objects are ranked
SHORTEST = 1e-12  # a normal of this length or less has no direction


@dataclass(frozen=True, eq=False)
class Instant:
    """Where the splats are and which camera looks at them at another moment; rows are the same splats."""

    means: Tensor  # [N, 3] metres
    camera: Camera


@dataclass(frozen=True, eq=False)
class PassInputs:
    """Which passes to make, and what they need beside splats and camera.

    `before` and `after` are the moments one frame earlier and later, for motion; `objects` says for `id` which of
    `object_count` objects every splat belongs to. Raises `ValueError` for passes that lack what they need.
    """

    passes: Sequence[str]
    before: Instant | None = None
    after: Instant | None = None
    objects: Tensor | None = None  # [N] int64
    object_count: int = 0
    visibility: Tensor | None = None  # [N] for `occlusion`; None: everything keeps its light

    def __post_init__(self) -> None:
        if "motion" in self.passes and (self.before is None or self.after is None):
            raise ValueError("motion needs the moments before and after the frame")
        if "id" in self.passes and (self.objects is None or self.object_count < 1):
            raise ValueError("id needs to know which object every splat belongs to")


@dataclass(frozen=True, eq=False)
class PassFrame:
    """A frame with more passes: beauty, alpha and depth as `Frame` has them; `layers`, on the CPU, by their names.

    `normal` and `position` are [H, W, 3], `motion` [H, W, 4] (forward u, v, backward u, v), `occlusion` and further
    depths [H, W]; `id` is [H, W, RANKS] coverage, falling, and `id-ranks` [H, W, RANKS] the int16 index of the
    object it belongs to.
    """

    beauty: Tensor  # [H, W, 3]
    alpha: Tensor  # [H, W]
    depth: Tensor  # [H, W] metres
    layers: Mapping[str, Tensor] = field(default_factory=dict)


def render_passes(
    splats: Splats,
    camera: Camera,
    inputs: PassInputs,
    settings: RenderSettings = RenderSettings(),  # noqa: B008  (frozen)
    backend: str = "auto",
) -> PassFrame:
    """Beauty, alpha, depth and the passes of `inputs`, as `camera` sees `splats`. No gradients.

    Raises `MissingPartError` for passes that the backend cannot make.
    """
    wanted = settings if not set(DEPTHS) & set(inputs.passes) else replace(settings, depths=True)
    with torch.no_grad():
        vectors = _vector_features(splats, camera, inputs)
        frame = render(splats, camera, wanted, backend, features=vectors)
        layers = _vector_layers(frame, inputs)
        depths = {"depth-median": frame.median_depth, "depth-front": frame.front_depth}
        layers |= {name: depth for name, depth in depths.items() if name in inputs.passes and depth is not None}
        if "position" in inputs.passes:
            layers["position"] = positions(frame.depth, camera)
        if "id" in inputs.passes:
            assert inputs.objects is not None, "PassInputs has seen to it"
            plain = replace(wanted, depths=False)

            def blended(belongs: Tensor) -> Tensor:
                features = render(splats, camera, plain, backend, features=belongs).features
                assert features is not None, "features were given"
                return features

            layers |= rank_objects(inputs.objects, inputs.object_count, camera.window, blended)
    return PassFrame(frame.beauty, frame.alpha, frame.depth, layers)


# ---- what a splat has ------------------------------------------------------------------------------------------------


@np.errstate(all="ignore")  # what is not finite is not drawn
def normals(splats: Splats, camera: Camera) -> Tensor:  # [N, 3] unit, world
    """The direction of each splat's shortest axis, turned to the camera: a flat splat's surface normal.

    Of axes that are equally short the first counts. Zero for a quaternion of zero length.
    """
    means, quats, scales = (t.detach().cpu().numpy() for t in (splats.means, splats.quats, splats.scales))
    w, x, y, z = quats.T
    length = np.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / length, x / length, y / length, z / length
    columns = (  # of the rotation matrix: the splat's three axes
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    shortest = scales.argmin(axis=1)
    axis = [np.choose(shortest, [column[part] for column in columns]) for part in range(3)]
    eye = camera.position.astype(np.float32)
    facing = axis[0] * (eye[0] - means[:, 0]) + axis[1] * (eye[1] - means[:, 1]) + axis[2] * (eye[2] - means[:, 2])
    turned = np.stack([np.where(facing < 0, -part, part) for part in axis], -1)
    return torch.from_numpy(np.nan_to_num(turned, nan=0.0, posinf=0.0, neginf=0.0)).to(splats.device)


@np.errstate(all="ignore")  # what is not finite is not drawn
def displacements(means: Tensor, camera: Camera, other: Instant) -> Tensor:  # [N, 2] pixels: right, up
    """How far each splat's centre goes over the picture, from this moment to the other one.

    Where a centre lies behind the near plane at the other moment it has no picture there; what counts then is where its
    motion points at first: the derivative of its (undistorted) projection times its way in camera space.
    """
    here, there = _in_camera(means, camera), _in_camera(other.means, other.camera)
    z = np.maximum(here[2], NEAR)
    x, y = here[0] / z, here[1] / z
    u, v = pixels_of(camera, x, y)
    away = there[2] < NEAR
    ahead = np.where(away, 1.0, there[2])
    there_u, there_v = pixels_of(other.camera, there[0] / ahead, there[1] / ahead)
    way = [after - before for after, before in zip(there, here, strict=True)]
    first_u, first_v = camera.fx * (way[0] - x * way[2]) / z, camera.fy * (way[1] - y * way[2]) / z
    right, down = np.where(away, first_u, there_u - u), np.where(away, first_v, there_v - v)
    return torch.from_numpy(np.stack([right, -down], -1).astype(np.float32)).to(means.device)


def _in_camera(means: Tensor, camera: Camera) -> list[NDArray[np.float64]]:  # x, y, z, each [N] metres
    x, y, z = means.detach().cpu().numpy().astype(np.float64).T
    rows = camera.world_to_camera()[:3].tolist()
    return [row[0] * x + row[1] * y + row[2] * z + row[3] for row in rows]


# ---- from splats to pixels -------------------------------------------------------------------------------------------


def positions(depth: Tensor, camera: Camera) -> Tensor:  # [H, W] metres along the axis -> [H, W, 3] metres, world
    """Where the ray through each pixel's centre is at the expected depth; 0 where nothing is."""
    pose = camera.pose[:3].tolist()
    result = torch.empty(*depth.shape, 3, dtype=torch.float32, device=depth.device)
    for top in range(0, len(depth), ROWS_AT_ONCE):
        rows = slice(top, top + ROWS_AT_ONCE)
        z = depth[rows].cpu().numpy().astype(np.float64)
        x, y = rays_of(camera, rows)
        across, down = x * z, y * z
        for axis, (right, below, ahead, origin) in enumerate(pose):
            place = right * across + below * down + ahead * z + origin
            place = np.where((z > 0) & np.isfinite(place), place, 0.0)
            result[rows, :, axis] = torch.from_numpy(place.astype(np.float32)).to(depth.device)
    return result


def _vector_features(splats: Splats, camera: Camera, inputs: PassInputs) -> Tensor | None:  # [N, 3, 1 and/or 4]
    parts: list[Tensor] = []
    if "normal" in inputs.passes:
        parts.append(normals(splats, camera))
    if "occlusion" in inputs.passes:
        parts.append(_hidden(splats, inputs))
    if "motion" in inputs.passes:
        assert inputs.before is not None and inputs.after is not None, "PassInputs has seen to it"
        parts += [displacements(splats.means, camera, other) for other in (inputs.after, inputs.before)]
    return torch.cat(parts, 1) if parts else None


def _hidden(splats: Splats, inputs: PassInputs) -> Tensor:  # [N, 1]
    """What each splat lacks of its light: blended from 0, so that where nothing is hidden the pass is 1 to the bit."""
    kept = inputs.visibility
    return splats.means.new_zeros(len(splats), 1) if kept is None else (1 - kept).to(splats.device)[:, None]


def _vector_layers(frame: Frame, inputs: PassInputs) -> dict[str, Tensor]:
    """Blended sums to what a pixel shows: normals of length 1, motion divided by coverage."""
    blended = frame.features
    if blended is None:
        return {}
    sums = blended.cpu().numpy()
    layers: dict[str, Tensor] = {}
    if "normal" in inputs.passes:
        layers["normal"] = torch.from_numpy(_unit(sums[..., :3]))
    if "occlusion" in inputs.passes:
        lost = sums[..., 3 if "normal" in inputs.passes else 0]
        weights = np.maximum(frame.alpha.cpu().numpy(), np.float32(MIN_DEPTH_WEIGHT))
        layers["occlusion"] = torch.from_numpy(np.maximum(np.float32(1) - lost / weights, np.float32(0)))
    if "motion" in inputs.passes:
        weights = np.maximum(frame.alpha.cpu().numpy(), np.float32(MIN_DEPTH_WEIGHT))
        layers["motion"] = torch.from_numpy(sums[..., -4:] / weights[..., None])
    return layers


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:  # [H, W, 3]
    """Vectors of length 1 in the same directions; 0 where there is none."""
    result = np.empty(vectors.shape, np.float32)
    for top in range(0, len(vectors), ROWS_AT_ONCE):
        x, y, z = (vectors[top : top + ROWS_AT_ONCE, :, axis] for axis in range(3))
        length = np.sqrt(x * x + y * y + z * z)
        scale = np.where(length > SHORTEST, np.float32(1.0) / np.maximum(length, np.float32(SHORTEST)), np.float32(0.0))
        for axis, part in enumerate((x, y, z)):
            result[top : top + ROWS_AT_ONCE, :, axis] = part * scale
    return result


def rank_objects(
    objects: Tensor,  # [N] int64
    object_count: int,
    size: tuple[int, int],  # width, height in pixels
    blended: Callable[[Tensor], Tensor],  # [N, C] -> [H, W, C]
) -> dict[str, Tensor]:
    """`id` and `id-ranks`: the objects that cover most of each pixel, the greatest coverage first; equal ones in order.

    `blended` draws channels with the weights of beauty. It is asked for at most `OBJECTS_AT_ONCE` objects at a time,
    and not for such as have no splats.
    """
    width, height = size
    coverage = np.zeros((RANKS, height, width), np.float32)
    ranks = np.zeros((RANKS, height, width), np.int16)
    for first in range(0, object_count, OBJECTS_AT_ONCE):
        numbers = torch.arange(first, min(first + OBJECTS_AT_ONCE, object_count))
        belongs = objects[:, None] == numbers.to(objects.device)
        if not belongs.any():
            continue
        sums = blended(belongs.to(torch.float32)).cpu().numpy()
        for column, number in enumerate(numbers.tolist()):
            _rank(coverage, ranks, sums[..., column], number)
    return {"id": torch.from_numpy(coverage).movedim(0, -1), "id-ranks": torch.from_numpy(ranks).movedim(0, -1)}


def _rank(
    coverage: NDArray[np.float32],  # [RANKS, H, W]
    objects: NDArray[np.int16],  # [RANKS, H, W]
    more: NDArray[np.float32],  # [H, W]
    number: int,
) -> None:
    """Put one more object in its place among the ranks of every pixel, in place; it comes after its equals."""
    for top in range(0, len(more), ROWS_AT_ONCE):
        rows = slice(top, top + ROWS_AT_ONCE)
        carried, owner = more[rows], np.full(more[rows].shape, number, np.int16)
        placed = np.zeros(carried.shape, np.bool_)
        for rank in range(RANKS):
            if not carried.any():
                break
            placed |= carried > coverage[rank, rows]  # from there on everything moves on by one
            here, whose = coverage[rank, rows].copy(), objects[rank, rows].copy()
            coverage[rank, rows] = np.where(placed, carried, here)
            objects[rank, rows] = np.where(placed, owner, whose)
            carried, owner = np.where(placed, here, carried), np.where(placed, whose, owner)
