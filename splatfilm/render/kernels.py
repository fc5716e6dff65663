"""The CPU kernels with Python types: thin wrappers over the extension `splatfilm.render._kernels`, no gradients.

`cpu.py` makes the renderer of them and `reconstruct/losses.py` the loss; both wrap them for autograd. Tensors are
float32 on the CPU; what is not contiguous is copied, everything else is handed over as it is.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splatfilm.base.errors import MissingPartError
from splatfilm.render.backends import cpu_problem, threads_wanted


def _load() -> Any:
    problem = cpu_problem()
    if problem:
        raise MissingPartError(problem)
    from splatfilm.render import _kernels

    _kernels.set_threads(threads_wanted())
    wanted = os.environ.get("SPLATFILM_ISA", "")
    if wanted and not _kernels.choose_instruction_set(wanted):
        sets = ", ".join(_kernels.instruction_sets())
        raise MissingPartError(f"SPLATFILM_ISA is {wanted!r}, but this build on this processor has: {sets}")
    return _kernels


_extension: Any = None


def extension() -> Any:
    """The extension module, set up once: threads and instruction set as the environment asks."""
    global _extension
    if _extension is None:
        _extension = _load()
    return _extension


def set_threads(count: int) -> None:
    """How many threads the kernels use, >= 1. No result depends on it. Raises `ValueError` for less than one."""
    if count < 1:
        raise ValueError(f"threads must be at least 1, found {count}")
    extension().set_threads(count)


def threads() -> int:
    """How many threads the kernels use."""
    return int(extension().threads())


def instruction_sets() -> list[str]:
    """The instruction sets that this build on this processor can use, fastest first."""
    return list(extension().instruction_sets())


def use_instruction_set(name: str = "") -> None:
    """Chooses one of `instruction_sets`, or the fastest again; for tests and benchmarks. No result depends on it."""
    if not extension().choose_instruction_set(name):
        raise ValueError(f"no instruction set {name!r}; here are {', '.join(instruction_sets())}")


def use_most_pairs(count: int = 0) -> None:
    """How many pairs of splats and tiles are held at one time; 0: the default. For tests: no picture depends on it.

    Gradients are sums over tiles in the order in which the bands of a picture come, and may change in their last bit.
    """
    extension().set_most_pairs(count)


def array(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A view of a float32 CPU tensor as a contiguous array; copies only what is not contiguous."""
    if tensor.dtype == torch.float32 and tensor.is_cpu and not tensor.requires_grad and tensor.is_contiguous():
        return tensor.numpy()
    return tensor.detach().to(device="cpu", dtype=torch.float32).contiguous().numpy()


LANES = 16
"""Splats that a kernel takes at one time."""


def in_lanes(
    values: np.ndarray[Any, Any],
) -> np.ndarray[Any, np.dtype[np.float32]]:  # [N, K] -> [N / 16 rounded up, K, 16]
    """Rows as kernels read them, value by value of sixteen; ones after the last."""
    blocks = -(-len(values) // LANES)
    padded = np.ones((blocks * LANES, values.shape[1]), dtype=np.float32)
    padded[: len(values)] = values
    return np.ascontiguousarray(padded.reshape(blocks, LANES, values.shape[1]).transpose(0, 2, 1))


_NOTHING = np.empty(0, dtype=np.float32)


def l1_ssim(
    image: Tensor,  # [H, W, 3]
    target: Tensor,  # [H, W, 3]
    weight: Tensor | None,  # [H, W] >= 0
    ssim_lambda: float,
) -> tuple[float, float, float, Tensor]:
    """(1 - lambda) L1 + lambda (1 - SSIM) and its gradient: (loss, l1, ssim, d loss / d image [H, W, 3]).

    SSIM after Wang et al. 2004 as 3D Gaussian Splatting trains with it: Gaussian window of 11 taps, sigma 1.5, zeros
    outside the picture, C1 = 0.01^2, C2 = 0.03^2. Both terms are means over pixels and channels, weighted by `weight`
    where there is one; with no weight anywhere the loss and its gradient are 0. The same bits at any thread count.
    """
    if image.shape != target.shape or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"pictures must both be [H, W, 3], found {list(image.shape)} and {list(target.shape)}")
    if weight is not None and weight.shape != image.shape[:2]:
        raise ValueError(f"weight must be [H, W] = {list(image.shape[:2])}, found {list(weight.shape)}")
    gradient = torch.empty(image.shape, dtype=torch.float32)
    weights = _NOTHING if weight is None else array(weight)
    loss, l1, ssim = extension().l1_ssim(array(image), array(target), weights, ssim_lambda, gradient.numpy())
    return loss, l1, ssim, gradient
