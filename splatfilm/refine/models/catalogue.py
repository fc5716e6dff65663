"""Models that filmmakers ask for by name: what each is for, what its licence allows, what memory it takes.

The table knows names and terms, not weights: people fetch those themselves, after reading the licence. `terms` is a
reading of November 2026 of the model's card, to warn by; the card decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from splatfilm.film.refine_model import ModelSettings

Terms = Literal["free", "conditions", "non-commercial", "unknown"]
Role = Literal["base", "control", "vae", "lora", "adapter", "video", "fixer"]


@dataclass(frozen=True)
class KnownModel:
    """One row of the table. `memory` is the GPU memory in GiB that half precision needs; None where nobody measured."""

    id: str
    role: Role
    use: str
    licence: str
    terms: Terms
    memory: float | None = None


CATALOGUE: tuple[KnownModel, ...] = (
    KnownModel("stabilityai/sd-turbo", "base", "image, 1 to 4 steps", "Stability AI Community", "conditions", 4),
    KnownModel(
        "stabilityai/sdxl-turbo", "base", "image, 1 to 4 steps", "Stability AI (sai-nc-community)", "conditions", 10
    ),
    KnownModel(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "base",
        "image, with depth or normals",
        "CreativeML OpenRAIL-M",
        "conditions",
        4,
    ),
    KnownModel("lllyasviel/control_v11f1p_sd15_depth", "control", "depth for SD 1.5", "OpenRAIL", "conditions", 1.5),
    KnownModel(
        "lllyasviel/control_v11p_sd15_normalbae", "control", "normals for SD 1.5", "OpenRAIL", "conditions", 1.5
    ),
    KnownModel("latent-consistency/lcm-lora-sdv1-5", "lora", "few steps for SD 1.5", "OpenRAIL++", "conditions", 0.2),
    KnownModel("madebyollin/taesd", "vae", "a small autoencoder for SD 1.5 and SD-Turbo", "MIT", "free", 0.1),
    KnownModel("h94/IP-Adapter", "adapter", "a picture as prompt, for SD 1.5 and SDXL", "Apache-2.0", "free", 1),
    KnownModel(
        "h94/IP-Adapter-FaceID",
        "adapter",
        "a face as prompt",
        "research only",
        "non-commercial",
        1,
    ),
    KnownModel(
        "guoyww/animatediff-motion-adapter-v1-5-2",
        "video",
        "windows of 16 frames on SD 1.5",
        "Apache-2.0",
        "free",
        13,
    ),
    KnownModel("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "video", "video under a control video", "Apache-2.0", "free", 9),
    KnownModel("Lightricks/LTX-Video", "video", "fast video to video", "LTX-Video Open Weights", "conditions"),
    KnownModel(
        "nvidia/difix",
        "fixer",
        "one-step splat fixer",
        "NVIDIA, research and evaluation only",
        "non-commercial",
    ),
    KnownModel(
        "nvidia/difix_ref",
        "fixer",
        "the same with a reference picture",
        "NVIDIA, research and evaluation only",
        "non-commercial",
    ),
)


def known_model(name: str) -> KnownModel | None:
    """The row of a hub id, or of a local folder that is named like one's last part; None for strangers."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].lower()
    for row in CATALOGUE:
        if name == row.id or last == row.id.rsplit("/", 1)[-1].lower():
            return row
    return None


def licence_warning(settings: ModelSettings) -> str | None:
    """What to tell a filmmaker whose film's use a licence forbids or leaves open; None when nothing is known."""
    if settings.use != "commercial":
        return None
    said = []
    for name in (settings.model, settings.control, settings.vae, settings.lora, settings.motion, settings.adapter):
        row = known_model(name) if name else None
        if row is not None and row.terms == "non-commercial":
            said.append(
                f"{row.id} is licensed for non-commercial use only ({row.licence}), and the film says commercial"
            )
        elif row is not None and row.terms == "conditions":
            said.append(f"{row.id} may be used commercially under conditions ({row.licence}): read its card")
    return "; ".join(said) or None
