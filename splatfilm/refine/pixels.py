"""What a refiner is given, from what the renderer drew: for every pixel whose it is and where that lies at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.cameras import Camera
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.noise import Anchors
from splatfilm.render import RenderSettings, render
from splatfilm.render.passes import PassFrame, positions
from splatfilm.render.rays import rays_of
from splatfilm.splats import Splats
from splatfilm.stage.resting import Resting, rest_features, unplaced

NEEDED = ("normal", "id")
"""The passes that a bare frame is made of, beside beauty, alpha and depth."""

SKY = "sky"
LEAST_COVERAGE = 0.5  # of a pixel, for something to be its owner; less is sky
_LEAST_SUM = 1e-6


@dataclass(frozen=True, eq=False)
class Seen:
    """What a camera looked at: the splats, how they came there, and when."""

    splats: Splats
    resting: Sequence[Resting]
    members: tuple[str, ...]  # as `id` counts them
    camera: Camera
    scene_frame: float
    rate: float


def bare_frame(drawn: PassFrame, seen: Seen) -> BareFrame:
    """A drawn frame with the passes of `NEEDED` as refiners take it.

    The median depth is used where it was drawn, because at silhouettes the expected one lies between two surfaces.
    """
    device = drawn.beauty.device
    coverage = drawn.layers["id"][..., 0].to(device)
    owner = torch.where(coverage > 0, drawn.layers["id-ranks"][..., 0].to(device).long(), -1)
    depth = surface_depth(drawn)
    owner = torch.where((drawn.alpha >= LEAST_COVERAGE) & (depth > 0), owner, -1)
    return BareFrame(
        drawn.beauty,
        drawn.alpha,
        drawn.depth,
        drawn.layers["normal"].to(device),
        canonical(seen, depth, owner),
        owner,
        coverage,
        seen.camera,
        seen.members,
        seen.scene_frame,
        seen.rate,
    )


def surface_depth(drawn: PassFrame) -> Tensor:  # [H, W] metres
    """The depth of the surface that a pixel mostly shows."""
    median = drawn.layers.get("depth-median")
    if median is None:
        return drawn.depth
    return torch.where(median > 0, median.to(drawn.depth), drawn.depth)


def canonical(
    seen: Seen,
    depth: Tensor,  # [H, W] metres
    owner: Tensor,  # [H, W] int64
) -> Tensor:  # [H, W, 3] metres at rest
    """Where each pixel's surface lies in the rest space of its owner.

    What a place alone brought into the scene goes back the same way, exactly. What is moved splat by splat goes back by
    the blend of its splats' own ways, X = (sum w R^T / A) x + (sum w t) / A (linear blend skinning, backwards).
    """
    splats, resting, members, camera = seen.splats, seen.resting, seen.members, seen.camera
    world = positions(depth, camera)
    result = torch.zeros_like(world)
    moved = [one for one in resting if one.means is not None]
    if moved:
        ways = torch.zeros(len(splats), 13, device=splats.device)
        for one in moved:
            ways[one.start : one.stop, :12] = rest_features(splats, one)
            ways[one.start : one.stop, 12] = 1.0
        blended = render(splats, camera, RenderSettings(), _backend_of(splats), features=ways).features
        assert blended is not None, "features were given"
        blended = blended / blended[..., 12:].clamp_min(_LEAST_SUM)
        turned = (blended[..., :9].reshape(*world.shape[:2], 3, 3) * world[..., None, :]).sum(-1)
        mine = torch.isin(owner, torch.tensor(sorted({members.index(o.member) for o in moved}), device=owner.device))
        result = torch.where(mine[..., None], turned + blended[..., 9:12], result)
    for one in {one.member: one for one in resting if one.means is None}.values():
        mine = owner == members.index(one.member)
        result = torch.where(mine[..., None], unplaced(world, one.place), result)
    return result


def anchors(frame: BareFrame, spaces: Sequence[str]) -> Anchors:
    """Where the noise of a frame is nailed. `spaces` are the names of the members' rest spaces, in their order.

    Footprints are those of a surface that faces the camera: on a grazing one a pixel sees more of it, in one direction.
    """
    camera = frame.camera
    pixel = 1.0 / camera.fx
    sky = frame.owner < 0
    distance = _along_axis(frame)
    places = torch.where(sky[..., None], directions(camera).to(frame.canonical), frame.canonical)
    footprints = torch.where(sky, torch.full_like(distance, pixel), distance * pixel)
    return Anchors(places, footprints, torch.where(sky, 0, frame.owner + 1), (SKY, *spaces))


def directions(camera: Camera) -> Tensor:  # [H, W, 3] float32 unit, world
    """Where the rays through the pixels' centres go."""
    x, y = rays_of(camera, slice(0, camera.height))
    across, down = torch.from_numpy(x.copy()), torch.from_numpy(y.copy())
    ways = [(row[0] * across + row[1] * down) + row[2] for row in camera.pose[:3, :3].tolist()]
    length = ((ways[0] * ways[0] + ways[1] * ways[1]) + ways[2] * ways[2]).sqrt()
    return torch.stack([way / length for way in ways], -1).float()


def _along_axis(frame: BareFrame) -> Tensor:  # [H, W] metres
    return torch.where(frame.depth > 0, frame.depth, torch.ones_like(frame.depth))


def _backend_of(splats: Splats) -> str:
    return "cpu" if splats.device.type == "cpu" else "gsplat"
