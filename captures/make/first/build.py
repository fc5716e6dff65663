"""Build the first flat: `python build.py [flat] [--quality draft|final] [--only PHOTOGRAPH ...]`.

Needs Blender as a Python module, in an environment of its own: `python3.11 -m venv bpy && bpy/bin/pip install
bpy==4.5.15 pillow "numpy<2"`. A stopped run goes on at the next picture; the same seed gives the same pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

try:
    import bpy  # noqa: F401
except ImportError as error:
    sys.exit(
        f"Blender's module bpy cannot be imported ({error}). Install it into an environment of its own:\n"
        '  python3.11 -m venv bpy && bpy/bin/pip install bpy==4.5.15 pillow "numpy<2"\n'
        "On a bare Linux it also needs: apt-get install libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6"
    )

import flat
import photograph
import plan
import shapes
import textures
from photograph import Session

CAPTURES = Path(__file__).resolve().parents[2]


def sessions(quality: str) -> dict[str, Session]:
    """What can be photographed, and how."""
    large = quality == "final"
    room = (960, 540) if large else (480, 270)
    return {
        "flat": Session("flat", "set", flat.build, plan.flat(), room, 20.0, 48 if large else 8, False),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="captures to build; all by default")
    parser.add_argument("--quality", choices=("draft", "final"), default="draft")
    parser.add_argument("--only", nargs="*", help="take only these photographs, again")
    options = parser.parse_args()
    known = sessions(options.quality)
    for name in options.names or known:
        if name not in known:
            sys.exit(f"{name!r} is not a capture; there is {', '.join(known)}")
    textures.paint_all(shapes.TEXTURES)
    for name in options.names or known:
        photograph.take(known[name], CAPTURES / name, options.only)


if __name__ == "__main__":
    main()
