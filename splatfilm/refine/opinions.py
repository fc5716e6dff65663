"""What other splats of the same place show of a frame: splats that were trained without some of the photographs.

Between photographs, splats are sure only where several of them agree; elsewhere each training has made up something of
its own. Several trainings make up different things, so their mean is nearer to the truth than any of them, and how far
they differ says where nothing is known. The folds that a refiner learns from are such trainings, so they are kept.

It is a function of the camera alone and of no edit: the opinions know the place as it was captured and nothing that was
put into it. All of them are renders of splats that stand still, so two views of a place agree as renders do.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from splatfilm.base.errors import InputError
from splatfilm.base.files import atomic_path
from splatfilm.cameras import Camera
from splatfilm.render import render
from splatfilm.splats import Splats, read_splats

PLANES = 5
"""From the asset's own picture to the mean of all (3), how far they differ, and where they may be asked."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """The asset as it was captured, and other splats of it. With none, a refiner sees the render alone."""

    own: Splats | None = None
    others: tuple[Splats, ...] = ()

    def __post_init__(self) -> None:
        if self.others and self.own is None:
            raise ValueError("other splats are held against the asset's own, and there is none")

    def to(self, device: torch.device) -> Opinions:
        """The same on another device."""
        own = None if self.own is None else self.own.to(device)
        return Opinions(own, tuple(splats.to(device) for splats in self.others))

    def planes(self, camera: Camera, asked: Tensor, backend: str, own: Tensor | None = None) -> Tensor:  # [5, H, W]
        """What they show through a camera where `asked` ([H, W], 0..1) says so, zeros elsewhere.

        `own` is the asset's beauty, [H, W, 3], where that is known already.
        """
        if not self.others:
            return asked.new_zeros(PLANES, *asked.shape)
        assert self.own is not None, "there are others"
        with torch.no_grad():
            first = render(self.own, camera, backend=backend).beauty if own is None else own
            pictures = [first, *(render(splats, camera, backend=backend).beauty for splats in self.others)]
        return compared([picture.to(asked).movedim(-1, 0) for picture in pictures], asked)


def compared(pictures: Sequence[Tensor], asked: Tensor) -> Tensor:  # each [3, H, W], [H, W] -> [5, H, W]
    """Pictures of one view, the asset's first, as the network takes them.

    How far they differ is the root of their unbiased variance, averaged over the channels: it does not depend on how
    many they are.
    """
    total = pictures[0]
    for picture in pictures[1:]:
        total = total + picture
    mean = total / len(pictures)
    squares = torch.zeros_like(asked)
    for picture in pictures:
        squares = squares + (picture - mean).square().mean(0)
    spread = (squares / (len(pictures) - 1)).sqrt()
    return torch.cat([(mean - pictures[0]) * asked, (spread * asked)[None], asked[None]])


# ---- on disk ---------------------------------------------------------------------------------------------------------


def keep(sources: Sequence[Path], folder: Path) -> None:
    """Copy splat files into a refiner's folder, which needs nothing beside it but the asset. Raises `StorageError`."""
    for number, source in enumerate(sources):
        with atomic_path(folder / _name(number)) as temporary:
            shutil.copyfile(source, temporary)


def kept(folder: Path, count: int) -> Opinions:
    """The opinions in a refiner's folder, the asset itself being beside it. Raises `InputError` for damaged files."""
    if not count:
        return Opinions()
    own = folder.parent / "splats.ply"
    if not own.is_file():
        raise InputError.at(own, "the refiner beside it was trained for these splats, and they are not there")
    return Opinions(read_splats(own), tuple(read_splats(folder / _name(number)) for number in range(count)))


def _name(number: int) -> str:
    return f"opinion-{number + 1:02}.ply"
