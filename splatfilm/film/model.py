"""What a film file says, as frozen data. `splatfilm.film.load` makes it; nothing here reads files.

Scene frames are whole numbers at the borders of scenes and shots and floats where something is keyed between them.
Every range of frames includes both ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from splatfilm.base.curves import Easing
from splatfilm.base.rigid import IDENTITY, Similarity
from splatfilm.film.refine_model import ModelSettings

AssetKind = Literal["set", "character", "prop"]
LampKind = Literal["sun", "point", "panel", "sky"]
Preset = Literal["draft", "preview", "final"]

Files = Literal["auto", "png", "png16", "exr", "exr-parts"]
Colour = Literal["linear-srgb", "acescg"]

PASSES = (
    "beauty",
    "alpha",
    "depth",
    "depth-median",
    "depth-front",
    "normal",
    "position",
    "motion",
    "id",
    "occlusion",
)
"""The passes a shot may ask for (docs/passes.md); beauty is always there."""

PNG_CANNOT: Mapping[str, str] = {
    "position": "holds metres of either sign",
    "motion": "holds fractions of pixels of either sign",
    "id": "holds hashes and coverages as 32-bit floats",
}
"""Passes that no PNG can hold, and why."""

FILES: tuple[Files, ...] = ("auto", "png", "png16", "exr", "exr-parts")
COLOURS: tuple[Colour, ...] = ("linear-srgb", "acescg")


def png_problem(files: str, pass_name: str) -> str:
    """Why `files` cannot hold a pass, and what to write instead; empty when it can."""
    if files not in ("png", "png16") or pass_name not in PNG_CANNOT:
        return ""
    return (
        f'"{pass_name}" {PNG_CANNOT[pass_name]}, which PNG cannot: leave `files = "{files}"` out of [film] '
        '(then this pass becomes an EXR file), or write `files = "exr"`'
    )


@dataclass(frozen=True)
class FrameRange:
    """Scene frames `first` to `last`, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __contains__(self, frame: float) -> bool:
        return self.first <= frame <= self.last


@dataclass(frozen=True)
class Care:
    """How carefully a capture is reconstructed: a preset, and what stands instead of its numbers (None: nothing)."""

    preset: Preset = "draft"
    steps: int | None = None
    budget: int | None = None  # splats
    size: int | None = None  # px, longest side of the training pictures
    widest: float | None = None  # degrees: no splat's deviation is longer, seen from the nearest photograph's place


@dataclass(frozen=True)
class Look:
    """One appearance of an asset: a `capture` folder, reconstructed with `care`, or a `splats` file, or `layers`.

    `layers` name layers of a character, from the skin outwards; a look that has them has no splats of its own.
    `place` brings the asset's own axes and units into the scene's (Z up, metres) before it is placed.
    """

    name: str
    capture: Path | None = None
    splats: Path | None = None
    care: Care = Care()
    place: Similarity = IDENTITY
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One thing that a character wears or is made of: splats, on the same rig as all its other layers.

    `mesh` names the parts of the rig's proxy mesh that carry it (none: all of them). While it is worn it hides what of
    the layers `covers` lies beneath it. `ids` are the numbers of the capture's id masks that belong to it (none: all).
    The layers `over` which it is learnt stay as they are, so that what two looks share is the same splats in both.
    """

    name: str
    capture: Path | None = None
    splats: Path | None = None
    care: Care = Care()
    place: Similarity = IDENTITY
    ids: tuple[int, ...] = ()
    over: tuple[str, ...] = ()
    mesh: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()


LAYER_PREFIX = "layers/"
"""What stands before a layer's name where layers and looks are named together; no look's name can hold a slash."""


@dataclass(frozen=True)
class Asset:
    """A named thing a scene can hold. The first look in the file is the one it wears when nothing else is said."""

    name: str
    kind: AssetKind
    looks: Mapping[str, Look]
    rig: Path | None = None  # characters: the file that moves it
    layers: Mapping[str, Layer] = field(default_factory=dict)

    def source(self, name: str) -> Look | Layer:
        """The look called `name`, or the layer called `layers/` and its name. Raises `KeyError`."""
        if name.startswith(LAYER_PREFIX):
            return self.layers[name.removeprefix(LAYER_PREFIX)]
        return self.looks[name]

    def worn(self, look: str) -> tuple[str, ...]:
        """The sources that a look shows, in order: its layers, or itself."""
        layers = self.looks[look].layers
        return tuple(LAYER_PREFIX + layer for layer in layers) if layers else (look,)

    @property
    def default_look(self) -> Look:
        return next(iter(self.looks.values()))


@dataclass(frozen=True)
class PlacementKey:
    """Where a cast member stands at one scene frame; `easing` shapes the way to the next key."""

    frame: float
    place: Similarity
    easing: Easing = "linear"


@dataclass(frozen=True)
class LookChange:
    """From this scene frame on, the cast member wears `look`."""

    frame: float
    look: str


@dataclass(frozen=True)
class ClipCue:
    """From scene frame `frame` on, a character performs `clip`.

    It starts `offset` seconds into the clip and runs `speed` times as fast; with `loop` it starts over at its end,
    without it holds its last pose. Over `blend` frames the pose before it fades into it.
    """

    frame: float
    clip: str
    offset: float = 0.0
    speed: float = 1.0
    loop: bool = False
    blend: float = 0.0


@dataclass(frozen=True)
class ShapeKey:
    """Weights of blendshapes at a scene frame; `easing` shapes the way to the next key that names the same shape."""

    frame: float
    weights: Mapping[str, float]
    easing: Easing = "ease-in-out"


@dataclass(frozen=True)
class Attachment:
    """A cast member in the hand of another: its place counts from that joint, within `frames` (None: always)."""

    to: str
    joint: str
    frames: FrameRange | None = None


@dataclass(frozen=True)
class Directions:
    """What a character is told to do: a score or clips on the scene's clock, and expressions that stand over them.

    `score` is a performance file (docs/clips.md), which says everything that clips could; there are none beside it.
    A clip is one of the rig's, by name, or a clip file's absolute path. `place` and `line` say where in the film file
    all this stands.
    """

    cues: tuple[ClipCue, ...] = ()
    shapes: tuple[ShapeKey, ...] = ()
    place: str = ""
    line: int = 0
    score: Path | None = None


@dataclass(frozen=True)
class Lamp:
    """Something that shines: on the cast of a scene, or on what was photographed in a studio (docs/cast.md)."""

    kind: LampKind
    strength: float  # a sun: what falls on a card that faces it, pi for white; point and panel: watts; sky: 1 for white
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)  # linear
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)  # metres; of point and panel, and of a sun's window
    direction: tuple[float, float, float] = (0.0, 0.0, -1.0)  # unit, the way its light goes; of sun and panel
    size: tuple[float, float] = (0.0, 0.0)  # metres, of a panel, or of the window that a sun comes through
    facing: tuple[float, float, float] | None = None  # unit: into the room from that window; None: a sun out of doors
    frames: FrameRange | None = None  # scene frames that it is on for; None: always


@dataclass(frozen=True)
class Light:
    """A cast member in the light of the set that it stands in (docs/cast.md).

    `strength` goes from the light that it was photographed in (0) to the set's (1). `exposure` is the gaffer's: stops
    over what was found. `highlights` is how much brighter than white that is, what clipped in the set's photographs.
    `bounce` is the share of what the set's surfaces are seen to send that falls on the member. With `worn_shadows` what
    is worn over a layer keeps the lamps' light off it, so that a change of clothes changes what is beside them too.
    """

    strength: float = 1.0  # 0..1
    exposure: float = 0.0  # stops
    highlights: float = 4.0  # at least 1
    bounce: float = 1.0  # 0..1; with lamps
    worn_shadows: bool = False  # with lamps
    lamps: tuple[Lamp, ...] = ()  # of the scene
    studio: tuple[Lamp, ...] = ()  # that the asset was photographed in, about the asset as its capture has it


@dataclass(frozen=True)
class CastMember:
    """An asset placed in a scene under a name of its own (the same mug may stand there twice)."""

    name: str
    asset: str
    keys: tuple[PlacementKey, ...]  # at least one, ascending; before the first and after the last it stands still
    looks: tuple[LookChange, ...]  # ascending; the first holds from the scene's beginning
    frames: FrameRange | None = None  # present only then; None: the whole scene
    directions: Directions = Directions()
    attach: Attachment | None = None
    contact: bool = True  # whether it takes part in contact shadows
    light: Light | None = None  # None: the light that it was photographed in


Vector = tuple[float, float, float]
AmbientKind = Literal["sway", "flicker", "steam"]
AmbientHeld = Literal["top", "bottom", "none"]


@dataclass(frozen=True)
class Ambient:
    """What stirs by itself on the scene's clock, within a box in the axes of the member that it belongs to.

    `sway` moves splats by up to `amount` metres along `direction` (the scene's axes), least at the side that is `held`;
    `flicker` makes them brighter and darker by up to `amount`; `steam` takes up to `amount` of their opacity away.
    """

    kind: AmbientKind
    member: str  # the set's asset, or a cast member's name
    box: tuple[Vector, Vector]  # metres, in the member's own axes
    amount: float
    period: float = 4.0  # seconds: how long the slowest part of it takes
    wavelength: float = 0.8  # metres from crest to crest
    direction: Vector = (1.0, 0.0, 0.0)  # unit, scene
    held: AmbientHeld = "top"
    seed: str = "1"


@dataclass(frozen=True)
class Scene:
    """A set, a cast in composition order, and a clock."""

    name: str
    set: str
    set_look: str
    frames: FrameRange
    cast: tuple[CastMember, ...]
    ambient: tuple[Ambient, ...] = ()


@dataclass(frozen=True)
class Optics:
    """What of a real camera the pictures show. As it stands: a pinhole with an instant's exposure.

    The shutter is open from `shutter_phase` after the scene frame (negative: before it) for `shutter_angle`, both in
    degrees of which 360 are one frame, and always at the scene frame itself. `samples` None chooses by the blur.
    """

    depth_of_field: bool = False
    shutter_angle: float = 0.0  # degrees, 0 to 360
    shutter_phase: float = 0.0  # degrees, -shutter_angle to 0
    samples: int | None = None  # pinhole pictures that make a frame


RefineLook = Literal["off", "clean", "natural", "sixteen-mm"]
REFINE_LOOKS: tuple[RefineLook, ...] = ("off", "clean", "natural", "sixteen-mm")
"""What refinement may make of a picture (docs/refine.md)."""


@dataclass(frozen=True)
class Refine:
    """How a shot's frames are refined. `seed` names the film's randomness: other seeds, other texture and grain."""

    look: RefineLook = "off"
    strength: float = 1.0  # 0..1 of what the look asks for
    grain: float = 1.0  # 0..4 times the look's grain
    seed: str = "1"
    model: ModelSettings | None = None  # a big model instead of the scene refiner
    steps: int | None = None  # of the scene refiner, from noise that is anchored to the scene; None: one, without noise


@dataclass(frozen=True)
class Contact:
    """Contact shadows: how much light cast and set take from one another where they are close (docs/cast.md).

    `strength` is the share of the hidden light that is gone, `radius` how far an occluder reaches. With `beauty` false
    the shadow is only written as the pass `occlusion`.
    """

    strength: float = 1.0  # 0..1
    radius: float = 0.4  # metres
    beauty: bool = True


@dataclass(frozen=True)
class Marker:
    """A remark at a scene frame of a shot, for people. It decides no pixel."""

    frame: int
    name: str


@dataclass(frozen=True)
class Shot:
    """A camera looking at a scene from one scene frame to another.

    `lens` holds the fields of the camera file's lens that this shot replaces, by name of the `Lens` field.
    """

    name: str
    scene: str
    camera: Path
    frames: FrameRange
    lens: Mapping[str, object]
    passes: tuple[str, ...]
    optics: Optics = Optics()
    refine: Refine = Refine()
    contact: Contact | None = None
    markers: tuple[Marker, ...] = ()  # in the order of their frames


@dataclass(frozen=True)
class ContinuityGoal:
    """What `splatfilm continuity` asks of the film: least FSC of every cut, least decibels of every revisit."""

    fsc: float = 0.95  # 0..1
    revisit: float = 35.0  # dB, after refinement; before it a revisit is exact


@dataclass(frozen=True)
class Film:
    """A film file, read and found valid. `path` is the file as the user called it; every other path is absolute.

    There is at least one asset, one scene and one shot. `timecode` is the SMPTE timecode of the cut's first frame; a
    semicolon before its frames (`01:00:00;00`) means that the cut counts drop-frame. docs/passes.md
    says what `files` and `colour` mean.
    """

    path: Path
    name: str
    title: str
    rate: Fraction  # frames a second
    size: tuple[int, int]  # width, height in pixels, square
    assets: Mapping[str, Asset]
    scenes: Mapping[str, Scene]
    shots: tuple[Shot, ...]
    timecode: str = "01:00:00:00"
    files: Files = "auto"  # what pictures are written as
    colour: Colour = "linear-srgb"  # of beauty in EXR files
    continuity: ContinuityGoal = ContinuityGoal()
    bake: bool = False  # whether captured sets, characters and props are refined into their splats

    def source(self, asset: str, name: str) -> Look | Layer:
        """The look or layer (`layers/NAME`) of an asset. Raises `KeyError`."""
        return self.assets[asset].source(name)

    def shot(self, name: str) -> Shot:
        """The shot of that name. Raises `KeyError` listing what there is."""
        for shot in self.shots:
            if shot.name == name:
                return shot
        raise KeyError(f"no shot {name!r}; there is {', '.join(s.name for s in self.shots)}")
