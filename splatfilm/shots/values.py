"""The passes of a drawn frame as arrays, whatever device and library they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import SplatfilmError

if TYPE_CHECKING:
    from splatfilm.render.frame import Frame
    from splatfilm.render.passes import PassFrame


def pass_values(frame: Frame | PassFrame, name: str) -> NDArray[Any]:
    """One pass of a frame: a layer of that name, else what every frame has. Raises `SplatfilmError` without it."""
    layers: Mapping[str, Any] = getattr(frame, "layers", {})
    tensor = layers[name] if name in layers else getattr(frame, name, None)
    if tensor is None:
        raise SplatfilmError(f"the frame was drawn without the pass {name}")
    return np.asarray(tensor.detach().cpu())
