"""The rows that are always there, so that nobody mistakes a cheap trick for continuity.

Ours as it is and before refinement; ours through the codec that the clips came through; and three pictures without any
model: the nearest photograph of the capture, the shot's first frame frozen, and the mean of all photographs. The mean
picture beats most models on PSNR: a table without it misleads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.files import atomic_path
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.base.rigid import Similarity, matrix_from_quaternion
from splatfilm.cameras import Camera
from splatfilm.capture import read_capture
from splatfilm.capture.model import Photograph
from splatfilm.capture.pictures import load_picture
from splatfilm.compare.crew import Crew
from splatfilm.compare.rows import Bytes, Row, RowClip, take_frames
from splatfilm.compare.views import Chosen, Lazy, Mapped, brought_down, working_size
from splatfilm.film.model import Film
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.plan import load_paths
from splatfilm.shots.takes import Take
from splatfilm.shots.video import Reel, decode_video, encode_video

METRES_A_RADIAN = 1.5
"""How many metres away a photograph counts as far as one turned by a radian: the nearest sees most of the same."""

SERVICE_WIDTH = 1280
SERVICE_BITS = 7.9e6 / (SERVICE_WIDTH * 720 * 24)
"""Bits a pixel of a service's usual delivery, H.264 at 7.9 Mbit/s for 1280x720 at 24 frames a second."""

ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "mpeg4": "mpeg4"}


@dataclass(frozen=True, eq=False)
class Footage:
    """Our film on disk: what the trivial rows are made of."""

    film: Film
    folders: FilmFolders
    takes: Mapping[str, Take]  # bare, by shot
    refined: Mapping[str, Take] = field(default_factory=dict)  # of the shots that were refined
    kept: tuple[int, int] | None = None  # the size (width, height) in which rows are kept; None: the film's

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is made for comparing: no larger than it is looked at."""
        return self.kept or self.film.size

    @property
    def shown(self) -> Mapping[str, Take]:
        """What the film shows: refined where it was refined."""
        return {**self.takes, **self.refined}

    @property
    def cache(self) -> Path:
        """Where what is made for comparing is kept; all of it may be deleted."""
        return self.folders.root / "compare"

    def identity(self, take: Take) -> str:
        """The hash of the pixels of a take's frames."""
        numbers = self.film.shot(str(take.header["shot"])).frames
        return hash_value([take.frame(number).pictures["beauty"].sha256 for number in numbers])


def trivial_rows(
    footage: Footage, theirs: Sequence[Row], progress: Progress = SILENT, crew: Crew | None = None
) -> list[Row]:
    """Every trivial row of a film, ours first."""
    rows = [ours(footage), before_refinement(footage), reencoded(footage, theirs, progress, crew or Crew(1))]
    rows.append(frozen(footage))
    photographs = _photographs(footage.film)
    if any(photographs.values()):
        rows += [nearest_photograph(footage, photographs), mean_picture(footage, photographs, progress)]
    return [row for row in rows if row.clips]


def ours(footage: Footage) -> Row:
    """The film as it is: refined where it was refined."""
    return Row("ours", "Splatfilm", "ours", "I4", _clips(footage, footage.shown))


def before_refinement(footage: Footage) -> Row:
    """The bare pictures; without refinement they are ours."""
    note = () if footage.refined else ("nothing was refined: the same pictures as Splatfilm's row",)
    return Row("ours-bare", "Splatfilm before refinement", "trivial", "I4", _clips(footage, footage.takes), note)


def _clips(footage: Footage, takes: Mapping[str, Take]) -> dict[tuple[str, int], RowClip]:
    """One clip a shot, all of them take 1: the takes of two shots of a film belong together whatever their numbers."""
    clips = {}
    for shot, take in takes.items():
        frames = take_frames(footage.film, shot, take)
        identity = footage.identity(take)
        facts = {"take_name": take.name, "sha256": identity, "folder": take.folder.as_posix()}
        clips[shot, 1] = RowClip(frames, _size(take, footage.film), identity, None, facts)
    return clips


def _size(take: Take, film: Film) -> tuple[int, int]:
    width, height = take.header.get("size", film.size)
    return int(width), int(height)


# ---- through their codec ---------------------------------------------------------------------------------------------


def reencoded(footage: Footage, theirs: Sequence[Row], progress: Progress, crew: Crew) -> Row:
    """Our frames through the codec and the bits a pixel of the clips they are compared with."""
    codec, bits = codec_of(theirs)
    made = working_size(footage.film.size, width_of(theirs))
    asked = [_Compressing.of(footage, take, (codec, bits), made) for take in footage.shown.values()]
    clips = {}
    progress.start("compressing our frames like theirs", len(asked), "shots")
    for one, stored in zip(asked, crew.map(_compressed, asked), strict=True):
        facts = {"codec": codec, "bits_per_second": one.rate, "bytes": one.path.stat().st_size}
        clips[one.shot, 1] = RowClip(stored, one.kept, one.path.stem, None, facts, (), one.made)
        progress.advance(len(clips))
    progress.finish()
    note = f"{codec} at {made[0]}x{made[1]} and {bits:.3f} bits a pixel, " + (
        "as theirs" if _video_facts(theirs) else "as services deliver"
    )
    return Row("ours-codec", "Splatfilm, compressed like theirs", "trivial", "I4", clips, (note,))


@dataclass(frozen=True, eq=False)
class _Compressing:
    """One shot of ours, and what it goes through."""

    film: Film
    shot: str
    frames: Sequence[Bytes]
    made: tuple[int, int]  # width, height of the compressed pictures
    kept: tuple[int, int]  # and of what is kept of them, no larger
    path: Path
    codec: str
    rate: int  # bits a second

    @classmethod
    def of(cls, footage: Footage, take: Take, how: tuple[str, float], made: tuple[int, int]) -> _Compressing:
        film, shot, (codec, bits) = footage.film, str(take.header["shot"]), how
        kept = min(footage.size, made)
        rate = max(20_000, round(bits * made[0] * made[1] * float(film.rate)))
        asked = [footage.identity(take), codec, rate, list(made), list(kept)]
        path = footage.cache / "reencoded" / f"{hash_value(asked)[:24]}.mp4"
        return cls(film, shot, take_frames(film, shot, take), made, kept, path, codec, rate)


def _compressed(asked: _Compressing) -> Sequence[Bytes]:
    """What is left of the frames; made where it is not there yet."""
    if not asked.path.exists():
        _encode(asked)
    return _stored(asked.path, len(asked.frames), asked.made, asked.kept)


def codec_of(theirs: Sequence[Row]) -> tuple[str, float]:
    """The commonest codec of the clips and their median bits a pixel; a service's usual ones without any video."""
    facts = _video_facts(theirs)
    if not facts:
        return "h264", SERVICE_BITS
    names = [str(fact["codec"]) for fact in facts]
    codec = max(sorted(set(names)), key=names.count)
    per_pixel = [f["bits_per_second"] / (f["size"][0] * f["size"][1] * f["rate"]) for f in facts if f["rate"]]
    return (codec if codec in ENCODERS else "h264"), float(np.median(per_pixel)) if per_pixel else SERVICE_BITS


def width_of(theirs: Sequence[Row]) -> int:
    """How wide the clips are, pixels, the median; a service's usual width without any video."""
    widths = [fact["size"][0] for fact in _video_facts(theirs)]
    return int(np.median(widths)) if widths else SERVICE_WIDTH


def _video_facts(theirs: Sequence[Row]) -> list[Mapping[str, Any]]:
    sources = [clip.facts.get("source", {}) for row in theirs for clip in row.clips.values()]
    return [source for source in sources if source.get("bits_per_second")]


def _encode(asked: _Compressing) -> None:
    codec, rate, film = asked.codec, asked.rate, asked.film
    encoder = {"codec": ENCODERS[codec], "b": str(rate), "maxrate": str(rate), "bufsize": str(rate // 2)}
    if codec == "h264":
        encoder |= {"preset": "medium", "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0"}
    elif codec == "hevc":
        encoder |= {"preset": "medium", "x265-params": "pools=none:frame-threads=1:log-level=error"}
    reel = Reel(film.title, film.rate, asked.made, film.timecode)
    pictures = ((brought_down(pixels, asked.made), index == 0) for index, pixels in enumerate(asked.frames))
    with atomic_path(asked.path) as temporary:
        encode_video(temporary, pictures, reel, _nobody, encoder)


def _nobody(done: int) -> None:
    """Progress that nobody asked for."""


def _stored(path: Path, count: int, made: tuple[int, int], size: tuple[int, int]) -> Sequence[Bytes]:
    """The frames of a short video on disk, read through a file of raw pixels that is made once beside it."""
    raw = path.with_suffix(".npy")
    if not raw.exists():
        with atomic_path(raw) as temporary:
            frames = open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(count, size[1], size[0], 3))
            for index, (_, pixels) in zip(range(count), decode_video(path), strict=False):
                frames[index] = brought_down(pixels[: made[1], : made[0]], size)
            frames.flush()
            del frames
    return Mapped(raw)


# ---- pictures without a model ----------------------------------------------------------------------------------------


def frozen(footage: Footage) -> Row:
    """The first frame of every shot, held."""
    clips = {}
    for shot, take in footage.shown.items():
        frames = take_frames(footage.film, shot, take)
        held = Chosen(frames, (0,) * len(frames))
        clips[shot, 1] = RowClip(held, _size(take, footage.film), f"{footage.identity(take)} frozen")
    note = "it wins every score that only looks inside one shot"
    return Row("frozen", "First frame, frozen", "trivial", "I4", clips, (note,))


def nearest_photograph(footage: Footage, photographs: Mapping[str, Sequence[Photograph]]) -> Row:
    """For every frame the photograph of the set that was taken from nearest by."""
    clips = {}
    paths = load_paths(footage.film, footage.film.shots)
    for shot, take in footage.takes.items():
        scene = footage.film.scenes[footage.film.shot(shot).scene]
        offered = photographs[scene.name]
        if not offered:
            continue
        place = footage.film.assets[scene.set].looks[scene.set_look].place
        theirs = [placed(photograph.camera, place) for photograph in offered]
        size = footage.size
        cameras = [paths[shot].at(frame, *size) for frame in footage.film.shot(shot).frames]
        chosen = [nearest(camera, theirs) for camera in cameras]
        used = sorted(set(chosen))
        pictures = Lazy(len(used), _Photographed(tuple(offered[index] for index in used), size))
        frames = Chosen(pictures, [used.index(index) for index in chosen])
        facts = {"photographs": [offered[index].name for index in chosen]}
        clips[shot, 1] = RowClip(frames, size, hash_value([footage.identity(take), facts]), None, facts)
    note = "photographs of the set alone: no cast is in them"
    return Row("nearest", "Nearest photograph", "trivial", "I4", clips, (note,))


def mean_picture(footage: Footage, photographs: Mapping[str, Sequence[Photograph]], progress: Progress = SILENT) -> Row:
    """The mean of all photographs of the set, for every frame."""
    clips, means = {}, {}
    for shot, take in footage.takes.items():
        scene, size = footage.film.shot(shot).scene, footage.size
        if not photographs[scene]:
            continue
        if scene not in means:
            means[scene] = _mean(footage, photographs[scene], size, progress)
        count = len(footage.film.shot(shot).frames)
        frames = Chosen((means[scene],), (0,) * count)
        clips[shot, 1] = RowClip(frames, size, f"{footage.identity(take)} mean")
    note = "one grey picture for everything: what a high PSNR is worth"
    return Row("mean", "Mean of all photographs", "trivial", "I4", clips, (note,))


def _mean(footage: Footage, photographs: Sequence[Photograph], size: tuple[int, int], progress: Progress) -> Bytes:
    path = (
        footage.cache
        / "mean"
        / f"{hash_value([list(size), [[p.name, p.image.stat().st_size] for p in photographs]])[:16]}.npy"
    )
    if not path.exists():
        total = np.zeros((size[1], size[0], 3))
        progress.start("the mean of all photographs", len(photographs), "photographs")
        for done, photograph in enumerate(photographs):
            total += photograph_at(photograph, size)
            progress.advance(done + 1)
        progress.finish()
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, (total / len(photographs) + 0.5).astype(np.uint8))
    mean: Bytes = np.load(path)
    return mean


def _photographs(film: Film) -> dict[str, Sequence[Photograph]]:
    """The training photographs of the set of every scene; none where the set was not captured."""
    found: dict[str, Sequence[Photograph]] = {}
    for name, scene in film.scenes.items():
        capture = film.assets[scene.set].looks[scene.set_look].capture
        found[name] = read_capture(capture).of("train") if capture is not None else ()
    return found


def placed(camera: Camera, place: Similarity) -> Camera:
    """A camera of a capture's world in the scene's."""
    pose = np.eye(4)
    pose[:3, :3] = matrix_from_quaternion(place.rotation) @ camera.pose[:3, :3]
    pose[:3, 3] = (place.matrix() @ np.append(camera.position, 1.0))[:3]
    return replace(camera, pose=pose)


def nearest(camera: Camera, offered: Iterable[Camera]) -> int:
    """The index of the camera that stands and looks most alike, a radian counting as `METRES_A_RADIAN`."""
    costs = []
    for other in offered:
        turn = np.arccos(np.clip(float(camera.forward @ other.forward), -1, 1))
        costs.append(float(np.linalg.norm(camera.position - other.position)) + METRES_A_RADIAN * float(turn))
    return int(np.argmin(costs))


@dataclass(frozen=True)
class _Photographed:
    """Photographs as pictures of the film's size."""

    offered: tuple[Photograph, ...]
    size: tuple[int, int]

    def __call__(self, index: int) -> Bytes:
        return photograph_at(self.offered[index], self.size)


def photograph_at(photograph: Photograph, size: tuple[int, int]) -> Bytes:
    """A photograph cropped about the middle to the film's shape, by area to its size (a small one is enlarged)."""
    pixels: NDArray[np.float32] = load_picture(photograph).colour
    image = Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
    width, height = image.size
    wide = min(width, height * size[0] / size[1])
    tall = wide * size[1] / size[0]
    left, top = (width - wide) / 2, (height - tall) / 2
    how = Image.Resampling.BOX if wide >= size[0] else Image.Resampling.BICUBIC
    return np.asarray(image.resize(size, how, box=(left, top, left + wide, top + tall)))
