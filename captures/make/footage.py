"""Footage of Ada in the flat, path-traced: the truth that a rendered film is measured against, never trained on.

Four moves of the film's camera, twelve pictures each, with Ada posed by a clip of her rig. One clock runs through
clip, camera and path: picture k shows clip frame `start + k * step` at 24 frames a second. Beside each picture stand
its depth, the layer each pixel shows, and how far what Ada shows there moves until the next frame of the clock. The
set's own motion follows from depth and cameras.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import ada
import numpy as np
import OpenEXR
import studio
import truth
from ada_rig import clips
from PIL import Image
from plan import Point, View
from studio import bpy

SIZE = (480, 270)
COUNT = 12
SAMPLES = 8
RATE = 24
MOTION_UNIT = 1 / 64  # pixels a step of the 16-bit motion pictures, whose middle is 32768


@dataclass(frozen=True)
class Move:
    """One shot: where camera and actor are at the first and the last picture; `facing` in degrees, 0 along +X."""

    name: str
    look: str
    clip: str
    start: int  # clip frame of the first picture
    step: int  # clip frames between pictures
    focal: float  # in widths of the picture
    eyes: tuple[Point, Point]
    targets: tuple[Point, Point]
    feet: tuple[Point, Point]
    facing: float

    @property
    def frames(self) -> list[int]:
        return [self.start + k * self.step for k in range(COUNT)]

    def share(self, frame: float) -> float:
        return (frame - self.start) / (self.step * (COUNT - 1))

    def view(self, frame: float) -> View:
        eye, target = (_between(*ends, self.share(frame)) for ends in (self.eyes, self.targets))
        return View(f"{self.name}-{frame:g}", eye, target, self.focal)

    def stands(self, frame: float) -> Point:
        return _between(*self.feet, self.share(frame))


def _between(a: Point, b: Point, share: float) -> Point:
    x, y, z = (1 - share) * np.array(a) + share * np.array(b)
    return (float(x), float(y), float(z))


MOVES = (
    Move(
        "wide-yawn",
        "gown",
        "yawn-and-stretch",
        14,
        4,
        20 / 24.89,
        ((4.08, 1.08, 1.48), (3.92, 1.18, 1.44)),
        ((1.25, 2.15, 0.8), (1.22, 2.14, 0.79)),
        ((1.95, 2.85, 0.0), (1.95, 2.85, 0.0)),
        -39.0,
    ),
    Move(
        "window-look",
        "gown",
        "look-out-of-window",
        24,
        5,
        27 / 24.89,
        ((2.02, 1.75, 1.46), (2.16, 2.0, 1.48)),
        ((2.72, 6.0, 1.25), (2.72, 6.0, 1.25)),
        ((2.6, 3.2, 0.0), (2.6, 3.2, 0.0)),
        90.0,
    ),
    Move(
        "doorway-walk",
        "pyjamas",
        "walk",
        1,
        2,
        24 / 24.89,
        ((2.75, 1.66, 1.46), (3.1, 1.64, 1.46)),
        ((6.8, 1.6, 1.1), (6.8, 1.6, 1.1)),
        ((4.35, 1.6, 0.0), (5.45, 1.6, 0.0)),
        0.0,
    ),
    Move(
        "basin-brush",
        "gown",
        "brush-teeth",
        6,
        6,
        24 / 24.89,
        ((5.98, 2.72, 1.5), (6.06, 2.66, 1.48)),
        ((6.2, 1.62, 1.3), (6.2, 1.62, 1.3)),
        ((6.12, 1.6, 0.0), (6.12, 1.6, 0.0)),
        20.0,
    ),
)


def shoot(move: Move, flat: Path, actor: Path, folder: Path, work: Path) -> None:
    """Take what is missing of a move and write its `footage.json`. `flat` and `actor` are built .blend files."""
    final = folder / move.name
    if all((final / "images" / f"{k + 1:03d}.webp").exists() for k in range(COUNT)):
        print(f"footage {move.name}: done before", flush=True)
        return
    bpy.ops.wm.open_mainfile(filepath=str(flat))
    rig = _enter(actor)
    _act(rig, move)
    _key_camera(move)
    work.mkdir(parents=True, exist_ok=True)
    for part in ("images", "depth", "ids", "motion"):
        (final / part).mkdir(parents=True, exist_ok=True)
    scene = bpy.context.scene
    studio.set_renderer(SIZE, SAMPLES)
    scene.render.use_persistent_data = False
    for k, frame in enumerate(move.frames):
        scene.frame_set(frame)
        studio.output("WEBP", 90)
        studio.render_to(work / f"{k + 1:03d}.webp")
        print(f"footage {move.name} {k + 1}/{COUNT}", flush=True)
    studio.set_truth_renderer()
    bpy.context.view_layer.use_pass_vector = True
    studio.output("EXR")
    for k, frame in enumerate(move.frames):
        scene.frame_set(frame)
        studio.render_to(work / "truth.exr")
        stem = f"{k + 1:03d}"
        truth.write_depth(work / "truth.exr", final / "depth" / f"{stem}.png")
        truth.write_ids(work / "truth.exr", final / "ids" / f"{stem}.png")
        _write_motion(work / "truth.exr", move, frame, final / "motion" / f"{stem}.png")
    _describe(move, final / "footage.json")
    for k in range(COUNT):  # pictures last: a move whose pictures stand is a finished move
        (work / f"{k + 1:03d}.webp").replace(final / "images" / f"{k + 1:03d}.webp")


def _enter(actor: Path) -> bpy.types.Object:
    """Bring Ada's armature and meshes into the open set."""
    wanted = ("ada", *ada.LAYERS)
    with bpy.data.libraries.load(str(actor)) as (there, here):
        here.objects = [name for name in there.objects if name in wanted]
    for thing in here.objects:
        bpy.context.scene.collection.objects.link(thing)
        for modifier in thing.modifiers:
            if modifier.type == "ARMATURE":
                modifier.use_deform_preserve_volume = True
    return next(thing for thing in here.objects if thing.type == "ARMATURE")


def _act(rig: bpy.types.Object, move: Move) -> None:
    """Perform the clip on its own clock, standing where the move says."""
    body = next(c for c in rig.children if c.data.shape_keys)
    ada._perform(rig, body, move.clip, clips()[move.clip])
    for owner in (rig, body.data.shape_keys):
        for track in owner.animation_data.nla_tracks:
            track.mute = track.name != move.clip
    holder = bpy.data.objects.new("stands", None)
    bpy.context.scene.collection.objects.link(holder)
    rig.parent = holder
    holder.rotation_euler = (0, 0, np.radians(move.facing + 90))  # she is modelled facing -Y
    for frame in range(move.frames[0] - 2, move.frames[-1] + 3):
        holder.location = move.stands(frame)
        holder.keyframe_insert("location", frame=frame)


def _key_camera(move: Move) -> None:
    scene = bpy.context.scene
    studio.place_camera(move.view(move.start).pose(), move.focal * SIZE[0], SIZE)
    scene.camera.rotation_mode = "QUATERNION"
    for frame in range(move.frames[0] - 2, move.frames[-1] + 3):
        studio.place_camera(move.view(frame).pose(), move.focal * SIZE[0], SIZE)
        scene.camera.keyframe_insert("location", frame=frame)
        scene.camera.keyframe_insert("rotation_quaternion", frame=frame)


def _write_motion(exr_file: Path, move: Move, frame: int, png: Path) -> None:
    """Pixels (x right, y down) that what Ada shows at a pixel moves until the next frame; 0 0 off her.

    The renderer's signs are settled by the set, whose motion is known from depth and the cameras.
    """
    with OpenEXR.File(str(exr_file), separate_channels=True) as exr:
        channels = exr.parts[0].channels
        ids = np.array(channels["ViewLayer.IndexOB.X"].pixels, np.float32)
        ahead = np.stack([np.array(channels[f"ViewLayer.Vector.{c}"].pixels, np.float64) for c in "ZW"], -1)
    depth, _ = truth.read_truth(exr_file)
    here, there = move.view(frame), move.view(frame + 1)
    still = (ids == 0) & np.isfinite(depth) & (depth < 20)
    points = here.pose()[:3, 3] + truth.rays(here, SIZE)[still] * depth[still][:, None]
    local = (points - there.pose()[:3, 3]) @ there.pose()[:3, :3]
    f = move.focal * SIZE[0]
    target = np.stack([f * local[:, 0] / -local[:, 2] + SIZE[0] / 2, -f * local[:, 1] / -local[:, 2] + SIZE[1] / 2], -1)
    rows, columns = np.nonzero(still)
    known = target - np.stack([columns + 0.5, rows + 0.5], -1)
    best, error = (1.0, 1.0), np.inf
    for sx in (1.0, -1.0):
        for sy in (1.0, -1.0):
            off = float(np.median(np.abs(ahead[still] * (sx, sy) - known)))
            if off < error:
                best, error = (sx, sy), off
    if error > 0.05:
        raise SystemExit(f"{png}: the renderer's motion is {error:.3f} pixels from the camera's own, on the still set")
    steps = np.where((ids > 0)[..., None], np.round(ahead * best / MOTION_UNIT), 0)
    both = np.clip(steps + 32768, 0, 65535).astype(np.uint16)
    Image.fromarray(np.concatenate([both[..., 0], both[..., 1]], 0)).save(png, optimize=True)


def _describe(move: Move, file: Path) -> None:
    def one(k: int, frame: int) -> dict[str, object]:
        view = move.view(frame)
        return {
            "image": f"images/{k + 1:03d}.webp",
            "clip_frame": frame,
            "clip_seconds": frame / RATE,
            "camera_to_world": [[round(float(v), 9) for v in row] for row in view.pose()],
            "position": [round(v, 6) for v in move.stands(frame)],
        }

    focal = move.focal * SIZE[0]
    document = {
        "about": "Path-traced truth for measuring; camera_to_world in OpenGL axes, metres, Z up",
        "size": SIZE,
        "fl_x": focal,
        "fl_y": focal,
        "cx": SIZE[0] / 2,
        "cy": SIZE[1] / 2,
        "rate": RATE,
        "actor": "ada",
        "look": move.look,
        "clip": move.clip,
        "skinning": "dual-quaternion",
        "facing": move.facing,
        "heading": move.facing + 90,
        "depth": "planar, 16-bit millimetres, 0 unknown",
        "ids": {"0": "the set", **{str(k + 1): layer for k, layer in enumerate(ada.LAYERS)}},
        "motion": "x above y in one 16-bit picture: (value - 32768) / 64 pixels until the next frame of the clock, "
        "x right, y down, on the actor",
        "frames": [one(k, frame) for k, frame in enumerate(move.frames)],
    }
    file.write_text(json.dumps(document, indent=1) + "\n")
