"""Write the COLMAP fixtures beside this script with COLMAP's own writer: one image for each camera model.

    python -m venv venv && venv/bin/pip install pycolmap==4.2.1 && venv/bin/python tests/cameras/data/make_colmap.py

`usable/` holds every model that Splatfilm reads, as .bin and .txt with the rigs and frames that COLMAP writes too;
`fov/` holds one that it must refuse. test_colmap.py knows the numbers.
"""

from pathlib import Path

import numpy as np
import pycolmap

HERE = Path(__file__).parent / "colmap"
MODELS = {
    "SIMPLE_PINHOLE": [500, 320, 240],
    "PINHOLE": [500, 510, 321, 239],
    "SIMPLE_RADIAL": [500, 320, 240, 0.01],
    "RADIAL": [500, 320, 240, 0.01, -0.02],
    "OPENCV": [500, 510, 321, 239, 0.01, -0.02, 0.003, -0.004],
    "OPENCV_FISHEYE": [300, 310, 321, 239, 0.01, -0.02, 0.003, -0.004],
    "FULL_OPENCV": [500, 510, 321, 239, 0.01, -0.02, 0.003, -0.004, 0.05, 0.06, 0.07, 0.08],
}
# World to camera, a quarter turn about Z, xyzw as pycolmap has it: the camera's x axis is the world's -y.
QUARTER = pycolmap.Rotation3d(np.array([0, 0, np.sqrt(0.5), np.sqrt(0.5)]))


def model(names: dict[str, list[float]]) -> pycolmap.Reconstruction:
    result = pycolmap.Reconstruction()
    for i, (name, parameters) in enumerate(names.items(), start=1):
        camera = pycolmap.Camera(model=name, width=640, height=480, params=parameters, camera_id=i)
        result.add_camera_with_trivial_rig(camera)
        points = pycolmap.Point2DList([pycolmap.Point2D(np.array([i + 0.5, 2.5]))])
        # Added in falling order of names: readers must sort.
        image = pycolmap.Image(name=f"day 1/{9 - i}.jpg", camera_id=i, image_id=i, points2D=points)
        pose = pycolmap.Rigid3d(QUARTER, np.array([i, 20.0, 30.0]))
        result.add_image_with_trivial_frame(image, pose)
    for i in range(3):
        track = pycolmap.Track([pycolmap.TrackElement(1, 0)] if i == 0 else [])
        result.add_point3D(np.array([i, i + 0.25, -i]), track, np.array([10 * i, 20, 255], dtype=np.uint8))
    return result


for folder, names in {"usable": MODELS, "fov": {"FOV": [500, 510, 321, 239, 0.9]}}.items():
    target = HERE / folder
    target.mkdir(parents=True, exist_ok=True)
    reconstruction = model(names)
    reconstruction.write_binary(target)
    reconstruction.write_text(target)
    print(folder, sorted(p.name for p in target.iterdir()))
