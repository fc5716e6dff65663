# ruff: noqa: RUF005 - what is added here are arrays
"""Ada's skeleton, the weights that tie her to it, and her clips.

Bones are laid through the sculpture's own joints. A vertex belongs to the bones whose axes it is near, within the
part of the body it can belong to: fingers do not pull sleeves, the head is stiff.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ada_body import (
    ANKLE,
    DOWN_ARM,
    ELBOW,
    FINGERS,
    HIP,
    KNEE,
    PALM_OUT,
    PALM_SIDE,
    SHOULDER,
    WRIST,
    finger_joints,
)
from ada_head import Part
from build_mesh import euler
from numpy.typing import NDArray
from sculpt import Points


@dataclass(frozen=True)
class Bone:
    """A bone from `head` to `tail` (metres, rest pose) under `parent`; `reach` is how thick the flesh around it is."""

    name: str
    parent: str | None
    head: tuple[float, float, float]
    tail: tuple[float, float, float]
    reach: float


GRIPPED = WRIST + 0.088 * DOWN_ARM + 0.026 * PALM_OUT  # the middle of what the left hand holds
MOUTH = np.array([0.0, -0.105, 1.440])


def _t(p: NDArray[np.float64]) -> tuple[float, float, float]:
    return (float(p[0]), float(p[1]), float(p[2]))


def skeleton() -> list[Bone]:
    """All bones, parents before children."""
    bones = [
        Bone("root", None, (0, 0, 0), (0, 0, 0.1), 0),
        Bone("hips", "root", (0, 0.015, 0.830), (0, 0.015, 0.935), 0.13),
        Bone("spine", "hips", (0, 0.015, 0.935), (0, 0.012, 1.060), 0.12),
        Bone("chest", "spine", (0, 0.012, 1.060), (0, 0.016, 1.255), 0.13),
        Bone("neck", "chest", (0, 0.018, 1.285), (0, 0.012, 1.395), 0.05),
        Bone("head", "neck", (0, 0.012, 1.395), (0, 0.012, 1.620), 0.12),
    ]
    for side, word in ((1, "left"), (-1, "right")):
        m = np.array([side, 1, 1])
        bones += [
            Bone(f"shoulder.{word}", "chest", (0.035 * side, 0.012, 1.250), _t(SHOULDER * m), 0.07),
            Bone(f"arm.{word}", f"shoulder.{word}", _t(SHOULDER * m), _t(ELBOW * m), 0.06),
            Bone(f"forearm.{word}", f"arm.{word}", _t(ELBOW * m), _t(WRIST * m), 0.05),
            Bone(f"hand.{word}", f"forearm.{word}", _t(WRIST * m), _t((WRIST + 0.08 * DOWN_ARM) * m), 0.03),
        ]
        # carries no flesh: what a hand holds hangs on it, along the bone, the working end towards the thumb
        bones.append(Bone(f"grip.{word}", f"hand.{word}", _t(GRIPPED * m), _t((GRIPPED + 0.06 * PALM_SIDE) * m), 0))
        for name in ("thumb", *FINGERS):
            joints, parent = finger_joints(name) * m, f"hand.{word}"
            for k in range(3):
                bones.append(Bone(f"{name}{k + 1}.{word}", parent, _t(joints[k]), _t(joints[k + 1]), 0.01))
                parent = f"{name}{k + 1}.{word}"
        toe = np.array([ANKLE[0], -0.100, 0.022])
        bones += [
            Bone(f"thigh.{word}", "hips", _t(HIP * m), _t(KNEE * m), 0.09),
            Bone(f"shin.{word}", f"thigh.{word}", _t(KNEE * m), _t(ANKLE * m), 0.07),
            Bone(f"foot.{word}", f"shin.{word}", _t(ANKLE * m), _t(toe * m), 0.04),
            Bone(f"toes.{word}", f"foot.{word}", _t(toe * m), _t((toe + [0, -0.06, -0.006]) * m), 0.02),
            Bone(f"eye.{word}", "head", (0.0395 * side, -0.0755, 1.499), (0.0395 * side, -0.105, 1.499), 0),
        ]
    return bones


def _distance(p: Points, bone: Bone) -> NDArray[np.float64]:
    a, b = np.array(bone.head), np.array(bone.tail)
    t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return np.linalg.norm(p - a - t[:, None] * (b - a), axis=-1)


def _allowed(part: Part) -> tuple[str, ...]:
    """The beginnings of the names of bones that may move a part."""
    side = "left" if part.vertices[:, 0].mean() > 0 else "right"
    if part.name.startswith("hand"):
        return tuple(f"{n}{k}.{side}" for n in ("thumb", *FINGERS) for k in (1, 2, 3)) + (
            f"hand.{side}",
            f"forearm.{side}",
        )
    if part.name.startswith("foot"):
        return (f"foot.{side}", f"toes.{side}", f"shin.{side}")
    if part.name.startswith("eye"):
        return (f"eye.{side}",)
    if part.name == "skin":
        return ("head", "neck", "chest")
    if part.name.startswith(("hair", "lip", "mouth", "teeth", "tongue", "lid", "brow")):
        return ("head",)
    if part.name == "pyjama trousers":
        return ("hips", "thigh", "shin")
    if "cuff" in part.name:
        return (f"forearm.{side}",)
    return ("hips", "spine", "chest", "shoulder", "arm", "forearm", "thigh")


def weights(part: Part, bones: list[Bone]) -> dict[str, NDArray[np.float64]]:
    """Per bone the share [V] it has in each vertex; at most four a vertex, summing to one."""
    names = [b.name for b in bones if b.reach > 0 or b.name.startswith("eye")]
    chosen = [b for b in bones if b.name in names and b.name.startswith(_allowed(part))]
    p = part.vertices
    if part.name == "skin":
        head = np.clip((p[:, 2] - 1.335) / 0.065 + 0.4 * np.clip(-p[:, 1] / 0.08, 0, 1), 0, 1)
        chest = np.clip((1.325 - p[:, 2]) / 0.055, 0, 1)
        return {"head": head, "neck": np.clip(1 - head - chest, 0, 1), "chest": np.minimum(chest, 1 - head)}
    share = np.stack(
        [
            1 / (_distance(p, b) / max(b.reach, 0.01) + 0.06) ** (9 if part.name.startswith("hand") else 6)
            for b in chosen
        ],
        -1,
    )
    across = np.array([1.0 if b.name.endswith("left") else -1.0 if b.name.endswith("right") else 0.0 for b in chosen])
    wrong = np.clip(0.5 - across * p[:, :1] / 0.03, 0, 1) * (across != 0)
    share = share * (1 - wrong)
    if share.shape[1] > 4:
        floor = np.sort(share, axis=1)[:, -4][:, None]
        share = np.where(share >= floor, share, 0)
    share /= share.sum(1, keepdims=True)
    return {b.name: share[:, k] for k, b in enumerate(chosen)}


# ---- clips ---------------------------------------------------------------------------------------------------------
# A pose is {bone: degrees about the fixed axes x, y, z at rest}; "move" is where the hips go, metres from rest.
# Poses are written for her left; `_sides` mirrors them to her right.

Pose = dict[str, tuple[float, float, float]]


def _sides(pose: Pose) -> Pose:
    """The pose with every entry "name.*" given to both sides."""
    made: Pose = {}
    for name, (x, y, z) in pose.items():
        if name.endswith(".*"):
            made[name[:-1] + "left"], made[name[:-1] + "right"] = (x, y, z), (x, -y, -z)
        else:
            made[name] = (x, y, z)
    return made


def _aligning(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:  # [3, 3]
    """The smallest rotation that brings direction `a` to direction `b`."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = np.cross(a, b), float(a @ b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1 + c)


def _degrees(r: NDArray[np.float64]) -> tuple[float, float, float]:
    """The angles about the fixed axes x, y, z that make a rotation."""
    x, y, z = np.arctan2(r[2, 1], r[2, 2]), np.arcsin(np.clip(-r[2, 0], -1, 1)), np.arctan2(r[1, 0], r[0, 0])
    return (float(np.degrees(x)), float(np.degrees(y)), float(np.degrees(z)))


def rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:  # [3, 3]
    """A pose's rotation about the fixed axes, x first."""
    return euler(degrees)


def _reach(side: str, wrist: tuple[float, float, float], elbow: tuple[float, float, float] = (0.3, 0.3, -1.0)) -> Pose:
    """An arm whose wrist is at `wrist`, metres in the chest's own rest frame, the elbow bent towards `elbow`.

    Both are written for her left; the right arm takes their mirror image. Two bones, closed form; a wrist out of reach
    is brought as near as a nearly straight arm comes.
    """
    upper, lower = ELBOW - SHOULDER, WRIST - ELBOW
    la, lb = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    way = np.array(wrist) - SHOULDER
    far = min(float(np.linalg.norm(way)), 0.985 * (la + lb))
    way /= np.linalg.norm(way)
    along = (far**2 + la**2 - lb**2) / (2 * far)
    bend = np.array(elbow) - way * (np.array(elbow) @ way)
    bend /= np.linalg.norm(bend)
    joint = way * along + bend * np.sqrt(la**2 - along**2)
    arm = _aligning(upper, joint)
    forearm = arm.T @ _aligning(arm @ lower, way * far - joint) @ arm
    (ax, ay, az), (fx, fy, fz) = _degrees(arm), _degrees(forearm)
    m = 1 if side == "left" else -1
    return {f"arm.{side}": (ax, m * ay, m * az), f"forearm.{side}": (fx, m * fy, m * fz)}


def _reach_both(wrist: tuple[float, float, float], elbow: tuple[float, float, float] = (0.3, 0.3, -1.0)) -> Pose:
    return {**_reach("left", wrist, elbow), **_reach("right", wrist, elbow)}


def _pointing(reached: Pose, side: str, target: NDArray[np.float64]) -> Pose:
    """The hand of an arm that has `_reach`ed, turned so that what it grips points at `target` (chest's rest frame)."""
    m = np.array([1 if side == "left" else -1, 1, 1])
    arm, forearm = rotation(reached[f"arm.{side}"]), rotation(reached[f"forearm.{side}"])
    turned = arm @ forearm
    wrist = SHOULDER * m + arm @ ((ELBOW - SHOULDER) * m) + turned @ ((WRIST - ELBOW) * m)
    hand = np.eye(3)
    for _ in range(8):  # turning the hand also moves what it holds
        held = wrist + turned @ hand @ ((GRIPPED - WRIST) * m)
        hand = _aligning(PALM_SIDE, turned.T @ (target - held))
    return {**reached, f"hand.{side}": _degrees(hand)}


GRIP: Pose = {
    **{
        f"{finger}{k}.right": (0, curl, 0)
        for finger in ("index", "middle", "ring", "little")
        for k, curl in ((1, -58), (2, -72), (3, -44))
    },
    "thumb1.right": (0, -34, 0),
    "thumb2.right": (0, -20, 0),
}
ARMS_DOWN = _reach_both((0.235, -0.03, 0.800), (0.5, 0.6, -0.2))
SIT: Pose = {
    "move": (0, 0.02, -0.33),
    "thigh.*": (-84, 0, 4),
    "shin.*": (82, 0, 0),
    "hips": (2, 0, 0),
    "spine": (6, 0, 0),
    **_reach_both((0.26, -0.06, 0.86), (0.5, 0.8, 0)),
}
LIE: Pose = {
    "move": (0, 0.30, -0.19),
    "hips": (-86, 0, 0),
    "thigh.*": (-4, 0, 3),
    "shin.*": (8, 0, 0),
    "head": (12, 0, 0),
    **_reach_both((0.13, -0.17, 0.98), (0.9, 0.3, -0.3)),
}
HALF_UP: Pose = {
    "move": (0, 0.24, -0.21),
    "hips": (-48, 0, 0),
    "spine": (16, 0, 0),
    "chest": (14, 0, 0),
    "thigh.*": (-40, 0, 3),
    "shin.*": (12, 0, 0),
    "head": (10, 0, 0),
    **_reach_both((0.28, 0.26, 0.90), (0.3, 0.9, 0.3)),
}
LEAN: Pose = {
    "move": (0, -0.12, -0.24),
    "hips": (32, 0, 0),
    "spine": (16, 0, 0),
    "chest": (6, 0, 0),
    "thigh.*": (-92, 0, 4),
    "shin.*": (78, 0, 0),
    "foot.*": (-14, 0, 0),
    "head": (-26, 0, 0),
    **_reach_both((0.21, -0.24, 0.88), (0.7, 0.6, 0)),
}
STAND: Pose = {"move": (0, 0, 0), "spine": (2, 0, 0), "head": (2, 0, 0), **ARMS_DOWN}
REACH: Pose = {
    **_reach_both((0.31, 0.0, 1.64), (1.0, 0.3, 0.0)),
    "chest": (-12, 0, 0),
    "spine": (-6, 0, 0),
    "head": (-18, 0, 0),
    "shoulder.*": (0, -14, 0),
}
YAWN: Pose = {
    **_reach("left", (0.055, -0.225, 1.345), (0.9, -0.1, -0.7)),
    "hand.left": (0, -40, -30),
    **_reach("right", (0.42, 0.05, 1.42), (0.2, 0.4, -1)),
    "chest": (-9, 0, 0),
    "head": (-14, 0, 4),
}
SILL: Pose = {
    "move": (0, -0.02, -0.01),
    "spine": (9, 0, 0),
    "chest": (5, 0, 0),
    "head": (-10, 0, 0),
    **_reach_both((0.23, -0.33, 0.93), (0.8, 0.5, -0.3)),
    "hand.*": (34, 0, 0),
}
BRUSHING = (0.140, -0.200, 1.380)
BRUSH: Pose = {
    "spine": (7, 0, 0),
    "chest": (4, 0, 0),
    "head": (6, 0, -6),
    **_pointing(_reach("right", BRUSHING, (0.75, 0.15, -0.75)), "right", MOUTH),
    **_reach("left", (0.21, -0.26, 0.92), (0.8, 0.5, -0.3)),
    **GRIP,
}
SLEEVE: Pose = {
    **_reach("left", (0.33, -0.34, 1.12)),
    **_reach("right", (-0.02, -0.26, 1.16), (0.9, 0.1, -0.5)),
    "chest": (0, 0, 14),
    "head": (10, 0, 18),
}
OTHER: Pose = {
    **_reach("right", (0.34, 0.26, 1.0), (0.4, 1, 0.2)),
    **_reach("left", (-0.03, -0.24, 1.2), (0.9, 0.1, -0.5)),
    "chest": (0, 0, -18),
    "head": (8, 0, -16),
}
TIE: Pose = {**_reach_both((0.055, -0.225, 0.985), (0.9, 0.4, -0.2)), "head": (22, 0, 0), "spine": (4, 0, 0)}


def _step(phase: float) -> Pose:
    """Walking, `phase` 0..1 is one stride of both legs (heel strike of her left at 0)."""
    pose: Pose = {"spine": (3, 0, 0), "head": (0, 0, 0)}
    for side, shift in (("left", 0.0), ("right", 0.5)):
        a = 2 * np.pi * (phase + shift)
        lift = max(0.0, float(np.sin(a + np.pi)))
        pose[f"thigh.{side}"] = (-22 * float(np.cos(a)) - 8 * lift, 0, 0)
        pose[f"shin.{side}"] = (6 + 44 * lift, 0, 0)
        pose[f"foot.{side}"] = (-8 * float(np.cos(a)) + 10 * lift - 4, 0, 0)
        swing = float(np.cos(a))
        pose.update(_reach(side, (0.225, -0.03 + 0.13 * swing, 0.815 + 0.02 * abs(swing)), (0.4, 0.9, -0.2)))
    pose["chest"] = (0, 0, 5 * float(np.cos(2 * np.pi * phase)))
    pose["hips"] = (0, 0, -5 * float(np.cos(2 * np.pi * phase)))
    pose["move"] = (0, 0, -0.012 + 0.012 * float(-np.cos(4 * np.pi * phase)))
    return pose


@dataclass(frozen=True)
class Clip:
    """A performance: (frame, pose) keys and (frame, {shape: strength}) keys of the face, 24 frames a second, from 0."""

    poses: list[tuple[int, Pose]]
    faces: list[tuple[int, dict[str, float]]]


def _over(*layers: Pose) -> Pose:
    made: Pose = {}
    for layer in layers:
        made.update(_sides(layer))
    return made


SLEEPY = {"eyeBlinkLeft": 0.45, "eyeBlinkRight": 0.5, "browInnerUp": 0.2}
CLOSED = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
WIDE_YAWN = {"jawOpen": 1.0, "mouthFunnel": 0.25, "eyeBlinkLeft": 0.95, "eyeBlinkRight": 0.95, "browInnerUp": 0.9}


def clips() -> dict[str, Clip]:
    """All clips by name."""
    strokes = [
        (BRUSHING[0] + (0.016 if k % 2 else -0.012), BRUSHING[1], BRUSHING[2] + 0.006 * (k % 3)) for k in range(17)
    ]
    moving = [_pointing(_reach("right", at, (0.75, 0.15, -0.75)), "right", MOUTH) for at in strokes]
    brush = [(6 * k, _over(BRUSH, arm)) for k, arm in enumerate(moving)]
    return {
        "get-out-of-bed": Clip(
            [
                (0, _over(LIE)),
                (20, _over(LIE)),
                (44, _over(HALF_UP)),
                (66, _over(SIT)),
                (84, _over(SIT, {"head": (14, 0, 0)})),
                (100, _over(LEAN)),
                (122, _over(STAND)),
            ],
            [
                (0, CLOSED),
                (18, CLOSED),
                (30, SLEEPY),
                (70, SLEEPY),
                (76, CLOSED),
                (82, SLEEPY),
                (122, {"eyeBlinkLeft": 0.2, "eyeBlinkRight": 0.2}),
            ],
        ),
        "put-on-gown": Clip(
            [
                (0, _over(STAND)),
                (16, _over(STAND, SLEEVE)),
                (34, _over(STAND, SLEEVE, _reach("left", (0.40, -0.22, 0.98)))),
                (52, _over(STAND, OTHER)),
                (70, _over(STAND, TIE)),
                (80, _over(STAND, TIE, _reach_both((0.13, -0.235, 0.975), (0.9, 0.4, -0.2)))),
                (96, _over(STAND)),
            ],
            [
                (0, SLEEPY),
                (40, {"browInnerUp": 0.1}),
                (70, {"mouthPucker": 0.4}),
                (96, {"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3}),
            ],
        ),
        "yawn-and-stretch": Clip(
            [
                (0, _over(STAND)),
                (18, _over(STAND, YAWN)),
                (44, _over(STAND, YAWN, {"head": (-20, 0, 6)})),
                (62, _over(STAND, REACH)),
                (84, _over(STAND, REACH, {"chest": (-15, 0, 5)})),
                (110, _over(STAND)),
            ],
            [
                (0, SLEEPY),
                (16, {"jawOpen": 0.4, **SLEEPY}),
                (30, WIDE_YAWN),
                (46, WIDE_YAWN),
                (58, {"jawOpen": 0.1, **CLOSED}),
                (80, CLOSED),
                (96, {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}),
                (110, {}),
            ],
        ),
        "walk": Clip(
            [(3 * k, _over(_step(k / 8))) for k in range(9)], [(0, {}), (12, {}), (14, CLOSED), (17, {}), (24, {})]
        ),
        "look-out-of-window": Clip(
            [
                (0, _over(STAND)),
                (22, _over(STAND, SILL)),
                (48, _over(STAND, SILL, {"head": (-8, 0, 26), "chest": (5, 0, 6)})),
                (76, _over(STAND, SILL, {"head": (-12, 0, -18)})),
                (96, _over(STAND, SILL)),
            ],
            [
                (0, {}),
                (26, {"browInnerUp": 0.5, "eyeWideLeft": 0.4, "eyeWideRight": 0.4}),
                (54, {}),
                (57, CLOSED),
                (60, {}),
                (84, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "eyeSquintLeft": 0.4, "eyeSquintRight": 0.4}),
                (96, {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6}),
            ],
        ),
        "brush-teeth": Clip(
            brush,
            [
                (0, {"mouthFunnel": 0.5, "jawOpen": 0.15}),
                (48, {"mouthFunnel": 0.7, "jawOpen": 0.2, "eyeSquintLeft": 0.3}),
                (96, {"mouthFunnel": 0.5, "jawOpen": 0.15}),
            ],
        ),
    }
