"""Open a checked model: load its parts, make it deterministic, and wrap it as a refiner of pictures or of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.refine.contract import Refiner
from splatfilm.refine.diffusion import diffusers_class
from splatfilm.refine.models.door import encode_by_mode
from splatfilm.refine.models.folder import ModelFolder
from splatfilm.refine.models.pictures import FrameNoise, PictureModel
from splatfilm.refine.models.windows import WindowModel

if TYPE_CHECKING:
    from splatfilm.refine.models.source import ModelSource

_PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def open_model(source: ModelSource, device: str, noise: FrameNoise) -> Refiner:
    """Load a model's weights onto `device`.

    Raises `InputError` for half precision on a CPU and for weights that do not fit their configuration or each other,
    and `MissingPartError` for libraries that are not here.
    """
    settings, weights = source.settings, source.weights
    if device == "cpu" and settings.precision != "float32":
        raise InputError.at(
            weights.base.path,
            f'{settings.precision} runs on a GPU only: on a CPU say precision = "float32"',
            "precision",
        )
    pipeline = _pipeline(source)
    if settings.lora and weights.lora:
        _load_lora(pipeline, weights.lora)
    if settings.adapter_picture and weights.adapter:
        _load_adapter(pipeline, weights.adapter)
    pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    encode_by_mode(pipeline.vae)
    if source.takes_windows:
        return WindowModel(pipeline, settings, noise)
    picture = None if settings.adapter_picture is None else source.base / settings.adapter_picture
    return PictureModel(pipeline, settings, noise, picture)


def _pipeline(source: ModelSource) -> Any:
    settings, weights = source.settings, source.weights
    options: dict[str, Any] = {
        "dtype": _PRECISIONS[settings.precision],
        "use_safetensors": True,
        "local_files_only": True,
    }
    parts: dict[str, Any] = {}
    for name, part in (("controlnet", weights.control), ("vae", weights.vae), ("motion_adapter", weights.motion)):
        if part is not None:
            parts[name] = _loaded(part, part.class_name, options)
    pipeline = _loaded(weights.base, source.pipeline, options | parts)
    if "StableDiffusion" in source.pipeline or "AnimateDiff" in source.pipeline:
        # Deterministic and without noise between steps, which would be nailed to the screen instead of to the scene.
        euler = diffusers_class("EulerDiscreteScheduler")
        pipeline.scheduler = euler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    return pipeline


def _loaded(folder: ModelFolder, class_name: str, options: dict[str, Any]) -> Any:
    made = diffusers_class(class_name)
    try:
        return made.from_pretrained(folder.path, **options)
    except ImportError as error:
        raise MissingPartError(f"{folder.path} needs a library that is not here: {error}") from error
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError.at(folder.path, f"cannot be loaded as {class_name}: {first}") from error


def _load_lora(pipeline: Any, folder: ModelFolder) -> None:
    try:
        pipeline.load_lora_weights(folder.path, weight_name=_weight_name(folder))
    except ValueError as error:
        if "PEFT" in str(error):
            raise MissingPartError("a LoRA needs the library peft: pip install peft") from error
        raise InputError.at(folder.path, f"does not fit this model: {error}") from error
    pipeline.fuse_lora()


def _load_adapter(pipeline: Any, folder: ModelFolder) -> None:
    try:
        pipeline.load_ip_adapter(folder.path, subfolder="", weight_name=_weight_name(folder))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError.at(folder.path, f"cannot be loaded as an IP-Adapter: {error}") from error


def _weight_name(folder: ModelFolder) -> str:
    return min(file.name for file in folder.path.glob("*.safetensors"))
