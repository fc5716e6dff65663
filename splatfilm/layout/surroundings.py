"""What the checks may know of a film's sets beside the film file: where matter is, and where photographs were taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from splatfilm.base.errors import SplatfilmError
from splatfilm.base.rigid import Similarity, matrix_from_quaternion
from splatfilm.capture import read_capture
from splatfilm.film import Film
from splatfilm.layout.checks import Array, Known, Matter, Views

Source = tuple[str, str]


def known_of(film: Film, files: Mapping[Source, Path], look_into_splats: bool = True) -> Known:
    """What is known of every scene's set: matter from its splat file where `files` has it, views from its capture.

    Looking into splats imports torch; without it only views are known. A set whose files cannot be read is not known,
    since it is for others to say what is wrong with them.
    """
    matter: dict[str, Matter] = {}
    views: dict[str, Views] = {}
    for name, scene in film.scenes.items():
        look = film.assets[scene.set].looks[scene.set_look]
        file = look.splats or files.get((scene.set, scene.set_look))
        try:
            if file is not None and look_into_splats:
                matter[name] = matter_of(file, look.place)
            if look.capture is not None:
                views[name] = views_of(look.capture, look.place)
        except SplatfilmError:
            continue
    return Known(matter, views)


def matter_of(file: Path, place: Similarity) -> Matter:
    """Where a splat file's splats are dense, put in their `place`."""
    from splatfilm.splats import read_splats

    splats = read_splats(file)
    return Matter(_placed(splats.means.numpy().astype(np.float64), place), splats.opacities.numpy().astype(np.float64))


def views_of(capture: Path, place: Similarity) -> Views:
    """From where and whither a capture's photographs were taken, put in their `place`."""
    cameras = [photograph.camera for photograph in read_capture(capture).photographs]
    positions = np.array([camera.position for camera in cameras])
    forwards = np.array([camera.forward for camera in cameras])
    return Views(_placed(positions, place), forwards @ matrix_from_quaternion(place.rotation).T)


def _placed(points: Array, place: Similarity) -> Array:  # [N, 3] -> [N, 3]
    turned: Array = place.scale * points @ matrix_from_quaternion(place.rotation).T + np.asarray(place.translation)
    return turned
