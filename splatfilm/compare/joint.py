"""What a clip's own pictures say, without our scene: one room for two shots (JRR, TRK), and the camera's way (REG).

A method that never saw our scene cannot agree with it, and to score it 0 says nothing about continuity. So its frames
are registered among themselves: do the frames of B find their place in the world of A (docs/compare.md)?
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from splatfilm.compare import pixels
from splatfilm.compare.agreement import some
from splatfilm.compare.scores import Joint, OwnCamera, Score
from splatfilm.compare.structure import Footage, Model, Track, available, reconstruct
from splatfilm.compare.views import Clip, Picture, ShotTruth

Array = NDArray[np.float64]

FRAMES = 12  # of a shot, spread evenly
HALF = 0.5  # of A's frames, which the model that counts must hold
PATCH = 2  # px to every side of a point: patches of 5x5
FEWEST_TRACKS = 10  # points that both shots see, for their colour to be judged

NO_COLMAP = "pycolmap is not installed: pip install 'splatfilm[colmap]'"


@dataclass(frozen=True)
class _Frames:
    """The chosen frames of one clip."""

    clip: Clip
    chosen: tuple[int, ...]

    @classmethod
    def of(cls, clip: Clip) -> _Frames:
        return cls(clip, tuple(some(len(clip), FRAMES)))

    def footage(self) -> Footage:
        return Footage({index: self.clip.frames[index] for index in self.chosen}, self.clip.mask)


def measure_joint(a: Clip, b: Clip) -> Joint:
    """JRR: the share of B's frames that are registered into the model that holds at least half of A's frames.

    TRK_dE: CIEDE2000 between what both shots show at the points that they triangulate together, median over points.
    """
    if not available():
        return Joint(
            Score("JRR", None, "share", note=NO_COLMAP), Score("TRK_dE", None, "dE00", "lower", note=NO_COLMAP)
        )
    first, second = _Frames.of(a), _Frames.of(b)
    models = reconstruct([first.footage(), second.footage()])
    model = next((m for m in models if _held(m, 0) >= HALF * len(first.chosen)), None)
    if model is None:
        why = "the frames of the first shot do not make one place among themselves"
        return Joint(Score("JRR", None, "share", note=why), Score("TRK_dE", None, "dE00", "lower", note=why))
    share = _held(model, 1) / len(second.chosen)
    note = f"{_held(model, 1)} of {len(second.chosen)} frames of the second shot stand in the first one's place"
    return Joint(Score("JRR", share, "share", "higher", 1.0, 0.0, note=note), _tracked(model, a, b))


def _held(model: Model, clip: int) -> int:
    return sum(number == clip for number, _ in model.poses)


def _tracked(model: Model, a: Clip, b: Clip) -> Score:
    both = [track for track in model.tracks if {number for number, _ in track.seen} == {0, 1}]
    if len(both) < FEWEST_TRACKS:
        return Score("TRK_dE", None, "dE00", "lower", note=f"only {len(both)} points are seen by both shots")
    colours = [[_colour(track, number, clip) for number, clip in enumerate((a, b))] for track in both]
    known = np.array([(one, two) for one, two in colours if one is not None and two is not None])
    if len(known) < FEWEST_TRACKS:
        return Score("TRK_dE", None, "dE00", "lower", note=f"only {len(known)} points are seen by both shots")
    differences = pixels.colour_difference(known[:, 0], known[:, 1])
    note = f"{len(known)} points that both shots see"
    return Score("TRK_dE", float(np.median(differences)), "dE00", "lower", 0.0, note=note)


def _colour(track: Track, number: int, clip: Clip) -> Array | None:  # [3]
    """The mean colour of a point's patches in one clip; None where they all lie at the border."""
    found = [
        patch.reshape(-1, 3).mean(axis=0)
        for (of, index), place in track.seen.items()
        if of == number and (patch := _patch(clip.frames[index], place)) is not None
    ]
    return np.mean(found, axis=0) if found else None


def _patch(picture: Picture, place: tuple[float, float]) -> Picture | None:  # [5, 5, 3]
    column, row = (int(value) for value in place)
    height, width = picture.shape[:2]
    if not (PATCH <= column < width - PATCH and PATCH <= row < height - PATCH):
        return None
    return picture[row - PATCH : row + PATCH + 1, column - PATCH : column + PATCH + 1]


# ---- one clip by itself ----------------------------------------------------------------------------------------------


def measure_own_camera(clip: Clip, truth: ShotTruth) -> OwnCamera:
    """The camera's way in a clip by the clip alone, against the way that was asked for, both from the first frame on.

    REG, share of frames registered; ROT_REL, degrees, median; TRA_REL, percent of the way, median, after one least-
    squares scale, because pictures alone know no metres.
    """
    names = (("REG", "share", "higher"), ("ROT_REL", "deg", "lower"), ("TRA_REL", "%", "lower"))
    if not available():
        return OwnCamera(*(Score(name, None, unit, better, note=NO_COLMAP) for name, unit, better in names))  # type: ignore[arg-type]
    frames = _Frames.of(clip)
    models = reconstruct([frames.footage()])
    if not models:
        why = "its frames make no place of their own: too little parallax or too few details that stay"
        empty = Score("REG", 0.0, "share", "higher", 1.0, 0.0, note=why)
        return OwnCamera(empty, *(Score(name, None, unit, "lower", note=why) for name, unit, _ in names[1:]))
    poses = {index: pose for (_, index), pose in models[0].poses.items() if index < len(truth)}
    turned, moved = _ways(poses, truth)
    note = "of the largest piece that its frames make" if len(models) > 1 else ""
    return OwnCamera(
        Score("REG", len(poses) / len(frames.chosen), "share", "higher", 1.0, 0.0, note=note),
        Score("ROT_REL", statistics.median(v for _, v in turned), "deg", "lower", 0.0, per_frame=turned),
        Score(
            "TRA_REL",
            statistics.median(v for _, v in moved) if moved else None,
            "%",
            "lower",
            0.0,
            per_frame=moved,
            note="" if moved else "the camera stands still",
        ),
    )


Rows = tuple[tuple[int, float], ...]


def _ways(poses: dict[int, Array], truth: ShotTruth) -> tuple[Rows, Rows]:
    """Degrees, and percent of the way, by which each frame is off, relative to the first registered frame."""
    indices = sorted(poses)
    asked = {index: truth.cameras[index].pose for index in indices}
    own, ours = _relative(poses, indices), _relative(asked, indices)
    turned = tuple((i, _angle(own[i][:3, :3].T @ ours[i][:3, :3])) for i in indices)
    there = np.array([own[i][:3, 3] for i in indices])
    wanted = np.array([ours[i][:3, 3] for i in indices])
    travel = float(np.linalg.norm(np.diff(wanted, axis=0), axis=1).sum())
    if travel < 1e-3:  # metres: a camera on its tripod goes no way
        return turned, ()
    scale = float((there * wanted).sum() / max(float((there**2).sum()), 1e-12))
    away = 100 * np.linalg.norm(scale * there - wanted, axis=1) / travel
    return turned, tuple((i, float(value)) for i, value in zip(indices, away, strict=True))


def _relative(poses: dict[int, Array], indices: list[int]) -> dict[int, Array]:
    start = np.linalg.inv(poses[indices[0]])
    return {index: start @ poses[index] for index in indices}


def _angle(turn: Array) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
