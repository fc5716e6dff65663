"""A big model as a refiner that a film names: checked and hashed without torch, opened when frames are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from splatfilm.base.errors import InputError
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.film.refine_model import ModelSettings
from splatfilm.refine.contract import Refiner
from splatfilm.refine.models.catalogue import known_model, licence_warning
from splatfilm.refine.models.folder import ModelFolder, check_component, check_pipeline, check_weights, find_folder

MODELS_VERSION = 1
"""Raised when the same weights and settings would give other pixels."""

IMAGE = {
    "StableDiffusionPipeline": "StableDiffusionImg2ImgPipeline",
    "StableDiffusionImg2ImgPipeline": "StableDiffusionImg2ImgPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLImg2ImgPipeline",
    "StableDiffusionXLImg2ImgPipeline": "StableDiffusionXLImg2ImgPipeline",
}
"""Pipelines a folder may hold, and the one that refines pictures with their weights."""

CONTROLLED = {
    "StableDiffusionImg2ImgPipeline": "StableDiffusionControlNetImg2ImgPipeline",
    "StableDiffusionXLImg2ImgPipeline": "StableDiffusionXLControlNetImg2ImgPipeline",
}
"""The same under a ControlNet."""

VIDEO = {
    "WanPipeline": "WanVideoToVideoPipeline",
    "WanVideoToVideoPipeline": "WanVideoToVideoPipeline",
    "WanVACEPipeline": "WanVACEPipeline",
    "LTXPipeline": "LTXConditionPipeline",
    "LTXConditionPipeline": "LTXConditionPipeline",
}
"""Pipelines that take several frames at once."""

ANIMATED = "AnimateDiffVideoToVideoPipeline"


@dataclass(frozen=True)
class Weights:
    """Every folder that a model is loaded from; None for what it does without."""

    base: ModelFolder
    control: ModelFolder | None
    vae: ModelFolder | None
    lora: ModelFolder | None
    motion: ModelFolder | None
    adapter: ModelFolder | None


@dataclass(frozen=True)
class ModelSource:
    """A `RefinerSource` over a diffusers model. `base` is the folder that relative names count from."""

    settings: ModelSettings
    base: Path
    seed: str = ""  # the film's, for its noise

    @property
    def name(self) -> str:
        return self.settings.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def version(self) -> int:
        return MODELS_VERSION

    @property
    def reach(self) -> int | None:
        return None  # attention and normalisation over the whole tile: an edit may show anywhere

    @cached_property
    def weights(self) -> Weights:
        """The checked folders. Raises `InputError` for damaged ones, `MissingPartError` for a hub's not here."""
        settings = self.settings

        def folder(name: str | None) -> Path | None:
            return None if name is None else find_folder(name, settings, self.base)

        base = check_pipeline(find_folder(settings.model, settings, self.base), (*IMAGE, *VIDEO))
        control, vae, motion = folder(settings.control), folder(settings.vae), folder(settings.motion)
        lora, adapter = folder(settings.lora), folder(settings.adapter)
        if base.class_name in VIDEO and (control or motion or adapter):
            raise InputError.at(base.path, f"a {base.class_name} takes no control, motion or adapter weights")
        return Weights(
            base,
            None if control is None else check_component(control, ("ControlNetModel",)),
            None if vae is None else check_component(vae, ("AutoencoderKL", "AutoencoderTiny")),
            None if lora is None else check_weights(lora, "a LoRA"),
            None if motion is None else check_component(motion, ("MotionAdapter",)),
            None if adapter is None else check_weights(adapter, "an IP-Adapter"),
        )

    @property
    def pipeline(self) -> str:
        """The class of diffusers that runs it."""
        weights = self.weights
        if weights.base.class_name in VIDEO:
            return VIDEO[weights.base.class_name]
        if weights.motion is not None:
            return "AnimateDiffVideoToVideoControlNetPipeline" if weights.control else ANIMATED
        picture = IMAGE[weights.base.class_name]
        return CONTROLLED[picture] if weights.control else picture

    @property
    def takes_windows(self) -> bool:
        """Whether it refines several neighbouring frames at once."""
        return self.weights.motion is not None or self.weights.base.class_name in VIDEO

    @property
    def moves(self) -> bool:
        return self.takes_windows

    @property
    def key(self) -> str:
        parts = {name: None if part is None else part["key"] for name, part in asdict(self.weights).items()}
        chosen = {
            name: value
            for name, value in asdict(self.settings).items()
            if name
            not in ("model", "control", "vae", "lora", "motion", "adapter", "adapter_picture", "download", "use")
        }
        shown = self.settings.adapter_picture
        picture = hash_file(self.base / shown) if shown else None
        return hash_value([MODELS_VERSION, self.pipeline, parts, chosen, picture, self.seed])

    @property
    def facts(self) -> Mapping[str, object]:
        row = known_model(self.settings.model)
        return {
            "model": self.settings.model,
            "revision": self.settings.revision,
            "pipeline": self.pipeline,
            "licence": row.licence if row else None,
            "licence_warning": licence_warning(self.settings),
            "strength": self.settings.strength,
            "steps_run": self.settings.steps_run,
        }

    def open(self, device: str) -> Refiner:
        """Load the weights. Raises `InputError` for what this device cannot run or what does not fit together."""
        from splatfilm.refine.models.loading import open_model
        from splatfilm.refine.models.pictures import anchored

        return open_model(self, device, anchored(self.seed))
