"""The film file: parsing, validating, timecode. What the assets' files hold is other rooms' business."""

from splatfilm.film.load import load
from splatfilm.film.model import (
    PASSES,
    Asset,
    AssetKind,
    CastMember,
    Film,
    FrameRange,
    Look,
    LookChange,
    PlacementKey,
    Preset,
    Scene,
    Shot,
)

__all__ = [
    "PASSES",
    "Asset",
    "AssetKind",
    "CastMember",
    "Film",
    "FrameRange",
    "Look",
    "LookChange",
    "PlacementKey",
    "Preset",
    "Scene",
    "Shot",
    "load",
]
