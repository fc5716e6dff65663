"""BVH motion capture files to clips.

The format has neither units nor axes, and its one trap costs limbs: where a joint has position channels, they replace
its OFFSET and are not added to it (Blender and some capture systems write them on every joint). Angles are degrees, in
the order of the channels, each about the axes that the ones before it have turned.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError, did_you_mean
from splatfilm.base.rigid import multiply, quaternion_about
from splatfilm.stage.clips.clip import Clip, Track
from splatfilm.stage.clips.rotations import rotate
from splatfilm.stage.rigs import Joint, Skeleton

Array = NDArray[np.float64]
CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ")
_TALLEST = 10.0  # a body of more units than this was not written in metres
_NAMED_RATES = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 60, 120))


@dataclass
class _Node:
    name: str
    parent: int
    offset: Array = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


@dataclass
class _Lines:
    """The words of a file's lines, with the place in it for messages."""

    file: Path
    lines: list[str]
    number: int = 0

    def __iter__(self) -> Iterator[list[str]]:
        while self.number < len(self.lines):
            words = self.lines[self.number].split()
            self.number += 1
            if words:
                yield words

    def next(self, expected: str) -> list[str]:
        words = next(iter(self), None)
        if words is None:
            raise InputError.at(self.file, f"the file ends where {expected} should be", line=self.number)
        return words

    def error(self, message: str, place: str = "") -> InputError:
        return InputError.at(self.file, message, place, self.number)

    def numbers(self, words: list[str], count: int, place: str) -> list[float]:
        try:
            values = [float(w) for w in words]
        except ValueError:
            raise self.error(f"expected {count} numbers, found {' '.join(words)[:60]!r}", place) from None
        if len(values) != count or not np.all(np.isfinite(values)):
            raise self.error(f"expected {count} finite numbers, found {len(values)}", place)
        return values


def read_bvh(path: str | os.PathLike[str], unit: float | None = None, up: str = "y") -> Clip:
    """The motion in a BVH file, in metres with Z up.

    `unit` is what one of the file's units is in metres; None takes centimetres when the skeleton is larger than 10
    units, as bodies in centimetres are, and metres otherwise. `up` is the file's vertical axis, "y" or "z". Joints that
    have position channels take their place from them, not from OFFSET. Raises `InputError` with the line of what is
    wrong: a broken hierarchy, an unknown channel, a row of the wrong length, a frame count that does not hold.
    """
    file = Path(path)
    if up not in ("y", "z"):
        raise InputError.at(file, f'a vertical axis must be "y" or "z", found {up!r}')
    lines = _Lines(file, _text(file).splitlines())
    nodes = _hierarchy(lines)
    seconds, values = _motion(lines, sum(len(node.channels) for node in nodes))
    skeleton_size = float(np.max(np.abs(np.cumsum([n.offset for n in nodes[1:]] or [np.zeros(3)], axis=0))))
    metres = unit if unit is not None else (0.01 if skeleton_size > _TALLEST else 1.0)
    if not (metres > 0 and np.isfinite(metres)):
        raise InputError.at(file, f"a unit must be a positive number of metres, found {unit}")
    turn: Array = quaternion_about((1, 0, 0), np.pi / 2) if up == "y" else np.array([1.0, 0, 0, 0])
    times: Array = np.arange(len(values), dtype=np.float64) * seconds
    joints, tracks = _tracks(nodes, times, values, metres, turn)
    try:
        return Clip(file.stem, Skeleton(tuple(joints)), tuple(tracks), _rate(seconds), float(times[-1]), file.name)
    except ValueError as error:
        raise InputError.at(file, str(error), "HIERARCHY") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="strict")
    except FileNotFoundError:
        raise InputError.at(file, "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.at(file, f"not a BVH file: {error}") from error


def _hierarchy(lines: _Lines) -> list[_Node]:
    if lines.next("HIERARCHY")[0].upper() != "HIERARCHY":
        raise lines.error("not a BVH file: the first word must be HIERARCHY")
    nodes: list[_Node] = []
    stack: list[int] = []  # open joints; -1 stands for an End Site
    pending: int | None = None  # declared, its brace not open yet
    for words in lines:
        word = words[0].upper()
        if word == "MOTION":
            if stack or pending is not None or not nodes:
                raise lines.error(f"MOTION begins before {len(stack)} braces of the hierarchy are closed", "HIERARCHY")
            return nodes
        if word in ("ROOT", "JOINT"):
            if pending is not None or (word == "JOINT") != bool(stack) or (stack and stack[-1] < 0):
                raise lines.error(f"{word} does not belong here", "HIERARCHY")
            nodes.append(_Node(" ".join(words[1:]) or f"joint {len(nodes)}", stack[-1] if stack else -1))
            pending = len(nodes) - 1
        elif word == "END":
            pending = -1
        elif word == "{":
            if pending is None:
                raise lines.error("a brace opens no joint", "HIERARCHY")
            stack.append(pending)
            pending = None
        elif word == "}":
            if not stack:
                raise lines.error("a brace closes nothing", "HIERARCHY")
            stack.pop()
        elif word == "OFFSET" and stack:
            offset = lines.numbers(words[1:], 3, "OFFSET")
            if stack[-1] >= 0:
                nodes[stack[-1]].offset = np.array(offset)
        elif word == "CHANNELS" and stack and stack[-1] >= 0:
            nodes[stack[-1]].channels = _channels(lines, words)
        else:
            raise lines.error(f"expected ROOT, JOINT, OFFSET, CHANNELS, End Site or MOTION, found {words[0]!r}")
    raise lines.error("the file ends where MOTION should be")


def _channels(lines: _Lines, words: list[str]) -> list[str]:
    found = words[2:]
    for name in found:
        if name not in CHANNELS:
            allowed = ", ".join(CHANNELS)
            raise lines.error(f"unknown channel {name!r}: expected {allowed}{did_you_mean(name, CHANNELS)}", "CHANNELS")
    if words[1:2] != [str(len(found))] or len(set(found)) != len(found):
        raise lines.error(f"{words[1] if len(words) > 1 else 'no'} channels announced, {len(set(found))} named")
    return found


def _motion(lines: _Lines, width: int) -> tuple[float, Array]:
    words = lines.next("Frames:")
    if words[0] != "Frames:":
        raise lines.error(f"expected Frames:, found {words[0]!r}", "MOTION")
    count = int(lines.numbers(words[1:], 1, "Frames:")[0])
    words = lines.next("Frame Time:")
    if words[:2] != ["Frame", "Time:"]:
        raise lines.error(f"expected Frame Time:, found {' '.join(words)[:40]!r}", "MOTION")
    seconds = lines.numbers(words[2:], 1, "Frame Time:")[0]
    if count < 1 or not seconds > 0:
        raise lines.error(f"{count} frames of {seconds:g} s are no motion", "MOTION")
    rows: list[list[float]] = []
    for words in lines:
        if len(rows) == count:
            raise lines.error(f"{count} frames announced, more follow", "MOTION")
        rows.append(lines.numbers(words, width, f"frame {len(rows)}"))
    if len(rows) < count:
        raise lines.error(f"{count} frames announced, the file ends after {len(rows)}", "MOTION")
    return seconds, np.array(rows)


def _rate(seconds: float) -> Fraction:
    """The rate that a rounded frame time means: 0.0333333 is 30 a second, 0.041708 is 24000/1001."""
    rate = 1 / seconds
    whole = Fraction(max(round(rate), 1))
    nearest = min((whole, *_NAMED_RATES), key=lambda r: abs(float(r) - rate))
    return nearest if abs(float(nearest) - rate) < 1e-3 * rate else Fraction(rate).limit_denominator(100000)


def _tracks(
    nodes: list[_Node], times: Array, values: Array, metres: float, turn: Array
) -> tuple[list[Joint], list[Track]]:
    joints: list[Joint] = []
    tracks: list[Track] = []
    column = 0
    for node in nodes:
        offset = np.tile(node.offset, (len(times), 1))
        rotation = np.tile([1.0, 0, 0, 0], (len(times), 1))
        for name in node.channels:
            axis, data = "XYZ".index(name[0]), values[:, column]
            column += 1
            if name.endswith("position"):
                offset[:, axis] = data
            else:
                half = np.radians(data) / 2
                single = np.zeros((len(times), 4))
                single[:, 0], single[:, 1 + axis] = np.cos(half), np.sin(half)
                rotation = multiply(rotation, single)
        root, at_rest = node.parent < 0, node.offset * metres
        if root:
            at_rest, offset, rotation = rotate(turn, at_rest), rotate(turn, offset), multiply(turn, rotation)
        here = (float(at_rest[0]), float(at_rest[1]), float(at_rest[2]))
        w, x, y, z = (turn if root else np.array([1.0, 0, 0, 0])).tolist()
        joints.append(Joint(node.name, node.parent, here, (w, x, y, z)))
        if any(name.endswith("position") for name in node.channels):
            tracks.append(Track(node.name, "translation", times, offset * metres))
        if any(name.endswith("rotation") for name in node.channels):
            tracks.append(Track(node.name, "rotation", times, rotation))
    return joints, tracks
