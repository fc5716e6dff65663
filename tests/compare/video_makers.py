"""Real clips of every bad kind, made by PyAV, and manifests that name them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from splatfilm.compare.manifest import SCHEMA, hash_clip

SHOTS = ("010", "020")


def picture(index: int, width: int = 160, height: int = 90) -> np.ndarray:
    """A smooth picture whose brightness tells its index: the red of every pixel is 8 x index."""
    y, x = np.mgrid[0:height, 0:width]
    green, blue = 40 + 160 * x / width, 40 + 160 * y / height
    return np.stack([np.full_like(x, 8 * index), green, blue], -1).astype(np.uint8)


def write_clip(path: Path, frames: list[np.ndarray], **how: Any) -> Path:
    """An H.264 clip; `how`: rate, times (in ms, for variable rates), rotation, tags (transfer, primaries), audio."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=how.get("rate", Fraction(24)))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        stream.codec_context.options = {"crf": "4", "g": "6"}
        stream.codec_context.thread_count = 1
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        if "tags" in how:
            context.color_trc, context.color_primaries = how["tags"]
        if how.get("rotation"):
            stream.set_display_rotation(how["rotation"])
        sound = container.add_stream("aac", rate=44100) if how.get("audio") else None
        times = how.get("times")
        if times:
            context.time_base = stream.time_base = Fraction(1, 1000)
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame = frame.reformat(format="yuv444p", dst_colorspace=1, dst_color_range=1)
            frame.colorspace, frame.color_range = 1, 1
            if "tags" in how:
                frame.color_trc, frame.color_primaries = how["tags"]
            else:
                frame.color_trc = frame.color_primaries = 1
            frame.pts = times[index] if times else index
            frame.time_base = Fraction(1, 1000) if times else 1 / Fraction(how.get("rate", 24))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            noise.sample_rate, noise.pts = 44100, 0
            container.mux(sound.encode(noise))
            container.mux(sound.encode(None))
    return path


def clip_value(path: Path, project: Path, shot: str = "010", take: int = 1, **more: Any) -> dict[str, Any]:
    return {"shot": shot, "take": take, "file": str(path.relative_to(project)), "sha256": hash_clip(path), **more}


def write_manifest(project: Path, *clips: dict[str, Any], pairs: Sequence[dict[str, Any]] = (), **more: Any) -> Path:
    path = project / "baseline.json"
    method = {"id": "kling", "title": "Kling", "kind": "closed", "class": "I0", "given": ["text"], "clips": list(clips)}
    path.write_text(json.dumps({"schema": SCHEMA, "methods": [{**method, **more}], "pairs": list(pairs)}))
    return path
