"""Write camera_path.json fixtures with nerfstudio's own viewer code, and what nerfstudio itself makes of each fixture.

Run with the Python of an environment that holds nerfstudio 1.1.5 (docs/interop.md):

    PYTHON tests/interop/make_viewer_paths.py

The viewer's render tab is driven through a stand-in for its browser: buttons are pressed, sliders set, keyframes
clicked. Then for every file in tests/cameras/data/nerfstudio, also those of make_blender_paths.py, the cameras that
`nerfstudio.cameras.camera_paths.get_path_from_json` returns go into `<name>.cameras.json`, for tests without it.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torchvision_shim  # noqa: F401  must come before nerfstudio
import viser.transforms as tf
from nerfstudio.cameras.camera_paths import get_path_from_json
from nerfstudio.viewer.render_panel import populate_render_tab

DATA = Path(__file__).resolve().parent.parent / "cameras" / "data" / "nerfstudio"


class Element:
    """A widget or a thing in the viewer's scene: keeps a value, and calls back when it is set or clicked."""

    def __init__(self, value: Any = None) -> None:
        self.__dict__.update(_value=value, _updates=[], _clicks=[], order=0.0, disabled=False, visible=True)

    def on_update(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        self._updates.append(callback)
        return callback

    def on_click(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        self._clicks.append(callback)
        return callback

    @property
    def value(self) -> Any:
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = value
        for callback in list(self._updates):
            callback(SimpleNamespace(client=None, client_id=None))

    def click(self, event: Any = None) -> None:
        for callback in list(self._clicks):
            callback(event)

    def remove(self) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> Element:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Panel:
    """Stands in for `server.gui` and `server.scene`: makes elements and remembers the latest of each label."""

    def __init__(self) -> None:
        self.elements: dict[str, Element] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def make(label: str = "", *values: Any, **options: Any) -> Element:
            chosen = options.get("initial_value", values[0] if values and name == "add_checkbox" else None)
            element = Element(chosen)
            self.elements[label] = element
            return element

        return make


class Viewer:
    """A viewer with one visitor."""

    def __init__(self, folder: Path, time: bool) -> None:
        self.folder = folder
        self.gui, self.scene = Panel(), Panel()
        self.camera = SimpleNamespace(position=np.zeros(3), wxyz=np.array([1.0, 0, 0, 0]), fov=1.0)
        self.client = SimpleNamespace(camera=self.camera, gui=Panel(), scene=Panel())
        panel = SimpleNamespace(_time_enabled=True, crop_viewport=False) if time else None
        populate_render_tab(self, folder / "config.yml", folder, panel)

    def get_clients(self) -> dict[int, Any]:
        return {0: self.client}

    def set(self, label: str, value: Any) -> None:
        self.gui.elements[label].value = value

    def add_keyframe(self, position: list[float], look_at: list[float]) -> None:
        """Fly there (viser: ten times nerfstudio's units, OpenCV axes) and press the button."""
        forward = np.subtract(look_at, position) / np.linalg.norm(np.subtract(look_at, position))
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward], axis=1)
        self.camera.position = np.array(position, dtype=float)
        self.camera.wxyz = tf.SO3.from_matrix(rotation).wxyz
        self.gui.elements["Add Keyframe"].click(SimpleNamespace(client_id=0, client=self.client))

    def override_fov(self, index: int, degrees: float) -> None:
        """Click a keyframe's frustum and set its field of view in the panel that opens."""
        self.scene.elements[f"/render_cameras/{index}"].click()
        panel = self.gui.elements
        panel["Override FOV"].value = True
        panel["Override FOV (degrees)"].value = degrees

    def override_transition(self, index: int, seconds: float) -> None:
        """Click the sphere between a keyframe and the next and set how long the way takes."""
        self.scene.elements[f"/render_camera_spline/transition_{index}"].click()
        panel = self.gui.elements
        panel["Override transition"].value = True
        panel["Override transition (sec)"].value = seconds

    def save(self, name: str) -> None:
        self.set("Render name", name)
        self.gui.elements["Generate Command"].click(SimpleNamespace(client=self.client))


def orbit(viewer: Viewer, count: int, radius: float = 20.0) -> None:
    for i in range(count):
        angle = 2 * math.pi * i / count
        position = [radius * math.cos(angle), radius * math.sin(angle), 8.0 + i]
        viewer.add_keyframe(position, [1.0, 2.0, 3.0])


def plain(viewer: Viewer) -> None:
    orbit(viewer, 3)


def portrait(viewer: Viewer) -> None:
    viewer.set("Resolution", (848.0, 1504.0))  # viser's vector widgets hold floats
    viewer.set("FPS", 24.0)
    orbit(viewer, 3)


def zoom_and_transitions(viewer: Viewer) -> None:
    viewer.set("Default FOV", 50.0)
    viewer.set("Transition (sec)", 0.4)
    viewer.set("Spline tension", 0.5)
    orbit(viewer, 4)
    viewer.override_fov(1, 25.0)
    viewer.override_fov(2, 90.0)
    viewer.override_transition(1, 0.9)


def cycle(viewer: Viewer) -> None:
    viewer.set("Transition (sec)", 0.2)
    orbit(viewer, 4)
    viewer.set("Loop", True)


def timed(viewer: Viewer) -> None:
    viewer.set("Default Time", 0.25)
    viewer.set("Transition (sec)", 0.5)
    orbit(viewer, 3)


MOVES = {f.__name__: f for f in (plain, portrait, zoom_and_transitions, cycle, timed)}


def main() -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    for name, move in MOVES.items():
        with tempfile.TemporaryDirectory() as folder:
            viewer = Viewer(Path(folder), time=name == "timed")
            viewer.set("FPS", 12.0)
            move(viewer)
            viewer.save(name)
            written = Path(folder) / "camera_paths" / f"{name}.json"
            (DATA / f"viewer_{name}.json").write_bytes(written.read_bytes())
    for file in sorted(DATA.glob("*.json")):
        if file.name.endswith(".cameras.json"):
            continue
        cameras = get_path_from_json(json.loads(file.read_text()))
        value = {
            "camera_to_worlds": [pose.reshape(-1).tolist() for pose in cameras.camera_to_worlds],
            "fx": cameras.fx.reshape(-1).tolist(),
            "fy": cameras.fy.reshape(-1).tolist(),
            "cx": cameras.cx.reshape(-1).tolist(),
            "cy": cameras.cy.reshape(-1).tolist(),
        }
        file.with_suffix(".cameras.json").write_text(json.dumps(value) + "\n")
        print(file.name, len(cameras.camera_to_worlds), "frames")


if __name__ == "__main__":
    main()
