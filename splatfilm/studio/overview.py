"""The 3D overview: viser, guarded. The only user of viser.

viser lets anybody in who reaches its port, whatever page they come from. Here its port is on loopback, and a guard that
stands before viser's own code sees every request first. In the studio nobody gets through it but the studio's own
server, which knows a secret and lends its doorway (`studio/server.py`); `show` gives out an address with a token in it,
as the studio does.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import MissingPartError
from splatfilm.base.rigid import quaternion_from_matrix
from splatfilm.studio.clouds import Cloud
from splatfilm.studio.door import HOST, Door

Array = NDArray[np.float64]
Guard = Callable[[Any, Any, Callable[[Any, Any], Any]], Any]
"""(connection, request, what viser would answer) -> the answer; None lets a WebSocket through."""

SECRET_HEADER = "X-Splatfilm-Overview"

HIDDEN = ".mantine-Notifications-root,.mantine-Paper-root,[data-floating-window]"
"""What of viser's page has nothing to say in the studio's, by its selectors."""

CHOSEN = (232, 176, 75)
OTHER = (139, 146, 156)
MARK = (127, 194, 138)
LINE = (239, 111, 108)
FRUSTUM = 0.22  # metres from the lens to the picture of the chosen camera, and more where one stands farther off
FRUSTUM_SHARE, GIZMO_SHARE = 0.035, 0.07  # of the distance from which everything is seen
GIZMO = 0.35  # metres, likewise
FEWEST_METRES = 1e-3  # a camera that moves less has no path

_starting = threading.Lock()


@dataclass(frozen=True, eq=False)
class CameraView:
    """One shot's camera at the playhead, and its way through the shot."""

    name: str
    pose: Array  # [4, 4] camera-to-world
    fov: float  # vertical, radians
    aspect: float
    way: Array  # [F, 3] metres
    keys: Mapping[int, Array] = field(default_factory=dict)  # frame -> [3] metres
    chosen: bool = False
    movable: bool = False  # whether a gizmo may be on it
    picture: tuple[str, NDArray[np.uint8]] | None = None  # what it shows (a key that changes with it, [H, W, 3])


@dataclass(frozen=True, eq=False)
class World:
    """Everything that the overview shows beside splats."""

    cameras: Sequence[CameraView]
    marks: Mapping[str, tuple[float, float, float]]  # where the cast stands
    line: tuple[Array, Array] | None  # the 180-degree line runs through these


@dataclass(frozen=True, eq=False)
class Heard:
    """What somebody did in the overview: chose a shot, chose a key's frame, or dragged the chosen camera."""

    what: str  # shot, key, move
    shot: str
    frame: int | None = None
    position: tuple[float, float, float] | None = None
    rotation: tuple[float, float, float, float] | None = None
    gesture: str = ""


def library() -> Any:
    """viser. Raises `MissingPartError` where it is not installed."""
    try:
        import viser
    except ImportError as error:
        raise MissingPartError("the 3D overview needs viser: pip install 'viser>=1.1,<2'") from error
    return viser


def start_guarded(guard: Guard, port: int = 0) -> Any:
    """A viser server on loopback whose every request goes to `guard` first. Raises `MissingPartError`.

    viser has no place for a guard of its own, so its server is started with one through websockets' `process_request`;
    should a viser come that opens its port in another way, there is no overview rather than an open one.
    """
    viser = library()
    from viser.infra import _infra

    asked: list[int] = []
    sockets = _infra.websockets.asyncio.server  # type: ignore[attr-defined]
    real = sockets.serve

    def serve(handler: Any, host: Any, port: Any, **options: Any) -> Any:
        inner = options.get("process_request") or (lambda connection, request: None)
        asked.append(port)
        guarded = {**options, "process_request": lambda connection, request: guard(connection, request, inner)}
        return real(handler, HOST, port, **guarded)

    with _starting:
        sockets.serve = serve
        try:
            server = viser.ViserServer(host=HOST, port=port, verbose=False)
        finally:
            sockets.serve = real
    if not asked:
        server.stop()
        raise MissingPartError(f"viser {viser.__version__} cannot be guarded: the 3D overview needs viser 1.1")
    server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
    server.scene.set_up_direction("+z")
    server.initial_camera.fov = FOV
    server.gui.main_panel.minimize()
    return server


def allow_pages(doors: Sequence[Door]) -> Guard:
    """A guard that lets our own page in, by the one door in `doors`; while there is none, nobody."""

    def guard(connection: Any, request: Any, inner: Callable[[Any, Any], Any]) -> Any:
        socket = request.headers.get("Upgrade", "").lower() == "websocket"
        why = doors[0].why_not(request.path, request.headers, socket) if doors else "not open yet"
        if why is not None:
            return connection.respond(HTTPStatus.FORBIDDEN, f"{why}\n")
        answer = inner(connection, request)
        if answer is not None:
            answer.headers["Set-Cookie"] = doors[0].cookie
            answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return guard


def page() -> bytes:
    """viser's own page, one file, without its panel and its warnings: the studio has a place of its own for both."""
    own = (Path(library().__file__).parent / "client" / "build" / "index.html").read_bytes()
    return own.replace(b"</head>", f"<style>{HIDDEN}{{display:none!important}}</style></head>".encode(), 1)


class Overview:
    """The overview of an open film. `heard` is called from viser's threads.

    Methods are called from one thread; they send what changed and nothing else.
    """

    def __init__(self, heard: Callable[[Heard], None]) -> None:
        """Raises `MissingPartError` without viser."""
        self.secret = secrets.token_urlsafe(24)
        self._heard = heard
        self._server = start_guarded(self._guard)
        self._nodes: dict[str, tuple[Any, Any]] = {}  # by name: what it was made of, its handle
        self._clouds: dict[str, tuple[str, Any]] = {}
        self._framed = False
        self._distance = 0.0  # metres, from which visitors look first
        self._gizmo: Gizmo | None = None
        self._server.scene.add_grid(
            "/floor", 12, 12, cell_size=0.5, section_size=1.0, cell_color=(52, 57, 64), section_color=(72, 78, 88)
        )

    @property
    def port(self) -> int:
        return int(self._server.get_port())

    @property
    def cloud_keys(self) -> dict[str, str]:
        """The keys of the clouds that are drawn."""
        return {name: key for name, (key, _) in self._clouds.items()}

    def close(self) -> None:
        self._server.stop()

    def _guard(self, connection: Any, request: Any, inner: Callable[[Any, Any], Any]) -> Any:
        given = request.headers.get(SECRET_HEADER) or ""
        if not secrets.compare_digest(given.encode(), self.secret.encode()):
            return connection.respond(HTTPStatus.FORBIDDEN, "this port belongs to a studio\n")
        return inner(connection, request)

    # ---- what it shows ---------------------------------------------------------------------------------------------

    def show_clouds(self, clouds: Mapping[str, Cloud | None]) -> None:
        """Draw these members of the scene and no others; None leaves one as it is drawn."""
        for name in [name for name in self._clouds if name not in clouds]:
            self._clouds.pop(name)[1].remove()
        for name, cloud in clouds.items():
            if cloud is None:
                continue
            self._clouds[name] = cloud.key, add_cloud(self._server, f"/splats/{name}", cloud)

    def show(self, world: World) -> None:
        """Draw cameras, ways, marks and the line; what is drawn already stays."""
        if not self._framed and world.cameras:
            self._framed = True
            self._distance = look_down(self._server, world)
        wanted: dict[str, tuple[Any, Callable[[str], Any]]] = {}
        for camera in world.cameras:
            wanted |= self._camera(camera)
        for name, place in world.marks.items():
            wanted[f"/marks/{name}"] = place, partial(self._ring, place=place)
            wanted[f"/marks/{name}/name"] = name, partial(self._name, name=name)
        if world.line is not None:
            a, b = world.line
            wanted["/line"] = (a.tolist(), b.tolist()), lambda at: self._line(at, a, b)
        with self._server.atomic():
            for name in [name for name in self._nodes if name not in wanted]:
                self._nodes.pop(name)[1].remove()
            for name, (made_of, make) in wanted.items():
                known = self._nodes.get(name)
                if known is None or known[0] != made_of:
                    self._nodes[name] = made_of, make(name)
        self._place_gizmo(next((c for c in world.cameras if c.chosen and c.movable), None))

    def _camera(self, camera: CameraView) -> dict[str, tuple[Any, Callable[[str], Any]]]:
        base = f"/cameras/{camera.name}"
        key = camera.picture[0] if camera.picture else ""
        seen = (camera.pose.tolist(), camera.fov, camera.aspect, camera.chosen, key)
        nodes: dict[str, tuple[Any, Callable[[str], Any]]] = {f"{base}/lens": (seen, lambda at: self._lens(at, camera))}
        nodes[f"{base}/lens/name"] = seen, partial(self._name, name=camera.name)  # goes with its lens
        if float(np.ptp(camera.way, axis=0).max(initial=0)) > FEWEST_METRES:
            way = camera.way.tolist(), camera.chosen
            nodes[f"{base}/way"] = way, lambda at: self._way(at, camera)
        for frame, place in camera.keys.items():
            nodes[f"{base}/key-{frame}"] = (
                (place.tolist(), camera.chosen),
                partial(self._key, camera=camera, frame=frame, place=place),
            )
        return nodes

    def _lens(self, at: str, camera: CameraView) -> Any:
        size = max(FRUSTUM, FRUSTUM_SHARE * self._distance)
        handle = self._server.scene.add_camera_frustum(
            at,
            camera.fov,
            camera.aspect,
            scale=size if camera.chosen else size * 0.7,
            thickness=2.0 if camera.chosen else 1.2,
            thickness_units="screen",
            color=CHOSEN if camera.chosen else OTHER,
            image=None if camera.picture is None else camera.picture[1],
            wxyz=_quaternion(camera.pose),
            position=camera.pose[:3, 3],
        )
        handle.on_click(lambda _: self._heard(Heard("shot", camera.name)))
        return handle

    def _way(self, at: str, camera: CameraView) -> Any:
        segments = np.stack([camera.way[:-1], camera.way[1:]], axis=1).astype(np.float32)
        return self._server.scene.add_line_segments(
            at, segments, CHOSEN if camera.chosen else OTHER, thickness=2.0, thickness_units="screen"
        )

    def _key(self, at: str, camera: CameraView, frame: int, place: Array) -> Any:
        handle = self._server.scene.add_icosphere(
            at, 0.025, CHOSEN if camera.chosen else OTHER, subdivisions=1, position=place, cast_shadow=False
        )
        handle.on_click(lambda _: self._heard(Heard("key", camera.name, frame)))
        return handle

    def _name(self, at: str, name: str) -> Any:
        return self._server.scene.add_label(
            at, name, position=(0.0, 0.0, 0.02), font_screen_scale=0.8, anchor="top-center"
        )

    def _ring(self, at: str, place: tuple[float, float, float]) -> Any:
        """A ring on the floor under somebody's feet."""
        angle = np.linspace(0, 2 * np.pi, 25)
        ring = np.stack([0.22 * np.cos(angle), 0.22 * np.sin(angle), np.full(25, 0.01)], axis=1).astype(np.float32)
        segments = np.stack([ring[:-1], ring[1:]], axis=1)
        return self._server.scene.add_line_segments(
            at, segments, MARK, thickness=2.0, thickness_units="screen", position=place
        )

    def _line(self, at: str, a: Array, b: Array) -> Any:
        """The 180-degree line, a length beyond both ends of it."""
        points = np.array([[2 * a - b, 2 * b - a]], dtype=np.float32)
        points[..., 2] = min(a[2], b[2]) + 0.015
        return self._server.scene.add_line_segments(at, points, LINE, thickness=2.0, thickness_units="screen")

    def _place_gizmo(self, camera: CameraView | None) -> None:
        if self._gizmo is not None and (camera is None or self._gizmo.name != camera.name):
            self._gizmo.remove()
            self._gizmo = None
        if camera is None:
            return
        if self._gizmo is None:
            self._gizmo = Gizmo(self._server, camera, self._heard, max(GIZMO, GIZMO_SHARE * self._distance))
        else:
            self._gizmo.follow(camera)


class Gizmo:
    """The handle on the chosen camera. While a hand holds it nobody moves it."""

    def __init__(self, server: Any, camera: CameraView, heard: Callable[[Heard], None], size: float) -> None:
        self.name = camera.name
        self._held = ""
        self._handle = server.scene.add_transform_controls(
            "/gizmo", scale=size, depth_test=False, opacity=0.9,
            wxyz=_quaternion(camera.pose), position=camera.pose[:3, 3],
        )  # fmt: skip

        async def moved(event: Any) -> None:  # on viser's loop, so that phases stay in order
            if event.phase == "start":
                self._held = f"gizmo-{secrets.token_hex(4)}"
            x, y, z = (float(v) for v in event.target.position)
            w, i, j, k = (float(v) for v in event.target.wxyz)
            if event.phase != "start":
                heard(Heard("move", self.name, None, (x, y, z), (w, i, j, k), self._held))
            if event.phase == "end":
                self._held = ""

        self._handle.on_update(moved)

    def follow(self, camera: CameraView) -> None:
        if not self._held:
            self._handle.position = camera.pose[:3, 3]
            self._handle.wxyz = _quaternion(camera.pose)

    def remove(self) -> None:
        self._handle.remove()


def add_cloud(server: Any, name: str, cloud: Cloud) -> Any:
    """Draw a cloud under a name, in the place of what was called that."""
    return server.scene.add_gaussian_splats(name, cloud.centres, cloud.covariances, cloud.colours, cloud.opacities)


def look_down(server: Any, world: World) -> float:
    """Put visitors where all cameras, what they look at, and the cast's marks are seen from above and aside.

    Gives from how far away, in metres.
    """
    poses = np.array([camera.pose for camera in world.cameras])
    seen = np.concatenate([poses[:, :3, 3], poses[:, :3, 3] + 1.5 * poses[:, :3, 2], *_points(world)])
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
    distance = max(2.0, fitting(seen - middle))
    _look_at(server, middle, distance)
    return distance


def _points(world: World) -> list[Array]:
    return [np.array([place]) for place in world.marks.values()]


FROM = np.array([-0.25, -0.4, 0.7]) / math.sqrt(0.25**2 + 0.4**2 + 0.7**2)  # above and aside
FOV = math.radians(50)
NARROWEST = 0.75  # width by height of the overview beside the picture
SHARE = 0.9  # of the overview that what must be seen may fill


def fitting(points: Array) -> float:  # [N, 3] about the point looked at -> metres
    """From how far away, in the direction `FROM`, a square in the middle of the overview holds all the points.

    A point that lies `d` nearer and `x` off the axis is inside from the distance d + x / tan(half the square's angle).
    """
    near = points @ FROM
    off = np.linalg.norm(points - near[:, None] * FROM, axis=1)
    return float((near + off / (SHARE * NARROWEST * math.tan(FOV / 2))).max(initial=0.0))


def _look_at(server: Any, middle: Array, distance: float) -> None:
    place = middle + distance * FROM
    for camera in (server.initial_camera, *(client.camera for client in server.get_clients().values())):
        camera.look_at, camera.position = middle, place


def stand_back(server: Any, clouds: Sequence[Cloud]) -> None:
    """Put visitors where the middle half of all splats is seen from above and aside."""
    centres = np.concatenate([cloud.centres for cloud in clouds]).astype(np.float64)
    low, high = np.percentile(centres, (25, 75), axis=0)
    _look_at(server, (low + high) / 2, max(0.1, 1.6 * float(np.linalg.norm(high - low))))


def _quaternion(pose: Array) -> Array:
    return np.asarray(quaternion_from_matrix(pose[:3, :3]))
