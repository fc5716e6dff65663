"""What of each lamp gets to the cast: a white ball is held up at some places, in the flat and in the actor's studio.

    python captures/make/meter.py

A film's gaffer declares lamps by what they send. Here lamps stand outside of windows, so bars, reveals and curtains
keep a part, and photographs take large lamps that are far away for dimmer than they are (`studio.set_renderer`). The
ball is read as photographs are taken, and again with nothing around it and every ray followed to its end. This prints
which part arrives, in the median over the places that a lamp reaches, and what falls there from no lamp: the sky's.
"""

from __future__ import annotations

import build
import numpy as np
import OpenEXR
import plan
import studio
from numpy.typing import NDArray
from studio import bpy

PLACES = [
    (1.9, 2.8, 1.2),
    (2.6, 3.1, 1.2),
    (3.2, 1.9, 1.2),
    (4.0, 1.6, 1.2),
    (5.0, 1.6, 1.2),
    (6.0, 1.7, 1.2),
    (2.2, 2.6, 0.6),
    (5.5, 1.6, 0.7),
]
FIGURE = [(0.0, 0.0, 0.5), (0.0, 0.0, 1.0), (0.0, 0.0, 1.5), (0.4, 0.0, 1.0), (-0.4, 0.0, 1.0)]  # of the actor
SIDES = [(0.25, 0.2, 0.12), (-0.25, -0.2, -0.05), (-0.2, 0.25, 0.1)]  # where it is looked at from
RADIUS = 0.06  # metres
PIXELS, SAMPLES = 48, 48
LEAST = 0.03  # over pi: a lamp that gives less without the set around does not reach a place
SHADED = 0.15  # of what it gives: one that gives less with the set is behind a wall


def _groups() -> dict[str, str]:
    """A light group for every lamp; group by lamp."""
    layer, made = bpy.context.view_layer, {}
    for thing in [thing for thing in bpy.data.objects if thing.type == "LIGHT"]:
        made[thing.name] = thing.name.replace(" ", "-").replace(".", "-")
        layer.lightgroups.add().name = made[thing.name]
        thing.lightgroup = made[thing.name]
    return made


def _ball() -> bpy.types.Object:
    white = bpy.data.materials.new("white ball")
    white.use_nodes = True
    tree = white.node_tree
    tree.nodes.clear()
    surface, out = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeOutputMaterial")
    surface.inputs[0].default_value = (1, 1, 1, 1)
    tree.links.new(surface.outputs[0], out.inputs[0])
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, radius=RADIUS)
    ball = bpy.context.object
    ball.data.materials.append(white)
    ball.pass_index = 99
    return ball


def _readings(
    groups: dict[str, str], ball: bpy.types.Object, places: list[plan.Point]
) -> NDArray[np.float64]:  # [places, lamps + 1], the last of what is no lamp's
    file = build.WORK / "meter.exr"
    found = np.zeros((len(places), len(groups) + 1))
    for p, place in enumerate(places):
        ball.location = place
        looks = 0
        for side in SIDES:
            eye = tuple(float(a + b) for a, b in zip(place, side, strict=True))
            view = plan.View("meter", eye, place, 2.2)  # type: ignore[arg-type]
            studio.place_camera(view.pose(), view.focal * PIXELS, (PIXELS, PIXELS))
            studio.render_to(file)
            with OpenEXR.File(str(file), separate_channels=True) as exr:
                channels = exr.parts[0].channels
                hers = np.array(channels["ViewLayer.IndexOB.X"].pixels) == 99
                if not hers.any():  # something stands before it
                    continue
                lamps = 0.0
                for k, group in enumerate(groups.values()):
                    shown = [np.array(channels[f"ViewLayer.Combined_{group}.{c}"].pixels)[hers] for c in "RGB"]
                    found[p, k] += float(np.mean(shown))
                    lamps += float(np.mean(shown))
                whole = [np.array(channels[f"ViewLayer.Combined.{c}"].pixels)[hers] for c in "RGB"]
                found[p, -1] += float(np.mean(whole)) - lamps
            looks += 1
        found[p] /= max(looks, 1)
    return found


def meter(name: str, places: list[plan.Point]) -> None:
    """Print what of each lamp of a built set arrives."""
    build.open_set(name, build.jobs("final")[name])
    for thing in bpy.data.objects:
        if name != "flat" and thing.type == "MESH":
            thing.hide_render = True  # the actor herself
    groups, ball = _groups(), _ball()
    studio.set_renderer((PIXELS, PIXELS), SAMPLES)
    cycles, layer = bpy.context.scene.cycles, bpy.context.view_layer
    cycles.use_denoising = False
    layer.use_pass_object_index = True
    studio.output("EXR")
    inside = _readings(groups, ball, places)
    cycles.max_bounces, cycles.use_fast_gi = 0, False
    for thing in bpy.data.objects:
        if thing.type == "MESH" and thing is not ball:
            thing.hide_render = True
    free = _readings(groups, ball, places)
    for k, lamp in enumerate(groups):
        share = inside[:, k] / np.maximum(free[:, k], 1e-9)
        reached = (free[:, k] > LEAST) & (share > SHADED)
        said = ""
        if reached.any():
            said = f"{np.median(share[reached]):.2f} ({share[reached].min():.2f} to {share[reached].max():.2f})"
        print(f"{name}, {lamp}: {said or 'reaches none'}, at {int(reached.sum())} places", flush=True)
    sky = inside[:, -1]
    print(f"{name}, no lamp: {np.median(sky):.3f} ({sky.min():.3f} to {sky.max():.3f})", flush=True)


if __name__ == "__main__":
    meter("flat", PLACES)
    meter("ada-gown", FIGURE)
