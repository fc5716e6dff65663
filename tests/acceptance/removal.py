"""Take one thing out of a scene at a time, and see which pixels of a film change. For a clone that has made the film.

`python -m tests.acceptance.removal FILM OUT` prints one JSON object: for every member of a cast (a character with all
its layers and whatever it holds), over the first, the middle and the last frame of every shot of its scene, how many
pixels it covers, how many of those change without it, and how many others do.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import torch

from splatfilm.film import load
from splatfilm.film.model import Film
from splatfilm.render import render
from splatfilm.render.constants import MAX_ALPHA, MIN_TRANSMITTANCE
from splatfilm.shots.plan import ShotPlan
from splatfilm.shots.schedule import RenderOptions, plan_film
from splatfilm.splats import Splats
from splatfilm.stage import Stage

ENDED = MIN_TRANSMITTANCE / (1 - MAX_ALPHA) * 1.001
"""The most light that there may be left where a splat ends it."""


def together(film: Film, scene: str, member: str) -> frozenset[str]:
    """A member of a cast and everything that it holds, and that these hold: nothing hangs in the air without a hand."""
    taken = {member}
    cast = film.scenes[scene].cast
    while held := {one.name for one in cast if one.attach is not None and one.attach.to in taken} - taken:
        taken |= held
    return frozenset(taken)


def without(film: Film, scene: str, members: frozenset[str]) -> Film:
    """The film without some members of one cast."""
    found = film.scenes[scene]
    cast = tuple(one for one in found.cast if one.name not in members)
    return dataclasses.replace(film, scenes={**film.scenes, scene: dataclasses.replace(found, cast=cast)})


def rows(splats: Splats, chosen: torch.Tensor) -> Splats:  # [N] bool
    """Some of the splats, in their order."""
    tensors = {field.name: getattr(splats, field.name) for field in dataclasses.fields(splats) if field.name != "mode"}
    return dataclasses.replace(splats, **{name: t if t is None else t[chosen] for name, t in tensors.items()})


def differences(
    plan: ShotPlan, frame: int, stages: tuple[Stage, Stage], members: frozenset[str]
) -> tuple[int, int, int]:
    """Pixels of a frame that the members cover, that change there, and that change elsewhere.

    They cover what they have a part in, and where one of their splats ends the light: blending stops before that splat,
    so it has no part in the pixel, but without it those behind have one.
    """
    whole, rest = (stage.at(frame) for stage in stages)
    owned = torch.zeros(len(whole.splats), 1)
    for span in whole.spans:
        owned[span.rows] = float(span.member in members)
    before = render(whole.splats, plan.cameras[frame], backend="cpu", features=owned)
    after = render(rest.splats, plan.cameras[frame], backend="cpu")
    assert before.features is not None
    alone = render(rows(whole.splats, owned[:, 0] > 0), plan.cameras[frame], backend="cpu").alpha > 0
    ends_light = alone & (after.alpha > before.alpha) & (1 - before.alpha <= ENDED)
    footprint = (before.features[..., 0] > 0) | ends_light
    changed = (before.beauty != after.beauty).any(-1) | (before.alpha != after.alpha) | (before.depth != after.depth)
    return int(footprint.sum()), int((changed & footprint).sum()), int((changed & ~footprint).sum())


def main(film_file: Path, out: Path) -> None:
    """Print what changes, by member."""
    film = load(film_file)
    planned = plan_film(film, RenderOptions(out=out))
    files = {name: source.path for name, source in planned.sources.items()}
    found: dict[str, list[int]] = {}
    for scene, content in film.scenes.items():
        whole = Stage(film, scene, files)
        for member in content.cast:
            taken = together(film, scene, member.name)
            stages = whole, Stage(without(film, scene, taken), scene, files)
            sums = [
                differences(plan, frame, stages, taken)
                for plan in planned.plans.values()
                if plan.scene == scene
                for frame in sorted({plan.frames[0], plan.frames[len(plan.frames) // 2], plan.frames[-1]})
            ]
            found[f"{scene}/{member.name}"] = [sum(column) for column in zip(*sums, strict=True)]
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
