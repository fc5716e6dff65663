"""Photographs decoded for training: turned, matted, masked, scaled down and straightened, with the camera that fits.

Pixels are used as they are stored, which is how COLMAP and nerfstudio read them; the reader of the capture turns them
by their EXIF orientation only when the intrinsics say that they were turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from splatfilm.base.errors import InputError, Problem
from splatfilm.cameras import Camera
from splatfilm.capture.model import Photograph
from splatfilm.capture.undistort import pinhole, straighten

Plane = NDArray[np.float32]
_FILTER_LEAK = 0.02  # share of a pixel's light that may come from pixels that do not count


@dataclass(frozen=True, eq=False)
class Picture:
    """One photograph ready for training, taken by a pinhole camera of the same size.

    `colour` is display-referred sRGB 0..1; with a matte it is multiplied by the matte already, so that
    `colour + (1 - matte) * ground` is the object before any ground. `weight` 0 marks pixels to ignore.
    """

    name: str
    camera: Camera
    colour: Plane  # [H, W, 3]
    matte: Plane | None  # [H, W] 0..1
    weight: Plane | None  # [H, W] 0..1


def training_size(camera: Camera, longest: int | None) -> tuple[int, int]:
    """(width, height) in pixels with the longest side brought down to `longest`; pictures are never made larger."""
    if longest is None or longest >= max(camera.width, camera.height):
        return camera.width, camera.height
    ratio = longest / max(camera.width, camera.height)
    return max(1, round(camera.width * ratio)), max(1, round(camera.height * ratio))


def load_pictures(
    photographs: Sequence[Photograph],
    longest: int | None = None,
    each: Callable[[int], None] = lambda done: None,
) -> tuple[Picture, ...]:
    """Decode photographs at a training size, two at a time. Raises one `InputError` that names every bad file."""
    pictures: list[Picture] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in [pool.submit(load_picture, photograph, longest) for photograph in photographs]:
            try:
                pictures.append(future.result())
            except InputError as error:
                problems.extend(error.problems)
            each(len(pictures) + len(problems))
    if problems:
        raise InputError(problems)
    return tuple(pictures)


def load_picture(photograph: Photograph, longest: int | None = None) -> Picture:
    """Decode one photograph. Raises `InputError` when a file is truncated, no picture, or a mask of another size."""
    camera = photograph.camera
    picture = _turned(_open(photograph.image), photograph.quarter_turns)
    if picture.size != (camera.width, camera.height):
        width, height = picture.size
        raise InputError.at(
            photograph.image, f"is {width}x{height} pixels, but its camera records {camera.width}x{camera.height}"
        )
    weight = None if photograph.mask is None else _decode_mask(photograph, picture.size)
    size = training_size(camera, longest)
    if camera.distortion is None or camera.distortion.is_zero:
        planes = _planes(picture, size, photograph.image)
    else:
        # Straightened at twice the size, so that bilinear interpolation costs no sharpness.
        between = min(2 * size[0], camera.width), min(2 * size[1], camera.height)
        bent = _planes(picture, between, photograph.image)
        counts = np.ones(bent.shape[:2], np.float32) if weight is None else _whole(weight, between)
        together, known = straighten(np.concatenate([bent, counts[..., None]], axis=2), camera.scaled(*between))
        planes, weight = _resized(together[..., :-1], size), (together[..., -1] > 0.999) * known
    if weight is not None:
        weight = _whole(weight, size)
    return Picture(
        photograph.name,
        pinhole(camera).scaled(*size),
        np.ascontiguousarray(planes[..., :3]),
        np.ascontiguousarray(planes[..., 3]) if planes.shape[2] == 4 else None,
        None if weight is None or weight.all() else weight,
    )


def shrunk(picture: Picture, share: float) -> Picture:
    """The same picture at a share of its size; a pixel counts where everything that it covers does."""
    if share == 1:
        return picture
    camera = picture.camera
    size = max(1, round(camera.width * share)), max(1, round(camera.height * share))
    weight = None if picture.weight is None else _whole(picture.weight, size)
    matte = None if picture.matte is None else _resized(picture.matte[..., None], size)[..., 0]
    return Picture(picture.name, camera.scaled(*size), _resized(picture.colour, size), matte, weight)


def _resized(planes: Plane, size: tuple[int, int]) -> Plane:  # [H, W, C] -> [h, w, C]
    """Means of two by two pixels where the size is halved, else Lanczos in float, kept in 0..1."""
    height, width, channels = planes.shape
    if (width, height) == size:
        return np.ascontiguousarray(planes)
    if (width, height) == (2 * size[0], 2 * size[1]):
        return (planes[0::2, 0::2] + planes[0::2, 1::2] + planes[1::2, 0::2] + planes[1::2, 1::2]) * np.float32(0.25)
    scaled = [_lanczos(planes[..., c], size) for c in range(channels)]
    return np.clip(np.stack(scaled, axis=-1), 0.0, 1.0)


def _whole(weight: Plane, size: tuple[int, int]) -> Plane:  # [H, W] -> [h, w]
    """1 where everything under a target pixel's filter counts, else 0: unwanted light must not be mixed in."""
    if weight.shape == size[::-1]:
        return weight
    return (np.abs(_lanczos(weight, size) - 1) < _FILTER_LEAK).astype(np.float32)


def _lanczos(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, Image.Resampling.LANCZOS))


def _planes(picture: Image.Image, size: tuple[int, int], path: Path) -> Plane:
    """[H, W, 3], or [H, W, 4] with colour multiplied by alpha, in 0..1 at `size`."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        grey = np.asarray(picture, dtype=np.float32) / 65535
        return _resized(np.repeat(grey[..., None], 3, axis=2), size)
    if picture.mode == "F":
        raise InputError.at(path, "is a floating-point picture; photographs must be 8 or 16 bits a channel")
    alpha = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    # Multiplied by alpha before scaling, so that colours which nobody may see do not bleed into the object.
    plain = picture.convert("RGBA").convert("RGBa") if alpha else picture.convert("RGB")
    scaled = plain if plain.size == size else plain.resize(size, Image.Resampling.LANCZOS)
    values = np.frombuffer(scaled.tobytes(), np.uint8).reshape(size[1], size[0], -1).astype(np.float32)
    values *= 1 / 255
    return values


def _decode_mask(photograph: Photograph, size: tuple[int, int]) -> Plane:  # [H, W]
    assert photograph.mask is not None
    mask = _open(photograph.mask)
    if mask.size != size:
        mask = _turned(mask, photograph.quarter_turns)
    if mask.size != size:
        found = f"{mask.size[0]}x{mask.size[1]}"
        raise InputError.at(
            photograph.mask, f"is {found} pixels, but its photograph {photograph.name} is {size[0]}x{size[1]}"
        )
    return (_planes(mask, size, photograph.mask)[..., 0] > 0.5).astype(np.float32)


def _turned(picture: Image.Image, quarter_turns: int) -> Image.Image:
    turns = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
    return picture.transpose(turns[quarter_turns]) if quarter_turns else picture


def _open(path: Path) -> Image.Image:
    try:
        picture = Image.open(path)
        picture.load()
        return picture
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except UnidentifiedImageError:
        raise InputError.at(path, "is not a picture that can be read (JPEG, PNG, TIFF or WebP expected)") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError.at(path, f"cannot be decoded: {error}") from error
