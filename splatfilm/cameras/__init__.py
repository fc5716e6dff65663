"""Lenses, cameras and their paths; one module a file format. No torch, no rendering."""

from splatfilm.cameras.camera import Camera
from splatfilm.cameras.camera_file import write_camera_file
from splatfilm.cameras.distortion import Distortion, DistortionModel
from splatfilm.cameras.lens import Lens
from splatfilm.cameras.load import load_path
from splatfilm.cameras.path import CameraKey, CameraPath, Easings

__all__ = [
    "Camera",
    "CameraKey",
    "CameraPath",
    "Distortion",
    "DistortionModel",
    "Easings",
    "Lens",
    "load_path",
    "write_camera_file",
]
