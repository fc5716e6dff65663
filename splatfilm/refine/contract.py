"""What a per-frame refiner is: what it is given, what it gives back, and what a plan must know before it runs.

A refiner never learns which shot a frame belongs to, nor its number in it: what it may use is what the renderer knows
of the scene at a scene frame. It gives a picture; the step that calls it bounds the change, locks the low frequencies
and holds the result against the bare picture (`refine/guards.py`), so a refiner needs to do none of that.

Two halves, so that a plan does not wait for torch: a `RefinerSource` says what decides the refined pixels (`key`) and
how far a pixel's influence goes (`reach`); it opens the `Refiner`, which works on tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from splatfilm.cameras import Camera

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class BareFrame:
    """A frame as the renderer drew it, with what it knows of the scene. float32 on one device unless said otherwise.

    `canonical` is where a pixel's surface lies in the rest space of what it belongs to: for a set its own axes, for an
    actor the pose it was captured in. `owner` is the index into `members` of what covers most of a pixel, -1 where
    nothing is; `coverage` is how much of the pixel that is.
    """

    beauty: Tensor  # [H, W, 3] display-referred sRGB over the background, unclamped above 1
    alpha: Tensor  # [H, W] 0..1
    depth: Tensor  # [H, W] metres along the optical axis, 0 where nothing is
    normal: Tensor  # [H, W, 3] unit, world, towards the camera; 0 where nothing is
    canonical: Tensor  # [H, W, 3] metres in the owner's rest space; 0 where nothing is
    owner: Tensor  # [H, W] int64
    coverage: Tensor  # [H, W] 0..1 of the owner
    camera: Camera
    members: tuple[str, ...]  # the set first, then the cast of the scene in the film's order
    scene_frame: float  # the scene's clock; only for refiners that say that they move
    rate: float  # frames a second

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.beauty.shape[0], self.beauty.shape[1]


class Refiner(Protocol):
    """Makes a picture of a bare one. A pure function: the same frame gives the same bits, in any order of frames."""

    def __call__(self, frame: BareFrame) -> Tensor:
        """The refined beauty, [H, W, 3] like the bare one. It may hold NaN where it failed: that frame stays bare."""
        ...


@runtime_checkable
class WindowRefiner(Refiner, Protocol):
    """A refiner that makes better pictures of several neighbouring frames of a shot than of one."""

    span: int  # frames in a whole window

    def refine_window(self, frames: Sequence[BareFrame]) -> list[Tensor]:
        """The refined pictures of 1 to `span` neighbouring frames, [H, W, 3] each."""
        ...


class RefinerSource(Protocol):
    """A refiner that is not loaded yet. Making one and asking for its properties does not import torch."""

    @property
    def name(self) -> str:
        """What people call it: `scene`, `sd-turbo`."""
        ...

    @property
    def version(self) -> int:
        """Raised when the same weights and settings would give other pixels."""
        ...

    @property
    def key(self) -> str:
        """The hash of everything that decides its pixels: weights, settings, version. Enters every refined frame."""
        ...

    @property
    def reach(self) -> int | None:
        """How many pixels away an edit of the bare frame may still change the refined one; None: anywhere."""
        ...

    @property
    def moves(self) -> bool:
        """Whether it looks at the scene frame: then two scene frames with the same bare picture are refined apart."""
        ...

    @property
    def facts(self) -> Mapping[str, object]:
        """Plain values for the manifest: where it comes from, its licence, what it was measured at."""
        ...

    def open(self, device: str) -> Refiner:
        """Load it. Raises `InputError` for files that are damaged, `MissingPartError` for libraries not here."""
        ...
