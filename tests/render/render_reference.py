"""The renderer's semantics once more, as plainly as they can be said: dense, float64, plain torch, no tiles.

Every splat is evaluated at every pixel; autograd gives the gradients. Written from the recipe in docs/rendering.md, not
from the kernels. Slow: for pictures of some thousand pixels and some hundred splats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from splatfilm.cameras.camera import Camera
from splatfilm.cameras.distortion import valid_radius
from splatfilm.render.constants import (
    BLUR,
    COLOUR_OFFSET,
    FRONT_ALPHA,
    FRUSTUM_MARGIN,
    MAX_ALPHA,
    MIN_ALPHA,
    MIN_DEPTH_WEIGHT,
    MIN_TRANSMITTANCE,
)
from splatfilm.render.distortion import distorted_limits
from splatfilm.render.settings import RenderSettings
from splatfilm.splats.splats import Splats


@dataclass(frozen=True)
class Projected:
    """Splats in view, nearest first."""

    centres: Tensor  # [V, 2] px
    conics: Tensor  # [V, 2, 2] px^-2
    opacities: Tensor  # [V]
    colours: Tensor  # [V, 3]
    depths: Tensor  # [V]
    ids: Tensor  # [V]


def rotation_matrices(quats: Tensor) -> Tensor:  # [N, 4] wxyz -> [N, 3, 3]
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def harmonics(directions: Tensor, degree: int) -> Tensor:  # [N, 3] unit -> [N, (degree + 1)^2]
    """Real spherical harmonics in closed form (Condon-Shortley phase folded in as 3D Gaussian Splatting has it)."""
    x, y, z = directions.unbind(-1)
    pi = math.pi
    basis = [torch.full_like(x, 0.5 * math.sqrt(1 / pi))]
    if degree >= 1:
        c = math.sqrt(3 / (4 * pi))
        basis += [-c * y, c * z, -c * x]
    if degree >= 2:
        c = math.sqrt(15 / (4 * pi))
        basis += [
            c * x * y,
            -c * y * z,
            math.sqrt(5 / (16 * pi)) * (2 * z * z - x * x - y * y),
            -c * x * z,
            c / 2 * (x * x - y * y),
        ]
    if degree >= 3:
        basis += [
            -math.sqrt(35 / (32 * pi)) * y * (3 * x * x - y * y),
            math.sqrt(105 / (4 * pi)) * x * y * z,
            -math.sqrt(21 / (32 * pi)) * y * (4 * z * z - x * x - y * y),
            math.sqrt(7 / (16 * pi)) * z * (2 * z * z - 3 * x * x - 3 * y * y),
            -math.sqrt(21 / (32 * pi)) * x * (4 * z * z - x * x - y * y),
            math.sqrt(105 / (16 * pi)) * z * (x * x - y * y),
            -math.sqrt(35 / (32 * pi)) * x * (x * x - 3 * y * y),
        ]
    return torch.stack(basis, -1)


def colours(splats: Splats, camera: Camera, degree: int) -> Tensor:  # [N, 3]
    position = camera.position if isinstance(camera.position, Tensor) else torch.tensor(camera.position)
    basis = harmonics(torch.nn.functional.normalize(splats.means - position.to(splats.means), dim=-1), degree)
    return (torch.einsum("nk,nkc->nc", basis, splats.sh[:, : basis.shape[1]]) + COLOUR_OFFSET).clamp_min(0)


def covariances_2d(splats: Splats, camera: Camera) -> Tensor:  # [N, 2, 2] px^2, before the blur
    view = torch.as_tensor(camera.world_to_camera()).to(splats.means)
    arms = rotation_matrices(splats.quats) * splats.scales[:, None, :]
    x, y, z = (splats.means @ view[:3, :3].T + view[:3, 3]).unbind(-1)
    if camera.distortion is not None:
        return _bent_covariances(torch.stack([x, y, z], -1), view[:3, :3] @ arms, camera)
    half_x, half_y = 0.5 * camera.width / camera.fx, 0.5 * camera.height / camera.fy
    left = -(camera.cx / camera.fx + FRUSTUM_MARGIN * half_x)
    right = (camera.width - camera.cx) / camera.fx + FRUSTUM_MARGIN * half_x
    top = -(camera.cy / camera.fy + FRUSTUM_MARGIN * half_y)
    bottom = (camera.height - camera.cy) / camera.fy + FRUSTUM_MARGIN * half_y
    tx, ty = z * (x / z).clamp(left, right), z * (y / z).clamp(top, bottom)
    zero = torch.zeros_like(z)
    jacobian = torch.stack(
        [
            torch.stack([camera.fx / z, zero, -camera.fx * tx / z**2], -1),
            torch.stack([zero, camera.fy / z, -camera.fy * ty / z**2], -1),
        ],
        -2,
    )
    half = jacobian @ view[:3, :3] @ arms
    return half @ half.transpose(-1, -2)


def bend(camera: Camera, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Where a lens puts the rays (x, y, 1): OpenCV's formulas, as its documentation writes them."""
    assert camera.distortion is not None
    k = [*camera.distortion.coefficients, *[0.0] * (8 - len(camera.distortion.coefficients))]
    x, y = x + camera.shift[0], y + camera.shift[1]
    r2 = x * x + y * y
    if camera.distortion.model == "kannala-brandt":
        r = r2.sqrt()
        t = torch.atan(r)
        s = (t + k[0] * t**3 + k[1] * t**5 + k[2] * t**7 + k[3] * t**9) / r
        return s * x, s * y
    s = (1 + k[0] * r2 + k[1] * r2**2 + k[4] * r2**3) / (1 + k[5] * r2 + k[6] * r2**2 + k[7] * r2**3)
    return (
        s * x + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x),
        s * y + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y,
    )


def _bent_covariances(points: Tensor, arms: Tensor, camera: Camera) -> Tensor:  # [N, 3], [N, 3, 3] -> [N, 2, 2]
    """The lens' derivative by autograd, at the point of the picture where a pinhole sees the centre."""
    x, y, z = points.unbind(-1)
    left, right, top, bottom = distorted_limits(camera)
    gx, gy = (x / z).clamp(left, right), (y / z).clamp(top, bottom)
    with torch.enable_grad():
        at_x, at_y = (g if g.requires_grad else g.clone().requires_grad_() for g in (gx, gy))
        u, v = bend(camera, at_x, at_y)
        rows = [torch.autograd.grad(w.sum(), (at_x, at_y), create_graph=True) for w in (u, v)]
    zero, focal = torch.zeros_like(z), (camera.fx, camera.fy)
    pinhole = torch.stack(
        [torch.stack([1 / z, zero, -gx / z], -1), torch.stack([zero, 1 / z, -gy / z], -1)],
        -2,
    )
    lens = torch.stack([f * torch.stack(row, -1) for f, row in zip(focal, rows, strict=True)], -2)
    half = lens @ pinhole @ arms
    return half @ half.transpose(-1, -2)


def project(splats: Splats, camera: Camera, settings: RenderSettings) -> Projected:
    view = torch.as_tensor(camera.world_to_camera()).to(splats.means)
    in_camera = splats.means @ view[:3, :3].T + view[:3, 3]
    ids = torch.nonzero((in_camera[:, 2] >= settings.near) & (in_camera[:, 2] <= settings.far)).flatten()
    # By the float32 bits of depth, ties by index, as float32 renderers sort.
    keys = in_camera[ids, 2].detach().float()
    if settings.sort == "distance":
        keys = (splats.means[ids].detach() - torch.tensor(camera.position).to(splats.means)).norm(dim=-1).float()
    ids = ids[torch.sort(keys, stable=True).indices]
    if camera.distortion is not None:
        x, y, z = in_camera[ids].detach().unbind(-1)
        radius = torch.hypot(x / z + camera.shift[0], y / z + camera.shift[1])
        ids = ids[radius <= valid_radius(camera.distortion)]
    antialiased = None if splats.antialiased is None else splats.antialiased[ids]
    near = Splats(
        splats.means[ids],
        splats.quats[ids],
        splats.scales[ids],
        splats.opacities[ids],
        splats.sh[ids],
        splats.mode,
        antialiased=antialiased,
    )
    sharp = covariances_2d(near, camera)
    blurred = sharp + BLUR * torch.eye(2).to(sharp)
    opacities = near.opacities
    if splats.mode != "classic":
        filtered = opacities * (torch.linalg.det(sharp) / torch.linalg.det(blurred)).clamp_min(0).sqrt()
        opacities = filtered if antialiased is None else torch.where(antialiased, filtered, opacities)
    x, y, z = in_camera[ids].unbind(-1)
    across, down = (x / z, y / z) if camera.distortion is None else bend(camera, x / z, y / z)
    degree = splats.sh_degree if settings.sh_degree is None else min(settings.sh_degree, splats.sh_degree)
    return Projected(
        torch.stack([camera.fx * across + camera.cx, camera.fy * down + camera.cy], -1),
        torch.linalg.inv(blurred),
        opacities,
        colours(near, camera, degree),
        z,
        ids,
    )


@dataclass(frozen=True)
class Blended:
    """Who counts where: splats nearest first, as `project` orders them."""

    projected: Projected
    alphas: Tensor  # [V, H, W] 0 where the splat is not drawn
    weights: Tensor  # [V, H, W] alpha times the transmittance before it
    transmittance: Tensor  # [H, W] after all

    def after(self) -> Tensor:  # [V, H, W] transmittance behind each splat
        return torch.cumprod(1 - self.alphas, 0)

    def sums(self, values: Tensor) -> Tensor:  # [V, C] -> [H, W, C]
        return torch.einsum("vhw,vc->hwc", self.weights, values)


def blend(splats: Splats, camera: Camera, settings: RenderSettings) -> Blended:
    p = project(splats, camera, settings)
    ys, xs = torch.meshgrid(torch.arange(camera.height) + 0.5, torch.arange(camera.width) + 0.5, indexing="ij")
    pixels = torch.stack([xs, ys], -1).to(p.centres)
    transmittance = torch.ones(camera.height, camera.width).to(p.centres)
    going = torch.ones_like(transmittance, dtype=torch.bool)
    alphas, weights = [], []
    for k in range(len(p.ids)):
        d = pixels - p.centres[k]
        sigma = 0.5 * torch.einsum("hwi,ij,hwj->hw", d, p.conics[k], d)
        alpha = (p.opacities[k] * torch.exp(-sigma)).clamp_max(MAX_ALPHA)
        counts = going & (sigma >= 0) & (alpha >= MIN_ALPHA)
        after = transmittance * (1 - alpha)
        going = going & ~(counts & (after <= MIN_TRANSMITTANCE))
        counts = counts & going
        alphas.append(torch.where(counts, alpha, 0.0))
        weights.append(torch.where(counts, transmittance * alpha, 0.0))
        transmittance = torch.where(counts, after, transmittance)
    none = transmittance.new_zeros(0, camera.height, camera.width)
    return Blended(p, torch.stack(alphas) if alphas else none, torch.stack(weights) if weights else none, transmittance)


def render(splats: Splats, camera: Camera, settings: RenderSettings) -> tuple[Tensor, Tensor, Tensor]:
    """beauty [H, W, 3], alpha [H, W], expected depth [H, W], in the precision of `splats`."""
    b = blend(splats, camera, settings)
    coverage = 1 - b.transmittance
    background = torch.tensor(settings.background).to(b.transmittance)
    return (
        b.sums(b.projected.colours) + b.transmittance[..., None] * background,
        coverage,
        b.sums(b.projected.depths[:, None])[..., 0] / coverage.clamp_min(MIN_DEPTH_WEIGHT),
    )


def features(splats: Splats, camera: Camera, settings: RenderSettings, values: Tensor) -> Tensor:  # [N, C]
    """[H, W, C]: sums of weight times value."""
    b = blend(splats, camera, settings)
    return b.sums(values[b.projected.ids])


def other_depths(splats: Splats, camera: Camera, settings: RenderSettings) -> tuple[Tensor, Tensor]:
    """Median and front depth [H, W]."""
    b = blend(splats, camera, settings)
    return _depth_of_first(b, b.after() <= 0.5), _depth_of_first(b, b.alphas >= FRONT_ALPHA)


def _depth_of_first(b: Blended, found: Tensor) -> Tensor:  # [V, H, W] bool -> [H, W]
    first = found.int().argmax(0)
    return torch.where(found.any(0), b.projected.depths[first], 0.0)
