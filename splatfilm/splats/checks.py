"""The door: what may enter the house as splats.

Called where splats come from a file, a network or a person, never in inner loops. A refusal names the first splat and
property that went wrong and how many splats share the fault, so that the file can be mended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, Problem
from splatfilm.splats.arrays import Float32, SplatArrays, arrays_of

if TYPE_CHECKING:
    from splatfilm.splats.splats import Splats

BASIS_COUNTS = (
    1,
    4,
    9,
    16,
)  # what Splats.sh may hold a channel; restated here so that headers are checked without torch
ZERO_NORM = 1e-12  # a quaternion shorter than this has no direction
# Rounding a unit quaternion to float32 moves its squared norm by at most 2^-23. Within twice that it counts as unit and
# keeps its bits; otherwise normalising again and again would move the last bit at every reading.
UNIT_TOLERANCE = 2.0**-22


@dataclass(frozen=True)
class PropertyNames:
    """What the columns of each array are called where they came from."""

    means: Sequence[str] = ("means[0]", "means[1]", "means[2]")
    quats: Sequence[str] = ("quats[0]", "quats[1]", "quats[2]", "quats[3]")
    scales: Sequence[str] = ("scales[0]", "scales[1]", "scales[2]")
    opacities: Sequence[str] = ("opacities",)
    sh: Sequence[str] | None = None  # in the order of sh.reshape(N, K * 3)


def check(splats: Splats, path: str | PathLike[str], place: str = "") -> Splats:
    """`splats` with unit quaternions, or an `InputError` with everything that is wrong with them.

    `path` and `place` say where they came from. Shapes, float32, one device, finite numbers, quaternions that are not
    zero, scales above 0, opacities 0..1, K in 1, 4, 9, 16, at least one splat. The same object comes back when every
    quaternion is of unit length already.
    """
    if problems := _shape_problems(splats):
        raise InputError([Problem(str(path), place, problem) for problem in problems])
    values = arrays_of(splats)
    if found := value_problems(values):
        raise InputError([Problem(str(path), _join(place, problem.place), problem.message) for problem in found])
    off = not_unit(values.quats)
    if not off.any():
        return splats
    import torch

    rows = torch.from_numpy(off).to(splats.device)[:, None]
    w, x, y, z = splats.quats.double().unbind(-1)
    norm = (w * w + x * x + y * y + z * z).sqrt()
    unit = torch.stack([w / norm, x / norm, y / norm, z / norm], dim=-1).to(splats.quats.dtype)
    return dataclasses.replace(splats, quats=torch.where(rows, unit, splats.quats))


def value_problems(values: SplatArrays, names: PropertyNames | None = None) -> list[Problem]:
    """What is wrong with the numbers, shapes being right; `Problem.path` is left empty for the caller to fill."""
    names = names or PropertyNames()
    count, basis = values.sh.shape[:2]
    sh_names = names.sh or [f"sh[{k}][{channel}]" for k in range(basis) for channel in range(3)]
    columns = (
        (values.means, names.means),
        (values.quats, names.quats),
        (values.scales, names.scales),
        (values.opacities.reshape(count, 1), names.opacities),
        (values.sh.reshape(count, basis * 3), sh_names),
    )
    found = [_first_wrong(array, ~np.isfinite(array), labels, "must be finite") for array, labels in columns]
    found.append(_zero_quaternions(values.quats, names.quats))
    with np.errstate(invalid="ignore"):
        flat = values.scales <= 0
        opacities = values.opacities.reshape(count, 1)
        outside = np.isfinite(opacities) & ((opacities < 0) | (opacities > 1))
    found.append(_first_wrong(values.scales, flat, names.scales, "a size in metres must be greater than 0"))
    found.append(_first_wrong(opacities, outside, names.opacities, "must be 0 to 1"))
    return [problem for problem in found if problem is not None]


def not_unit(quats: Float32) -> NDArray[np.bool_]:  # [N, 4] -> [N]
    """Which quaternions need normalising."""
    return np.abs(_squared_norms(quats) - 1.0) > UNIT_TOLERANCE


def normalise_quats(quats: Float32) -> None:  # [N, 4]
    """Make every quaternion a unit one in place, those that are already keep their bits. None may be zero."""
    off = not_unit(quats)
    if off.any():
        norms = np.sqrt(_squared_norms(quats[off]))
        quats[off] = quats[off].astype(np.float64) / norms[:, None]


def _squared_norms(quats: Float32) -> NDArray[np.float64]:
    wide = quats.astype(np.float64)
    w, x, y, z = wide.T
    result: NDArray[np.float64] = w * w + x * x + y * y + z * z
    return result


def _zero_quaternions(quats: Float32, names: Sequence[str]) -> Problem | None:
    with np.errstate(invalid="ignore"):
        zero: NDArray[np.bool_] = np.less(_squared_norms(quats), ZERO_NORM**2)
    if not np.any(zero):
        return None
    label = f"{names[0]} to {names[-1]}"
    return Problem("", f"splat {int(zero.argmax())}", f"{label} are all 0: a rotation needs a direction{_many(zero)}")


def _first_wrong(
    values: Float32, wrong: NDArray[np.bool_], names: Sequence[str], rule: str
) -> Problem | None:  # [N, C], [N, C]
    if not wrong.any():
        return None
    rows: NDArray[np.bool_] = np.asarray(wrong.any(axis=1))
    row = int(rows.argmax())
    column = int(wrong[row].argmax())
    return Problem("", f"splat {row}", f"{names[column]} is {values[row, column]:.9g}, {rule}{_many(rows)}")


def _many(rows: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(rows))
    return f" ({count} of {len(rows)} splats)" if count > 1 else ""


def _join(place: str, inner: str) -> str:
    return f"{place}, {inner}" if place else inner


def _shape_problems(splats: Splats) -> list[str]:
    import torch

    tensors = {field.name: getattr(splats, field.name) for field in dataclasses.fields(splats)}
    mode = tensors.pop("mode")
    tensors.pop("antialiased")
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    problems = []
    if mode == "mixed":
        problems.append("classic and antialiased splats are in it together, which no file can say: write its parts")
    elif mode not in ("classic", "antialiased"):
        problems.append(f'mode is {mode!r}, must be "classic" or "antialiased"')
    count = splats.means.shape[0] if splats.means.ndim else 0
    tails = {"means": (3,), "quats": (4,), "scales": (3,), "opacities": (), "stretches": (6,), "turns": (4,)}
    for name, tensor in tensors.items():
        shape = tuple(tensor.shape)
        if name in tails and shape != (count, *tails[name]):
            wanted = ", ".join(map(str, (count, *tails[name])))
            problems.append(f"{name} has shape {list(shape)}, must be [{wanted}]")
        if tensor.dtype != torch.float32:
            problems.append(f"{name} is {str(tensor.dtype).removeprefix('torch.')}, must be float32")
        if tensor.device != splats.means.device:
            problems.append(f"{name} is on {tensor.device}, means is on {splats.means.device}")
    shape = tuple(splats.sh.shape)
    if len(shape) != 3 or shape[0] != count or shape[2] != 3 or shape[1] not in BASIS_COUNTS:
        problems.append(f"sh has shape {list(shape)}, must be [{count}, K, 3] with K = 1, 4, 9 or 16")
    if not count:
        problems.append("holds no splats")
    return problems
