"""Materials: a painted texture at its true size, a slow mottling that never repeats with it, a tint, a bump."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio import bpy


@dataclass(frozen=True)
class Cloth:
    """How a texture becomes a surface. `size`: (width, height) of the picture in metres; 1, 1: UVs span the picture."""

    texture: str
    size: tuple[float, float] = (1.0, 1.0)
    rough: float = 0.8
    bump: float = 0.3
    glow: float = 0.0  # emitted as well, for painted backdrops and lamp shades
    mottle: float = 0.18
    translucent: float = 0.0


MATERIALS: dict[str, Cloth] = {
    "floor": Cloth("oak", (1.4, 0.35), 0.55),
    "oak": Cloth("oak", (1.2, 0.5), 0.55),
    "walnut": Cloth("walnut", (1.1, 0.55), 0.5),
    "walnut worn": Cloth("cherry", (1.1, 0.55), 0.6),
    "cherry": Cloth("cherry", (1.1, 0.5), 0.5),
    "pine": Cloth("pine", (1.2, 0.5), 0.7),
    "plaster": Cloth("plaster buff", (1.9, 1.9), 0.95, 0.5),
    "plaster rose": Cloth("plaster rose", (1.7, 1.7), 0.95, 0.5),
    "ceiling": Cloth("plaster ceiling", (2.1, 2.1), 0.95, 0.5),
    "wallpaper": Cloth("wallpaper", (1.5, 1.5), 0.9, 0.1, mottle=0.28),
    "sage": Cloth("paint sage", (1.3, 0.9), 0.6),
    "cream": Cloth("paint cream", (1.3, 0.9), 0.6),
    "teal": Cloth("paint teal", (1.1, 0.8), 0.55),
    "rust": Cloth("paint rust", (1.1, 0.8), 0.55),
    "ochre": Cloth("paint mustard", (1.1, 0.8), 0.55),
    "tile": Cloth("glaze", (0.9, 0.9), 0.35, 0.25),
    "cement": Cloth("cement", (0.8, 0.8), 0.7, 0.2),
    "grout": Cloth("plaster ceiling", (0.6, 0.6), 0.95),
    "enamel": Cloth("enamel", (0.5, 0.5), 0.4, 0.15),
    "brass": Cloth("brass", (0.3, 0.3), 0.5, 0.15),
    "iron": Cloth("iron", (0.3, 0.3), 0.6, 0.2),
    "panel": Cloth("mist", (0.78, 0.9), 0.75, 0.05, mottle=0.1),
    "quilt": Cloth("quilt", rough=0.95, bump=0.45, mottle=0.08),
    "sheet": Cloth("sheet", (0.9, 0.9), 0.95),
    "ticking": Cloth("ticking", (0.55, 0.55), 0.95),
    "ticking rust": Cloth("ticking rust", (0.55, 0.55), 0.95),
    "curtain": Cloth("curtain", (0.9, 0.9), 0.95, 0.2, translucent=0.35),
    "shade": Cloth("shade", (0.4, 0.4), 0.95, 0.2, glow=0.75),
    "globe": Cloth("shade", (0.3, 0.3), 0.95, 0.1, glow=1.0),
    "linen rust": Cloth("linen rust", (0.6, 0.6), 0.95),
    "knit": Cloth("knit", (0.62, 0.55), 0.95, 0.8),
    "knit plum": Cloth("knit plum", (0.5, 0.45), 0.95, 0.8),
    "towel": Cloth("towel", rough=0.95, bump=0.6),
    "towel teal": Cloth("towel teal", rough=0.95, bump=0.6),
    "kilim": Cloth("kilim", rough=0.95, bump=0.5, mottle=0.12),
    "wicker": Cloth("wicker", (0.42, 0.42), 0.8, 0.8),
    "moon": Cloth("print moon", rough=0.9, bump=0.0, mottle=0.08),
    "botanical": Cloth("print botanical", rough=0.9, bump=0.0, mottle=0.08),
    "shapes": Cloth("print shapes", rough=0.9, bump=0.0, mottle=0.08),
    "cat": Cloth("print cat", rough=0.9, bump=0.0, mottle=0.08),
    "cover": Cloth("cover", rough=0.85, bump=0.25, mottle=0.1),
    "book cloth": Cloth("shade", (0.2, 0.2), 0.9, 0.2),
    "pages": Cloth("pages", (0.12, 0.05), 0.95, 0.3),
    "pottery": Cloth("pottery", rough=0.45, bump=0.15, mottle=0.1),
    "vase": Cloth("vase", rough=0.5, bump=0.15, mottle=0.1),
    "leaf": Cloth("paint sage", (0.3, 0.2), 0.7),
    "soil": Cloth("iron", (0.1, 0.1), 0.95, 0.8),
    "skin": Cloth("flesh", (0.16, 0.16), 0.6, 0.1, mottle=0.0),
    "eye": Cloth("enamel", (0.5, 0.5), 0.12, 0.0, mottle=0.0),
    "hair": Cloth("strands", (0.06, 0.16), 0.75, 0.2, mottle=0.05),
    "pyjamas": Cloth("moons", (0.42, 0.42), 0.95, 0.25, mottle=0.06),
    "gown": Cloth("quilted", (0.34, 0.34), 0.9, 0.7, mottle=0.06),
    "leaded": Cloth("leaded", glow=1.5, bump=0.0, mottle=0.05),
    "sky": Cloth("sky", glow=0.80, bump=0.0, mottle=0.0),
    "roof": Cloth("roof", (1.6, 1.6), 0.9, 0.4, glow=0.25),
    "roof slate": Cloth("roof slate", (1.6, 1.6), 0.9, 0.4, glow=0.25),
    "brick": Cloth("brick", (1.0, 1.0), 0.9, 0.4, glow=0.25),
    "facade": Cloth("facade", (1.8, 1.8), 0.95, 0.3, glow=0.25),
}


def make_materials(textures: Path) -> None:
    """Make every material of the film in the open Blender file, from the painted textures."""
    mottle = bpy.data.images.load(str(textures / "glaze.png"))
    for name, cloth in MATERIALS.items():
        _material(name, cloth, textures, mottle)


def _image(
    tree: bpy.types.NodeTree, image: bpy.types.Image, scale: tuple[float, float], turn: float = 0.0
) -> bpy.types.Node:
    uv = tree.nodes.new("ShaderNodeUVMap")
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = (scale[0], scale[1], 1)
    mapping.inputs["Rotation"].default_value = (0, 0, turn)
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.extension = image, "REPEAT"
    tree.links.new(uv.outputs[0], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs[0], node.inputs["Vector"])
    return node


def _multiply(
    tree: bpy.types.NodeTree, a: bpy.types.NodeSocket, b: bpy.types.NodeSocket, amount: float = 1.0
) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type, node.blend_type = "RGBA", "MULTIPLY"
    node.inputs[0].default_value = amount
    tree.links.new(a, node.inputs[6])
    tree.links.new(b, node.inputs[7])
    return node.outputs[2]


def _material(name: str, cloth: Cloth, textures: Path, mottle: bpy.types.Image) -> None:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"
    tree = material.node_tree
    surface = tree.nodes["Principled BSDF"]
    scale = (1 / cloth.size[0], 1 / cloth.size[1])
    picture = bpy.data.images.load(str(textures / f"{cloth.texture}.png"), check_existing=True)
    colour = _image(tree, picture, scale).outputs["Color"]
    tint = tree.nodes.new("ShaderNodeVertexColor")
    tint.layer_name = "tint"
    colour = _multiply(tree, colour, tint.outputs["Color"])
    if cloth.mottle:
        slow = (0.37, 0.37) if cloth.size != (1.0, 1.0) else (0.83, 0.83)
        colour = _multiply(tree, colour, _image(tree, mottle, slow, 0.6).outputs["Color"], cloth.mottle * 1.6)
    tree.links.new(colour, surface.inputs["Base Color"])
    surface.inputs["Roughness"].default_value = cloth.rough
    surface.inputs["Specular IOR Level"].default_value = 0.5 * (1 - cloth.rough)
    if cloth.bump:
        height = bpy.data.images.load(str(textures / f"{cloth.texture}-height.png"), check_existing=True)
        height.colorspace_settings.name = "Non-Color"
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = cloth.bump
        bump.inputs["Distance"].default_value = 0.006
        tree.links.new(_image(tree, height, scale).outputs["Color"], bump.inputs["Height"])
        tree.links.new(bump.outputs[0], surface.inputs["Normal"])
    if cloth.glow:
        tree.links.new(colour, surface.inputs["Emission Color"])
        surface.inputs["Emission Strength"].default_value = cloth.glow
    if cloth.translucent:
        through, both = tree.nodes.new("ShaderNodeBsdfTranslucent"), tree.nodes.new("ShaderNodeMixShader")
        both.inputs[0].default_value = cloth.translucent
        tree.links.new(colour, through.inputs["Color"])
        tree.links.new(surface.outputs[0], both.inputs[1])
        tree.links.new(through.outputs[0], both.inputs[2])
        tree.links.new(both.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
