"""A frame on its way from the GPU to the host, so that the GPU draws the next one meanwhile.

The copy runs on a stream of its own into pinned memory, which is what lets it overlap with kernels; whoever first asks
for one of the frame's tensors waits for it. Rendering, copying, and turning the frame before that into files (on the
writer's threads) then go on side by side.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from splatfilm.render.frame import Frame


class FrameInFlight:
    """A `Frame` on the host as soon as anything of it is asked for; begins its way when it is made."""

    in_flight = True

    def __init__(self, frame: Frame) -> None:
        """`frame` is on a CUDA device."""
        device = frame.beauty.device
        stream = _copy_stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            passes = (frame.beauty, frame.alpha, frame.depth, frame.features, frame.median_depth, frame.front_depth)
            self._frame = Frame(*(None if p is None else _begun(p, stream) for p in passes))  # type: ignore[arg-type]
            self._landed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._landed.record(stream)

    def __getattr__(self, name: str) -> Any:
        self._landed.synchronize()
        return getattr(self._frame, name)


def sent_home(frame: Frame) -> Frame:
    """The same frame for readers on the host: on its way there when it is on a GPU, as it is otherwise."""
    return FrameInFlight(frame) if frame.beauty.is_cuda else frame  # type: ignore[return-value]


def _begun(tensor: Tensor, stream: torch.cuda.Stream) -> Tensor:
    """A copy in pinned memory that is being filled; the memory of the original is kept until it is."""
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    source = tensor.detach()
    host.copy_(source, non_blocking=True)
    source.record_stream(stream)
    return host


@lru_cache(maxsize=8)
def _copy_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
