"""Build the captures: model, light, photograph, and write what is known exactly.

    python captures/make/build.py all                    everything, draft quality
    python captures/make/build.py flat --quality final   one capture, as it ships
    python captures/make/build.py rig                    captures/ada/rig.glb: skeleton, face shapes, clips
    python captures/make/build.py footage                Ada in the flat, path-traced, to measure films against
    python captures/make/build.py check                  held-out depth against its neighbours
    python captures/make/build.py sheets                 the contact sheets of captures/README.md
    python captures/make/build.py look flat 1,2,3 4,5,6  one picture from a place to a place, for the eye

A stopped run goes on at the next picture; the same settings and seed give the same pictures. Working files go to
out/captures/ in the repository; deleting that folder starts over.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ada
import check
import clearance
import footage
import numpy as np
import plan
import props
import sheets
import studio
import textures
import truth
from bathroom import make_bathroom
from bedroom import make_bedroom
from light import light_flat
from materials import make_materials
from outside import make_outside
from studio import bpy

CAPTURES = Path(__file__).resolve().parent.parent
WORK = CAPTURES.parent / "out" / "captures"


@dataclass(frozen=True)
class Job:
    """One capture: how it is built, photographed and described."""

    kind: str
    about: str
    build: Callable[[], None]
    views: list[plan.View]
    shape: truth.Shape
    samples: int
    corners: int  # sparse points from each photograph
    folder: str  # under captures/
    ids: bool = False  # with a mask that tells layers apart, for every photograph
    grade: int = 92  # quality of the photographs' compression, 0 to 100

    @property
    def matte(self) -> bool:
        return self.kind != "set"


def _flat() -> None:
    make_bedroom()
    make_bathroom()
    make_outside()
    light_flat()


def _tented(prop: Callable[[], None]) -> Callable[[], None]:
    def build() -> None:
        prop()
        props.light_tent()

    return build


def _dressed(look: str) -> Callable[[], None]:
    def build() -> None:
        ada.make_ada(look)
        props.light_tent(0.75, 2.3)

    return build


def jobs(quality: str) -> dict[str, Job]:
    """What can be built, at "draft" or "final" quality."""
    final = quality == "final"
    room = (960, 540) if final else (640, 360)
    made = {
        "flat": Job(
            "set",
            "The flat: a bedroom and a bathroom on a bright morning.",
            _flat,
            plan.flat(final),
            truth.Shape(room, ".jpg"),
            12 if final else 8,
            220 if final else 160,
            "flat",
            grade=88,
        )
    }
    for name, about, build, distance, height in (
        ("mug", "A thrown mug with painted leaves.", props.mug, 0.36, 0.046),
        ("book", "A cloth-bound book with a ribbon.", props.book, 0.62, 0.012),
        ("toothbrush", "A wooden toothbrush.", props.toothbrush, 0.45, 0.009),
    ):
        made[name] = Job(
            "prop",
            about,
            _tented(build),
            plan.tabletop(distance, height),
            truth.Shape((320, 320), ".webp"),
            16,
            150,
            name,
        )
    figure = (432, 640) if final else (360, 540)
    for look, about, samples in (
        ("pyjamas", "Ada in pyjamas.", 8),  # her cloth is plain where the gown's is quilted
        ("gown", "Ada in her dressing gown, over pyjamas.", 12),
    ):
        made[f"ada-{look}"] = Job(
            "character",
            about,
            _dressed(look),
            plan.turntable(),
            truth.Shape(figure, ".webp"),
            samples,
            160,
            f"ada/{look}",
            ids=True,
            grade=88,
        )
    return made


def open_set(name: str, job: Job) -> None:
    """Open the built set, building it first where no finished one lies in the working folder."""
    file = WORK / f"{name}.blend"
    if not file.exists():
        print(f"{name}: painting, modelling, lighting", flush=True)
        textures.paint_all(WORK / "textures")
        studio.empty_stage()
        make_materials(WORK / "textures")
        job.build()
        partial = file.with_name(f".{file.name}")
        bpy.ops.wm.save_as_mainfile(filepath=str(partial))
        partial.replace(file)
    bpy.ops.wm.open_mainfile(filepath=str(file))


def photograph(name: str, job: Job, quality: str) -> None:
    """Take every photograph that is missing, then its truth, then write what describes them."""
    folder, truths = CAPTURES / job.folder, WORK / f"{name}-{quality}"
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    truths.mkdir(parents=True, exist_ok=True)
    open_set(name, job)
    if job.kind == "set":
        troubles = clearance.crowded(job.views)
        if troubles:
            sys.exit(f"{name}: cameras stand badly:\n  " + "\n  ".join(troubles))
    size, suffix = job.shape.size, job.shape.suffix
    wanted = [v for v in job.views if not (images / f"{v.name}{suffix}").exists()]
    studio.set_renderer(size, job.samples, transparent=job.matte)
    studio.output("WEBP" if job.matte else "JPEG", job.grade, alpha=job.matte)
    for k, view in enumerate(wanted):
        start, cpu = time.monotonic(), os.times().user
        shot = truths / f"{view.name}{suffix}"
        studio.place_camera(view.pose(), view.focal * size[0], size)
        studio.render_to(shot)
        if suffix == ".jpg":
            studio.note_lens(shot, view.focal)
        shot.replace(images / shot.name)
        print(
            f"{name} {k + 1}/{len(wanted)} {view.name}: {time.monotonic() - start:.1f} s "
            f"({os.times().user - cpu:.1f} s of processor)",
            flush=True,
        )
    studio.set_truth_renderer()
    studio.output("EXR")
    for view in job.views:
        file = truths / f"{view.name}.exr"
        if not file.exists():
            studio.place_camera(view.pose(), view.focal * size[0], size)
            studio.render_to(file)
        if job.ids:
            truth.write_ids(file, folder / "ids" / f"{view.name}.png")
        if view.held_out:
            plain = truths / f"{view.name}-plain.exr"
            if not plain.exists():
                studio.place_camera(view.pose(), view.focal * size[0], size)
                with studio.plain_surfaces():
                    studio.render_to(plain)
            truth.write_depth(file, folder / "depth" / f"{view.name}.png")
            truth.write_normal(file, plain, folder / "normal" / f"{view.name}.png")
    found = truth.write_points(folder / "sparse.ply", job.views, images, truths, job.shape, job.corners)
    truth.write_transforms(folder / "transforms.json", job.views, job.shape)
    truth.write_sheet(folder / "capture.toml", job.kind, job.about)
    print(f"{name}: {len(job.views)} photographs, {found} points", flush=True)


def check_rig(quality: str) -> bool:
    """`rig.glb`, read back at rest, against the actor's depth: print the median distance over held-out views."""
    file, job = CAPTURES / "ada" / "rig.glb", jobs(quality)["ada-gown"]
    truths, size = WORK / f"ada-gown-{quality}", job.shape.size
    held = [v for v in job.views if v.held_out and (truths / f"{v.name}.exr").exists()]
    if not held or not file.exists():
        print("rig: nothing to compare yet; build rig and ada-gown first")
        return True
    studio.empty_stage()
    with studio.quiet():
        bpy.ops.import_scene.gltf(filepath=str(file))
    for thing in bpy.data.objects:  # the importer leaves the last clip playing; rest is the pose without one
        thing.animation_data_clear()
        if thing.type == "ARMATURE":
            for bone in thing.pose.bones:
                bone.matrix_basis.identity()
        elif thing.type == "MESH" and thing.data.shape_keys:
            thing.data.shape_keys.animation_data_clear()
            for key in thing.data.shape_keys.key_blocks[1:]:
                key.value = 0.0
    studio.set_renderer(size, 1)
    studio.set_truth_renderer()
    studio.output("EXR")
    errors = []
    for view in held:
        studio.place_camera(view.pose(), view.focal * size[0], size)
        studio.render_to(WORK / "rig.exr")
        proxy, actor = truth.read_truth(WORK / "rig.exr")[0], truth.read_truth(truths / f"{view.name}.exr")[0]
        both = np.isfinite(proxy) & np.isfinite(actor)
        errors.append(np.abs(proxy[both] - actor[both]))
    median = float(np.median(np.concatenate(errors)))
    print(f"rig: proxy at rest {median * 1000:.2f} mm (median) from the actor's depth (wanted: 5 mm)")
    return median <= 0.005


def look(name: str, job: Job, eye: str, target: str, file: Path) -> None:
    """One quick picture from `eye` to `target` ("x,y,z" each)."""
    places = [tuple(float(v) for v in text.split(",")) for text in (eye, target)]
    view = plan.View("look", places[0], places[1], plan.WIDE)  # type: ignore[arg-type]
    open_set(name, job)
    studio.set_renderer((480, 270), 8, transparent=False)
    studio.output("JPEG")
    studio.place_camera(view.pose(), view.focal * 480, (480, 270))
    studio.render_to(file)
    print(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="all, rig, footage, check, sheets, look, or a capture's name")
    parser.add_argument("rest", nargs="*", help="for look: NAME EYE TARGET")
    parser.add_argument("--quality", choices=("draft", "final"), default="draft")
    options = parser.parse_args()
    known = jobs(options.quality)
    if options.what == "check":
        results = [
            check.check(n, j.kind, j.views, WORK / f"{n}-{options.quality}", j.shape.size)
            for n, j in known.items()
            if (CAPTURES / j.folder / "transforms.json").exists() and (WORK / f"{n}-{options.quality}").is_dir()
        ]
        results.append(check_rig(options.quality))
        sys.exit(0 if all(results) else 1)
    if options.what == "sheets":
        sheets.write_sheets(CAPTURES, {n: j.folder for n, j in known.items()})
        return
    if options.what == "rig":
        textures.paint_all(WORK / "textures")
        studio.empty_stage()
        make_materials(WORK / "textures")
        (CAPTURES / "ada").mkdir(exist_ok=True)
        ada.export_rig(CAPTURES / "ada" / "rig.glb")
        return
    if options.what == "footage":
        for move in footage.MOVES:
            flat, actor = WORK / "flat.blend", WORK / f"ada-{move.look}.blend"
            for name, file in (("flat", flat), (f"ada-{move.look}", actor)):
                if not file.exists():
                    open_set(name, known[name])
            footage.shoot(move, flat, actor, CAPTURES / "footage", WORK / "footage" / move.name)
        return
    if options.what == "look":
        if len(options.rest) != 3 or options.rest[0] not in known:
            sys.exit(f"look wants NAME X,Y,Z X,Y,Z; NAME is one of {', '.join(known)}")
        look(options.rest[0], known[options.rest[0]], *options.rest[1:], WORK / "look.jpg")
        return
    if options.what != "all" and options.what not in known:
        sys.exit(f"{options.what!r} is not a capture; there is {', '.join(known)}")
    WORK.mkdir(parents=True, exist_ok=True)
    for name in known if options.what == "all" else [options.what]:
        photograph(name, known[name], options.quality)


if __name__ == "__main__":
    main()
