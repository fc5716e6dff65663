"""Ada put together in Blender: her meshes with face shapes, armature and clips, and `rig.glb`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ada_body import gown, hands_and_feet, pyjamas
from ada_hair import hair_parts
from ada_head import Displace, Part, head_parts, shapes
from ada_rig import Bone, Clip, clips, rotation, skeleton, weights
from numpy.typing import NDArray
from studio import bpy

LOOKS = ("pyjamas", "gown")
PROXY = 2.2  # how much coarser than the sculpture the proxy is
LAYERS = ("body", "hair", "pyjamas", "gown")  # object ids 1 to 4


def layers(look: str, coarse: float = 1.0) -> dict[str, list[Part]]:
    """The parts of a look by layer. Under the gown, pyjamas stay; what the gown hides still carries it."""
    if look not in LOOKS:
        raise ValueError(f"{look!r} is not a look of ada; there is {', '.join(LOOKS)}")
    made = {
        "body": [*head_parts(coarse), *hands_and_feet(coarse)],
        "hair": hair_parts(coarse),
        "pyjamas": pyjamas(coarse),
    }
    if look == "gown":
        made["gown"] = gown(coarse)
    return made


def _uv(part: Part, bones: list[Bone]) -> NDArray[np.float64]:  # [F, 4, 2] metres
    """Wrapped around the nearest big bone where cloth covers limbs, laid on flat elsewhere."""
    corners = part.vertices[part.faces]
    wrapped = part.material in ("pyjamas", "gown") and len(part.vertices) > 3000
    if not wrapped:
        normal = np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])).argmax(1)
        pick = np.array([[1, 2], [0, 2], [0, 1]])[normal]
        return np.take_along_axis(corners, pick[:, None, :].repeat(4, 1), 2)
    big = [b for b in bones if b.name.split(".")[0] in ("chest", "spine", "hips", "arm", "forearm", "thigh", "shin")]
    share = weights(part, bones)
    table = np.stack([share.get(b.name, np.zeros(len(part.vertices))) for b in big], -1)
    owner = table[part.faces].mean(1).argmax(1)
    uv = np.empty((len(part.faces), 4, 2))
    for k, bone in enumerate(big):
        mine = owner == k
        a, axis = np.array(bone.head), np.array(bone.tail) - np.array(bone.head)
        trunk = bone.name in ("chest", "spine", "hips")
        axis = np.array([0, 0, 1.0]) if trunk else axis / np.linalg.norm(axis)
        a = np.array([0, 0.015, 0.0]) if trunk else a
        front = np.array([0, -1.0, 0]) - axis * (axis @ [0, -1.0, 0])
        front /= np.linalg.norm(front)
        q = corners[mine] - a
        turn = np.arctan2(q @ np.cross(axis, front), q @ front)
        turn = np.where(
            turn - turn[:, :1] > np.pi, turn - 2 * np.pi, np.where(turn - turn[:, :1] < -np.pi, turn + 2 * np.pi, turn)
        )
        radius = 0.14 if trunk else 1.25 * bone.reach
        uv[mine] = np.stack([turn * radius, q @ axis], -1)
    return uv


def _object(name: str, parts: list[Part], bones: list[Bone], faces_move: dict[str, Displace]) -> bpy.types.Object:
    """One layer as one mesh: materials, tints, weights, and face shapes where they move anything."""
    start = np.cumsum([0, *(len(p.vertices) for p in parts)])
    mesh = bpy.data.meshes.new(name)
    faces = np.concatenate([p.faces + s for p, s in zip(parts, start, strict=False)])
    mesh.from_pydata(np.concatenate([p.vertices for p in parts]).tolist(), [], faces.tolist())
    mesh.uv_layers.new(name="metres").data.foreach_set(
        "uv", np.concatenate([_uv(p, bones) for p in parts]).astype(np.float32).ravel()
    )
    tints = np.concatenate([np.hstack([p.tint, np.ones((len(p.tint), 1))]) for p in parts]).repeat(4, 0)
    mesh.color_attributes.new("tint", "FLOAT_COLOR", "CORNER").data.foreach_set(
        "color", tints.astype(np.float32).ravel()
    )
    used = list(dict.fromkeys(p.material for p in parts))
    for material in used:
        mesh.materials.append(bpy.data.materials[material])
    mesh.polygons.foreach_set(
        "material_index",
        np.concatenate([np.full(len(p.faces), used.index(p.material)) for p in parts]).astype(np.int32),
    )
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), dtype=bool))
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    for part, s in zip(parts, start, strict=False):
        for bone, share in weights(part, bones).items():
            group = thing.vertex_groups.get(bone) or thing.vertex_groups.new(name=bone)
            for i in np.nonzero(share > 0.004)[0]:
                group.add([int(s + i)], float(share[i]), "REPLACE")
    if name == "body":
        base = np.concatenate([p.vertices for p in parts])
        thing.shape_key_add(name="Basis", from_mix=False)
        for shape, move in faces_move.items():
            key = thing.shape_key_add(name=shape, from_mix=False)
            key.data.foreach_set("co", (base + np.concatenate([move(p) for p in parts])).astype(np.float32).ravel())
    return thing


def _armature(bones: list[Bone]) -> bpy.types.Object:
    data = bpy.data.armatures.new("ada")
    rig = bpy.data.objects.new("ada", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in bones:
        made = data.edit_bones.new(bone.name)
        made.head, made.tail = bone.head, bone.tail
        made.parent = data.edit_bones[bone.parent] if bone.parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def make_ada(look: str, coarse: float = 1.0) -> bpy.types.Object:
    """Ada in a look, in the A-pose she is photographed in; returns her armature."""
    bones = skeleton()
    rig = _armature(bones)
    for name, parts in layers(look, coarse).items():
        thing = _object(name, parts, bones, shapes())
        thing.pass_index = LAYERS.index(name) + 1
        thing.parent = rig
        thing.modifiers.new("rig", "ARMATURE").object = rig
    return rig


def strike(rig: bpy.types.Object, pose: dict[str, tuple[float, float, float]]) -> None:
    """Pose the armature: every bone not named stands at rest. Rotations are about the world's axes at rest."""
    from mathutils import Matrix, Vector

    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
        rest = bone.bone.matrix_local.to_3x3()
        turn = Matrix(rotation(pose.get(bone.name, (0, 0, 0))).tolist())
        bone.rotation_quaternion = (rest.inverted() @ turn @ rest).to_quaternion()
        bone.location = rest.inverted() @ Vector(pose.get("move", (0, 0, 0))) if bone.name == "hips" else (0, 0, 0)


def _perform(rig: bpy.types.Object, body: bpy.types.Object, name: str, clip: Clip) -> None:
    """Key a clip as an action of the armature and of the face, both on NLA tracks of the clip's name."""
    rig.animation_data_create()
    rig.animation_data.action = bpy.data.actions.new(name)
    for frame, pose in clip.poses:
        strike(rig, pose)
        for bone in rig.pose.bones:
            if bone.name in pose or bone.name == "hips" or any(bone.name in p for _, p in clip.poses):
                bone.keyframe_insert("rotation_quaternion", frame=frame)
        rig.pose.bones["hips"].keyframe_insert("location", frame=frame)
    keys = body.data.shape_keys
    keys.animation_data_create()
    keys.animation_data.action = bpy.data.actions.new(f"{name} face")
    used = sorted({s for _, face in clip.faces for s in face})
    for frame, face in clip.faces:
        for shape in used:
            keys.key_blocks[shape].value = face.get(shape, 0.0)
            keys.key_blocks[shape].keyframe_insert("value", frame=frame)
    for owner in (rig, keys):
        action = owner.animation_data.action
        track = owner.animation_data.nla_tracks.new()
        track.name = name
        track.strips.new(name, 0, action)
        track.mute = True
        owner.animation_data.action = None
    strike(rig, {})
    for block in keys.key_blocks[1:]:
        block.value = 0.0


def export_rig(file: Path) -> None:
    """`rig.glb`: the proxy in the capture pose with skeleton, weights, face shapes and every clip; no textures."""
    rig = make_ada("gown", PROXY)
    body = bpy.data.objects["body"]
    for name, clip in clips().items():
        _perform(rig, body, name, clip)
    for material in bpy.data.materials:
        material.use_nodes = False
    bpy.context.scene.render.fps = 24
    partial = file.with_name("." + file.name)
    bpy.ops.export_scene.gltf(
        filepath=str(partial),
        export_format="GLB",
        export_animations=True,
        export_animation_mode="NLA_TRACKS",
        export_morph_normal=False,
        export_try_sparse_sk=True,
        export_all_influences=False,
        export_image_format="NONE",
        export_texcoords=False,
        export_vertex_color="NONE",
        export_yup=True,
        export_optimize_animation_size=True,
    )
    partial.replace(file)
