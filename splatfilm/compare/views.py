"""What measures look at: clips, and our own scene seen through the same cameras.

Both are sequences that make a picture when it is asked for, so that a measure's memory is a few frames, whatever the
length of a clip. A clip has been conformed before it comes here: the size, the rate and the framing are the truth's,
and frame i of the clip is the moment of view i.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from splatfilm.cameras.camera import Camera
from splatfilm.compare.memory import Owner

Picture = NDArray[np.float32]  # [H, W, 3] sRGB, 0..1
Frames = Sequence[Picture]
Mask = NDArray[np.bool_]  # [H, W]
PANE = (640, 360)  # px; larger films are looked at in panes of this size, full pictures lie beside
NOTHING = -1
"""The object of a pixel where the scene is empty."""

T = TypeVar("T")


class Indexed(Sequence[T]):
    """A sequence whose items are found by number, one at a time; a slice of it is found when it is asked for."""

    @abstractmethod
    def at(self, place: int) -> T:
        """The item of a number from 0 to one below the length."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        places = range(len(self))[index]
        return Chosen(self, places) if isinstance(places, range) else self.at(places)


class Lazy(Indexed[T]):
    """A sequence of things that are made when asked for; the `keep` last ones are remembered."""

    def __init__(self, length: int, make: Callable[[int], T], keep: int = 4) -> None:
        self._length, self._make, self._keep = length, make, keep
        self._kept: OrderedDict[int, T] = OrderedDict()

    def __len__(self) -> int:
        return self._length

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": OrderedDict()}

    def at(self, place: int) -> T:
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        made = self._make(place)
        if self._keep:
            self._kept[place] = made
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
        return made


class Chosen(Indexed[T]):
    """Some of a sequence's items, in an order of their own."""

    def __init__(self, items: Sequence[T], places: Sequence[int]) -> None:
        self.items, self.places = items, places

    def __len__(self) -> int:
        return len(self.places)

    def at(self, place: int) -> T:
        return self.items[self.places[place]]


class Sizable(Indexed[T]):
    """Pictures that are also to be had smaller, without the whole ones being kept."""

    @abstractmethod
    def small(self, place: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The picture of a number at a smaller size (width, height), by area, in eight bits."""


class Scaled(Indexed[Picture]):
    """Pictures brought down, by area, in the eight bits that clips are brought down in too."""

    def __init__(self, frames: Frames, size: tuple[int, int]) -> None:
        self._frames, self._size = frames, size

    def __len__(self) -> int:
        return len(self._frames)

    def at(self, place: int) -> Picture:
        if isinstance(self._frames, Sizable):
            return from_bytes(self._frames.small(place, self._size))
        return scaled_picture(self._frames[place], *self._size)


class Mapped(Indexed[NDArray[np.uint8]]):
    """Pictures in a file of raw pixels (`.npy`, [F, H, W, 3]), which is mapped and so costs no memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frames: NDArray[np.uint8] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_frames": None}

    def __len__(self) -> int:
        return len(self._mapped())

    def at(self, place: int) -> NDArray[np.uint8]:
        return np.asarray(self._mapped()[place])

    def _mapped(self) -> NDArray[np.uint8]:
        if self._frames is None:
            self._frames = np.load(self._path, mmap_mode="r")
        return self._frames


@dataclass(frozen=True, eq=False)
class View:
    """Everything that is known of one frame of our own shot."""

    picture: Picture  # [H, W, 3]
    depth: NDArray[np.float32]  # [H, W] metres along the optical axis, 0 where nothing is
    ids: NDArray[np.int16]  # [H, W] index into the truth's objects, NOTHING where the scene is empty
    camera: Camera


@dataclass(frozen=True, eq=False)
class Shapes:
    """What a view shows, without its colours."""

    depth: NDArray[np.float32]  # [H, W] as a view's
    ids: NDArray[np.int16]  # [H, W]


@dataclass(frozen=True, eq=False)
class ShotTruth(Owner):
    """One shot of our scene: its views, made when asked for, and its cameras, known beforehand.

    `objects` are names; the same order for all shots of a scene. `states` says what each frame shows apart from the
    camera: frames with equal states show the same moment of the story. `placed` says the same for each object.
    """

    shot: str
    scene: str
    scene_frames: tuple[int, ...]
    cameras: tuple[Camera, ...]
    objects: tuple[str, ...]
    views: Sequence[View]
    states: tuple[str, ...] = ()  # empty: nothing moves
    placed: tuple[tuple[str, ...], ...] = ()  # a state for every object at every frame; empty: nothing moves
    see: Callable[[int, Camera], View] | None = None  # the moment of view i through any other camera
    sized: Callable[[int, Camera], Shapes] | None = None  # of view i, through its own camera at another size
    rate: float = 24.0  # frames a second
    drawn: Callable[[int], Picture] | None = None  # the picture of view i drawn now, and nothing beside it
    stored: Frames | None = None  # the same pictures as the views', where they need not be drawn
    shade: float = 0.0  # metres that things darken what is about them: a shadow moves with what casts it

    def __len__(self) -> int:
        return len(self.scene_frames)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.cameras[0].width, self.cameras[0].height

    @property
    def travel(self) -> float:
        """How far the camera goes, metres."""
        places = np.array([camera.position for camera in self.cameras])
        return float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())

    def clip(self) -> Clip:
        """Our own pictures, as a clip."""
        if self.stored is not None:
            return Clip(self.stored)
        return Clip(Lazy(len(self.views), lambda i: self.views[i].picture, keep=0))


@dataclass(frozen=True, eq=False)
class Clip(Owner):
    """The frames of one shot by any method. `mask` is True where nothing is to be compared (a watermark)."""

    frames: Frames
    mask: Mask | None = None

    def __len__(self) -> int:
        return len(self.frames)


def scaled_truth(truth: ShotTruth, width: int, height: int) -> ShotTruth:
    """The same shot in smaller pictures: colours by area, depth and ids drawn at that size. Never enlarges.

    Where they cannot be drawn so, or pictures are not stored, depth and ids are those of the pixel in the middle.
    """
    if truth.size == (width, height):
        return truth
    if width > truth.size[0] or height > truth.size[1]:
        raise ValueError(f"{truth.size[0]}x{truth.size[1]} is never enlarged to {width}x{height}")
    cameras = tuple(camera.scaled(width, height) for camera in truth.cameras)

    small = None if truth.stored is None else Scaled(truth.stored, (width, height))

    def make(index: int) -> View:
        if small is not None and truth.sized is not None:
            shapes = truth.sized(index, cameras[index])
            return View(small[index], shapes.depth, shapes.ids, cameras[index])
        view = truth.views[index]
        rows = ((np.arange(height) + 0.5) * view.depth.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * view.depth.shape[1] / width).astype(int)
        places = np.ix_(rows, columns)
        return View(scaled_picture(view.picture, width, height), view.depth[places], view.ids[places], cameras[index])

    return replace(truth, cameras=cameras, views=Lazy(len(truth.views), make), stored=small)


def scaled_clip(clip: Clip, size: tuple[int, int]) -> Clip:
    """The same clip at a smaller size (width, height); what is masked anywhere in a pixel of it is masked there."""
    mask = clip.mask
    if mask is not None and (mask.shape[1], mask.shape[0]) != size:
        mask = brought_down(mask.astype(np.uint8) * np.uint8(255), size) > 0
    return Clip(Scaled(clip.frames, size), mask)


def working_size(size: tuple[int, int], width: int) -> tuple[int, int]:
    """Where pictures of `size` (width, height) are measured: `width` wide, or as they are where they are smaller."""
    return size if width >= size[0] else (width, max(1, round(width * size[1] / size[0])))


def kept_size(size: tuple[int, int], width: int = 0) -> tuple[int, int]:
    """The size (width, height) in which clips are kept: as panes show them, or `width` wide where that is more."""
    fit = min(1.0, PANE[0] / size[0], PANE[1] / size[1])
    return working_size(size, max(width, math.ceil(round(size[0] * fit, 6))))


def scaled_picture(picture: Picture, width: int, height: int) -> Picture:
    """A smaller picture, by area, in the eight bits that clips are brought down in too."""
    if picture.shape[:2] == (height, width):
        return picture
    return from_bytes(brought_down(to_bytes(picture), (width, height)))


def brought_down(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pixels at a smaller size (width, height), by area."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return np.asarray(pixels)
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX))


def small_of(pictures: Sequence[NDArray[np.uint8]], place: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """One of some pictures at a smaller size (width, height), from those that know themselves small where they do."""
    if isinstance(pictures, Chosen):
        return small_of(pictures.items, pictures.places[place], size)
    if isinstance(pictures, Sizable):
        return pictures.small(place, size)
    return brought_down(pictures[place], size)


def to_bytes(picture: Picture) -> NDArray[np.uint8]:
    """Eight bits, rounded half up as frames are written."""
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def from_bytes(pixels: NDArray[np.uint8]) -> Picture:
    """Eight bits as 0..1."""
    return pixels.astype(np.float32) / np.float32(255)
