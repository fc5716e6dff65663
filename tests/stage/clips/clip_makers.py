"""Small skeletons and motions for the tests of clips."""

from __future__ import annotations

import math

from splatfilm.stage.rigs import Joint, Skeleton

HALF = math.sqrt(0.5)
QUARTER_ABOUT_Z = (HALF, 0.0, 0.0, HALF)


def chain(*lengths: float) -> Skeleton:
    """Joints above one another, each the length from the last, the first at the origin."""
    joints = [Joint("j0")]
    joints += [Joint(f"j{i + 1}", i, (0.0, 0.0, length)) for i, length in enumerate(lengths)]
    return Skeleton(tuple(joints))


def person(unit: float = 1.0) -> Skeleton:
    """A figure of round numbers in a T-pose, facing -Y, 1.7 `unit`s tall, with the names of this project's rigs."""
    u = unit
    joints: list[Joint] = []
    numbers: dict[str, int] = {}

    def add(name: str, parent: str | None, x: float, y: float, z: float) -> None:
        numbers[name] = len(joints)
        joints.append(Joint(name, -1 if parent is None else numbers[parent], (x * u, y * u, z * u)))

    add("root", None, 0, 0, 0)
    add("hips", "root", 0, 0, 0.9)
    add("spine", "hips", 0, 0, 0.15)
    add("chest", "spine", 0, 0, 0.2)
    add("neck", "chest", 0, 0, 0.2)
    add("head", "neck", 0, 0, 0.1)
    for side, s in (("left", 1), ("right", -1)):
        add(f"eye.{side}", "head", 0.03 * s, -0.08, 0.08)
        add(f"shoulder.{side}", "chest", 0.03 * s, 0, 0.16)
        add(f"arm.{side}", f"shoulder.{side}", 0.14 * s, 0, 0)
        add(f"forearm.{side}", f"arm.{side}", 0.27 * s, 0, 0)
        add(f"hand.{side}", f"forearm.{side}", 0.25 * s, 0, 0)
        add(f"thigh.{side}", "hips", 0.1 * s, 0, -0.05)
        add(f"shin.{side}", f"thigh.{side}", 0, -0.005, -0.4)
        add(f"foot.{side}", f"shin.{side}", 0, 0.005, -0.37)
        add(f"toes.{side}", f"foot.{side}", 0, -0.13, -0.06)
    return Skeleton(tuple(joints))
