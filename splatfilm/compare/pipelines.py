"""diffusers' video pipelines by what they take, not one by one: text, an image, camera matrices, a control video.

A pipeline is a line in `PIPELINES`: its class of input and what its arguments are called. All of them are then asked
for a shot in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, MissingPartError, did_you_mean
from splatfilm.refine.diffusion import diffusers_class

Input = Literal["text", "image", "c2w", "control"]
Bytes = NDArray[np.uint8]

GIVES: Mapping[Input, tuple[str, tuple[str, ...], str]] = {
    "text": ("I0", ("text",), "none"),
    "image": ("I1", ("text", "first_frame"), "none"),
    "c2w": ("I3", ("text", "first_frame", "camera"), "c2w"),
    "control": ("I5", ("text", "renders"), "control_video"),
}
"""What each class of input gives away: class of information, the list of it, how the camera comes in."""

_USUAL = {
    "prompt": "prompt",
    "negative": "negative_prompt",
    "width": "width",
    "height": "height",
    "frames": "num_frames",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
}


@dataclass(frozen=True)
class Pipeline:
    """How a pipeline is asked. `keys` maps our words to its keywords; a word that is not there is not told.

    It makes `step` * k + 1 frames, of sides that are multiples of `multiple` pixels.
    """

    input: Input
    step: int = 1
    multiple: int = 16
    keys: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    def keywords(self) -> dict[str, str]:
        """Our words and its keywords."""
        own = {**_USUAL, **self.keys}
        return {word: key for word, key in own.items() if word not in self.without}

    def frames_for(self, count: int) -> int:
        """The smallest number of frames that it makes and that is not less than `count`."""
        return max(0, -(-(count - 1) // self.step)) * self.step + 1

    def size_for(self, size: tuple[int, int]) -> tuple[int, int]:
        """The nearest size that it makes."""
        width, height = (max(self.multiple, round(side / self.multiple) * self.multiple) for side in size)
        return width, height


PIPELINES: Mapping[str, Pipeline] = {
    "WanPipeline": Pipeline("text", 4),
    "CogVideoXPipeline": Pipeline("text", 4),
    "LTXPipeline": Pipeline("text", 8, 32, {"rate": "frame_rate"}),
    "HunyuanVideoPipeline": Pipeline("text", 4),
    "MochiPipeline": Pipeline("text", 6),
    "AllegroPipeline": Pipeline("text", 4),
    "SkyReelsV2Pipeline": Pipeline("text", 4),
    "AnimateDiffPipeline": Pipeline("text", 1, 8),
    "WanImageToVideoPipeline": Pipeline("image", 4, 16, {"image": "image"}),
    "CogVideoXImageToVideoPipeline": Pipeline("image", 4, 16, {"image": "image"}),
    "LTXImageToVideoPipeline": Pipeline("image", 8, 32, {"image": "image", "rate": "frame_rate"}),
    "StableVideoDiffusionPipeline": Pipeline(
        "image", 1, 64, {"image": "image", "whole_rate": "fps"}, ("prompt", "negative", "guidance")
    ),
    "SanaWMPipeline": Pipeline(
        "c2w", 8, 32, {"image": "image", "c2w": "c2w", "intrinsics": "intrinsics", "whole_rate": "fps"}
    ),
    "WanVACEPipeline": Pipeline("control", 4, 16, {"control": "video", "mask": "mask"}),
    "EasyAnimateControlPipeline": Pipeline("control", 4, 16, {"control": "control_video"}),
    "CogVideoXFunControlPipeline": Pipeline("control", 4, 16, {"control": "control_video"}, ("frames",)),
}
"""Every pipeline that can be asked, by its class in diffusers. Another one is another line."""


@dataclass(frozen=True, eq=False)
class Ask:
    """One take of one shot, in our words. What a pipeline has no keyword for is left out."""

    prompt: str
    negative: str
    size: tuple[int, int]
    frames: int
    rate: float
    seed: int
    steps: int | None = None
    guidance: float | None = None
    image: Bytes | None = None  # [H, W, 3] the frame it starts from
    c2w: NDArray[np.float64] | None = None  # [F, 4, 4] OpenCV, metres times the model's translation scale
    intrinsics: tuple[float, float, float, float] | None = None  # fx, fy, cx, cy in pixels of the image
    control: Sequence[Bytes] = ()


@dataclass(frozen=True, eq=False)
class Loaded:
    """A pipeline with its weights."""

    name: str
    pipeline: Pipeline
    call: Any
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Weights:
    """Where the weights are: a folder, or a name on the hub, which is asked only when `online`."""

    model: str
    pipeline: str = ""  # the class; empty: what the model says of itself
    revision: str | None = None
    online: bool = False
    device: str = "auto"
    offload: bool = False


def load_pipeline(weights: Weights) -> Loaded:
    """Load a pipeline. Raises `InputError` for a model that is no video pipeline, `MissingPartError` without it."""
    import torch

    name = weights.pipeline or _class_in(weights)
    if name not in PIPELINES:
        near = did_you_mean(name, PIPELINES)
        raise InputError.at(
            weights.model, f"{name or 'it'} is no pipeline that can be asked; there is {', '.join(PIPELINES)}{near}"
        )
    device = weights.device if weights.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    precision = torch.bfloat16 if device == "cuda" else torch.float32
    options = {"local_files_only": not weights.online, "revision": weights.revision, "torch_dtype": precision}
    try:
        call = diffusers_class(name).from_pretrained(weights.model, **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise MissingPartError(_unreachable(weights, error)) from error
    if weights.offload and device == "cuda":
        call.enable_model_cpu_offload()
    else:
        call.to(device)
    call.set_progress_bar_config(disable=True)
    scheduler = type(getattr(call, "scheduler", None)).__name__
    facts = {"name": weights.model, "library": f"diffusers {_version()}", "pipeline": name, "scheduler": scheduler}
    return Loaded(name, PIPELINES[name], call, {**facts, "revision": weights.revision, "precision": str(precision)[6:]})


def generate(loaded: Loaded, ask: Ask) -> list[Bytes]:
    """Make one take: its frames, [H, W, 3] each. The same ask gives the same frames where the library's kernels do."""
    import torch

    words: dict[str, Any] = {
        "prompt": ask.prompt,
        "negative": ask.negative or None,
        "width": ask.size[0],
        "height": ask.size[1],
        "frames": ask.frames,
        "rate": ask.rate,
        "whole_rate": round(ask.rate),
        "steps": ask.steps,
        "guidance": ask.guidance,
        "image": None if ask.image is None else _picture(ask.image),
        "c2w": None if ask.c2w is None else ask.c2w.astype(np.float32),
        "intrinsics": None if ask.intrinsics is None else np.array(ask.intrinsics, np.float32),
        "control": [_picture(frame) for frame in ask.control] or None,
        "mask": [_picture(np.full_like(frame, 255)) for frame in ask.control] or None,
    }
    keys = loaded.pipeline.keywords()
    told = {keys[word]: value for word, value in words.items() if word in keys and value is not None}
    # A generator is used up by a call, so every take gets its own; the CPU's gives the same numbers on every device.
    told["generator"] = torch.Generator("cpu").manual_seed(ask.seed)
    with torch.inference_mode():
        made = loaded.call(**told, output_type="np").frames
    frames = np.asarray(made[0] if isinstance(made, list) or np.ndim(made) == 5 else made, dtype=np.float32)
    if frames.ndim != 4 or frames.shape[-1] != 3 or not np.isfinite(frames).all():
        raise InputError.at(
            str(loaded.facts["name"]),
            f"{loaded.name} gave no frames but {list(frames.shape)}, or numbers that are none",
        )
    return [(np.clip(frame, 0, 1) * 255 + 0.5).astype(np.uint8) for frame in frames]


def _picture(pixels: Bytes) -> Any:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels))


def _class_in(weights: Weights) -> str:
    """The class that a folder or a model of the hub names in its model_index.json; empty where it says nothing.

    Raises `MissingPartError` for a model that is not here.
    """
    if Path(weights.model).is_dir():
        try:
            index = json.loads((Path(weights.model) / "model_index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(index.get("_class_name", "")) if isinstance(index, dict) else ""
    where = {"local_files_only": not weights.online, "revision": weights.revision}
    try:
        index = diffusers_class("DiffusionPipeline").load_config(weights.model, **where)
    except (OSError, ValueError) as error:
        raise MissingPartError(_unreachable(weights, error)) from error
    return str(index.get("_class_name", ""))


def _unreachable(weights: Weights, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [""])[0][:300]
    if Path(weights.model).is_dir():
        return f"{weights.model}: these weights cannot be loaded: {reason}"
    if weights.online:
        return f"{weights.model}: the hub cannot be reached or has no such model: {reason}"
    return (
        f"{weights.model}: no such folder, and it is not in the local cache of the hub. Fetch it once with "
        f"`--online`, or with `hf download {weights.model}`, or give a folder ({reason})"
    )


def _version() -> str:
    from importlib.metadata import version

    return version("diffusers")
