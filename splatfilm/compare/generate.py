"""Baselines made here: every shot asked of a diffusers pipeline, take after take, and written down as a manifest.

Takes are pictures, never video: an encoder's loss would be counted against the model. A take that is there is not made
again, so a run that was stopped goes on where it was. No take is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.files import read_json, write_bytes, write_json
from splatfilm.base.hashing import hash_bytes, hash_file, hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.manifest import SCHEMA, hash_clip
from splatfilm.compare.pipelines import GIVES, Ask, Loaded, generate
from splatfilm.compare.rows import our_takes, take_frames
from splatfilm.compare.seeds import MODES, SeededTake, seeded_takes
from splatfilm.film.model import Film, Shot
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.pictures import encode_png
from splatfilm.shots.plan import load_paths

Bytes = NDArray[np.uint8]
RECORD = "take.json"
LEAST_TAKES = 4
"""Takes a shot, so that one lucky seed decides nothing."""


@dataclass(frozen=True)
class Request:
    """What is asked for. `prompts` by shot; `protocol` T, F1 or FF says which first frame an image model gets."""

    name: str
    title: str
    prompts: Mapping[str, str]
    negative: str = ""
    takes: int = LEAST_TAKES
    mode: str = "per-shot"
    protocol: str = "FF"
    size: tuple[int, int] | None = None
    steps: int | None = None
    guidance: float | None = None
    translation_scale: float = 1.0
    licence: str = ""
    shots: tuple[str, ...] = ()
    control: Callable[[str], Sequence[Bytes]] | None = field(default=None, compare=False)  # by shot

    @property
    def identity(self) -> dict[str, Any]:
        """What of it decides the pictures."""
        return {
            "negative": self.negative,
            "mode": self.mode,
            "protocol": self.protocol,
            "size": list(self.size or ()),
            "numbers": [self.steps, self.guidance, self.translation_scale],
        }


def run_baseline(film: Film, loaded: Loaded, request: Request, out: Path, progress: Progress = SILENT) -> Path:
    """Make every take that is not there yet; gives the manifest, which is written anew after every take."""
    folders = FilmFolders.of(out, film)
    home = folders.root / "baselines" / request.name
    shots = [shot for shot in film.shots if not request.shots or shot.name in request.shots]
    if missing := [shot.name for shot in shots if not request.prompts.get(shot.name) and _needs_prompt(loaded)]:
        raise InputError.at("--prompts", f"shots {', '.join(missing)} have no prompt")
    seeded = {scene: list(seeded_takes(scene, request.takes, request.mode)) for scene in film.scenes}
    count = sum(len(seeded[shot.scene]) for shot in shots)
    progress.start(f"{request.title}", count, "takes")
    done, clips = 0, []
    for position in range(max(map(len, seeded.values()))):
        for shot in shots:
            take = seeded[shot.scene][position]
            conditions = _Conditions(film, shot, take, home, out)
            clips.append(_make(loaded, request, conditions))
            write_json(home / "baseline.json", _manifest(film, loaded, request, clips))
            done += 1
            progress.advance(done)
    progress.finish(str(home))
    return home / "baseline.json"


@dataclass(frozen=True, eq=False)
class _Conditions:
    """One take of one shot, and where things lie."""

    film: Film
    shot: Shot
    take: SeededTake
    home: Path
    out: Path

    @property
    def folder(self) -> Path:
        return self.home / self.shot.name / f"t{self.take.take}"


def _needs_prompt(loaded: Loaded) -> bool:
    return "prompt" in loaded.pipeline.keywords()


def _make(loaded: Loaded, request: Request, where: _Conditions) -> dict[str, Any]:
    """One take on disk, made if it is not there, as its entry in the manifest."""
    ask = _ask(loaded, request, where)
    key = hash_value(
        {
            "request": request.identity,
            "model": [str(loaded.facts["name"]), str(loaded.facts["revision"]), loaded.name, loaded.facts["library"]],
            "ask": [ask.prompt, list(ask.size), ask.frames, ask.seed],
            "image": None if ask.image is None else _digest(ask.image),
            "c2w": None if ask.c2w is None else [float(value) for value in ask.c2w.reshape(-1)],
            "control": [_digest(frame) for frame in ask.control],
        }
    )
    record = where.folder / RECORD
    if record.exists() and (there := read_json(record)).get("key") == key:
        entry: dict[str, Any] = there["clip"]
        return entry
    started = time.monotonic()
    frames = generate(loaded, ask)
    for index, pixels in enumerate(frames, start=1):
        write_bytes(where.folder / f"{index:04d}.png", encode_png(pixels, {}))
    for old in where.folder.glob("*.png"):
        if int(old.stem) > len(frames):
            old.unlink()
    entry = _entry(loaded, request, where, (ask, frames, time.monotonic() - started))
    write_json(record, {"key": key, "clip": entry})
    return entry


def _entry(
    loaded: Loaded, request: Request, where: _Conditions, made: tuple[Ask, list[Bytes], float]
) -> dict[str, Any]:
    ask, frames, seconds = made
    wanted = len(where.shot.frames)
    return {
        "shot": where.shot.name,
        "take": where.take.take,
        "file": where.folder.relative_to(where.home).as_posix(),
        "sha256": hash_clip(where.folder),
        "prompt": ask.prompt,
        "negative_prompt": ask.negative,
        "seed": ask.seed,
        "seed_kind": "torch-cpu",
        "seed_mode": request.mode,
        "fps": float(where.film.rate),
        "frames": len(frames),
        "size": [frames[0].shape[1], frames[0].shape[0]],
        "in": 0,
        "out": min(wanted, len(frames)) - 1,
        "takes_made": request.takes * (2 if request.mode == "twice" else 1),
        "selected_for_reel": where.take.take == 1,
        "cost": {"wall_s": round(seconds, 1)},
        "notes": "" if len(frames) >= wanted else f"the model made {len(frames)} frames for the shot's {wanted}",
    }


def _ask(loaded: Loaded, request: Request, where: _Conditions) -> Ask:
    """The shot in our words, with what this class of input may be given and nothing more."""
    film, shot = where.film, where.shot
    size = loaded.pipeline.size_for(request.size or film.size)
    frames = loaded.pipeline.frames_for(len(shot.frames))
    kind = loaded.pipeline.input
    image = _first_frame(request, where, size) if kind in ("image", "c2w") else None
    poses, intrinsics = _camera(request, where, size, frames) if kind == "c2w" else (None, None)
    control: Sequence[Bytes] = ()
    if kind == "control":
        if request.control is None:
            raise InputError.at("--control", f"{loaded.name} follows a control video: depth or beauty")
        given = [_resized(frame, size) for frame in request.control(shot.name)]
        control = [given[min(index, len(given) - 1)] for index in range(frames)]
    return Ask(
        prompt=request.prompts.get(shot.name, ""),
        negative=request.negative,
        size=size,
        frames=frames,
        rate=float(film.rate),
        seed=where.take.seed(shot.name),
        steps=request.steps,
        guidance=request.guidance,
        image=image,
        c2w=poses,
        intrinsics=intrinsics,
        control=control,
    )


def _first_frame(request: Request, where: _Conditions, size: tuple[int, int]) -> Bytes:
    """FF: our first frame of the shot. F1: ours of the first shot, then the last frame that the model made of it."""
    film = where.film
    first = next(shot for shot in film.shots if shot.scene == where.shot.scene)
    if request.protocol == "F1" and where.shot.name != first.name:
        own = sorted((where.home / first.name / f"t{where.take.take}").glob("*.png"))
        if own:
            return np.asarray(Image.open(own[-1]).convert("RGB"))
    takes = our_takes(film, FilmFolders.of(where.out, film))
    return _resized(take_frames(film, where.shot.name, takes[where.shot.name])[0], size)


def _camera(
    request: Request, where: _Conditions, size: tuple[int, int], frames: int
) -> tuple[NDArray[np.float64], tuple[float, float, float, float]]:
    """Poses of every frame that is asked for (the last is held) and the lens, in the size that is asked for."""
    path = load_paths(where.film, [where.shot])[where.shot.name]
    numbers = list(where.shot.frames)
    numbers += [numbers[-1]] * (frames - len(numbers))
    poses = np.stack([path.at(number, *size).pose for number in numbers])
    poses[:, :3, 3] *= request.translation_scale
    camera = path.at(numbers[0], *size)
    return poses, (camera.fx, camera.fy, camera.cx, camera.cy)


def _resized(pixels: Bytes, size: tuple[int, int]) -> Bytes:
    """Cropped about the middle to the shape of `size`, then brought to it."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    wide = min(image.width, image.height * size[0] / size[1])
    tall = wide * size[1] / size[0]
    left, top = (image.width - wide) / 2, (image.height - tall) / 2
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + wide, top + tall)))


def _digest(pixels: Bytes) -> str:
    return hash_bytes(np.ascontiguousarray(pixels).data.cast("B"))


def _manifest(film: Film, loaded: Loaded, request: Request, clips: Sequence[dict[str, Any]]) -> dict[str, Any]:
    information, given, camera = GIVES[loaded.pipeline.input]
    protocol = "T" if loaded.pipeline.input == "text" else request.protocol
    model = {**loaded.facts, "licence": request.licence or None, "steps": request.steps, "guidance": request.guidance}
    method = {
        "id": request.name,
        "title": request.title,
        "kind": "open",
        "given": list(given),
        "class": information,
        "protocol": protocol,
        "camera_input": camera,
        "translation_scale": request.translation_scale if camera == "c2w" else None,
        "model": model,
        "made": {"by": "splatfilm baseline run", "seeds": MODES[request.mode]},
        "clips": list(clips),
    }
    shotlist = {"path": film.path.name, "sha256": hash_file(film.path)}
    return {"schema": SCHEMA, "shotlist": shotlist, "methods": [method], "pairs": []}
