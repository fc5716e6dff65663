"""Claim: lids close and mouths open on faces that were photographed with open eyes and closed mouths.

`actor-face` is PSNR over what truth shows of Ada's skin within the box about her hair, in all twelve pictures of the
wide yawn and of the basin; `without-seeds` is the same when nothing is seeded on what no photograph shows, and nothing
goes that lies before it. Times are CPU milliseconds of posing her body, with seeds and without, in turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.report import Row, alternate, main
from benchmarks.truth import FOOTAGE, ROOT, pairs, psnr
from splatfilm.base.hashing import hash_file
from splatfilm.base.progress import SILENT
from splatfilm.base.rigid import IDENTITY
from splatfilm.film import load
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.splats import read_splats
from splatfilm.stage import actor
from splatfilm.stage.actor import BoundLayer, bound_layer
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import Rig
from splatfilm.stage.rigs.skeleton import Pose, rest_pose

MOVES = ("wide-yawn", "basin-brush")
SKIN, HAIR = 1, 2  # in the footage's ids
YAWN = {"jawOpen": 1.0, "mouthFunnel": 0.23, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0, "eyeSquintLeft": 0.9}


def without_seeds() -> AbstractContextManager[object]:
    """While this lasts layers are bound as photographed."""
    return patch.object(actor, "cached_unseen", lambda *given: ())


def on_her_face(move: str, out: Path) -> float:
    """The mean PSNR of a move's pictures, dB."""
    found = []
    for number, pair in enumerate(pairs(move, out), start=1):
        ids = np.asarray(Image.open(FOOTAGE / move / "ids" / f"{number:03d}.png"))
        rows, columns = np.nonzero(ids == HAIR)
        face = np.zeros(ids.shape, dtype=bool)
        face[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        face &= ids == SKIN
        found.append(psnr(pair.ours[face], pair.truth[face]))
    return float(np.mean(found))


def body(rig: Rig, out: Path) -> BoundLayer:
    """Ada's body, as the sample film has it."""
    film = load(ROOT / "cameras" / "morning" / "film.toml")
    path = resolve_assets(film, [("ada", "layers/body")], Ways(out / "assets"), SILENT)["ada", "layers/body"].path
    return bound_layer(rig, read_splats(path), hash_file(path), ("body",), None)


def measure() -> list[Row]:
    """Rows for how much of the truth is met, and what it costs."""
    out, rig, rows = ROOT / "out", load_rig(ROOT / "captures" / "ada" / "rig.glb"), []
    for move in MOVES:
        with without_seeds():
            rows.append(Row(f"face/{move}/without-seeds", on_her_face(move, out), "dB"))
        least = 21.0 if move == "wide-yawn" else None
        rows.append(Row(f"face/{move}/actor-face", on_her_face(move, out), "dB", least, "higher"))
    rest = rest_pose(rig.skeleton)

    def pose(weights: Mapping[str, float]) -> Pose:
        return Pose(rest.translations, rest.rotations, dict(weights))

    start = time.process_time()
    with without_seeds():
        plain = body(rig, out)
    middle = time.process_time()
    seeded = body(rig, out)
    rows.append(Row("face/found", time.process_time() - middle - (middle - start), "s CPU"))
    rivals = {"plain": plain, "seeded": seeded}
    faces: dict[str, dict[str, float]] = {"still": {}, "yawn": YAWN, "talk": {"jawOpen": 0.2}}
    for what, weights in faces.items():
        now = pose(weights)
        works: dict[str, Callable[[], object]] = {
            name: partial(layer.posed, rig, now, IDENTITY) for name, layer in rivals.items()
        }
        took = alternate(works, repeats=60, clock=time.process_time)
        rows.append(Row(f"face/pose/{what}", 1000 * took["seeded"], "ms CPU"))
        rows.append(Row(f"face/pose/{what}/without-seeds", 1000 * took["plain"], "ms CPU"))
    rows.append(Row("face/seeds", len(seeded.rest) - len(plain.rest), "splats"))
    return rows


if __name__ == "__main__":
    main(__doc__ or "", measure)
