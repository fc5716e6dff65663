"""Finished reconstructions on disk: found by what went into them, and read without torch.

Layout: `<folder>/<asset>-<first 12 digits of the key>/` with `splats.ply`, `reconstruction.json` and `heldout.png`. The
key is a hash of the capture's content, the settings, the renderer and the version of the trainer. The record is written
last; a folder without one is unfinished and holds checkpoints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.reconstruct.settings import Settings
from splatfilm.render import resolve_backend

TRAINER_VERSION = 2
"""Raised whenever the same capture and settings give other splats than before."""

RECORD = "reconstruction.json"
SPLATS = "splats.ply"
HELDOUT = "heldout.png"
_FORMAT = "splatfilm-reconstruction"
_VERSION = 1
_KEY_DIGITS = 12


@dataclass(frozen=True)
class ViewScore:
    """How near one rendered view comes to its photograph. PSNR in dB, SSIM up to 1, over the pixels that count."""

    name: str
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Reconstruction:
    """A finished reconstruction. `heldout` are the views that training never saw; empty when there were none."""

    folder: Path
    key: str
    capture_hash: str
    splats_hash: str
    count: int
    steps: int
    seconds: float
    train_psnr: float
    heldout: tuple[ViewScore, ...]
    renderer: dict[str, Any]
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    from_cache: bool = False

    @property
    def splats(self) -> Path:
        """The splat file."""
        return self.folder / SPLATS

    @property
    def heldout_psnr(self) -> float | None:
        """Mean over the held-out views, dB."""
        return sum(v.psnr for v in self.heldout) / len(self.heldout) if self.heldout else None

    @property
    def heldout_ssim(self) -> float | None:
        """Mean over the held-out views."""
        return sum(v.ssim for v in self.heldout) / len(self.heldout) if self.heldout else None

    def record(self) -> dict[str, Any]:
        """The content of `reconstruction.json`."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "key": self.key,
            "trainer": TRAINER_VERSION,
            "capture_hash": self.capture_hash,
            "splats_hash": self.splats_hash,
            "count": self.count,
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "train_psnr": round(self.train_psnr, 3),
            "heldout_psnr": None if self.heldout_psnr is None else round(self.heldout_psnr, 3),
            "heldout_ssim": None if self.heldout_ssim is None else round(self.heldout_ssim, 4),
            "heldout": [{"name": v.name, "psnr": round(v.psnr, 3), "ssim": round(v.ssim, 4)} for v in self.heldout],
            "renderer": self.renderer,
            "settings": self.settings,
            "notes": list(self.notes),
        }


def key_of(capture_hash: str, settings: Settings) -> str:
    """The name of a result before it exists. Raises `MissingPartError` when the settings' backend is not here."""
    return hash_value(
        {
            "capture": capture_hash,
            "settings": settings.as_plain(),
            "renderer": resolve_backend(settings.backend).manifest(),
            "trainer": TRAINER_VERSION,
        }
    )


def folder_of(folder: Path, name: str, key: str) -> Path:
    """Where the result with this key is or will be: an existing folder with the key wins over the asset's name."""
    there = sorted(folder.glob(f"*-{key[:_KEY_DIGITS]}")) if folder.is_dir() else []
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "capture"
    return there[0] if there else folder / f"{plain}-{key[:_KEY_DIGITS]}"


def cached(capture_hash: str, settings: Settings, folder: Path) -> Reconstruction | None:
    """The finished reconstruction under `folder`, or None when there is none or it is damaged. Imports no torch."""
    key = key_of(capture_hash, settings)
    return read_reconstruction(folder_of(folder, "", key), key)


def read_reconstruction(place: Path, key: str | None = None) -> Reconstruction | None:
    """The reconstruction in one folder; None unless it is whole, has this key, and its splats are as written."""
    if not (place / RECORD).is_file() or not (place / SPLATS).is_file():
        return None
    try:
        record = read_json(place / RECORD)
        if record["format"] != _FORMAT or record["version"] != _VERSION or key not in (None, record["key"]):
            return None
        if hash_file(place / SPLATS) != record["splats_hash"]:
            return None
        return Reconstruction(
            folder=place,
            key=record["key"],
            capture_hash=record["capture_hash"],
            splats_hash=record["splats_hash"],
            count=record["count"],
            steps=record["steps"],
            seconds=record["seconds"],
            train_psnr=record["train_psnr"],
            heldout=tuple(ViewScore(v["name"], v["psnr"], v["ssim"]) for v in record["heldout"]),
            renderer=record["renderer"],
            settings=record["settings"],
            notes=tuple(record["notes"]),
            from_cache=True,
        )
    except (InputError, KeyError, TypeError):
        return None
