"""The colours of the film, named once: a warm morning (ochre, rust, honey wood) against teal and sage.

Colours are written as a designer picks them, sRGB hex; `linear` turns them into what a renderer computes with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOURS = {
    "teal deep": "#2f4f55",
    "teal": "#4d7a7d",
    "sage": "#8c9a7c",
    "sage pale": "#b6bd9f",
    "buff": "#d6b791",
    "buff light": "#e3cba6",
    "cream": "#eadfc6",
    "linen": "#ddd0b4",
    "ochre": "#c98d33",
    "mustard": "#d9a441",
    "rust": "#a64b2a",
    "terracotta": "#bf6f4a",
    "rose": "#cf9a86",
    "plum": "#6a3d4a",
    "navy": "#2b3a4f",
    "slate": "#5f7384",
    "sky": "#9cc0cf",
    "oak": "#b07f4c",
    "oak dark": "#7d5430",
    "walnut": "#6f4529",
    "walnut dark": "#3d2415",
    "cherry": "#9a5a34",
    "pine": "#cfa46c",
    "brass": "#b58a42",
    "iron": "#34302d",
    "aqua": "#79aaa3",
    "aqua deep": "#4d8a86",
    "delft": "#3c5f94",
    "leaf": "#5d7a45",
    "leaf dark": "#38532f",
    "soil": "#3b2a1f",
    "grout": "#b9a98f",
    "skin": "#d79a78",
    "hair": "#5a2f1e",
}


def srgb(name: str) -> NDArray[np.float64]:  # [3] in 0..1, sRGB encoded
    """A palette colour by name, or a "#rrggbb" of its own."""
    text = COLOURS.get(name, name).lstrip("#")
    return np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0


def to_linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1 decoding, 0..1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear(name: str) -> NDArray[np.float64]:  # [3]
    """A palette colour as linear Rec. 709 light."""
    return to_linear(srgb(name))
