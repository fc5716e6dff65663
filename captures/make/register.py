"""Could a photographer have captured this set? pycolmap gets the photographs alone and must find where they were taken.

    python -m venv captures/make/.venv-colmap
    captures/make/.venv-colmap/bin/pip install -r captures/make/requirements-colmap.txt
    captures/make/.venv-colmap/bin/python captures/make/register.py flat

It is given the pictures with what their EXIF says of the lens, as any camera writes it; photographs of one focal length
share a camera. The models it finds are laid over the truth by one similarity (Umeyama 1991) and compared.
Database and model go to out/captures/register/: a stopped run goes on with the features and matches it has, and a
finished model is measured again at once. Delete that folder when the photographs have changed.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

try:
    import pycolmap
except ImportError as error:
    sys.exit(f"{__doc__}\nWhat is missing: {error}")

CAPTURES = Path(__file__).resolve().parent.parent
WORK = CAPTURES.parent / "out" / "captures" / "register"
FOCAL_LENGTH = 0x920A
REGISTERED, DEGREES, METRES = 0.95, 0.2, 0.01


def lens_groups(images: Path) -> dict[float, list[str]]:
    """File names by the focal length that their EXIF tells, in millimetres on 36 mm film."""
    groups: dict[float, list[str]] = defaultdict(list)
    for file in sorted(images.iterdir()):
        with Image.open(file) as picture:
            focal = picture.getexif().get_ifd(0x8769).get(FOCAL_LENGTH)
        if focal is None:
            sys.exit(f"{file}: no focal length in its EXIF; take the photographs anew with build.py")
        groups[float(focal)].append(file.name)
    return dict(groups)


def reconstruct(name: str) -> pycolmap.Reconstruction:
    """The largest model of a capture's photographs."""
    images, folder = CAPTURES / name / "images", WORK / name
    done = folder / "model"
    if (done / "images.bin").exists():
        return pycolmap.Reconstruction(done)
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "database.db"  # a stopped run keeps the features and matches it has
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.sift.max_num_features = 2500
    for focal, names in lens_groups(images).items():
        with Image.open(images / names[0]) as picture:
            w, h = picture.size
        reader = pycolmap.ImageReaderOptions()
        reader.camera_model = "SIMPLE_PINHOLE"
        reader.camera_params = f"{focal / 36 * w},{w / 2},{h / 2}"
        pycolmap.extract_features(
            database, images, names, pycolmap.CameraMode.SINGLE, reader, extraction, pycolmap.Device.cpu
        )
    pycolmap.match_exhaustive(database, device=pycolmap.Device.cpu)
    models = pycolmap.incremental_mapping(database, images, folder)
    best = max(models.values(), key=lambda model: model.num_reg_images())
    done.mkdir(exist_ok=True)
    best.write(done)
    return best


def poses(model: pycolmap.Reconstruction) -> dict[str, NDArray[np.float64]]:
    """Camera-to-world [4, 4] in OpenCV axes, in the model's own space, by file name."""
    found = {}
    for image in model.images.values():
        if image.has_pose:
            matrix = np.eye(4)
            matrix[:3] = image.cam_from_world().inverse().matrix()
            found[image.name] = matrix
    return found


def true_poses(name: str) -> dict[str, NDArray[np.float64]]:
    """The same from `transforms.json`, whose cameras have OpenGL axes."""
    document = json.loads((CAPTURES / name / "transforms.json").read_text(encoding="utf-8"))
    return {
        Path(frame["file_path"]).name: np.array(frame["transform_matrix"], float) @ np.diag([1.0, -1, -1, 1])
        for frame in document["frames"]
    }


def compare(found: dict[str, NDArray[np.float64]], truth: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(degrees, metres) of each registered photograph after alignment by positions, [N, 2]."""
    names = sorted(found)
    a, b = (np.array([poses[n][:3, 3] for n in names]) for poses in (found, truth))
    ca, cb = a.mean(0), b.mean(0)
    u, s, vt = np.linalg.svd((b - cb).T @ (a - ca))
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = (u * sign) @ vt
    scale = (s * sign).sum() / ((a - ca) ** 2).sum()
    errors = []
    for n, place in zip(names, a, strict=True):
        away = np.linalg.norm(scale * turn @ (place - ca) + cb - truth[n][:3, 3])
        left = turn @ found[n][:3, :3] @ truth[n][:3, :3].T
        errors.append((np.degrees(np.arccos(np.clip((np.trace(left) - 1) / 2, -1, 1))), away))
    return np.array(errors)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "flat"
    truth = true_poses(name)
    found = poses(reconstruct(name))
    errors = compare(found, truth)
    share = len(found) / len(truth)
    good = float(((errors[:, 0] <= DEGREES) & (errors[:, 1] <= METRES)).sum() / len(truth))
    print(f"{name}: {len(found)} of {len(truth)} photographs registered ({share:.1%}; wanted {REGISTERED:.0%})")
    for k, (what, unit, bar) in enumerate((("rotation", "degrees", DEGREES), ("position", "m", METRES))):
        v = errors[:, k]
        middle, most, worst = np.median(v), np.percentile(v, 95), v.max()
        print(f"{what}: median {middle:.4f}, 95 % {most:.4f}, worst {worst:.4f} {unit} (bar {bar})")
    print(f"registered within both bars: {good:.1%} of all")
    sys.exit(0 if good >= REGISTERED else 1)


if __name__ == "__main__":
    main()
