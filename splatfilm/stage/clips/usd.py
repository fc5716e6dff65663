"""USD: skeleton animation to clips, and point caches (meshes whose points are sampled over time).

The one module of this room that imports `pxr` (usd-core, an optional extra); without it the rest works. A stage's units
and vertical axis are honoured: what comes out is metres with Z up. Blendshape weights go over by the names of the
animation's `blendShapes`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, MissingPartError, did_you_mean
from splatfilm.base.rigid import multiply, quaternion_about
from splatfilm.stage.clips.clip import Clip, Track
from splatfilm.stage.clips.rotations import quaternions, rotate
from splatfilm.stage.rigs import Joint, Skeleton

Array = NDArray[np.float64]
_SCALED = 1e-3


@dataclass(frozen=True, eq=False)
class PointCache:
    """A mesh's points over time: simulated cloth, a baked face. Between samples points run straight."""

    name: str
    times: Array  # [T] seconds, ascending
    points: Array  # [T, N, 3] metres, Z up

    def at(self, seconds: float) -> Array:  # -> [N, 3]
        """The points at `seconds`; before the first sample and after the last they hold."""
        k = int(np.searchsorted(self.times, seconds, side="right")) - 1
        if k < 0 or k >= len(self.times) - 1:
            return np.array(self.points[0 if k < 0 else -1])
        u = (seconds - self.times[k]) / (self.times[k + 1] - self.times[k])
        return np.asarray(self.points[k] + u * (self.points[k + 1] - self.points[k]))


def read_usd_clip(path: str | os.PathLike[str], skeleton: str | None = None) -> Clip:
    """The animation of a USD file's skeleton as a clip; `skeleton` is its prim path where the file has several.

    Time starts at the stage's first time code. Raises `InputError` for files that cannot be opened, have no skeleton
    or no animation, scale joints, or animate joints that the skeleton does not have, and `MissingPartError` without
    usd-core.
    """
    pxr = _pxr()
    file = Path(path)
    stage = _opened(pxr, file)
    prim = _chosen(file, stage, "Skeleton", skeleton)
    skel = pxr.UsdSkel.Skeleton(prim)
    query = pxr.UsdSkel.Cache().GetSkelQuery(skel)
    animation = query.GetAnimQuery() if query else None
    if not animation:
        raise InputError.at(file, "the skeleton is bound to no animation", str(prim.GetPath()))
    metres, turn = _space(pxr, stage)
    joints = _joints(file, pxr, skel, metres, turn)
    source = pxr.UsdSkel.Animation(animation.GetPrim())
    codes, seconds = _times(file, stage, animation.GetPrim(), source)
    names = [str(n).rsplit("/", 1)[-1] for n in animation.GetJointOrder()]
    known = {j.name for j in joints}
    tracks: list[Track] = []
    for name in names:
        if name not in known:
            message = f"animates the joint {name!r}, which the skeleton does not have{did_you_mean(name, known)}"
            raise InputError.at(file, message, str(animation.GetPrim().GetPath()))
    samples = [_sample(file, source, code, names) for code in codes]
    for i, name in enumerate(names):
        root = next(j for j in joints if j.name == name).parent < 0
        moved = np.array([s[0][i] for s in samples]) * metres
        turned = np.array([s[1][i] for s in samples])
        if root:
            moved, turned = rotate(turn, moved), multiply(turn, turned)
        tracks += [Track(name, "translation", seconds, moved), Track(name, "rotation", seconds, turned)]
    for i, shape in enumerate(str(n) for n in animation.GetBlendShapeOrder() or []):
        weights = np.array([[source.GetBlendShapeWeightsAttr().Get(code)[i]] for code in codes], dtype=np.float64)
        tracks.append(Track(shape, "shape", seconds, weights))
    rate = Fraction(stage.GetTimeCodesPerSecond()).limit_denominator(1001)
    try:
        return Clip(file.stem, Skeleton(tuple(joints)), tuple(tracks), rate, float(seconds[-1]), file.name)
    except ValueError as error:
        raise InputError.at(file, str(error), str(prim.GetPath())) from error


def read_point_cache(path: str | os.PathLike[str], mesh: str | None = None) -> PointCache:
    """The points of a USD file's mesh over time, in the stage's world; `mesh` is its prim path where there are several.

    Raises `InputError` for a file without a mesh, and where the number of points changes from sample to sample.
    """
    pxr = _pxr()
    file = Path(path)
    stage = _opened(pxr, file)
    prim = _chosen(file, stage, "Mesh", mesh)
    attribute = pxr.UsdGeom.Mesh(prim).GetPointsAttr()
    codes = list(attribute.GetTimeSamples()) or [pxr.Usd.TimeCode.Default()]
    metres, turn = _space(pxr, stage)
    rows: list[Array] = []
    for code in codes:
        points = np.asarray(attribute.Get(code), dtype=np.float64)
        if points.ndim != 2 or not np.all(np.isfinite(points)) or (rows and len(points) != len(rows[0])):
            count = len(rows[0]) if rows else "finite"
            raise InputError.at(file, f"{len(points)} points at time {code}, expected {count}", str(prim.GetPath()))
        world = np.asarray(pxr.UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(code), dtype=np.float64)
        rows.append(rotate(turn, (points @ world[:3, :3] + world[3, :3]) * metres))
    rate = float(stage.GetTimeCodesPerSecond())
    first = float(stage.GetStartTimeCode()) if stage.HasAuthoredTimeCodeRange() else 0.0
    times = [(float(c) - first) / rate for c in codes] if len(codes) > 1 else [0.0]
    return PointCache(prim.GetName(), np.array(times), np.stack(rows))


def _pxr() -> Any:
    try:
        import pxr
        import pxr.Usd
        import pxr.UsdGeom
        import pxr.UsdSkel
    except ImportError as error:
        raise MissingPartError(
            f'USD needs usd-core, which is not here ({error}): pip install "splatfilm[usd]"'
        ) from None
    return pxr


def _opened(pxr: Any, file: Path) -> Any:
    if not file.is_file():
        raise InputError.at(file, "no such file")
    try:
        return pxr.Usd.Stage.Open(str(file))
    except Exception as error:  # pxr.Tf.ErrorException, which is no public name
        first = str(error).strip().splitlines()[-1] if str(error).strip() else "unknown"
        raise InputError.at(file, f"not a USD file, or damaged: {first}") from error


def _chosen(file: Path, stage: Any, kind: str, path: str | None) -> Any:
    found = [p for p in stage.Traverse() if p.GetTypeName() == kind]
    names = [str(p.GetPath()) for p in found]
    if path is not None:
        if path not in names:
            there = ", ".join(names) or "none"
            raise InputError.at(file, f"no {kind} of this path: there is {there}{did_you_mean(path, names)}", path)
        return found[names.index(path)]
    if len(found) != 1:
        there = f"{len(found)}: {', '.join(names)}; say which" if found else "none"
        raise InputError.at(file, f"expected one {kind}, found {there}")
    return found[0]


def _space(pxr: Any, stage: Any) -> tuple[float, Array]:
    """Metres a unit, and the turn that brings the stage's vertical axis to Z."""
    metres = float(pxr.UsdGeom.GetStageMetersPerUnit(stage))
    if str(pxr.UsdGeom.GetStageUpAxis(stage)) == "Y":
        return metres, quaternion_about((1, 0, 0), np.pi / 2)
    return metres, np.array([1.0, 0, 0, 0])


def _joints(file: Path, pxr: Any, skel: Any, metres: float, turn: Array) -> list[Joint]:
    paths = [str(j) for j in skel.GetJointsAttr().Get() or []]
    rest = skel.GetRestTransformsAttr().Get() or []
    place = str(skel.GetPrim().GetPath())
    if not paths or len(rest) != len(paths):
        raise InputError.at(file, f"{len(paths)} joints and {len(rest)} rest transforms: expected as many", place)
    parents = list(pxr.UsdSkel.Topology(paths).GetParentIndices())
    joints = []
    for path, parent, matrix in zip(paths, parents, rest, strict=True):
        m = np.asarray(matrix, dtype=np.float64).T
        sizes = np.linalg.norm(m[:3, :3], axis=0)
        if np.any(np.abs(sizes - 1) > _SCALED):
            raise InputError.at(file, f"the joint {path} rests scaled by {sizes.round(3).tolist()}: apply it", place)
        q, t = quaternions(m[:3, :3] / sizes), m[:3, 3] * metres
        if parent < 0:
            q, t = multiply(turn, q), rotate(turn, t)
        w, x, y, z = q.tolist()
        a, b, c = t.tolist()
        joints.append(Joint(path.rsplit("/", 1)[-1], int(parent), (a, b, c), (w, x, y, z)))
    return joints


def _times(file: Path, stage: Any, prim: Any, source: Any) -> tuple[list[float], Array]:
    attributes = (source.GetTranslationsAttr(), source.GetRotationsAttr(), source.GetBlendShapeWeightsAttr())
    codes = sorted({float(t) for a in attributes if a for t in a.GetTimeSamples()})
    if not codes:
        raise InputError.at(file, "the animation has no time samples", str(prim.GetPath()))
    first = float(stage.GetStartTimeCode()) if stage.HasAuthoredTimeCodeRange() else codes[0]
    codes = [c for c in codes if c >= first - 1e-9] or codes
    return codes, (np.array(codes) - min(first, codes[0])) / float(stage.GetTimeCodesPerSecond())


def _sample(file: Path, source: Any, code: float, names: list[str]) -> tuple[list[Any], list[Any]]:
    moved = source.GetTranslationsAttr().Get(code)
    turned = source.GetRotationsAttr().Get(code)
    scaled = source.GetScalesAttr().Get(code) if source.GetScalesAttr() else None
    place = str(source.GetPrim().GetPath())
    if moved is None or turned is None or len(moved) != len(names) or len(turned) != len(names):
        raise InputError.at(file, f"time {code:g}: expected {len(names)} translations and rotations", place)
    if scaled is not None and len(scaled) and np.max(np.abs(np.asarray(scaled, dtype=np.float64) - 1)) > _SCALED:
        raise InputError.at(file, f"time {code:g}: joints are scaled, which a pose cannot hold", place)
    quats = [[q.GetReal(), *q.GetImaginary()] for q in turned]
    return list(np.asarray(moved, dtype=np.float64)), quats
