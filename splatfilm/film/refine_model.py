"""What a film says of a big model: where it lies, what it is given, how strong it may be.

Read from the table `[film.refine.model]`, with every problem of it named in one go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from splatfilm.film.source import Table

Control = Literal["depth", "normal"]
Precision = Literal["float32", "float16", "bfloat16"]
Use = Literal["commercial", "non-commercial"]

MAXIMUM_STRENGTH = 0.8
"""Above it nothing of the render is left to be faithful to; the bound on the change would undo all of it."""


@dataclass(frozen=True)
class ModelSettings:
    """A model and how it is run. `model` and the other weights are local folders, or ids of a hub with an owner."""

    model: str
    control: str | None = None  # weights of a ControlNet
    control_input: Control = "depth"
    vae: str | None = None  # another autoencoder
    lora: str | None = None
    motion: str | None = None  # AnimateDiff's motion adapter: frames are then refined in windows
    adapter: str | None = None  # IP-Adapter weights
    adapter_picture: str | None = None  # the picture that it is shown
    prompt: str = ""
    strength: float = 0.3  # 0..MAXIMUM_STRENGTH, the share of the noise schedule that is run
    steps: int = 4  # of the whole schedule; strength * steps of them are run, at least one
    guidance: float = 0.0
    precision: Precision = "float32"
    tile: int = 768  # pixels on a side; larger frames are refined in tiles
    revision: str | None = None  # of the hub's repository; needed with download
    download: bool = False  # may the hub be asked?
    use: Use = "commercial"  # what the film is for; licences that forbid it are warned of

    @property
    def steps_run(self) -> int:
        """How many steps of the schedule a picture goes through."""
        return max(1, int(self.steps * self.strength))


def model_settings(table: Table) -> ModelSettings | None:
    """The settings in `[film.refine.model]`; problems are noted, and then there are none. No weights are opened."""
    known = {field.name for field in fields(ModelSettings)}
    table.only(sorted(known))
    values = {key: value for key, value in table.values.items() if key in known}
    wrong = {key: message for key, value in values.items() if (message := _wrong(key, value))}
    if "model" not in values:
        table.fail("is missing: the folder of a model, or its id on a hub", "model")
    for key, message in wrong.items():
        table.fail(message, key)
    if wrong or "model" not in values or len(values) < len(table.values):
        return None
    settings = ModelSettings(**values)
    together = _wrong_together(settings)
    for key, message in together.items():
        table.fail(message, key)
    return None if together else settings


_CHOICES = {"control_input": get_args(Control), "precision": get_args(Precision), "use": get_args(Use)}
_TEXTS = ("model", "control", "vae", "lora", "motion", "adapter", "adapter_picture", "prompt", "revision")
_RANGES = {"strength": (0.01, MAXIMUM_STRENGTH), "steps": (1, 100), "guidance": (0.0, 30.0), "tile": (128, 8192)}
_WHOLE = ("steps", "tile")


def _wrong(key: str, value: Any) -> str | None:
    """Why a value cannot stand under its key; None when it can."""
    if key in _TEXTS:
        good = isinstance(value, str) and (bool(value.strip()) or key == "prompt")
        return None if good else f"must be a text, not {value!r}"
    if key == "download":
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if key in _CHOICES:
        return None if value in _CHOICES[key] else f"must be one of {', '.join(_CHOICES[key])}, not {value!r}"
    low, high = _RANGES[key]
    number = isinstance(value, int) if key in _WHOLE else isinstance(value, int | float)
    if not number or isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        return f"must be a {'whole ' if key in _WHOLE else ''}number from {low:g} to {high:g}, not {value!r}"
    return None


def _wrong_together(settings: ModelSettings) -> dict[str, str]:
    """Keys that do not go together, with the reason."""
    wrong: dict[str, str] = {}
    if settings.adapter_picture and not settings.adapter:
        wrong["adapter_picture"] = "is of no use without adapter"
    if settings.adapter and not settings.adapter_picture:
        wrong["adapter"] = "needs adapter_picture, the picture that it is shown"
    if settings.download and settings.revision is None:
        wrong["revision"] = (
            "is missing: what is fetched from a hub must be pinned, or the film changes when the hub does"
        )
    return wrong


def is_folder(name: str) -> bool:
    """Whether a name means a local folder: it exists, or it can be nothing else (an id is `owner/name`)."""
    return Path(name).exists() or name.startswith((".", "/", "~")) or "\\" in name or name.count("/") != 1
