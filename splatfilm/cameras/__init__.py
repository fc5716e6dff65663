"""Lenses, cameras and their paths; one module a file format. No torch, no rendering."""

from splatfilm.cameras.camera import Camera, Distortion, DistortionModel
from splatfilm.cameras.lens import Lens

__all__ = ["Camera", "Distortion", "DistortionModel", "Lens"]
