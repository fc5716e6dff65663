"""A character performs: film file, rig, layers, poses, frame keys. The rig is the project's own actor."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from splatfilm.base.errors import InputError
from splatfilm.base.rigid import IDENTITY, Similarity, multiply, quaternion_about
from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.render.kernels import instruction_sets, set_threads, threads, use_instruction_set
from splatfilm.splats import Splats, transformed, write_ply
from splatfilm.splats.posed import baked, covariances, packed, rotation_matrices, symmetric
from splatfilm.stage import Placements, Stage, Staged, deform
from splatfilm.stage.actor import Carried, bound_layer, covered
from splatfilm.stage.drape import _inverse_edges, draped_by_torch
from splatfilm.stage.fit import misfits
from splatfilm.stage.performance import findings
from splatfilm.stage.rigs.binding import ShapeCage, bind, shape_cage
from splatfilm.stage.rigs.bones import bone_matrices
from splatfilm.stage.rigs.files import load_rig, read_rig_file, write_rig
from splatfilm.stage.rigs.rig import Rig, offsets_of, parts_named
from splatfilm.stage.rigs.skeleton import rest_pose, world_transforms
from splatfilm.stage.rigs.surface import nearest, normals

RIG = Path(__file__).resolve().parents[2] / "captures" / "ada" / "rig.glb"
COUNTS = {"body": 900, "hair": 300, "pyjamas": 600, "gown": 500}

STORY = """
[film]
name = "f"
rate = "24"
size = [64, 36]
[assets.flat]
kind = "set"
looks = { day = { splats = "flat.ply" } }
[assets.brush]
kind = "prop"
looks = { plain = { splats = "brush.ply" } }
[assets.ada]
kind = "character"
rig = "rig.glb"
[assets.ada.layers.body]
splats = "body.ply"
mesh = ["body"]
[assets.ada.layers.hair]
splats = "hair.ply"
mesh = ["hair"]
[assets.ada.layers.pyjamas]
splats = "pyjamas.ply"
mesh = ["pyjamas"]
[assets.ada.layers.gown]
splats = "gown.ply"
mesh = ["gown"]
covers = ["body", "pyjamas"]
[assets.ada.looks.night]
layers = ["body", "hair", "pyjamas"]
[assets.ada.looks.morning]
layers = ["body", "hair", "pyjamas", "gown"]
[scenes.one]
set = "flat"
frames = [1001, 1100]
[[scenes.one.cast]]
asset = "ada"
position = [1, 2, 0]
heading = 90
looks = [{ frame = 1050, look = "morning" }]
clips = [{ frame = 1001, clip = "walk", loop = true }, { frame = 1041, clip = "brush-teeth", blend = 6, speed = 0.5 }]
shapes = [{ frame = 1001, jawOpen = 0 }, { frame = 1011, jawOpen = 0.8, eyeBlinkLeft = 1 }]
[[scenes.one.cast]]
asset = "brush"
position = [0, 0.05, 0]
attach = { to = "ada", joint = "hand.right", frames = [1041, 1100] }
[[shots]]
name = "010"
scene = "one"
camera = "c.json"
frames = [1001, 1010]
"""


def on_mesh(rig: Rig, part: str, count: int) -> Splats:
    rng = np.random.default_rng(len(part))
    mesh = rig.mesh
    assert mesh is not None
    own = mesh.triangles[parts_named(mesh, [part])]
    chosen = own[rng.integers(0, len(own), count)]
    share = rng.dirichlet([1, 1, 1], count)
    means = (mesh.vertices[chosen] * share[..., None]).sum(axis=1)
    quats = rng.normal(size=(count, 4))
    arrays = (means, quats / np.linalg.norm(quats, axis=1, keepdims=True), rng.uniform(0.003, 0.01, (count, 3)))
    more = (rng.uniform(0.3, 0.9, count), rng.normal(0, 0.3, (count, 16, 3)))
    return Splats(*(torch.from_numpy(a.astype(np.float32)) for a in (*arrays, *more)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("film")
    (place / "rig.glb").write_bytes(RIG.read_bytes())
    rig = load_rig(RIG)
    for part, count in COUNTS.items():
        write_ply(place / f"{part}.ply", on_mesh(rig, part, count))
    for name in ("flat", "brush"):
        write_ply(place / f"{name}.ply", on_mesh(rig, "hair", 50))
    (place / "c.json").write_text("{}")
    (place / "film.toml").write_text(STORY)
    return place


@pytest.fixture(scope="module")
def film(folder: Path) -> Film:
    return load(folder / "film.toml")


def stage_of(film: Film, folder: Path) -> Stage:
    sources = {source: film.source(*source).splats for source in Placements(film, "one").sources()}
    return Stage(film, "one", sources, bindings=folder / "bindings")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def stage(film: Film, folder: Path) -> Stage:
    return stage_of(film, folder)


def digest(staged: Staged, layer: str | None = None, shown: np.ndarray | None = None) -> str:
    """Of all splats, or of those of a layer; of these, where that is given, those that are `shown` in another look."""
    total = hashlib.sha256()
    spans = [s for s in staged.spans if layer is None or s.layer == layer]
    rows = [s.rows if shown is None else s.start + shown for s in spans]
    for name in ("means", "quats", "scales", "sh", "stretches", "turns", *(() if layer else ("opacities",))):
        values = getattr(staged.splats, name)
        for own in rows if values is not None else ():
            total.update(values[own].numpy().tobytes())
    return total.hexdigest()


def test_a_performance_depends_on_the_scene_frame_alone(film: Film, folder: Path, stage: Stage) -> None:
    other = stage_of(film, folder)
    frames = [1001, 1017, 1043, 1060.5, 1100]
    first = [digest(stage.at(frame)) for frame in frames]
    assert [digest(other.at(frame)) for frame in reversed(frames)] == first[::-1]
    assert len(set(first)) == len(frames)
    assert stage.at(1043) is stage.at(1043)


def test_layers_stand_side_by_side_in_their_order(stage: Stage) -> None:
    spans = stage.at(1060).spans
    counts = [(s.member, s.layer, s.stop - s.start if s.shown is None else len(s.shown)) for s in spans]
    edges = itertools.accumulate((count for _, _, count in counts), initial=0)
    assert [(s.start, s.stop) for s in spans] == list(itertools.pairwise(edges))
    hidden = {s.layer for s in spans if s.shown is not None}
    assert hidden == {"body", "pyjamas"}
    assert [(member, layer) for member, layer, _ in counts] == [
        ("flat", ""),
        *(("ada", layer) for layer in ("body", "hair", "pyjamas", "gown")),
        ("brush", ""),
    ]
    assert all(count == COUNTS.get(layer, 50) for _, layer, count in counts if layer not in hidden)
    assert len(stage.at(1060).splats) == spans[-1].stop


LAMPS = """
[[scenes.one.lamps]]
kind = "sun"
strength = 3
direction = [0.3, -0.9, -0.5]
window = { position = [1, 5, 3], facing = [0, -1], size = [4, 4] }
[[scenes.one.lamps]]
kind = "panel"
strength = 40
position = [1, 0, 2.5]
direction = [0, 0.5, -1]
size = [1, 1]
"""


def in_both_looks(folder: Path, light: str, lamps: str) -> tuple[Staged, Staged]:
    """Ada with the gown and without it, in a light, at one frame."""
    looks, lit = 'looks = [{ frame = 1050, look = "morning" }]', f"light = {light}"
    (folder / "night.toml").write_text(STORY.replace(looks, lit) + lamps)
    (folder / "dressed.toml").write_text(STORY.replace(looks, f"{looks}\n{lit}") + lamps)
    films = [load(folder / name) for name in ("dressed.toml", "night.toml")]
    dressed, night = (stage_of(one, folder).at(1060) for one in films)
    return dressed, night


@pytest.mark.parametrize(("light", "lamps"), [('"own"', ""), ('"set"', ""), ('"set"', LAMPS)])
def test_changing_one_layer_leaves_every_other_layer_identical_to_the_bit(folder: Path, light: str, lamps: str) -> None:
    dressed, night = in_both_looks(folder, light, lamps)
    assert {s.layer for s in dressed.spans} - {s.layer for s in night.spans} == {"gown"}
    for span in dressed.spans:
        if span.layer in ("body", "hair", "pyjamas"):
            assert digest(dressed, span.layer) == digest(night, span.layer, span.shown)


def test_what_is_worn_shades_what_is_beside_it_where_the_film_asks_for_that(folder: Path) -> None:
    dressed, night = in_both_looks(folder, "{ worn_shadows = true }", LAMPS)
    span = next(span for span in dressed.spans if span.layer == "pyjamas")
    other = next(span for span in night.spans if span.layer == "pyjamas")
    worn, alone = dressed.splats.sh[span.rows, 0], night.splats.sh[other.rows, 0][span.shown]
    assert torch.equal(dressed.splats.means[span.rows], night.splats.means[other.rows][span.shown])
    assert float((worn - alone).mean()) < -0.01


def test_a_worn_layer_hides_what_lies_below_it_and_nothing_else(stage: Stage) -> None:
    before, after = stage.at(1040), stage.at(1060)
    spans = {s.layer: s for s in after.spans if s.member == "ada"}
    assert spans["hair"].shown is None and spans["gown"].shown is None
    assert all(s.shown is None for s in before.spans)
    shown = {name: np.isin(np.arange(COUNTS[name]), spans[name].shown) for name in ("body", "pyjamas")}
    assert 0.05 < shown["pyjamas"].mean() < 0.9
    clothes = [after.splats.opacities[span.rows] for name, span in spans.items() if name != "body"]
    assert (torch.cat(clothes) > 0).all()  # a face hides what is behind its lids by itself
    rig = load_rig(RIG)
    head = on_mesh(rig, "body", COUNTS["body"]).means[:, 2] > 1.45  # the face is never below a gown
    assert shown["body"][head.numpy()].all()


def test_splats_follow_the_skinned_mesh(stage: Stage, film: Film) -> None:
    """Every vertex's own motion, blended by its weights, is where a splat bound to it must go."""
    rig = load_rig(RIG)
    mesh = rig.mesh
    assert mesh is not None
    placed = next(p for p in Placements(film, "one").at(1060) if p.member == "ada")
    assert placed.pose is not None
    matrices = bone_matrices(rig.skeleton, rig.inverse_binds, placed.pose)
    still = bind(rig, mesh.vertices[:200])
    solid = still.weights[:, 0] > 0.9999
    at = np.concatenate([mesh.vertices[:200], np.ones((200, 1))], axis=1)
    moved = (matrices[still.joints[:, 0]] @ at[..., None])[..., 0]
    world = (placed.place.matrix() @ moved[..., None])[solid, :3, 0]
    from splatfilm.stage.actor import bound_layer

    splats = dataclasses.replace(
        on_mesh(rig, "body", 200), means=torch.from_numpy(mesh.vertices[:200].astype(np.float32))
    )
    pose = dataclasses.replace(placed.pose, shapes={})
    posed = bound_layer(rig, splats, "x", (), None).posed(rig, pose, placed.place)
    assert solid.sum() > 20
    np.testing.assert_allclose(posed.means.numpy()[:200][solid], world, atol=2e-6)


def test_blendshapes_open_the_mouth_by_the_meshs_own_offsets() -> None:
    rig = load_rig(RIG)
    mesh = rig.mesh
    assert mesh is not None
    jaw = mesh.shapes[rig.shape_names.index("jawOpen")]
    rows = jaw.vertices[np.linalg.norm(jaw.offsets, axis=1) > 0.02]
    vertices = mesh.vertices[rows]
    cage = shape_cage(rig, bind(rig, vertices, ["body"]), vertices)
    assert cage is not None and len(cage.rows) == len(rows)
    weights = np.array([0.5 if name == "jawOpen" else 0.0 for name in rig.shape_names])
    means = vertices.astype(np.float32)
    moved = cage.move(weights, means, 2.0)
    np.testing.assert_array_equal(moved.rows, np.arange(len(rows)))
    np.testing.assert_allclose(means, vertices + offsets_of(mesh, {"jawOpen": 0.5})[rows], atol=1e-6)
    assert np.abs(moved.turns[:, 1:]).max() > 0.05
    still = means.copy()
    assert len(cage.move(np.zeros(len(rig.shape_names)), means, 2.0).rows) == 0
    assert (means == still).all()
    blink = np.array([1.0 if name == "eyeBlinkLeft" else 0.0 for name in rig.shape_names])
    assert len(cage.move(blink, means, 2.0).rows) < len(rows)


def test_a_triangle_s_turn_and_stretch_are_those_of_its_gradient() -> None:
    rng = np.random.default_rng(11)
    count = 400
    triangles = np.arange(3 * count).reshape(count, 3)
    rest, now = rng.normal(size=(3 * count, 3)), rng.normal(size=(3 * count, 3))
    now[:300] = rest[:300]  # a hundred that rest
    now[300:303] = now[300]  # one that is a point
    frames = np.stack([rest[1::3] - rest[::3], rest[2::3] - rest[::3], normals(rest.reshape(-1, 3, 3))], axis=-1)
    inverse, rows = np.linalg.inv(frames), np.arange(count)
    thirds, away = np.full((count, 3), 1 / 3), np.zeros((count, 3))
    cage = ShapeCage(rows, rows, thirds, away, triangles, rest, inverse, (now - rest)[None])
    found = cage.move(np.ones(1), np.zeros((count, 3), dtype=np.float32), 2.0)
    np.testing.assert_array_equal(found.rows, rows[100:])
    moved = np.stack([now[1::3] - now[::3], now[2::3] - now[::3], normals(now.reshape(-1, 3, 3))], axis=-1)
    moved[100] = np.eye(3)  # without area: it never shears
    rotation, stretch = deform.polar(torch.from_numpy((moved @ inverse)[100:]))
    expected = packed(deform.limited(stretch))
    np.testing.assert_allclose(found.stretches, expected.numpy(), atol=1e-6)
    turns = rotation_matrices(torch.from_numpy(found.turns))
    np.testing.assert_allclose(turns.numpy(), rotation.numpy(), atol=1e-6)


def test_expressions_stand_over_the_clips(film: Film) -> None:
    performer = Placements(film, "one").performers["ada"]
    assert performer.at(1011).shapes["jawOpen"] == 0.8
    assert performer.at(1006).shapes["jawOpen"] == pytest.approx(0.4)
    assert performer.at(1090).shapes["eyeBlinkLeft"] == 1


def test_a_held_thing_keeps_its_place_in_the_hand(film: Film) -> None:
    placements = Placements(film, "one")
    rig = load_rig(RIG)
    local = []
    for frame in (1041, 1060, 1093):
        placed = {p.member: p for p in placements.at(frame)}
        pose = placed["ada"].pose
        assert pose is not None
        hand = placed["ada"].place.matrix() @ world_transforms(rig.skeleton, pose)[rig.skeleton.index("hand.right")]
        local.append(np.linalg.inv(hand) @ placed["brush"].place.matrix())
    for one in local:
        np.testing.assert_allclose(one[:3, 3], [0, 0.05, 0], atol=1e-6)
    free = {p.member: p for p in placements.at(1020)}["brush"]
    assert free.place.translation == (0, 0.05, 0)


def test_clips_fade_into_one_another_without_a_jump(film: Film) -> None:
    performer = Placements(film, "one").performers["ada"]
    poses = [performer.at(frame) for frame in np.arange(1040, 1049, 0.5)]
    steps = [np.abs(b.translations - a.translations).max() for a, b in itertools.pairwise(poses)]
    assert max(steps) < 0.12


def test_scaling_an_actor_scales_means_and_covariances(stage: Stage, film: Film) -> None:
    placed = next(p for p in Placements(film, "one").at(1020) if p.member == "ada")
    assert placed.pose is not None
    layer = stage._wardrobe.layer(("ada", "layers/body"))
    rig = load_rig(RIG)
    once = layer.posed(rig, placed.pose, placed.place)
    large = dataclasses.replace(placed.place, scale=2.0, translation=(0.0, 0.0, 0.0))
    small = dataclasses.replace(placed.place, translation=(0.0, 0.0, 0.0))
    twice, single = layer.posed(rig, placed.pose, large), layer.posed(rig, placed.pose, small)
    torch.testing.assert_close(twice.means, 2 * single.means, atol=1e-5, rtol=0)
    torch.testing.assert_close(covariances(twice), 4 * covariances(once), atol=1e-6, rtol=1e-4)


def test_what_the_film_cannot_show_is_named(film: Film, folder: Path) -> None:
    problems, remarks = findings(film)
    assert not problems and not remarks
    wrong = {
        'clip = "walk"': ('clip = "wlak"', 'did you mean "walk"'),
        'joint = "hand.right"': ('joint = "hand.rigth"', 'did you mean "hand.right"'),
        'mesh = ["hair"]': ('mesh = ["hiar"]', 'did you mean "hair"'),
    }
    for text, (instead, message) in wrong.items():
        (folder / "wrong.toml").write_text(STORY.replace(text, instead))
        found, _ = findings(load(folder / "wrong.toml"))
        assert len(found) == 1 and message in str(found[0]), (text, found)
    (folder / "short.toml").write_text(
        STORY.replace("speed = 0.5", "speed = 4").replace("jawOpen = 0.8", "jawOpne = 0.8")
    )
    found, remarks = findings(load(folder / "short.toml"))
    told = " | ".join(note for _, note in remarks)
    assert not found and '"brush-teeth" ends at frame 1065; its last pose is held to 1100' in told
    assert 'no blendshape "jawOpne"; did you mean "jawOpen"?: it moves nothing' in told


def test_films_that_make_no_sense_are_refused_with_their_place(folder: Path) -> None:
    wrong = {
        'layers = ["body", "hair", "pyjamas"]': ('layers = ["body", "hare"]', 'did you mean "hair"'),
        'covers = ["body", "pyjamas"]': ('covers = ["gown"]', "expected another layer"),
        'to = "ada"': ('to = "adda"', 'did you mean "ada"'),
        'rig = "rig.glb"': ("", "layers hang on a rig"),
        'kind = "character"': ('kind = "prop"', "only a character has this"),
        'asset = "brush"\nposition': ('asset = "brush"\nspeed = 2\nposition', "only a character performs"),
        "speed = 0.5": ("speed = 1000", "expected a number from -100 to 100"),
    }
    for text, (instead, message) in wrong.items():
        assert text in STORY
        (folder / "wrong.toml").write_text(STORY.replace(text, instead))
        with pytest.raises(InputError) as refusal:
            load(folder / "wrong.toml")
        assert message in str(refusal.value), text
        assert all(problem.line for problem in refusal.value.problems)


def test_a_rig_comes_back_from_its_files_and_altered_files_are_refused(tmp_path: Path) -> None:
    rig = load_rig(RIG)
    path = write_rig(tmp_path, rig, "rig.glb")
    again = read_rig_file(path)
    assert again.content == rig.content and again.clips == rig.clips
    (tmp_path / "weights.npz").write_bytes((tmp_path / "weights.npz").read_bytes()[:-7])
    with pytest.raises(InputError, match="is not the file"):
        read_rig_file(path)


@dataclasses.dataclass(frozen=True)
class Given:
    path: Path
    sha256: str


def misfits_of(folder: Path, body: Splats, place: str = "") -> str:
    """What is said of the body's splats when they are these, in a film that may say where to put them."""
    write_ply(folder / "elsewhere.ply", body)
    spelled = STORY.replace('splats = "body.ply"', 'splats = "elsewhere.ply"' + (f"\n{place}" if place else ""))
    (folder / "elsewhere.toml").write_text(spelled)
    film = load(folder / "elsewhere.toml")
    sources = {}
    for name in Placements(film, "one").sources():
        path = film.source(*name).splats
        assert path is not None
        sources[name] = Given(path, hashlib.sha256(path.read_bytes()).hexdigest())
    found = misfits(film, sources, folder / "fits")
    assert misfits(film, sources, folder / "fits") == found  # now from what was kept
    assert set(found) <= {("ada", "layers/body")}
    return found.get(("ada", "layers/body"), "")


def test_splats_that_were_captured_elsewhere_are_named_with_the_place_that_mends_them(folder: Path) -> None:
    body = on_mesh(load_rig(RIG), "body", COUNTS["body"])
    assert misfits_of(folder, body) == ""
    away = Similarity(tuple(quaternion_about((1, 0, 0), 1.4)), (0.4, -0.2, 0.7), 1.25)  # type: ignore[arg-type]
    said = misfits_of(folder, transformed(body, away))
    assert "from where the rig's mesh rests" in said
    offered = re.search(r"place = \{.*\}", said)
    assert offered is not None
    assert misfits_of(folder, transformed(body, away), offered.group()) == ""


@pytest.mark.parametrize(
    ("limbs", "axis", "angle", "said"),
    [
        (("thigh.left", "thigh.right"), (1, 0, 0), -1.5, "captured in another pose"),
        (("arm.left", "arm.right"), (0, 1, 0), 0.9, "more than 8 cm from the mesh"),
    ],
)
def test_splats_that_were_captured_in_another_pose_are_named(
    folder: Path, limbs: tuple[str, ...], axis: tuple[int, int, int], angle: float, said: str
) -> None:
    rig = load_rig(RIG)
    rest = rest_pose(rig.skeleton)
    bent = np.array(rest.rotations)
    for joint in limbs:
        side = -1 if joint.endswith("left") else 1
        turn = quaternion_about(axis, side * angle if axis[1] else angle)
        bent[rig.skeleton.index(joint)] = multiply(turn, bent[rig.skeleton.index(joint)])
    layer = bound_layer(rig, on_mesh(rig, "body", COUNTS["body"]), "x", ("body",), None)
    posed = layer.posed(rig, dataclasses.replace(rest, rotations=bent), IDENTITY)
    found = misfits_of(folder, baked(layer.photographed(posed)))
    assert said in found, found


def test_a_sleeve_is_stretched_where_an_arm_is_raised_and_nowhere_else(folder: Path) -> None:
    rig = load_rig(RIG)
    layer = bound_layer(rig, on_mesh(rig, "gown", 4000), "x", ("gown",), None)
    rest = rest_pose(rig.skeleton)
    still = layer.posed(rig, rest, IDENTITY).stretches
    identity = torch.tensor([1.0, 0, 0, 1, 0, 1])
    assert still is not None and torch.equal(still, identity.expand(4000, 6))
    raised = np.array(rest.rotations)
    arm = rig.skeleton.index("arm.left")
    raised[arm] = multiply(quaternion_about((0, 1, 0), -1.8), raised[arm])
    carried = Carried.by(rig, dataclasses.replace(rest, rotations=raised), IDENTITY)
    posed = layer.moved(carried)
    assert posed.stretches is not None
    factors = torch.linalg.eigvalsh(symmetric(posed.stretches))
    assert 1.5 < float(factors.max()) <= 2 + 1e-5 and float(factors.min()) >= 0.5 - 1e-5
    low = posed.stretches[layer.rest.means[:, 2] < 0.7]
    assert len(low) > 500 and torch.equal(low, identity.expand_as(low))
    drape = layer.drape
    assert drape is not None
    now = deform.carried(drape.corners, drape.carriers, carried.bones)[drape.triangles]
    by_torch = draped_by_torch(now, drape.rest, deform.MOST_STRETCH)[drape.triangle]
    torch.testing.assert_close(by_torch, posed.stretches, atol=2e-3, rtol=0)


def test_some_splats_of_a_layer_stand_as_they_do_among_all_of_them() -> None:
    rig = load_rig(RIG)
    layer = bound_layer(rig, on_mesh(rig, "body", 3000), "x", ("body",), None)
    rest = rest_pose(rig.skeleton)
    bent = np.array(rest.rotations)
    for joint in ("arm.left", "head"):
        bent[rig.skeleton.index(joint)] = multiply(quaternion_about((1, 2, 3), 0.7), bent[rig.skeleton.index(joint)])
    pose = dataclasses.replace(rest, rotations=bent, shapes={"jawOpen": 0.8, "eyeBlinkLeft": 1.0})
    whole = layer.posed(rig, pose, IDENTITY)
    assert layer.cage is not None and len(layer.cage.rows) > 100
    for rows in (np.arange(0, 3000, 7), np.setdiff1d(np.arange(3000), layer.cage.rows), np.zeros(0, np.int64)):
        part, expected = layer.only(rows), whole.only(torch.from_numpy(rows))
        some, taken = part.posed(rig, pose, IDENTITY), part.among(layer, whole, rows)
        for name in ("means", "quats", "scales", "opacities", "sh", "stretches", "turns"):
            assert torch.equal(getattr(some, name), getattr(expected, name)), name
            assert torch.equal(getattr(taken, name), getattr(expected, name)), name
        assert taken.sh is part.rest.sh, "what no pose changes is not written again"


def test_triangles_are_stretched_alike_at_any_thread_count_and_instruction_set() -> None:
    rig = load_rig(RIG)
    layer = bound_layer(rig, on_mesh(rig, "gown", 40_000), "x", ("gown",), None)
    rest = rest_pose(rig.skeleton)
    raised = np.array(rest.rotations)
    arm = rig.skeleton.index("arm.left")
    raised[arm] = multiply(quaternion_about((0, 1, 0), -1.8), raised[arm])
    carried, before, found = Carried.by(rig, dataclasses.replace(rest, rotations=raised), IDENTITY), threads(), []
    try:
        for count, name in itertools.product((1, 3), instruction_sets()):
            set_threads(count)
            use_instruction_set(name)
            found.append(layer.moved(carried))
    finally:
        set_threads(before)
        use_instruction_set()
    for one in found[1:]:
        assert torch.equal(one.stretches, found[0].stretches) and torch.equal(one.means, found[0].means)
    drape = layer.drape
    assert drape is not None
    identity = deform.Carriers(drape.carriers.joints, drape.carriers.weights)
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(len(drape.corners), 1)
    as_splats = dataclasses.replace(layer.rest.only(torch.zeros(len(quats), dtype=torch.int64)), quats=quats)
    moved = deform.skinned(dataclasses.replace(as_splats, means=drape.corners), identity, carried.bones).means
    assert torch.equal(deform.carried(drape.corners, drape.carriers, carried.bones), moved)


def test_a_triangle_pulled_along_one_edge_is_stretched_along_it() -> None:
    rest = np.array([[[0.0, 0, 0], [1, 0, 0], [0.3, 2, 0]]])
    now = torch.tensor([[[0.0, 0, 5], [0, 1.5, 5], [-2, 0.45, 5]]])  # a quarter turn about Z, half as long again
    inverse = torch.from_numpy(_inverse_edges(rest).astype(np.float32))
    found = draped_by_torch(now, inverse, 2.0)
    torch.testing.assert_close(found, torch.tensor([[1.0, 0, 0, 1.5, 0, 1]]), atol=1e-5, rtol=0)


def test_what_hangs_below_a_garment_is_hidden_though_it_sticks_out_of_it() -> None:
    rig = load_rig(RIG)
    mesh = rig.mesh
    assert mesh is not None
    own = mesh.triangles[parts_named(mesh, ["pyjamas"])]
    corners = mesh.vertices[own]
    below = covered(rig, corners.mean(axis=1).astype(np.float32), ("gown",))
    out = corners.mean(axis=1) + 0.03 * normals(corners)
    chosen = below & (nearest(out, corners).distance > 0.0299)  # and hang where they came from
    blurred = out[chosen].astype(np.float32)
    assert chosen.sum() > 1000
    assert covered(rig, blurred, ("gown",)).mean() < 0.9
    assert covered(rig, blurred, ("gown",), ("pyjamas",)).mean() > 0.97
