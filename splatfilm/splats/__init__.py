"""`Splats`: spherical harmonics, composing, and one module a file format."""

from splatfilm.splats.splats import SH_BASIS_COUNTS, RenderMode, Splats

__all__ = ["SH_BASIS_COUNTS", "RenderMode", "Splats"]
