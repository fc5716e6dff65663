# ruff: noqa: RUF005 - what is added here are arrays
"""Ada below the neck: hands with fingers, feet, and two outfits, in an A-pose, arms 45 degrees down.

What clothes hide is not modelled: pyjamas are a body of their own, the gown goes over them.
"""

from __future__ import annotations

import numpy as np
from ada_head import Part, tube
from numpy.typing import NDArray
from sculpt import Field, Points, ball, carve, half_space, join, limb, mesh, mirrored

SHOULDER, ELBOW, WRIST = (
    np.array([0.150, 0.010, 1.240]),
    np.array([0.327, 0.014, 1.063]),
    np.array([0.487, -0.002, 0.903]),
)
HIP, KNEE, ANKLE = np.array([0.085, 0.008, 0.800]), np.array([0.100, -0.004, 0.440]), np.array([0.108, 0.022, 0.080])
DOWN_ARM = (WRIST - ELBOW) / np.linalg.norm(WRIST - ELBOW)
PALM_SIDE = np.array([0.0, -1.0, 0.0])  # towards the thumb
PALM_OUT = np.cross(DOWN_ARM, PALM_SIDE)

FINGERS = {  # name: (along the palm, across it towards the thumb, spread, lengths of the three bones, radius)
    "index": (0.086, 0.0250, 0.10, (0.032, 0.024, 0.019), 0.0088),
    "middle": (0.090, 0.0065, 0.02, (0.036, 0.026, 0.020), 0.0090),
    "ring": (0.087, -0.0120, -0.06, (0.032, 0.024, 0.019), 0.0086),
    "little": (0.079, -0.0290, -0.16, (0.025, 0.018, 0.016), 0.0078),
}


def finger_joints(name: str) -> Points:  # [4, 3]
    """The four points of a left finger or thumb from knuckle to tip, slightly bent as a hand at rest is."""
    if name == "thumb":
        start = WRIST + 0.026 * DOWN_ARM + 0.022 * PALM_SIDE
        ways = [
            0.62 * DOWN_ARM + 0.78 * PALM_SIDE,
            0.80 * DOWN_ARM + 0.60 * PALM_SIDE,
            0.90 * DOWN_ARM + 0.42 * PALM_SIDE,
        ]
        lengths: tuple[float, ...] = (0.038, 0.030, 0.024)
    else:
        along, across, spread, lengths, _ = FINGERS[name]
        start = WRIST + along * DOWN_ARM + across * PALM_SIDE
        ways = [DOWN_ARM + spread * PALM_SIDE - bend * PALM_OUT for bend in (0.10, 0.26, 0.42)]
    joints = [start]
    for way, length in zip(ways, lengths, strict=True):
        joints.append(joints[-1] + length * way / np.linalg.norm(way))
    return np.array(joints)


def _hand_field() -> Field:
    palm = join(
        limb(WRIST - 0.03 * DOWN_ARM, WRIST + 0.02 * DOWN_ARM, 0.0235, 0.026, 0.72, PALM_OUT),
        limb(
            WRIST + 0.03 * DOWN_ARM + 0.012 * PALM_SIDE,
            WRIST + 0.078 * DOWN_ARM + 0.017 * PALM_SIDE,
            0.024,
            0.020,
            0.62,
            PALM_OUT,
        ),
        limb(
            WRIST + 0.03 * DOWN_ARM - 0.010 * PALM_SIDE,
            WRIST + 0.072 * DOWN_ARM - 0.018 * PALM_SIDE,
            0.024,
            0.019,
            0.62,
            PALM_OUT,
        ),
        soft=0.016,
    )
    joints = finger_joints("thumb")
    thumb = join(
        *(limb(joints[k], joints[k + 1], 0.0115 - 0.001 * k, 0.0105 - 0.001 * k) for k in range(3)), soft=0.004
    )
    hand = join(palm, thumb, soft=0.018)
    for name, (_, _, _, _, radius) in FINGERS.items():
        joints = finger_joints(name)
        finger = join(
            *(limb(joints[k], joints[k + 1], radius * (1 - 0.07 * k), radius * (0.95 - 0.08 * k)) for k in range(3)),
            soft=0.003,
        )
        hand = join(hand, finger, soft=0.0065)
    return hand


def _foot_field() -> Field:
    x = ANKLE[0]
    sole = join(
        limb((x, 0.030, 0.040), (x + 0.004, -0.120, 0.028), 0.034, 0.030, 0.85, (0, 0, 1)),
        ball((x, 0.042, 0.032), (0.030, 0.032, 0.032)),
        limb(ANKLE + [0, 0.004, 0.08], (x, -0.01, 0.055), 0.033, 0.034),
        soft=0.03,
    )
    toes = [
        limb(
            (x - 0.020 + 0.0125 * k, -0.125 + 0.008 * k, 0.022),
            (x - 0.024 + 0.0140 * k, -0.160 + 0.011 * k, 0.014),
            0.0125 - 0.0013 * k,
            0.0120 - 0.0014 * k,
        )
        for k in range(5)
    ]
    foot = join(sole, *toes, soft=0.010)
    return carve(foot, half_space((0, 0, 0.001), (0, 0, 1)), 0.004)


def _wrinkles(p: Points, strength: float = 0.0024) -> NDArray[np.float64]:
    """Cloth gathered at elbows, knees, waist and hem, in folds that lie across the limb."""
    result = np.zeros(len(p))
    ax = np.abs(p[:, 0])
    q = np.stack([ax, p[:, 1], p[:, 2]], -1)
    for joint, reach, way in (
        (ELBOW, 0.10, DOWN_ARM),
        (WRIST, 0.07, DOWN_ARM),
        (KNEE, 0.11, np.array([0.1, 0.3, 0.95])),
        (ANKLE + [0, 0, 0.06], 0.09, np.array([0.1, 0.25, 0.95])),
        (HIP, 0.10, np.array([0.6, 0.3, 0.7])),
    ):
        near = np.exp(-((q - joint) ** 2).sum(-1) / reach**2)
        along = (q - joint) @ way
        result += near * np.sin(along * 150 + 9 * np.sin(q[:, 1] * 31 + q[:, 2] * 9))
    drape = np.exp(-(((p[:, 2] - 0.86) / 0.14) ** 2)) * (ax < 0.22)
    result += (
        0.9
        * drape
        * np.sin(46 * np.arctan2(p[:, 0], -p[:, 1] - 0.02) / 6.28 * 2 + 6 * p[:, 2])
        * (0.4 + 0.6 * (p[:, 2] < 0.9))
    )
    return strength * result


def _sleeve(radius_top: float, radius_end: float, end: float) -> Field:
    """A sleeve from the shoulder, open at `end` metres before the wrist, hollow where the hand comes out."""
    stop = WRIST - end * DOWN_ARM
    arm = join(
        limb(SHOULDER - [0.05, 0, 0], ELBOW, radius_top, radius_end * 1.02),
        limb(ELBOW, WRIST + 0.1 * DOWN_ARM, radius_end * 1.02, radius_end),
        soft=0.02,
    )
    arm = carve(arm, half_space(stop, -DOWN_ARM), 0.004)
    return carve(
        arm, limb(stop - 0.035 * DOWN_ARM, stop + 0.1 * DOWN_ARM, radius_end - 0.011, radius_end - 0.006), 0.004
    )


def _torso(grow: float) -> Field:
    return join(
        ball((0, 0.012, 1.185), (0.148 + grow, 0.100 + grow, 0.125 + grow)),
        ball((0, -0.030, 1.150), (0.115 + grow, 0.082 + grow, 0.070 + grow)),
        ball((0, 0.010, 0.990), (0.122 + grow, 0.090 + grow, 0.160)),
        ball((0, 0.018, 0.860), (0.150 + grow, 0.112 + grow, 0.120 + grow)),
        limb((0.05, 0.014, 1.262), SHOULDER, 0.060 + grow, 0.056 + grow),
        soft=0.06,
    )


def _top_field() -> Field:
    body = join(_torso(0.010), _sleeve(0.058, 0.047, 0.012), soft=0.035)
    hem = join(body, limb((0, 0.016, 0.90), (0, 0.016, 0.76), 0.148, 0.158, 0.78), soft=0.05)
    hem = carve(hem, half_space((0, 0, 0.755), (0, 0, 1)), 0.006)
    neckline = join(
        limb((0, -0.14, 1.20), (0, -0.055, 1.345), 0.020, 0.055),
        ball((0, 0.014, 1.345), (0.060, 0.058, 0.060)),
        soft=0.02,
    )
    shell = carve(hem, neckline, 0.008)
    return mirrored(lambda p: shell(p) + _wrinkles(p))


def _trousers_field() -> Field:
    leg = join(limb(HIP, KNEE, 0.094, 0.074), limb(KNEE, ANKLE - [0, 0, 0.1], 0.074, 0.070), soft=0.03)
    leg = carve(leg, half_space((0, 0, 0.062), (0, 0, 1)), 0.004)
    leg = carve(leg, limb(ANKLE + [0, 0, 0.05], ANKLE - [0, 0, 0.1], 0.052, 0.060), 0.004)
    seat = join(ball((0, 0.022, 0.845), (0.138, 0.108, 0.105)), leg, soft=0.035)
    return mirrored(lambda p: seat(p) + _wrinkles(p, 0.003))


def _gown_field() -> Field:
    body = join(_torso(0.026), _sleeve(0.074, 0.066, 0.045), soft=0.045)
    skirt = limb((0, 0.016, 0.93), (0, 0.010, 0.36), 0.172, 0.238, 0.80)
    flare = join(body, skirt, soft=0.06)
    legs = carve(flare, limb((0, 0.01, 0.42), (0, 0.01, 0.2), 0.20, 0.22, 0.78), 0.01)
    chest = limb((0, -0.17, 1.06), (0, -0.075, 1.36), 0.012, 0.075)
    front = limb((0, -0.26, 0.86), (0, -0.28, 0.25), 0.004, 0.070)
    neck = ball((0, 0.014, 1.345), (0.066, 0.066, 0.060))
    shell = carve(legs, join(chest, neck, soft=0.03), 0.008)
    opened = carve(shell, front, 0.01)

    def pleats(p: Points) -> NDArray[np.float64]:
        fall = np.clip((0.93 - p[:, 2]) / 0.5, 0, 1)
        turn = np.arctan2(np.abs(p[:, 0]), -p[:, 1])
        return (
            opened(p) + 0.010 * fall * np.sin(13 * turn + 2.5 * np.sin(p[:, 2] * 7)) + _wrinkles(p, 0.002) * (1 - fall)
        )

    return carve(mirrored(pleats), half_space((0, 0, 0.36), (0, 0, 1)), 0.006)  # pleats first: the hem stays level


def _plain_part(
    name: str,
    field: Field,
    box: tuple[tuple[float, float, float], tuple[float, float, float]],
    cell: float,
    material: str,
    tint: tuple[float, float, float] = (1, 1, 1),
) -> Part:
    vertices, faces = mesh(field, *box, cell)
    return Part(
        name,
        vertices,
        faces,
        material,
        np.broadcast_to(np.array(tint, float), (len(faces), 3)).copy(),
        np.zeros(len(vertices)),
    )


def _both(part: Part) -> list[Part]:
    """A left part and its mirror image."""
    flipped = part.vertices * [-1, 1, 1]
    return [
        part,
        Part(part.name.replace("left", "right"), flipped, part.faces[:, ::-1], part.material, part.tint, part.kind),
    ]


def hands_and_feet(coarse: float = 1.0) -> list[Part]:
    """What clothes leave bare."""
    hand = _plain_part(
        "hand left", _hand_field(), ((0.43, -0.12, 0.66), (0.68, 0.06, 0.96)), 0.0032 * min(coarse, 1.6), "skin"
    )
    knuckles = np.array([finger_joints(n)[k] for n in FINGERS for k in (0, 1)])
    tips = np.array([finger_joints(n)[3] for n in (*FINGERS, "thumb")])
    centre = hand.vertices[hand.faces].mean(1)

    def near(points: Points, size: float) -> NDArray[np.float64]:
        return np.exp(-((centre[:, None] - points) ** 2).sum(-1) / size**2).max(1)

    paint = 0.8 * near(knuckles + 0.008 * PALM_OUT, 0.008) + 0.7 * near(tips, 0.010)
    hand.tint[:] = np.clip(1 - paint[:, None] * np.array([0.06, 0.24, 0.26]), 0.2, 1.2)
    foot = _plain_part("foot left", _foot_field(), ((0.05, -0.2, -0.005), (0.18, 0.1, 0.22)), 0.0042 * coarse, "skin")
    return [*_both(hand), *_both(foot)]


def _trim(name: str, path: Points, radius: float, material: str, tint: tuple[float, float, float]) -> Part:
    vertices, faces = tube(path, np.full(len(path), radius), 10)
    return Part(
        name,
        vertices,
        faces,
        material,
        np.broadcast_to(np.array(tint, float), (len(faces), 3)).copy(),
        np.zeros(len(vertices)),
    )


def _onto(field: Field, x: NDArray[np.float64], z: NDArray[np.float64]) -> Points:
    """The front surface of a garment at (x, z)."""
    y = np.full_like(x, -0.4)
    for _ in range(80):
        y = y + np.maximum(field(np.stack([x, y, z], -1)), 0) * 0.7
    return np.stack([x, y, z], -1)


def pyjamas(coarse: float = 1.0) -> list[Part]:
    """Top and trousers in moon print, navy piping, buttons."""
    top_field = _top_field()
    parts = [
        _plain_part("pyjama top", top_field, ((-0.55, -0.22, 0.74), (0.55, 0.22, 1.38)), 0.0068 * coarse, "pyjamas"),
        _plain_part(
            "pyjama trousers", _trousers_field(), ((-0.26, -0.2, 0.05), (0.26, 0.2, 0.98)), 0.0068 * coarse, "pyjamas"
        ),
    ]
    navy = (0.20, 0.26, 0.36)
    a = np.linspace(np.radians(-145), np.radians(145), 40)
    around = np.stack([0.061 * np.sin(a), 0.016 + 0.060 * np.cos(a), 1.302 + 0.014 * np.cos(a)], -1)
    for side in (1, -1):
        s = np.linspace(0, 1, 16)
        lapel = _onto(top_field, side * (0.004 + 0.036 * s), 1.180 + 0.085 * s) - [0, 0.004, 0]
        parts.append(_trim(f"pyjama lapel {side}", lapel, 0.0085, "pyjamas", (1.12, 1.12, 1.12)))
        parts.append(_trim(f"pyjama piping {side}", lapel - [side * 0.006, 0.004, 0], 0.0028, "shade", navy))
    parts.append(_trim("pyjama collar", around, 0.0125, "pyjamas", (1.12, 1.12, 1.12)))
    z = np.linspace(0.775, 1.185, 40)
    placket = _onto(top_field, np.full_like(z, 0.010), z) - [0, 0.001, 0]
    parts.append(_trim("pyjama placket", placket, 0.0026, "shade", navy))
    for k, height in enumerate((0.83, 0.92, 1.01, 1.10)):
        spot = _onto(top_field, np.array([-0.004]), np.array([height]))[0]
        parts.append(
            _plain_part(
                f"pyjama button {k}",
                ball(spot - [0, 0.002, 0], (0.0075, 0.0035, 0.0075)),
                (tuple(spot - 0.014), tuple(spot + 0.014)),
                0.002,
                "pine",
                (1.1, 0.9, 0.7),
            )
        )
    for side in (1, -1):
        u = np.linspace(0, 2 * np.pi, 30)
        across = np.cross(DOWN_ARM, PALM_SIDE)
        ring = WRIST - 0.02 * DOWN_ARM + 0.0478 * (np.cos(u)[:, None] * PALM_SIDE + np.sin(u)[:, None] * across)
        parts.append(_trim(f"pyjama cuff {side}", ring * [side, 1, 1], 0.0042, "shade", navy))
    return parts


def gown(coarse: float = 1.0) -> list[Part]:
    """The dressing gown: quilted plum, a mustard shawl collar, a tied belt."""
    field = _gown_field()
    parts = [_plain_part("gown", field, ((-0.56, -0.30, 0.33), (0.56, 0.30, 1.40)), 0.0075 * coarse, "gown")]
    mustard = (0.95, 0.85, 0.75)
    t = np.linspace(0, 1, 60)
    for side in (1, -1):
        z = 0.96 + 0.29 * t
        x = side * (0.004 + 0.072 * t**1.25)
        collar = _onto(field, x, z) - [0, 0.004, 0]
        turn = np.sin(0.5 * np.pi * t)
        back = np.stack(
            [
                side * 0.076 * np.cos(0.5 * np.pi * t) ** 0.8,
                collar[-1, 1] + (0.092 - collar[-1, 1]) * turn,
                1.25 + 0.105 * turn**0.6,
            ],
            -1,
        )
        path = np.concatenate([collar, back[1:]])
        parts.append(_trim(f"gown collar {side}", path, 0.024, "knit", mustard))
        u = np.linspace(0, 2 * np.pi, 36)
        across = np.cross(DOWN_ARM, PALM_SIDE)
        ring = WRIST - 0.062 * DOWN_ARM + 0.064 * (np.cos(u)[:, None] * PALM_SIDE + np.sin(u)[:, None] * across)
        parts.append(_trim(f"gown cuff {side}", ring * [side, 1, 1], 0.0165, "knit", mustard))
    a = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([np.sin(a), -np.cos(a)], -1)
    radius = np.full(len(a), 0.25)
    for _ in range(60):
        p = np.stack([radius * ring[:, 0], 0.014 + radius * ring[:, 1], np.full_like(a, 0.955)], -1)
        radius = radius - np.maximum(field(p), 0) * 0.8
    belt = np.stack([radius * ring[:, 0], 0.014 + radius * ring[:, 1], 0.955 + 0.006 * np.sin(2 * a)], -1)
    parts.append(_trim("gown belt", belt, 0.0135, "knit", mustard))
    front = belt[0]
    parts.append(
        _plain_part(
            "gown knot",
            ball(front - [0, 0.012, 0], (0.024, 0.020, 0.022)),
            (tuple(front - 0.05), tuple(front + 0.05)),
            0.004,
            "knit",
            mustard,
        )
    )
    for side, length in ((1, 0.27), (-1, 0.22)):
        s = np.linspace(0, 1, 26)
        tail = front + np.stack(
            [side * (0.012 + 0.035 * s), -0.018 - 0.022 * np.sin(np.pi * s) - 0.03 * s, -length * s], -1
        )
        parts.append(_trim(f"gown belt end {side}", tail, 0.0115, "knit", mustard))
        loop = front + np.stack(
            [
                side * 0.052 * np.sin(np.pi * s),
                -0.016 - 0.012 * np.sin(np.pi * s),
                -0.030 * np.sin(2 * np.pi * s) - 0.012 * s,
            ],
            -1,
        )
        parts.append(_trim(f"gown bow {side}", loop, 0.0095, "knit", mustard))
    return parts
