"""Splatfilm: films rendered from persistent 3D Gaussian splats.

Importing this package is cheap (no torch, no numpy): each room is imported by the one who needs it.
"""

__version__ = "0.1.0"
