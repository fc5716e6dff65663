"""The miniature: a diffusion model trained from scratch on a film's own capture, to show what new noise does.

It is given the same photographs as Splatfilm, the camera's rays, and the direction of view as a caption; with a quarter
of the rays dropped in training, one model is both a camera-controlled and a caption-only baseline. It shows a mechanism
and proves nothing about big models: the sentence that says so stands beside every number of it.

Flow matching (Lipman et al. 2023): the network sees (1 - t) x + t n and learns n - x. One thread of torch: several are
slower for a network this small, and one gives the same bits everywhere.
"""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from splatfilm.base.errors import InputError
from splatfilm.base.files import atomic_path, read_json, write_bytes, write_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.base.threads import one_torch_thread
from splatfilm.cameras import Camera
from splatfilm.capture import read_capture
from splatfilm.capture.hashing import capture_hash
from splatfilm.capture.pictures import load_picture
from splatfilm.compare.agreement import some
from splatfilm.compare.manifest import SCHEMA, hash_clip
from splatfilm.compare.seeds import MODES, seed_of
from splatfilm.film.model import Film, Scene, Shot
from splatfilm.refine.diffusion import diffusers_class
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.pictures import encode_png
from splatfilm.shots.plan import load_paths

if TYPE_CHECKING:
    from torch import Tensor

WIDTH, HEIGHT = 48, 32  # pixels
MINIATURE_VERSION = 1
BATCH = 16
RATE = 1e-3  # AdamW's learning rate, falling to a tenth by a cosine
WARM_UP = 40  # steps
EMA = 0.995
POSE_DROPOUT = 0.25
SAMPLING_STEPS = 12
TAKES = 4
RECORD = "take.json"
CAPTIONS = tuple(
    f"looking {where}"
    for where in ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
)
"""The captions: the direction of view, +X being east and +Y north."""

SENTENCE = (
    "Miniature diffusion model trained from scratch for {steps} steps ({minutes} {device}-minutes) on the same {count} "
    "capture frames at 48x32. It shows the mechanism (new noise = new picture), not the level, of real video models. "
    "Nearest-capture-frame and mean-image rows are given because they beat it on PSNR. No pretrained video model could "
    "be run on the machine that made this report."
)

METHODS = {
    "mini-camera": ("Miniature, told the camera", "I4", ("text", "camera", "capture"), "c2w", True),
    "mini-text": ("Miniature, told the direction of view", "I4", ("text", "capture"), "text", False),
}


@dataclass(frozen=True)
class Settings:
    """How it is trained. `steps` decides it to the bit on one machine; `device` auto takes a GPU where there is one.

    `pictures` are sampled of a take, spread evenly, each held until the next; None: one for every frame.
    """

    steps: int = 1200
    seed: int = 0
    takes: int = TAKES
    device: str = "cpu"
    pictures: int | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """The network with its smoothed weights, and what it was trained on."""

    network: Any
    centre: NDArray[np.float64]  # [3] the middle of the cameras, metres
    reach: float  # metres
    facts: dict[str, Any]
    key: str = ""  # hash of what decides the weights

    @property
    def sentence(self) -> str:
        """What must stand beside every number of it."""
        return SENTENCE.format(
            steps=self.facts["steps"],
            minutes=f"{self.facts['minutes']:.1f}",
            count=self.facts["photographs"],
            device=self.facts["device"],
        )


def make_miniature(film: Film, settings: Settings, out: Path, progress: Progress = SILENT) -> Path:
    """Train (once) and sample every shot; gives the manifest. Raises `InputError` for a set without a capture."""
    scenes = list(dict.fromkeys(shot.scene for shot in film.shots))
    home = FilmFolders.of(out, film).root / "baselines" / "mini"
    with one_torch_thread():
        trained = {name: train(film, film.scenes[name], settings, out, progress) for name in scenes}
        clips: dict[str, list[dict[str, Any]]] = {name: [] for name in METHODS}
        progress.start("sampling the miniature", len(METHODS) * len(film.shots) * settings.takes, "takes")
        done = 0
        for take in range(1, settings.takes + 1):
            for method in METHODS:
                for shot in film.shots:
                    clips[method].append(_clip(film, (shot, take), method, trained[shot.scene], (home, settings)))
                    done += 1
                    progress.advance(done)
                write_json(home / "baseline.json", _manifest(film, trained[scenes[0]], clips))
        progress.finish()
    return home / "baseline.json"


# ---- training ----


def train(film: Film, scene: Scene, settings: Settings, out: Path, progress: Progress = SILENT) -> Trained:
    """Train the scene's network, or read it when it was trained before on the same photographs in the same way."""
    import torch

    look = film.assets[scene.set].looks[scene.set_look]
    if look.capture is None:
        raise InputError.at(film.path, f"the set {scene.set} has no photographs: a miniature cannot be trained on it")
    capture = read_capture(look.capture)
    photographs = capture.of("train")
    cameras = [photograph.camera for photograph in photographs]
    places = np.array([camera.position for camera in cameras])
    centre, reach = places.mean(axis=0), float(np.abs(places - places.mean(axis=0)).max()) or 1.0
    value = [MINIATURE_VERSION, settings.steps, settings.seed, settings.device, capture_hash(capture)]
    folder = out / "assets" / f"miniature-{hash_value(value)[:12]}"
    if (folder / "miniature.json").exists():
        facts = read_json(folder / "miniature.json")
        network = _network(settings.device)
        network.load_state_dict(torch.load(folder / "weights.pt", map_location=settings.device, weights_only=True))
        return Trained(network.eval(), centre, reach, facts, folder.name)
    progress.start(f"reading {look.capture.name} for the miniature", len(photographs), "photographs")
    pictures, rays = [], []
    for done, photograph in enumerate(photographs, start=1):
        picture = load_picture(photograph, 4 * WIDTH)
        pictures.append(small_picture(picture.colour))
        rays.append(pluecker(small_camera(picture.camera, whole=False), centre, reach))
        progress.advance(done)
    progress.finish()
    data = (np.stack(pictures), np.stack(rays), np.array([caption_of(camera) for camera in cameras]))
    started = time.process_time() if settings.device == "cpu" else time.monotonic()
    network, loss = _learn(data, settings, progress)
    spent = (time.process_time() if settings.device == "cpu" else time.monotonic()) - started
    facts = {
        "steps": settings.steps,
        "minutes": round(spent / 60, 2),
        "device": "CPU" if settings.device == "cpu" else "GPU",
        "photographs": len(photographs),
        "parameters": sum(p.numel() for p in network.parameters()),
        "loss": loss,
        "seed": settings.seed,
    }
    with atomic_path(folder / "weights.pt") as temporary:
        torch.save(network.state_dict(), temporary)
    write_json(folder / "miniature.json", facts)
    return Trained(network, centre, reach, facts, folder.name)


def _learn(
    data: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]], settings: Settings, progress: Progress
) -> tuple[Any, float]:
    """The smoothed network, and the loss at its end (mean of the last fifty steps)."""
    import torch

    device = settings.device
    pictures, rays, captions = (torch.from_numpy(array).to(device) for array in data)
    chance = torch.Generator("cpu").manual_seed(settings.seed)
    network, smooth = _network(device, settings.seed), _network(device, settings.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE)
    losses: list[float] = []
    progress.start("training the miniature", settings.steps, "steps")
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = (
                RATE * min(1.0, (step + 1) / WARM_UP) * (0.55 + 0.45 * math.cos(math.pi * step / settings.steps))
            )
        chosen = torch.randint(len(pictures), (BATCH,), generator=chance).to(device)
        noise = torch.randn(BATCH, 3, HEIGHT, WIDTH, generator=chance).to(device)
        moment = torch.sigmoid(torch.randn(BATCH, generator=chance)).to(device)
        told = (torch.rand(BATCH, generator=chance) >= POSE_DROPOUT).float().to(device)
        clean = pictures[chosen]
        mixed = (1 - moment[:, None, None, None]) * clean + moment[:, None, None, None] * noise
        found = _ask(network, mixed, moment, _told(rays[chosen], told), captions[chosen])
        loss = torch.nn.functional.mse_loss(found, noise - clean)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        keep = min(EMA, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(smooth.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        losses.append(float(loss.detach()))
        progress.advance(step + 1, f"loss {np.mean(losses[-50:]):.3f}")
    progress.finish()
    return smooth.eval(), round(float(np.mean(losses[-50:])), 4)


def _network(device: str, seed: int = 0) -> Any:
    """A UNet of diffusers with about a million weights, drawn from the seed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = diffusers_class("UNet2DModel")(
            sample_size=(HEIGHT, WIDTH),
            in_channels=3 + 6 + 1,
            out_channels=3,
            block_out_channels=(32, 64, 64),
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            attention_head_dim=16,
            norm_num_groups=8,
            num_class_embeds=len(CAPTIONS),
        )
    return network.to(device)


def _ask(network: Any, mixed: Tensor, moment: Tensor, told: Tensor, captions: Tensor) -> Tensor:
    import torch

    result: Tensor = network(torch.cat([mixed, told], dim=1), moment * 1000, class_labels=captions).sample
    return result


def _told(rays: Tensor, told: Tensor) -> Tensor:  # [B, 6, H, W], [B] -> [B, 7, H, W]
    """Rays with a flag that says whether they are told."""
    import torch

    flag = told[:, None, None, None].expand(-1, 1, rays.shape[2], rays.shape[3])
    return torch.cat([rays * flag, flag], dim=1)


# ---- sampling ----


def sample(trained: Trained, cameras: Sequence[Camera], seed: int, told: bool) -> list[NDArray[np.uint8]]:
    """A picture for every camera, all from the shot's one noise; without being told the camera they are all alike."""
    import torch

    device = next(trained.network.parameters()).device
    noise = torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator("cpu").manual_seed(seed)).to(device)
    caption = torch.tensor([caption_of(cameras[0])], device=device)
    frames: list[NDArray[np.uint8]] = []
    wanted = list(cameras) if told else [cameras[0]]
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        rays = np.stack([pluecker(small_camera(camera, whole=True), trained.centre, trained.reach) for camera in batch])
        flags = torch.full((len(batch),), float(told), device=device)
        condition = _told(torch.from_numpy(rays).to(device), flags)
        state = noise.expand(len(batch), -1, -1, -1).clone()
        with torch.inference_mode():
            for step in range(SAMPLING_STEPS):
                moment = torch.full((len(batch),), 1 - step / SAMPLING_STEPS, device=device)
                flow = _ask(trained.network, state, moment, condition, caption.expand(len(batch)))
                state = state - flow / SAMPLING_STEPS
        pixels = ((state.cpu().numpy().transpose(0, 2, 3, 1) + 1) / 2).clip(0, 1)
        frames += [(picture * 255 + 0.5).astype(np.uint8) for picture in pixels]
    return frames if told else frames * len(cameras)


def _clip(
    film: Film, wanted: tuple[Shot, int], method: str, trained: Trained, where: tuple[Path, Settings]
) -> dict[str, Any]:
    """One take on disk, as its entry in the manifest."""
    home, settings = where
    shot, take = wanted
    _, _, _, _, told = METHODS[method]
    path = load_paths(film, [shot])[shot.name]
    cameras = [path.at(frame, *film.size) for frame in shot.frames]
    seed = seed_of(shot.scene, shot.name, take)
    folder = home / method / shot.name / f"t{take}"
    poses = [[*camera.pose.reshape(-1).tolist(), camera.fx, camera.fy] for camera in cameras]
    key = hash_value(
        [MINIATURE_VERSION, trained.key, method, seed, poses, SAMPLING_STEPS, settings.pictures, settings.takes]
    )
    record = folder / RECORD
    if record.exists() and (there := read_json(record)).get("key") == key:
        entry: dict[str, Any] = there["clip"]
        return entry
    drawn = some(len(cameras), settings.pictures)
    sampled = sample(trained, [cameras[index] for index in drawn], seed, told)
    frames = [sampled[bisect.bisect_right(drawn, index) - 1] for index in range(len(cameras))]
    for index, pixels in enumerate(frames, start=1):
        write_bytes(folder / f"{index:04d}.png", encode_png(pixels, {}))
    for old in folder.glob("*.png"):
        if int(old.stem) > len(frames):
            old.unlink()
    entry = _entry(film, (shot, take), (folder, home), (seed, CAPTIONS[caption_of(cameras[0])], settings.takes))
    if len(drawn) < len(cameras):
        entry["notes"] = f"{len(drawn)} pictures were sampled; each is held until the next"
    write_json(record, {"key": key, "clip": entry})
    return entry


def _entry(
    film: Film, wanted: tuple[Shot, int], where: tuple[Path, Path], made: tuple[int, str, int]
) -> dict[str, Any]:
    """A take that is on disk, as the manifest says it."""
    (shot, take), (folder, home), (seed, caption, takes) = wanted, where, made
    count = len(shot.frames)
    return {
        "shot": shot.name,
        "take": take,
        "file": folder.relative_to(home).as_posix(),
        "sha256": hash_clip(folder),
        "prompt": caption,
        "seed": seed,
        "seed_kind": "torch-cpu",
        "seed_mode": "per-shot",
        "fps": float(film.rate),
        "frames": count,
        "size": [WIDTH, HEIGHT],
        "in": 0,
        "out": count - 1,
        "takes_made": takes,
        "selected_for_reel": take == 1,
    }


def _manifest(film: Film, trained: Trained, clips: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    model = {
        "name": f"UNet2DModel, {trained.facts['parameters'] / 1e6:.2f} M weights",
        "library": "diffusers",
        "steps": SAMPLING_STEPS,
        "trained": trained.facts,
    }
    methods = [
        {
            "id": name,
            "title": title,
            "kind": "mini",
            "class": information,
            "given": list(given),
            "protocol": "T",
            "camera_input": camera,
            "model": model,
            "made": {"by": "splatfilm baseline mini", "seeds": MODES["per-shot"]},
            "sentence": trained.sentence,
            "clips": clips[name],
        }
        for name, (title, information, given, camera, _) in METHODS.items()
    ]
    shotlist = {"path": film.path.name, "sha256": hash_file(film.path)}
    return {"schema": SCHEMA, "shotlist": shotlist, "methods": methods, "pairs": []}


# ---- what it sees ----


def small_picture(colour: NDArray[np.float32]) -> NDArray[np.float32]:  # [H, W, 3] 0..1 -> [3, 32, 48] -1..1
    """The middle of a photograph in the shape 3:2, by area."""
    image = Image.fromarray((np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))
    wide = min(image.width, image.height * WIDTH / HEIGHT)
    tall = wide * HEIGHT / WIDTH
    left, top = (image.width - wide) / 2, (image.height - tall) / 2
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.BOX, box=(left, top, left + wide, top + tall))
    return (np.asarray(small, np.float32) / 127.5 - 1).transpose(2, 0, 1)


def small_camera(camera: Camera, whole: bool) -> Camera:
    """The camera that sees 48x32 square pixels: `whole` all of its picture and more beside it, else its middle."""
    scales = WIDTH / camera.width, HEIGHT / camera.height
    scale = min(scales) if whole else max(scales)
    centre = WIDTH / 2 + (camera.cx - camera.width / 2) * scale, HEIGHT / 2 + (camera.cy - camera.height / 2) * scale
    return Camera(camera.pose, camera.fx * scale, camera.fy * scale, *centre, WIDTH, HEIGHT)


def pluecker(camera: Camera, centre: NDArray[np.float64], reach: float) -> NDArray[np.float32]:  # -> [6, 32, 48]
    """Every pixel's ray: its direction, and its moment about `centre` with `reach` for a unit (Pluecker)."""
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    rays = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], -1) @ camera.pose[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    moments = np.cross((camera.position - centre) / reach, rays)
    return np.concatenate([rays, moments], -1).transpose(2, 0, 1).astype(np.float32)


def caption_of(camera: Camera) -> int:
    """Which of `CAPTIONS` says where the camera looks."""
    heading = math.atan2(float(camera.forward[1]), float(camera.forward[0]))
    return round(heading / (math.pi / 4)) % len(CAPTIONS)
