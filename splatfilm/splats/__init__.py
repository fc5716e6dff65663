"""`Splats`: spherical harmonics, composing, and one module a file format.

Names are resolved on first use, so that reading a file's header (`splat_count`) never waits for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from splatfilm.base.lazy import later

if TYPE_CHECKING:
    from splatfilm.splats.checks import check
    from splatfilm.splats.composition import compose, transformed
    from splatfilm.splats.files import SplatFile, inspect_splats, read_splats, splat_bounds, splat_count
    from splatfilm.splats.ply import write_ply
    from splatfilm.splats.splats import SH_BASIS_COUNTS, RenderMode, Splats

__getattr__ = later(
    __name__,
    {
        "check": "checks",
        "compose": "composition",
        "transformed": "composition",
        "SplatFile": "files",
        "inspect_splats": "files",
        "read_splats": "files",
        "splat_bounds": "files",
        "splat_count": "files",
        "write_ply": "ply",
        "SH_BASIS_COUNTS": "splats",
        "RenderMode": "splats",
        "Splats": "splats",
    },
)

__all__ = [
    "SH_BASIS_COUNTS",
    "RenderMode",
    "SplatFile",
    "Splats",
    "check",
    "compose",
    "inspect_splats",
    "read_splats",
    "splat_bounds",
    "splat_count",
    "transformed",
    "write_ply",
]


def __dir__() -> list[str]:
    return sorted(__all__)
