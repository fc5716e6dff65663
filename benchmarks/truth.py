"""Claim: the actor in the flat is where and what path-traced truth says she is: 0.95 of her outline, 24 dB inside it.

Ada and the flat, as the sample film has them, are posed, Ada in the lamps of the flat (`actor-own-light`: in her
studio's light; `actor-without-lamps`: in what the flat's splats show), and seen through the cameras of
`captures/footage`. There her clothes keep light off what is below them, as they do in truth (`worn_shadows`);
`actor-as-filmed` is without that, since in the film a change of clothes changes nothing else. Silhouettes are compared
where truth shows her and where more than half of a pixel is hers here; PSNR is over truth's pixels of her. `graded` is
after one gain for each colour channel of each move: what is left when only an overall difference of the light is graded
away.

`python -m benchmarks.truth --pictures FOLDER` also writes ours, truth and the difference of every picture.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import Row, main
from splatfilm.base.progress import SILENT
from splatfilm.base.rigid import Similarity
from splatfilm.cameras import Camera
from splatfilm.film import load
from splatfilm.film.model import (
    CastMember,
    ClipCue,
    Contact,
    Directions,
    Film,
    FrameRange,
    Light,
    LookChange,
    PlacementKey,
    Scene,
)
from splatfilm.render.passes import PassInputs, render_passes
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.stage import Stage
from splatfilm.stage.placement import Placements

ROOT = Path(__file__).resolve().parent.parent
FOOTAGE = ROOT / "captures" / "footage"
MOVES = ("wide-yawn", "window-look", "doorway-walk", "basin-brush")
LOOKS = {"gown": "morning", "pyjamas": "night"}
FIRST = 1001
OUTLINE, DECIBELS = 0.95, 24.0
AS_FILMED: Literal["film"] = "film"
AS_IN_TRUTH: Literal["truth"] = "truth"
LightOf = Light | Literal["film", "truth"] | None
"""How Ada is lit: as the film has it, so and in the shadow of what she wears, otherwise, or (None) by the studio."""

BY_THE_SET = Light()
"""By what the set's own splats show, where nobody declared a lamp."""


@dataclass(frozen=True)
class Compared:
    """One picture against truth; `decibels` and `graded` are PSNR inside the actor, `depth` the median error there."""

    move: str
    number: int
    outline: float  # intersection over union
    decibels: float
    graded: float
    depth: float  # metres
    set_decibels: float  # PSNR outside of her


def film_of(move: str, light: LightOf = AS_IN_TRUTH) -> Film:
    """The sample film with one scene, `truth`: the flat, and Ada as the footage's description has her."""
    film, said = load(ROOT / "cameras" / "morning" / "film.toml"), _description(move)
    first, last = said["frames"][0], said["frames"][-1]
    half = np.radians(said["heading"]) / 2
    turn = (float(np.cos(half)), 0.0, 0.0, float(np.sin(half)))
    keys = tuple(PlacementKey(_frame(said, f), Similarity(turn, tuple(f["position"]))) for f in said["frames"])
    cue = ClipCue(float(FIRST), said["clip"], offset=first["clip_seconds"])
    looks = (LookChange(float(FIRST), LOOKS[said["look"]]),)
    filmed = next(member for member in film.scenes["morning"].cast if member.name == "ada")
    assert filmed.light is not None, "the film lights her from its set"
    by_name = {AS_FILMED: filmed.light, AS_IN_TRUTH: dataclasses.replace(filmed.light, worn_shadows=True)}
    given = by_name[light] if isinstance(light, str) else light
    ada = CastMember("ada", "ada", keys, looks, directions=Directions((cue,)), light=given)
    frames = FrameRange(FIRST, FIRST + last["clip_frame"] - first["clip_frame"] + 1)
    scene = Scene("truth", "flat", film.assets["flat"].default_look.name, frames, (ada,))
    return dataclasses.replace(film, scenes={"truth": scene})


def _description(move: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOOTAGE / move / "footage.json").read_text())
    return found


def _frame(said: Mapping[str, Any], picture: Mapping[str, Any]) -> float:
    return float(FIRST + picture["clip_frame"] - said["frames"][0]["clip_frame"])


def camera_of(said: Mapping[str, Any], picture: Mapping[str, Any]) -> Camera:
    """The footage's camera, from OpenGL axes."""
    pose = np.array(picture["camera_to_world"]) @ np.diag([1.0, -1.0, -1.0, 1.0])
    return Camera(pose, said["fl_x"], said["fl_y"], said["cx"], said["cy"], *said["size"])


@dataclass(frozen=True, eq=False)
class Pair:
    """Ours and truth of one picture, display-referred 0..1."""

    ours: NDArray[np.float32]  # [H, W, 3]
    truth: NDArray[np.float32]  # [H, W, 3]
    hers: NDArray[np.bool_]  # [H, W] by truth's ids
    covered: NDArray[np.float32]  # [H, W] her share of each pixel here
    depths: tuple[NDArray[np.float32], NDArray[np.float32]]  # [H, W] ours, truth's, metres


def pairs(
    move: str,
    out: Path,
    contact: Contact | None = Contact(),  # noqa: B008  (frozen)
    light: LightOf = AS_IN_TRUTH,
) -> Iterator[Pair]:
    """The twelve pictures of a move, ours beside truth. Reconstructs what `out` does not hold yet."""
    film, said = film_of(move, light), _description(move)
    sources = resolve_assets(film, Placements(film, "truth").sources(), Ways(out / "assets"), SILENT)
    files = {name: source.path for name, source in sources.items()}
    stage = Stage(film, "truth", files, bindings=out / "assets" / "bindings")
    for picture in said["frames"]:
        staged = stage.at(_frame(said, picture), contact=contact)
        whose = torch.cat([torch.full((s.stop - s.start,), int(s.member == "ada")) for s in staged.spans])
        frame = render_passes(
            staged.splats, camera_of(said, picture), PassInputs(("id",), None, None, whose, 2), backend="cpu"
        )
        covered = torch.where(frame.layers["id-ranks"] == 1, frame.layers["id"], 0.0).sum(dim=-1)
        name = Path(picture["image"]).stem
        truth = np.asarray(Image.open(FOOTAGE / move / picture["image"]).convert("RGB"), dtype=np.float32) / np.float32(
            255
        )
        hers = np.asarray(Image.open(FOOTAGE / move / "ids" / f"{name}.png")) > 0
        depth = np.asarray(Image.open(FOOTAGE / move / "depth" / f"{name}.png"), dtype=np.float32) / np.float32(1000)
        ours = frame.beauty.clamp(0, 1).numpy()
        yield Pair(ours, truth, hers, covered.numpy(), (frame.depth.numpy(), depth))


def psnr(ours: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Peak signal to noise, dB, of values 0..1."""
    return float(-10 * np.log10(max(float(((ours.astype(np.float64) - truth) ** 2).mean()), 1e-12)))


def gains(found: list[Pair]) -> NDArray[np.float64]:  # [3]
    """The gain for each channel that brings ours, inside her, closest to truth over a whole move."""
    ours = np.concatenate([p.ours[p.hers] for p in found]).astype(np.float64)
    truth = np.concatenate([p.truth[p.hers] for p in found]).astype(np.float64)
    result: NDArray[np.float64] = (ours * truth).sum(axis=0) / (ours * ours).sum(axis=0)
    return result


def compared(move: str, out: Path, pictures: Path | None = None) -> list[Compared]:
    """Every picture of a move, measured."""
    found = list(pairs(move, out))
    gain = gains(found)
    result = []
    for number, p in enumerate(found, start=1):
        ours = p.covered > 0.5
        both, either = (ours & p.hers).sum(), (ours | p.hers).sum()
        inside = p.hers & (p.depths[1] > 0) & ours
        graded = np.clip(p.ours[p.hers] * gain, 0, 1).astype(np.float32)
        result.append(
            Compared(
                move,
                number,
                float(both / either),
                psnr(p.ours[p.hers], p.truth[p.hers]),
                psnr(graded, p.truth[p.hers]),
                float(np.median(np.abs(p.depths[0] - p.depths[1])[inside])),
                psnr(p.ours[~p.hers], p.truth[~p.hers]),
            )
        )
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            outline = np.where((ours != p.hers)[..., None], np.float32(1), np.float32(0.0))
            apart = np.clip(0.5 + (p.ours - p.truth), 0, 1)
            sheet = np.concatenate([p.ours, p.truth, np.maximum(apart, outline)], axis=1)
            Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(pictures / f"{move}-{number:02d}.png")
    return result


def measure(pictures: Path | None = None) -> list[Row]:
    """The worst picture of every move."""
    rows = []
    for move in MOVES:
        found = compared(move, ROOT / "out", pictures)
        own = [psnr(p.ours[p.hers], p.truth[p.hers]) for p in pairs(move, ROOT / "out", light=None)]
        filmed = [psnr(p.ours[p.hers], p.truth[p.hers]) for p in pairs(move, ROOT / "out", light=AS_FILMED)]
        plain = [psnr(p.ours[p.hers], p.truth[p.hers]) for p in pairs(move, ROOT / "out", light=BY_THE_SET)]
        rows += [
            Row(f"truth/{move}/outline", min(c.outline for c in found), "IoU", OUTLINE, "higher"),
            Row(f"truth/{move}/actor", min(c.decibels for c in found), "dB", DECIBELS, "higher"),
            Row(f"truth/{move}/actor-as-filmed", min(filmed), "dB"),
            Row(f"truth/{move}/actor-own-light", min(own), "dB"),
            Row(f"truth/{move}/actor-without-lamps", min(plain), "dB"),
            Row(f"truth/{move}/actor-graded", min(c.graded for c in found), "dB"),
            Row(f"truth/{move}/actor-depth", max(1000 * c.depth for c in found), "mm"),
            Row(f"truth/{move}/set", min(c.set_decibels for c in found), "dB"),
        ]
    return rows


if __name__ == "__main__":
    folder = None
    if "--pictures" in sys.argv:
        at = sys.argv.index("--pictures")
        folder = Path(sys.argv[at + 1])
        del sys.argv[at : at + 2]
    main(__doc__ or "", lambda: measure(folder))
