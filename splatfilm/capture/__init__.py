"""Captures: photographs with poses, read from the layouts that other tools write."""

from splatfilm.capture.model import Capture, Photograph, SparsePoints, Split

__all__ = ["Capture", "Photograph", "SparsePoints", "Split"]
