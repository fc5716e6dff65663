"""Compare Splatfilm's reading of nerfstudio's files with nerfstudio's own, frame by frame, and keep the result.

Run with the Python of an environment that holds nerfstudio 1.1.5 (docs/interop.md):

    PYTHONPATH=. PYTHON tests/interop/nerfstudio_parity.py [--fox FOLDER] [--lego FOLDER] [--write]

Poses are compared as they are, in every entry; intrinsics relative to their size. nerfstudio computes in float32, which
alone explains differences of some 1e-7. Exits with 1 when one exceeds 1e-6.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import struct
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torchvision_shim  # noqa: F401  must come before nerfstudio
from nerfstudio.cameras.camera_paths import get_path_from_json
from nerfstudio.data.dataparsers.base_dataparser import DataparserOutputs
from nerfstudio.data.dataparsers.blender_dataparser import BlenderDataParserConfig
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from nerfstudio.process_data.colmap_utils import colmap_to_json

from splatfilm.cameras import Camera, CameraKey, CameraPath, Distortion, Lens, load_path
from splatfilm.cameras.axes import from_opengl, to_opengl
from splatfilm.cameras.colmap import read_colmap
from splatfilm.cameras.nerfstudio_path import write_nerfstudio_path
from splatfilm.cameras.normalisation import FILE, find_normalisation
from splatfilm.cameras.transforms_json import (
    PosedImage,
    Transforms,
    default_split,
    read_transforms,
    write_transforms,
)

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "cameras" / "data"
SHARED = HERE.parent.parent.parent / "shared" / "data"
LIMIT = 1e-6
Rows = list[dict[str, Any]]


def compare(name: str, ours: list[Camera], theirs: Any, poses: Any = None) -> dict[str, Any]:
    """One row of the result: the largest differences between our cameras and nerfstudio's `Cameras`."""
    their_poses = (theirs.camera_to_worlds if poses is None else poses).numpy().astype(float)
    assert len(ours) == len(their_poses), f"{name}: {len(ours)} cameras of ours, {len(their_poses)} of nerfstudio's"
    pose = max(np.abs(to_opengl(a.pose)[:3] - without_scale(b)).max() for a, b in zip(ours, their_poses, strict=True))
    intrinsics = 0.0
    for field in ("fx", "fy", "cx", "cy"):
        values = np.broadcast_to(getattr(theirs, field).numpy().reshape(-1), (len(ours),))
        mine = np.array([getattr(camera, field) for camera in ours])
        intrinsics = max(intrinsics, float(np.abs(mine / values - 1).max()))
    return {"case": name, "frames": len(ours), "pose": float(pose), "intrinsics": intrinsics}


def without_scale(pose: np.ndarray) -> np.ndarray:
    """nerfstudio normalises the rays of a scaled camera; the Blender add-on writes such cameras."""
    result = pose.copy()
    result[:, :3] /= np.linalg.norm(pose[:, :3], axis=0)
    return result


def camera_paths(folder: Path) -> Rows:
    """Every fixture that nerfstudio's viewer and add-on wrote, and other dialects that nerfstudio accepts."""
    files = [file for file in (DATA / "nerfstudio").glob("*.json") if not file.name.endswith(".cameras.json")]
    rows = [camera_path(file.stem, file) for file in sorted(files)]
    value = json.loads((DATA / "nerfstudio" / "viewer_zoom_and_transitions.json").read_text())
    nested = [e | {"camera_to_world": np.reshape(e["camera_to_world"], (4, 4)).tolist()} for e in value["camera_path"]]
    dialects: dict[str, dict[str, Any]] = {
        "float sizes": value | {"render_width": 848.0, "render_height": 477.0},
        "portrait": value | {"render_width": 1080, "render_height": 1920},
        "matrices as rows": value | {"camera_path": nested},
        "no camera_type": {name: item for name, item in value.items() if name != "camera_type"},
        "only what the renderer reads": {
            k: value[k] for k in ("render_height", "render_width", "camera_path", "seconds")
        },
    }
    for name, dialect in dialects.items():
        file = folder / "dialect.json"
        file.write_text(json.dumps(dialect))
        rows.append(camera_path(name, file))
    return rows


def camera_path(name: str, file: Path) -> dict[str, Any]:
    value = json.loads(file.read_text())
    theirs = get_path_from_json(value)
    camera = load_path(file)
    size = int(value["render_width"]), int(value["render_height"])
    return compare(f"camera_path: {name}", [camera.at(key.frame, *size) for key in camera.keys], theirs)


def written_path(folder: Path) -> Rows:
    """A move of ours as nerfstudio reads it from the file that we write."""
    keys = (
        CameraKey(1001, (0.0, -2.0, 1.0), look_at=(0.0, 0.0, 1.0), roll=0.0, focal_mm=24.0),
        CameraKey(1020, (2.0, -2.0, 1.5), look_at=(0.5, 0.0, 1.0), roll=0.2, focal_mm=50.0),
        CameraKey(1049, (4.0, 1.0, 2.0), rotation=(0.5, -0.5, -0.5, 0.5), roll=0.0, focal_mm=35.0),
    )
    camera, frames, size = CameraPath(keys, Lens(t_stop=2.8)), range(1001, 1050), (640, 360)
    write_nerfstudio_path(folder / "ours.json", camera, frames, size, Fraction(24000, 1001))
    theirs = get_path_from_json(json.loads((folder / "ours.json").read_text()))
    return [compare("camera_path: written by Splatfilm", list(camera.bake(frames, *size)), theirs)]


RAW = {"orientation_method": "none", "center_method": "none", "auto_scale_poses": False}


def outputs(folder: Path, split: str, **settings: Any) -> DataparserOutputs:
    """What nerfstudio's dataparser makes of a data set; downscale_factor 1 keeps it from looking for photographs."""
    config = NerfstudioDataParserConfig(data=folder, downscale_factor=1, **settings)
    return config.setup().get_dataparser_outputs(split)


def dataset(name: str, folder: Path, settings: dict[str, dict[str, Any]], scratch: Path) -> Rows:
    """A transforms.json against nerfstudio's dataparser: each split, as it is and in nerfstudio's normalised world."""
    rows = []
    ours = read_transforms(folder)
    for title, options in settings.items():
        for split in ("train", "val"):
            parsed = outputs(folder, split, **options)
            chosen = ours.splits.get(split)
            if chosen is None:
                chosen = tuple(default_split(len(ours.images))[0 if split == "train" else 1])
            images = [ours.images[i] for i in chosen]
            names = [ours.image_path(image) for image in images]
            assert names == list(parsed.image_filenames), f"{name} {split}: other photographs than nerfstudio's"
            parsed.save_dataparser_transform(scratch / FILE)
            (scratch / "transforms.json").write_bytes((folder / "transforms.json").read_bytes())
            normalisation = find_normalisation(scratch)
            assert normalisation is not None
            moved = [placed(image.camera, normalisation.from_capture(image.camera.pose)) for image in images]
            row = compare(f"{name}: {split}, {title}", moved, parsed.cameras)
            rows.append(row | {"distortion": distortion_difference(images, parsed.cameras)})
            back = [
                normalisation.to_capture(from_opengl(four_rows(p))) for p in parsed.cameras.camera_to_worlds.numpy()
            ]
            largest = max(np.abs(a - b.camera.pose).max() for a, b in zip(back, images, strict=True))
            size = max(1.0, max(np.abs(image.camera.position).max() for image in images))
            rows.append({"case": f"{name}: {split}, {title}, back", "frames": len(back), "pose": float(largest / size)})
    return rows


def placed(camera: Camera, pose: np.ndarray) -> Camera:
    return Camera(pose, camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height, camera.distortion)


def four_rows(pose: np.ndarray) -> np.ndarray:
    return np.vstack([pose.astype(float), [0, 0, 0, 1]])


def distortion_difference(images: list[PosedImage], cameras: Any) -> float:
    """Largest difference between our coefficients and nerfstudio's (k1, k2, k3, k4, p1, p2)."""
    largest = 0.0
    theirs = np.broadcast_to(cameras.distortion_params.numpy(), (len(images), 6))
    for image, row in zip(images, theirs, strict=True):
        lens = image.camera.distortion
        if lens is not None and lens.model == "kannala-brandt":
            ours = [*lens.coefficients, 0, 0]
        else:
            k1, k2, p1, p2, k3 = lens.coefficients if lens is not None else (0.0,) * 5
            ours = [k1, k2, k3, 0, p1, p2]
        largest = max(largest, float(np.abs(np.array(ours) - row).max()))
    return largest


def written_datasets(scratch: Path) -> Rows:
    """transforms.json files of ours, with every feature, as nerfstudio's dataparser reads them."""
    rng = np.random.default_rng(7)
    rows = []
    applied = np.eye(4)[[0, 2, 1, 3]]
    applied[2] *= -1
    lenses = {
        "no distortion": None,
        "brown-conrady": Distortion("brown-conrady", (0.1, -0.05, 0.001, 0.002, 0.01)),
        "fisheye": Distortion("kannala-brandt", (0.1, -0.05, 0.001, 0.002)),
    }
    for name, lens in lenses.items():
        for shared in (True, False):
            images = []
            for i in range(10):
                turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
                pose = np.eye(4)
                pose[:3, :3] = turn * np.sign(np.linalg.det(turn))
                pose[:3, 3] = rng.normal(size=3)
                focal = 500.0 if shared else 500.0 + i
                images.append(PosedImage(f"images/{i}.png", Camera(pose, focal, 510, 320.5, 241, 640, 480, lens)))
            folder = scratch / f"{name} {shared}"
            folder.mkdir()
            splits = {"train": (0, 1, 2, 3, 4), "val": (5, 6, 7)} if shared else {}
            value = Transforms(folder, tuple(images), splits, None, applied if shared else None)
            write_transforms(folder / "transforms.json", value)
            title = f"written: {name}, {'one lens' if shared else 'a lens each'}"
            rows += dataset(title, folder, {"as it is": RAW, "normalised": {}}, scratch)
    return rows


def colmap(scratch: Path) -> Rows:
    """COLMAP's files through nerfstudio's ns-process-data into transforms.json, against our reading of both."""
    sparse = scratch / "sparse"
    sparse.mkdir()
    source = DATA / "colmap" / "usable"
    # nerfstudio does not know FULL_OPENCV, the last of the seven: leave its 120 and 108 bytes out.
    for name, cut in (("cameras", 120), ("images", 108)):
        data = bytearray((source / f"{name}.bin").read_bytes()[:-cut])
        struct.pack_into("<Q", data, 0, 6)
        (sparse / f"{name}.bin").write_bytes(data)
    (sparse / "points3D.bin").write_bytes((source / "points3D.bin").read_bytes())
    colmap_to_json(sparse, scratch)
    theirs = read_transforms(scratch)
    assert theirs.applied_transform is not None
    ours = {f"images/{image.name}": image.camera for image in read_colmap(sparse).images}
    pose = intrinsics = distortion = 0.0
    for image in theirs.images:
        camera = ours[image.file_path]
        pose = max(pose, np.abs(theirs.applied_transform @ camera.pose - image.camera.pose).max())
        intrinsics = max(intrinsics, np.abs(camera.intrinsics() - image.camera.intrinsics()).max())
        a, b = ([*(c.distortion.coefficients if c.distortion else ()), *[0.0] * 8] for c in (camera, image.camera))
        distortion = max(distortion, np.abs(np.subtract(a[:8], b[:8])).max())
    row = {"case": "colmap: through ns-process-data", "frames": len(theirs.images), "pose": float(pose)}
    return [row | {"intrinsics": float(intrinsics), "distortion": float(distortion)}]


def blender(folder: Path) -> Rows:
    """A Blender data set against nerfstudio's Blender dataparser."""
    ours, rows = read_transforms(folder), []
    for split in ("train", "val"):
        theirs = BlenderDataParserConfig(data=folder).setup().get_dataparser_outputs(split)
        images = [ours.images[i] for i in ours.splits[split]]
        assert [ours.image_path(image) for image in images] == list(theirs.image_filenames)
        rows.append(compare(f"blender data set: {split}", [image.camera for image in images], theirs.cameras))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fox", type=Path, default=SHARED / "fox", help="folder with the fox's transforms.json")
    parser.add_argument("--lego", type=Path, default=SHARED / "ns_lego_test" / "lego_test")
    parser.add_argument("--write", action="store_true", help="keep the result in tests/interop/results")
    options = parser.parse_args()
    rows: Rows = []
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(i) for i in range(4)]
        for folder in folders:
            folder.mkdir()
        rows += camera_paths(folders[0]) + written_path(folders[0]) + written_datasets(folders[1]) + colmap(folders[2])
        if options.fox.is_dir():
            rows += dataset("fox", options.fox, {"as it is": RAW, "normalised": {}}, folders[3])
        if options.lego.is_dir():
            rows += blender(options.lego)
    for row in rows:
        row["ok"] = bool(max(row["pose"], row.get("intrinsics", 0.0), row.get("distortion", 0.0)) <= LIMIT)
        print(json.dumps(row))
    result = {
        "versions": {p: importlib.metadata.version(p) for p in ("nerfstudio", "torch", "numpy", "viser", "splines")}
        | {"python": platform.python_version()},
        "limit": LIMIT,
        "largest": {k: max(row.get(k, 0.0) for row in rows) for k in ("pose", "intrinsics", "distortion")},
        "cases": rows,
    }
    if options.write:
        file = HERE / "results" / f"nerfstudio-{result['versions']['nerfstudio']}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({"largest": result["largest"], "limit": LIMIT, "cases": len(rows)}))
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
