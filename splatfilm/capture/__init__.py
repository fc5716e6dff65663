"""Captures: photographs with poses, read from the layouts that other tools write. No torch."""

from splatfilm.capture.hashing import MEMO_NAME, capture_hash
from splatfilm.capture.model import Capture, Photograph, Sheet, SparsePoints, Split
from splatfilm.capture.read import read_capture

__all__ = [
    "MEMO_NAME",
    "Capture",
    "Photograph",
    "Sheet",
    "SparsePoints",
    "Split",
    "capture_hash",
    "read_capture",
]
