"""Eyes close and mouths open although no photograph shows closed lids or the inside of a mouth."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from splatfilm.base.rigid import IDENTITY
from splatfilm.cameras import Camera
from splatfilm.render import render
from splatfilm.render.constants import SH_C0
from splatfilm.splats import Splats
from splatfilm.stage.actor import BoundLayer, bound_layer
from splatfilm.stage.face import cached_unseen
from splatfilm.stage.rigs.files import load_rig
from splatfilm.stage.rigs.rig import ProxyMesh, Rig, Shape
from splatfilm.stage.rigs.skeleton import Joint, Pose, Skeleton, rest_pose
from splatfilm.stage.unseen import Unseen

RIG = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
SKIN, EYE = (0.8, 0.6, 0.5), (0.1, 0.9, 0.1)
WIDE, TALL = 0.020, 0.012  # metres: half of the small face's eye or mouth


CELL = 0.002  # metres


def sheet(low: tuple[float, float], high: tuple[float, float], depth: float) -> np.ndarray:
    """Corners of triangles [T, 3, 3] that fill a rectangle in x and z at y = `depth`, facing -y."""
    columns, rows = (round((high[k] - low[k]) / CELL) for k in (0, 1))
    x, z = np.linspace(low[0], high[0], columns + 1), np.linspace(low[1], high[1], rows + 1)
    grid = np.stack(np.meshgrid(x, [depth], z, indexing="ij"), axis=-1)[:, 0]
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)


def small_face(shape: str) -> Rig:
    """A plate of skin with a hole, an eye's ball or a mouth's back behind it, and what the blendshape does with them.

    With `eyeBlinkLeft` a lid that is rolled up behind the plate, but for two millimetres, comes down before the ball.
    With `jawOpen` there is no hole, but everything below the middle of the plate moves down, less so towards the rim.
    """
    x, z = 0.045, 0.045
    frame = [
        sheet((-x, -z), (x, -TALL), 0.0),
        sheet((-x, TALL), (x, z), 0.0),
        sheet((-x, -TALL), (-WIDE, TALL), 0.0),
        sheet((WIDE, -TALL), (x, TALL), 0.0),
    ]
    back = sheet((-WIDE, -TALL - 0.003), (WIDE, TALL + 0.003), 0.012)
    eye = shape.startswith("eye")
    if eye:
        moving = sheet((-WIDE, TALL - 0.006), (WIDE, TALL + 0.004), 0.003)
        share = (TALL + 0.004 - moving[..., 2]) / 0.010
        offsets = np.zeros_like(moving)
        offsets[..., 2] = -share * (2 * TALL - 0.005)
        still = [*frame, back]
    else:
        front = np.concatenate([*frame, sheet((-WIDE, -TALL), (WIDE, TALL), 0.0)])
        lower = front[..., 2].mean(axis=1) < 0
        moving, still = front[lower], [front[~lower], sheet((-x, -z), (x, z), 0.012)]
        wide = np.clip((0.040 - np.abs(moving[..., 0])) / 0.018, 0, 1)
        offsets = np.zeros_like(moving)
        offsets[..., 2] = -1.2 * TALL * wide * np.clip((moving[..., 2] + z) / (z - TALL), 0, 1)
    corners = np.concatenate([*still, moving])
    vertices = corners.reshape(-1, 3)
    count, first = len(vertices), len(vertices) - 3 * len(moving)
    joints = np.zeros((count, 4), dtype=np.int32)
    weights = np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (count, 1))
    triangles = np.arange(count, dtype=np.int32).reshape(-1, 3)
    part = np.zeros(len(triangles), dtype=np.int32)
    shapes = (Shape(shape, np.arange(first, count, dtype=np.int32), offsets.reshape(-1, 3)),)
    mesh = ProxyMesh(vertices, triangles, joints, weights, ("face",), part, shapes)
    return Rig(Skeleton((Joint("head", -1, (0, 0, 0), (1, 0, 0, 0), (1, 1, 1)),)), np.eye(4)[None], mesh)


def photographed(rig: Rig, behind: tuple[float, float, float] = EYE) -> Splats:
    """What photographs of a small face at rest show: skin, and what is in the hole behind it."""
    assert rig.mesh is not None
    corners = rig.mesh.vertices[rig.mesh.triangles]
    middle = corners.mean(axis=1)
    back = middle[:, 1] > 0.01
    hole = (np.abs(middle[:, 0]) < WIDE) & (np.abs(middle[:, 2]) < TALL)
    seen = np.where(back, hole, (middle[:, 1] < 0.002) | (middle[:, 2] < TALL))
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.sqrt(np.sqrt((across**2).sum(axis=1)) / 2)
    return flat(middle[seen], np.where(back[seen, None], behind, SKIN), size[seen])


def flat(means: np.ndarray, colours: np.ndarray, size: np.ndarray) -> Splats:
    """Discs that face -y and +y."""
    count = len(means)
    sh = torch.zeros(count, 4, 3)
    sh[:, 0] = torch.from_numpy((colours - 0.5) / SH_C0).float()
    scales = torch.from_numpy(np.stack([size, np.full(count, 0.0003), size], axis=1)).float()
    quats = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1)
    return Splats(torch.from_numpy(means).float(), quats, scales, torch.full((count,), 0.95), sh)


def pose(rig: Rig, weights: Mapping[str, float]) -> Pose:
    rest = rest_pose(rig.skeleton)
    return Pose(rest.translations, rest.rotations, dict(weights))


def seen(layer: BoundLayer, rig: Rig, weights: Mapping[str, float]) -> np.ndarray:  # [160, 160, 3]
    """Ten centimetres of the small face from before it."""
    at = np.array([[1.0, 0, 0, 0], [0, 0, 1, -1], [0, -1, 0, 0], [0, 0, 0, 1]])
    camera = Camera(at, 1600.0, 1600.0, 80.0, 80.0, 160, 160)
    frame = render(layer.posed(rig, pose(rig, weights), IDENTITY), camera, backend="cpu")
    return frame.beauty.clamp(0, 1).numpy()


def window(picture: np.ndarray, x: tuple[float, float], z: tuple[float, float]) -> np.ndarray:
    """The pixels between two places, metres."""
    return picture[round(80 - 1600 * z[1]) : round(80 - 1600 * z[0]), round(80 + 1600 * x[0]) : round(80 + 1600 * x[1])]


@pytest.fixture(scope="module")
def eye() -> tuple[Rig, BoundLayer]:
    rig = small_face("eyeBlinkLeft")
    return rig, bound_layer(rig, photographed(rig), "x", ("face",), None)


@pytest.fixture(scope="module")
def mouth() -> tuple[Rig, BoundLayer]:
    rig = small_face("jawOpen")
    return rig, bound_layer(rig, photographed(rig), "x", ("face",), None)


def test_nothing_of_the_eye_shows_through_its_closed_lid(eye: tuple[Rig, BoundLayer]) -> None:
    rig, layer = eye
    open_, shut = (window(seen(layer, rig, {"eyeBlinkLeft": w}), (-0.016, 0.016), (-0.008, -0.001)) for w in (0.0, 1.0))
    assert np.abs(open_ - EYE).max() < 0.1
    assert np.abs(shut - SKIN).max() < 0.06


def test_a_lid_comes_down_without_a_jump(eye: tuple[Rig, BoundLayer]) -> None:
    rig, layer = eye
    steps = np.linspace(0, 1, 41)
    pictures = [window(seen(layer, rig, {"eyeBlinkLeft": w}), (-0.016, 0.016), (-0.01, 0.01)) for w in steps]
    green = np.array([p[..., 1].mean() - p[..., 0].mean() for p in pictures])
    assert green[0] > 0.3 and green[-1] < 0
    assert (np.diff(green) < 0.01).all()  # never opens again
    assert np.abs(np.diff(green)).max() < 0.1  # of 1: two and a half steps at an even pace
    half = pictures[20]
    assert np.abs(half[-4:-1] - EYE).max() < 0.15 and np.abs(half[:3] - SKIN).max() < 0.1


def test_lips_part_and_show_a_dark_inside(mouth: tuple[Rig, BoundLayer]) -> None:
    rig, layer = mouth
    shut, open_ = (seen(layer, rig, {"jawOpen": w}) for w in (0.0, 1.0))
    assert np.abs(window(shut, (-0.016, 0.016), (-0.03, 0.01)) - SKIN).max() < 0.06
    assert window(open_, (-0.015, 0.015), (-0.011, -0.003)).max() < 0.12
    for z in ((0.003, 0.008), (-0.024, -0.017)):  # the upper lip, and the lower one where it is now
        assert np.abs(window(open_, (-0.015, 0.015), z) - SKIN).max() < 0.1


def test_a_mouth_on_its_way_has_no_other_holes(mouth: tuple[Rig, BoundLayer]) -> None:
    rig, layer = mouth
    for weight in (0.03, 0.1, 0.25, 0.5, 0.75):
        now = seen(layer, rig, {"jawOpen": weight})
        assert np.abs(window(now, (-0.03, 0.03), (0.003, 0.03)) - SKIN).max() < 0.1
        assert np.abs(window(now, (-0.03, 0.03), (-0.04, -0.003 - weight * 1.2 * TALL)) - SKIN).max() < 0.1


def test_no_splat_bridges_the_lips(mouth: tuple[Rig, BoundLayer]) -> None:
    rig, layer = mouth
    bridge = flat(np.array([[0.0, -0.001, 0.0]]), np.array([SKIN]), np.array([0.008]))
    before = photographed(rig)
    names = ("means", "quats", "scales", "opacities", "sh")
    means, quats, scales, opacities, sh = (torch.cat([getattr(p, name) for p in (before, bridge)]) for name in names)
    both = Splats(means, quats, scales, opacities, sh)
    layer = bound_layer(rig, both, "y", ("face",), None)
    assert window(seen(layer, rig, {"jawOpen": 1.0}), (-0.015, 0.015), (-0.011, -0.003)).max() < 0.12
    assert layer.posed(rig, pose(rig, {}), IDENTITY).opacities[len(before)] == pytest.approx(0.95)


def test_a_face_at_rest_is_that_of_the_photographs_to_the_bit(eye: tuple[Rig, BoundLayer]) -> None:
    rig, layer = eye
    still = layer.posed(rig, pose(rig, {}), IDENTITY)
    own = layer.photographed(still)
    assert len(own) == len(photographed(rig)) < len(still)
    assert (still.opacities[len(own) :] == 0).all()
    plain = BoundLayer(photographed(rig), dataclasses.replace(layer.carriers), None, None)
    for name in ("means", "quats", "scales", "opacities", "sh"):
        assert torch.equal(getattr(own, name), getattr(plain.rest, name)), name
    assert np.array_equal(seen(layer, rig, {}), seen(dataclasses.replace(layer, zones=()), rig, {}))


def test_what_is_unseen_is_kept_and_a_damaged_file_is_found_again(tmp_path: Path) -> None:
    rig = small_face("jawOpen")
    first = bound_layer(rig, photographed(rig), "x", ("face",), tmp_path)
    kept = next(tmp_path.glob("unseen-*.npz"))
    again = bound_layer(rig, photographed(rig), "x", ("face",), tmp_path)
    assert torch.equal(first.rest.means, again.rest.means) and torch.equal(first.rest.sh, again.rest.sh)
    kept.write_bytes(kept.read_bytes()[:500])
    anew = bound_layer(rig, photographed(rig), "x", ("face",), tmp_path)
    assert torch.equal(first.rest.means, anew.rest.means) and len(kept.read_bytes()) > 500


def test_what_was_found_is_not_looked_for_again(tmp_path: Path) -> None:
    found = cached_unseen(tmp_path, "x", tuple)

    def never() -> tuple[Unseen, ...]:
        raise AssertionError("it was found before")

    assert cached_unseen(tmp_path, "x", never) == found == ()
    with pytest.raises(AssertionError):
        cached_unseen(tmp_path, "y", never)


def test_layers_and_rigs_without_a_face_are_left_alone() -> None:
    rig = small_face("browInnerUp")
    layer = bound_layer(rig, photographed(rig), "x", ("face",), None)
    assert not layer.zones and len(layer.rest) == len(photographed(rig)) and layer.borrowed is None
    gown = bound_layer(load_rig(RIG), photographed(rig), "x", ("gown",), None)
    assert not gown.zones


def test_seeds_are_lit_as_what_was_photographed_around_them(eye: tuple[Rig, BoundLayer]) -> None:
    _, layer = eye
    count = len(layer.photographed(layer.rest))
    gains = torch.linspace(1, 2, count)[:, None].repeat(1, 3)
    lit = layer.lit(gains)
    assert torch.equal(lit[:count], gains) and len(lit) == len(layer.rest)
    assert lit[count:].min() >= 1 and lit[count:].max() <= 2
    assert layer.lit(torch.full((count, 3), 0.7))[count:] == pytest.approx(0.7, abs=1e-5)


@pytest.fixture(scope="module")
def ada() -> tuple[Rig, BoundLayer]:
    """Skin all over her face, as dense as photographs make it, with green eyes."""
    rig = load_rig(RIG)
    mesh = rig.mesh
    assert mesh is not None
    own = mesh.triangles[mesh.part == mesh.parts.index("body")]
    middle = mesh.vertices[own].mean(axis=1)
    across = np.cross(*(mesh.vertices[own[:, k]] - mesh.vertices[own[:, 0]] for k in (1, 2)))
    size = np.clip(np.sqrt(np.sqrt((across**2).sum(axis=1)) / 2), 0.0006, 0.003)
    face = (middle[:, 2] > 1.36) & (middle[:, 1] < -0.04) & (np.abs(middle[:, 0]) < 0.09)
    ball = np.isin(mesh.joints[own][:, 0, 0], [rig.skeleton.index(f"eye.{side}") for side in ("left", "right")])
    colours = np.where(ball[face, None], EYE, SKIN)
    return rig, bound_layer(rig, flat(middle[face], colours, size[face]), "ada", ("body",), None)


def of_ada(layer: BoundLayer, rig: Rig, weights: Mapping[str, float]) -> np.ndarray:
    """Twenty centimetres of her face, 200 pixels: her eyes are at (60 and 140, 65), her open mouth at (100, 164)."""
    at = np.array([[1.0, 0, 0, 0], [0, 0, 1, -1.08], [0, -1, 0, 1.465], [0, 0, 0, 1]])
    frame = render(layer.posed(rig, pose(rig, weights), IDENTITY), Camera(at, 1000, 1000, 100, 100, 200, 200))
    return frame.beauty.clamp(0, 1).numpy()


def test_adas_eyes_shut_and_her_mouth_opens(ada: tuple[Rig, BoundLayer]) -> None:
    rig, layer = ada
    shut = {f"eye{what}{side}": w for side in ("Left", "Right") for what, w in (("Blink", 1.0), ("Squint", 0.6))}
    shapes = {"jawOpen": 1.0, **shut}  # without a squint her lids leave a slit
    awake, yawning = of_ada(layer, rig, {}), of_ada(layer, rig, shapes)
    for x in (60, 140):
        assert awake[62:68, x - 4 : x + 4, 1].mean() > awake[62:68, x - 4 : x + 4, 0].mean() + 0.3
        lids = yawning[48:90, x - 16 : x + 16]
        assert (lids[..., 1] - lids[..., 0]).max() < 0.1
        assert np.abs(lids.mean(axis=(0, 1)) - SKIN).max() < 0.1
    assert awake[145:172, 88:114].min() > 0.3
    assert yawning[157:172, 88:114].max() < 0.15


def test_one_eye_shuts_alone(ada: tuple[Rig, BoundLayer]) -> None:
    rig, layer = ada
    awake, winking = of_ada(layer, rig, {}), of_ada(layer, rig, {"eyeBlinkLeft": 1.0})
    assert np.abs(awake - winking)[:, :85].max() < 1e-6 < np.abs(awake - winking)[50:85, 125:155].max()
