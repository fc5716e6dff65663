"""The one door to pycolmap (`pip install 'splatfilm[colmap]'`): cameras and points from pictures alone.

For clips that never saw our scene: there our depth says nothing, but their own pictures may still agree on one room.
Deterministic: one thread, and every random number has a seed.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import MissingPartError
from splatfilm.compare.views import Mask, Picture, to_bytes

Array = NDArray[np.float64]
Key = tuple[int, int]
"""(number of the clip, index of its frame)."""

FEWEST_FRAMES = 3  # that make a model: two views agree on some geometry too easily
SEED = 0


@dataclass(frozen=True, eq=False)
class Track:
    """One point: where each frame sees it, px with centres at .5."""

    seen: Mapping[Key, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Model:
    """One piece of a world: camera-to-world poses [4, 4] (OpenCV axes) in units of its own, and its points."""

    poses: Mapping[Key, Array]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, eq=False)
class Footage:
    """Frames of one clip, which one lens took: pictures by their index in the shot, and what does not count."""

    pictures: Mapping[int, Picture]
    mask: Mask | None = None  # True where nothing is to be compared


def available() -> bool:
    """Whether pycolmap is here."""
    return find_spec("pycolmap") is not None


def _pycolmap() -> Any:
    try:
        import pycolmap
    except ImportError:
        raise MissingPartError(
            "cameras from pictures alone need pycolmap: pip install 'splatfilm[colmap]' (or pycolmap)"
        ) from None
    return pycolmap


def reconstruct(clips: Sequence[Footage]) -> list[Model]:
    """The models that the frames of all clips together give, the largest first; focal lengths are unknown, one a clip.

    Incremental structure from motion (Schoenberger and Frahm 2016), as COLMAP does it. None where nothing holds.
    """
    pycolmap = _pycolmap()
    with tempfile.TemporaryDirectory(prefix="splatfilm-structure-") as name, _silence(pycolmap):
        home = Path(name)
        _write(home, clips)
        database = home / "database.db"
        _extract(pycolmap, database, home)
        options = pycolmap.IncrementalPipelineOptions()
        options.num_threads, options.random_seed = 1, SEED
        options.min_model_size = FEWEST_FRAMES
        options.extract_colors = False
        (home / "models").mkdir()
        found = pycolmap.incremental_mapping(database, home / "images", home / "models", options)
        models = [_model(found[number]) for number in sorted(found)]
    whole = [model for model in models if len(model.poses) >= FEWEST_FRAMES]
    return sorted(whole, key=lambda model: len(model.poses), reverse=True)


def _write(home: Path, clips: Sequence[Footage]) -> None:
    """Every clip's frames in a folder of its own, lossless; masks as COLMAP wants them, black where nothing counts."""
    for number, clip in enumerate(clips):
        folder, masks = home / "images" / f"{number:02d}", home / "masks" / f"{number:02d}"
        folder.mkdir(parents=True)
        masks.mkdir(parents=True)
        for index, picture in clip.pictures.items():
            file = f"{index:06d}.png"
            Image.fromarray(to_bytes(picture)).save(folder / file, compress_level=1)
            counts = np.ones(picture.shape[:2], bool) if clip.mask is None else ~clip.mask
            Image.fromarray(counts.astype(np.uint8) * 255).save(masks / f"{file}.png", compress_level=1)


def _extract(pycolmap: Any, database: Path, home: Path) -> None:
    """SIFT keypoints of every picture, and matches between all of them."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_PINHOLE"
    reader.mask_path = str(home / "masks")
    extraction = pycolmap.FeatureExtractionOptions()
    matching = pycolmap.FeatureMatchingOptions()
    extraction.num_threads = matching.num_threads = 1
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = SEED
    pycolmap.extract_features(
        database,
        home / "images",
        camera_mode=pycolmap.CameraMode.PER_FOLDER,
        reader_options=reader,
        extraction_options=extraction,
        device=pycolmap.Device.cpu,
    )
    pycolmap.match_exhaustive(
        database, matching_options=matching, verification_options=verification, device=pycolmap.Device.cpu
    )


def _model(found: Any) -> Model:
    keys = {number: _key(found.image(number).name) for number in found.reg_image_ids()}
    poses = {}
    for number, key in keys.items():
        there = np.asarray(found.image(number).cam_from_world().matrix(), np.float64)  # [3, 4]
        pose = np.eye(4)
        pose[:3, :3] = there[:, :3].T
        pose[:3, 3] = -there[:, :3].T @ there[:, 3]
        poses[key] = pose
    tracks = []
    for point in sorted(found.points3D):
        seen = {}
        for element in found.points3D[point].track.elements:
            x, y = found.image(element.image_id).points2D[element.point2D_idx].xy
            seen[keys[element.image_id]] = (float(x), float(y))
        tracks.append(Track(seen))
    return Model(dict(sorted(poses.items())), tuple(tracks))


def _key(name: str) -> Key:
    folder, file = name.split("/")
    return int(folder), int(Path(file).stem)


@contextlib.contextmanager
def _silence(pycolmap: Any) -> Iterator[None]:
    """COLMAP tells its whole life on standard error, and what fails there is told as a score."""
    before = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.FATAL)
    try:
        yield
    finally:
        pycolmap.logging.minloglevel = before
