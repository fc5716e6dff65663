"""Splatfilm's own clip file, `.clip.npz`: what any other format came in as, compact, hashed and exact.

A zip of numpy arrays: `header` is UTF-8 JSON (format, version, name, rate, joints, tracks, source, licence, SHA-256 of
the rest), `a0`, `a1`, ... are the arrays that the tracks name; tracks with equal times share one. A written file is the
same bytes for the same clip. Numbers keep every bit: float64, or float32 where that loses nothing. `compact=True`
stores rotations and translations as float32 and shapes as float16, and states the largest error of each in the header.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError
from splatfilm.base.files import write_bytes
from splatfilm.base.hashing import hash_bytes, hash_value
from splatfilm.stage.clips.clip import Clip, Interpolation, Kind, Track
from splatfilm.stage.rigs import Joint, Skeleton

FORMAT = "splatfilm-clip"
VERSION = 1
_LARGEST = 1 << 30  # bytes of one array; a larger one is a broken or a hostile file


def write_clip(path: str | os.PathLike[str], clip: Clip, compact: bool = False) -> None:
    """Write `clip` to `path` atomically. Raises `StorageError`."""
    arrays: list[NDArray[Any]] = []
    places: dict[tuple[str, tuple[int, ...], bytes], int] = {}

    def place(values: NDArray[Any]) -> int:
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in places:
            places[key] = len(arrays)
            arrays.append(values)
        return places[key]

    errors: dict[str, float] = {}
    tracks = []
    for track in clip.tracks:
        stored = _stored(track.values, ("<f2" if track.kind == "shape" else "<f4") if compact else None)
        error = float(np.max(np.abs(stored.astype(np.float64) - track.values)))
        errors[track.kind] = max(error, errors.get(track.kind, 0.0))
        tracks.append([track.kind, track.target, track.interpolation, place(_stored(track.times)), place(stored)])
    header = {
        "format": FORMAT,
        "version": VERSION,
        "name": clip.name,
        "rate": str(clip.rate),
        "duration": clip.duration,
        "source": clip.source,
        "licence": clip.licence,
        "largest_error": errors,
        "joints": [[j.name, j.parent, [*j.translation], [*j.rotation], [*j.scale]] for j in clip.skeleton.joints],
        "tracks": tracks,
    }
    header["sha256"] = _digest(header, arrays)
    write_bytes(path, _packed(header, arrays))


def read_clip(path: str | os.PathLike[str]) -> Clip:
    """The clip in a file that `write_clip` wrote.

    Raises `InputError` for a missing, cut or altered file, and for a version that this Splatfilm does not know.
    """
    file = Path(path)
    try:
        with zipfile.ZipFile(file) as archive:
            header = _header(file, archive)
            arrays = [_array(file, archive, f"a{i}") for i in range(_count(header))]
    except FileNotFoundError:
        raise InputError.at(file, "no such file") from None
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError.at(file, f"not a clip file, or cut short: {error}") from error
    expected = header.pop("sha256", None)
    try:
        if _digest(header, arrays) != expected:
            raise InputError.at(file, "the contents do not match their hash: the file was altered or damaged", "sha256")
        return _clip(header, arrays)
    except (ValueError, TypeError, KeyError, IndexError, ZeroDivisionError) as error:
        raise InputError.at(file, f"not a valid clip: {error}", "header") from error


def clip_hash(clip: Clip) -> str:
    """The hash of everything that decides a clip's poses; its source and licence do not."""
    tracks = [
        [t.kind, t.target, t.interpolation, hash_bytes(t.times.tobytes()), hash_bytes(t.values.tobytes())]
        for t in sorted(clip.tracks, key=lambda t: (t.kind, t.target))
    ]
    joints = [[j.name, j.parent, [*j.translation], [*j.rotation], [*j.scale]] for j in clip.skeleton.joints]
    return hash_value([VERSION, clip.duration, joints, tracks])


def _stored(values: NDArray[np.float64], dtype: str | None = None) -> NDArray[Any]:
    if dtype is not None:
        return values.astype(dtype)
    narrow = values.astype("<f4")
    return narrow if np.array_equal(narrow.astype(np.float64), values) else values.astype("<f8")


def _digest(header: dict[str, Any], arrays: list[NDArray[Any]]) -> str:
    return hash_value([header, [[a.dtype.str, list(a.shape), hash_bytes(a.tobytes())] for a in arrays]])


def _packed(header: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    stream = io.BytesIO()
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in [("header", np.frombuffer(text, np.uint8)), *((f"a{i}", a) for i, a in enumerate(arrays))]:
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(_entry(f"{name}.npy"), part.getvalue())
    return stream.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """A zip entry without a clock in it."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _array(file: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    try:
        info = archive.getinfo(f"{name}.npy")
        if info.file_size > _LARGEST:
            raise InputError.at(file, f"{info.file_size} bytes are more than any clip has", name)
        with archive.open(info) as part:
            array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(part.read()), allow_pickle=False)
    except KeyError:
        raise InputError.at(file, "missing: not a clip file, or cut short", name) from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError.at(file, f"damaged: {error}", name) from error
    return array


def _header(file: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        header = json.loads(_array(file, archive, "header").tobytes())
    except (ValueError, RecursionError) as error:
        raise InputError.at(file, f"not JSON: {error}", "header") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError.at(file, f'expected "format": "{FORMAT}"', "header")
    if header.get("version") != VERSION:
        raise InputError.at(file, f"version {header.get('version')!r}; this Splatfilm reads {VERSION}", "header")
    return header


def _count(header: dict[str, Any]) -> int:
    tracks = header.get("tracks")
    places = [p for t in tracks if isinstance(t, list) for p in t[3:5]] if isinstance(tracks, list) else []
    return max((p for p in places if isinstance(p, int) and p < 3 * len(places)), default=-1) + 1


def _clip(header: dict[str, Any], arrays: list[NDArray[Any]]) -> Clip:
    joints = tuple(
        Joint(str(name), int(parent), (t[0], t[1], t[2]), (r[0], r[1], r[2], r[3]), (s[0], s[1], s[2]))
        for name, parent, t, r, s in header["joints"]
    )
    tracks = []
    for kind, target, interpolation, times, values in header["tracks"]:
        if kind not in get_args(Kind) or interpolation not in get_args(Interpolation):
            raise ValueError(f"a track of {kind!r}, {interpolation!r}")
        tracks.append(Track(str(target), kind, arrays[times], arrays[values], interpolation))
    return Clip(
        str(header["name"]),
        Skeleton(joints),
        tuple(tracks),
        Fraction(header["rate"]),
        float(header["duration"]),
        str(header["source"]),
        str(header["licence"]),
    )
