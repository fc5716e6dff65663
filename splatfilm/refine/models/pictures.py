"""Models that refine one picture at a time: image to image, with or without depth or normals to hold on to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from PIL import Image
from torch import Tensor

from splatfilm.film.refine_model import ModelSettings
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.models.door import noise_from
from splatfilm.refine.models.tiles import Tile, in_tiles
from splatfilm.refine.noise import NoiseGrid, NoiseKey, anchored_noise
from splatfilm.refine.pixels import anchors

HALF_DEPTH = 2.0
"""Metres at which a depth control is half bright. Fixed: brightness stretched frame by frame would flicker."""


def depth_control(frame: BareFrame) -> Tensor:  # [H, W, 3]
    """Inverse depth as ControlNets expect it: 1 at the lens, 0.5 at `HALF_DEPTH`, 0 where nothing is."""
    near = torch.where(frame.depth > 0, HALF_DEPTH / (HALF_DEPTH + frame.depth), torch.zeros_like(frame.depth))
    return near[..., None].expand(-1, -1, 3)


def normal_control(frame: BareFrame) -> Tensor:  # [H, W, 3]
    """Normals in the camera's axes as colours: red right, green up, blue towards the camera; black for nothing."""
    to_camera = torch.as_tensor(frame.camera.pose[:3, :3], dtype=torch.float32, device=frame.normal.device)
    turned = frame.normal @ to_camera  # rows are R^T n: the normal in OpenCV's axes
    colours = 0.5 + 0.5 * turned * turned.new_tensor([1.0, -1.0, -1.0])
    return torch.where((frame.normal != 0).any(-1, keepdim=True), colours, torch.zeros_like(colours))


def padded(picture: Tensor, multiple: int) -> Tensor:  # [H, W, C] -> [H', W', C]
    """A picture grown to the right and down, by repeating its edge, until both sides are multiples."""
    height, width = picture.shape[:2]
    below, right = -height % multiple, -width % multiple
    return functional.pad(picture.movedim(-1, 0)[None], (0, right, 0, below), mode="replicate")[0].movedim(0, -1)


FrameNoise = Callable[[BareFrame, NoiseGrid], Tensor]
"""The scene's noise for a frame: [rows, columns, C] cells of a grid."""


def anchored(seed: str) -> FrameNoise:
    """The noise of a film with this seed: a member's own name is the name of its rest space."""
    key = NoiseKey(seed, "diffusion")
    return lambda frame, grid: anchored_noise(anchors(frame, frame.members), key, grid)


class PictureModel:
    """A `Refiner` over an image-to-image pipeline."""

    def __init__(self, pipeline: Any, settings: ModelSettings, noise: FrameNoise, shown: Path | None = None) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.noise = noise
        self.shown = None if shown is None else Image.open(shown).convert("RGB")
        self.cell = int(pipeline.vae_scale_factor)
        self.side = settings.tile  # smaller once memory ran out

    def __call__(self, frame: BareFrame) -> Tensor:
        height, width = frame.size
        picture = padded(frame.beauty.clamp(0, 1), self.cell)
        held = None
        if hasattr(self.pipeline, "controlnet"):
            made = depth_control if self.settings.control_input == "depth" else normal_control
            held = padded(made(frame), self.cell)
        channels = int(self.pipeline.vae.config.latent_channels)
        noise = self.noise(frame, NoiseGrid(channels=channels, sub=1, cell=self.cell))
        high, wide = picture.shape[:2]
        made_picture, self.side = in_tiles(
            high, wide, self.side, self.cell, lambda tile: self._tile(tile, picture, held, noise)
        )
        return made_picture[:height, :width].to(frame.beauty)

    def _tile(self, tile: Tile, picture: Tensor, held: Tensor | None, noise: Tensor) -> Tensor:
        cell, settings = self.cell, self.settings
        cells = noise[tile.top // cell : tile.bottom // cell, tile.left // cell : tile.right // cell].movedim(-1, 0)[
            None
        ]

        def cut(whole: Tensor) -> Tensor:
            part = whole[tile.top : tile.bottom, tile.left : tile.right].movedim(-1, 0)[None]
            return part.to(device=self.pipeline.device, dtype=self.pipeline.vae.dtype)

        options: dict[str, Any] = {} if held is None else {"control_image": cut(held)}
        if self.shown is not None:
            options["ip_adapter_image"] = self.shown
        with torch.inference_mode(), noise_from(self.pipeline, lambda shape: _fitting(cells, shape)):
            made = self.pipeline(
                prompt=settings.prompt,
                image=cut(picture),
                strength=(settings.steps_run + 1e-6) / settings.steps,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                output_type="pt",
                **options,
            )
        return torch.as_tensor(made.images[0]).float().movedim(0, -1)


def _fitting(noise: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Noise of exactly the shape that a pipeline asks for; a model whose latents lie on another grid is refused."""
    if tuple(noise.shape) != shape:
        raise ValueError(f"the pipeline asks for noise {shape}, and the frame has {tuple(noise.shape)} cells")
    return noise
