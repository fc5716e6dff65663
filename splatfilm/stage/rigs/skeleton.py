"""Skeletons and poses: the words in which rigs, clips and the stage speak about a body.

World axes are the house's: Z up, metres. Quaternions are wxyz and unit. A joint's rest transform is relative to its
parent; a root's is relative to the rig. Everything is float64 numpy: planning and clips need no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from splatfilm.base.rigid import IDENTITY_QUATERNION, normalised

Array = NDArray[np.float64]
ROOT = -1
"""The parent of a joint that has none."""
_NO_SHAPES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Joint:
    """One joint: its name, the index of its parent (`ROOT` for none; parents come first) and its rest transform.

    `translation` metres, `rotation` wxyz, `scale` a factor an axis; all relative to the parent.
    """

    name: str
    parent: int = ROOT
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = IDENTITY_QUATERNION
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Skeleton:
    """Joints in an order in which every parent stands before its children.

    Raises `ValueError` for no joints, names that repeat, and parents that do not come first (cycles among them).
    """

    joints: tuple[Joint, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints", tuple(self.joints))
        if not self.joints:
            raise ValueError("a skeleton needs at least one joint")
        seen: dict[str, int] = {}
        for i, joint in enumerate(self.joints):
            if joint.name in seen:
                raise ValueError(f"joints {seen[joint.name]} and {i} are both called {joint.name!r}")
            seen[joint.name] = i
            if not ROOT <= joint.parent < i:
                raise ValueError(f"joint {i} ({joint.name!r}) has the parent {joint.parent}; parents must come first")

    def __len__(self) -> int:
        return len(self.joints)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The joints' names, in order."""
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The joints' parents, in order."""
        return tuple(joint.parent for joint in self.joints)

    @cached_property
    def generations(self) -> tuple[tuple[list[int], list[int]], ...]:
        """Joints that have a parent, and these: all that are as many joints away from a root, the nearest first."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(0 if parent == ROOT else depths[parent] + 1)
        levels = ([i for i, depth in enumerate(depths) if depth == level] for level in range(1, max(depths) + 1))
        return tuple((joints, [self.parents[i] for i in joints]) for joints in levels)

    def index(self, name: str) -> int:
        """The number of the joint called `name`. Raises `KeyError`."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    def children(self, joint: int) -> tuple[int, ...]:
        """The joints whose parent is `joint`."""
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    @cached_property
    def rest(self) -> Pose:
        """The pose in which nothing is moved and every blendshape is 0."""
        return Pose(
            np.array([joint.translation for joint in self.joints], dtype=np.float64),
            np.array([joint.rotation for joint in self.joints], dtype=np.float64),
        )

    @cached_property
    def rest_scales(self) -> Array:  # [J, 3]
        """Every joint's rest scale: a pose does not carry scales, they stay as they are at rest."""
        return _frozen([joint.scale for joint in self.joints])


@dataclass(frozen=True, eq=False)
class Pose:
    """Where every joint of a skeleton stands, relative to its parent, and the weights of blendshapes by name.

    `translations` [J, 3] metres and `rotations` [J, 4] wxyz replace (are not added to) the rest transform's; scales
    stay those of the rest. A shape that is not named has weight 0.
    """

    translations: Array  # [J, 3]
    rotations: Array  # [J, 4]
    shapes: Mapping[str, float] = field(default_factory=lambda: _NO_SHAPES)
    kept: dict[str, tuple[Skeleton, Array]] = field(default_factory=dict, init=False, repr=False)
    """What was worked out of the pose: it does not change."""

    def __post_init__(self) -> None:
        translations, rotations = _frozen(self.translations), np.asarray(self.rotations, dtype=np.float64)
        if translations.ndim != 2 or translations.shape[1] != 3 or rotations.shape != (len(translations), 4):
            raise ValueError(
                f"a pose is [J, 3] translations and [J, 4] rotations, found {translations.shape} and {rotations.shape}"
            )
        if not np.all(np.isfinite(translations)):
            raise ValueError("translations of a pose must be finite")
        object.__setattr__(self, "translations", translations)
        object.__setattr__(self, "rotations", _frozen(normalised(rotations)))
        object.__setattr__(self, "shapes", MappingProxyType(dict(self.shapes)))

    def shape_weights(self, names: Sequence[str]) -> Array:  # [S]
        """The weights of the shapes in the order of `names`; 0 for those that the pose does not name."""
        return np.array([self.shapes.get(name, 0.0) for name in names], dtype=np.float64)


def rest_pose(skeleton: Skeleton) -> Pose:
    """The pose in which nothing is moved and every blendshape is 0."""
    return skeleton.rest


def local_transforms(skeleton: Skeleton, pose: Pose) -> Array:  # [J, 4, 4]
    """Every joint's transform relative to its parent: translation, rotation and rest scale, as homogeneous matrices."""
    if len(pose.translations) != len(skeleton):
        raise ValueError(f"a pose of {len(pose.translations)} joints does not fit a skeleton of {len(skeleton)}")
    result = np.zeros((len(skeleton), 4, 4))
    result[:, :3, :3] = rotation_matrices(pose.rotations) * skeleton.rest_scales[:, None, :]
    result[:, :3, 3] = pose.translations
    result[:, 3, 3] = 1.0
    return result


def world_transforms(skeleton: Skeleton, pose: Pose) -> Array:  # [J, 4, 4]
    """Every joint's transform to the rig's space (forward kinematics), as homogeneous matrices.

    Read only: a pose keeps them, since bones, light and what is held in a hand ask for those of one moment.
    """
    known = pose.kept.get("world")
    if known is not None and known[0] is skeleton:
        return known[1]
    result = local_transforms(skeleton, pose)
    for joints, parents in skeleton.generations:
        result[joints] = result[parents] @ result[joints]
    result.flags.writeable = False
    pose.kept["world"] = skeleton, result
    return result


def rotation_matrices(quaternions: ArrayLike) -> Array:  # [..., 4] unit wxyz -> [..., 3, 3]
    """Rotation matrices of unit quaternions."""
    q = np.asarray(quaternions, dtype=np.float64)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    xx, yy, zz, xy, xz, yz, wx, wy, wz = x * x, y * y, z * z, x * y, x * z, y * z, w * x, w * y, w * z
    result = np.empty((*q.shape[:-1], 3, 3))
    result[..., 0, 0], result[..., 0, 1], result[..., 0, 2] = 1 - 2 * (yy + zz), 2 * (xy - wz), 2 * (xz + wy)
    result[..., 1, 0], result[..., 1, 1], result[..., 1, 2] = 2 * (xy + wz), 1 - 2 * (xx + zz), 2 * (yz - wx)
    result[..., 2, 0], result[..., 2, 1], result[..., 2, 2] = 2 * (xz - wy), 2 * (yz + wx), 1 - 2 * (xx + yy)
    return result


def ordered(joints: Iterable[tuple[str, int | None]]) -> tuple[int, ...]:
    """An order of (name, parent) pairs in which parents come first; among siblings the given order stays.

    Raises `ValueError` naming the joints of a cycle, or a parent that does not exist.
    """
    given = list(joints)
    for name, parent in given:
        if parent is not None and not 0 <= parent < len(given):
            raise ValueError(f"joint {name!r} has the parent {parent}, but there are {len(given)} joints")
    result: list[int] = []
    placed: set[int] = set()
    for start in range(len(given)):
        chain: list[int] = []
        at = start
        while at not in placed:
            if at in chain:
                cycle = " -> ".join(given[i][0] for i in [*chain[chain.index(at) :], at])
                raise ValueError(f"joints are their own ancestors: {cycle}")
            chain.append(at)
            parent = given[at][1]
            if parent is None:
                break
            at = parent
        for i in reversed(chain):
            placed.add(i)
            result.append(i)
    return tuple(result)


def _frozen(values: ArrayLike) -> Array:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
