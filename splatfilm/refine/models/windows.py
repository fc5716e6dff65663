"""Models that refine several neighbouring frames at once: video to video, with our noise in every latent frame.

A window's frames are those of one shot, at neighbouring scene frames (`splatfilm/refine/windows.py` says which).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from splatfilm.film.refine_model import ModelSettings
from splatfilm.refine.contract import BareFrame
from splatfilm.refine.models.door import noise_from
from splatfilm.refine.models.pictures import FrameNoise, depth_control, normal_control, padded
from splatfilm.refine.noise import NoiseGrid

SPANS = {"WanVideoToVideoPipeline": 17, "WanVACEPipeline": 17, "LTXConditionPipeline": 17}
"""Frames in a window; these autoencoders take one frame and then whole groups."""

ANIMATED_SPAN = 16
"""Frames in a window of AnimateDiff, what its motion adapters were trained on."""


class WindowModel:
    """A refiner of windows: `refine_window` for up to `span` frames; one frame is a window that stands still."""

    def __init__(self, pipeline: Any, settings: ModelSettings, noise: FrameNoise) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.noise = noise
        self.kind = type(pipeline).__name__
        self.span = SPANS.get(self.kind, ANIMATED_SPAN)

    def __call__(self, frame: BareFrame) -> Tensor:
        return self.refine_window([frame])[0]

    def refine_window(self, frames: Sequence[BareFrame]) -> list[Tensor]:  # [H, W, 3] each
        """The refined pictures of 1 to `span` neighbouring frames of one size; missing ones repeat the last."""
        if not 1 <= len(frames) <= self.span:
            raise ValueError(f"{len(frames)} frames in a window of {self.span}")
        height, width = frames[0].size
        whole = [*frames, *[frames[-1]] * (self.span - len(frames))]
        multiple = self._multiple()
        video = torch.stack([padded(frame.beauty.clamp(0, 1), multiple) for frame in whole])
        with torch.inference_mode(), noise_from(self.pipeline, lambda shape: self._noise(whole, shape)):
            made = self.pipeline(**self._options(video, whole, multiple))
        pictures = torch.as_tensor(made.frames)
        pictures = pictures[0] if pictures.ndim == 5 else pictures  # [F, 3, H, W]
        cut = pictures[: len(frames), :, :height, :width].float().movedim(1, -1)
        return [picture.to(frame.beauty) for picture, frame in zip(cut, frames, strict=True)]

    def _options(self, video: Tensor, whole: Sequence[BareFrame], multiple: int) -> dict[str, Any]:
        settings = self.settings
        high, wide = video.shape[1:3]
        pictures = [_image(picture) for picture in video]
        options: dict[str, Any] = {
            "prompt": settings.prompt,
            "height": high,
            "width": wide,
            "num_inference_steps": settings.steps,
            "guidance_scale": max(settings.guidance, 1.0),
            "output_type": "pt",
        }
        strength = (settings.steps_run + 1e-6) / settings.steps
        made = depth_control if settings.control_input == "depth" else normal_control
        if self.kind == "WanVACEPipeline":  # renders by geometry: depth or normals lead, the first render is the model
            held = [_image(padded(made(frame), multiple)) for frame in whole]
            return options | {"video": held, "reference_images": [pictures[0]], "num_frames": self.span}
        if self.kind == "LTXConditionPipeline":
            start = {"latents": self._encoded(video), "denoise_strength": strength, "num_frames": self.span}
            return options | start
        options |= {"video": pictures, "strength": strength}
        if hasattr(self.pipeline, "controlnet"):
            options["conditioning_frames"] = [_image(padded(made(frame), multiple)) for frame in whole]
        return options

    def _encoded(self, video: Tensor) -> Tensor:  # [F, H, W, 3] -> [1, C, F', H', W']
        """LTX starts from latents of the render, which its pipeline does not make itself; scaled as it expects them."""
        vae = self.pipeline.vae
        pixels = video.movedim(-1, 0)[None].to(device=self.pipeline.device, dtype=vae.dtype) * 2 - 1
        latents = vae.encode(pixels).latent_dist.mode()
        mean, deviation = (part.view(1, -1, 1, 1, 1).to(latents) for part in (vae.latents_mean, vae.latents_std))
        return torch.as_tensor((latents - mean) * vae.config.scaling_factor / deviation)

    def _multiple(self) -> int:
        pipeline = self.pipeline
        if self.kind == "LTXConditionPipeline":
            return int(pipeline.vae_spatial_compression_ratio)
        if self.kind.startswith("Wan"):
            patch = pipeline.transformer.config.patch_size
            return int(pipeline.vae_scale_factor_spatial) * int(patch[-1])
        return int(pipeline.vae_scale_factor)

    def _noise(self, whole: Sequence[BareFrame], shape: tuple[int, ...]) -> Tensor:
        """Noise [1, C, F, H, W]: each latent frame's is that of the first frame that it stands for."""
        channels, count, rows, columns = shape[1:]
        groups = [0] if count == 1 else [round(i * (len(whole) - 1) / (count - 1)) for i in range(count)]
        cell = -(-whole[0].size[1] // columns)
        fields = [self.noise(whole[at], NoiseGrid(channels=channels, sub=1, cell=cell)) for at in groups]
        noise = torch.stack(fields).movedim(-1, 0)[None]  # [1, C, F, rows, columns]
        if tuple(noise.shape[-2:]) != (rows, columns):
            noise = _grown(noise, rows, columns)
        return noise


def _grown(noise: Tensor, rows: int, columns: int) -> Tensor:
    """Cells of the padding take the noise of the cells that they repeat, turned over so that no two are alike."""
    below, right = rows - noise.shape[-2], columns - noise.shape[-1]
    if below < 0 or right < 0 or below > noise.shape[-2] or right > noise.shape[-1]:
        raise ValueError(f"the model asks for {rows} x {columns} cells, and the frame has {tuple(noise.shape[-2:])}")
    wider = torch.cat([noise, -noise[..., noise.shape[-1] - right :].flip(-1)], -1)
    return torch.cat([wider, -wider[..., wider.shape[-2] - below :, :].flip(-2)], -2)


def _image(picture: Tensor) -> Any:
    from PIL import Image

    return Image.fromarray((picture.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())
