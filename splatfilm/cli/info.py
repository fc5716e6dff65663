"""`splatfilm info`: what is in a file, told by its contents."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from splatfilm import __version__
from splatfilm.cli import terminal
from splatfilm.cli.options import json_option
from splatfilm.cli.terminal import table

Values = dict[str, Any]


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False, metavar="[FILE]")
@json_option
def command(path: Path | None, as_json: bool) -> None:
    """Show what is in FILE: a film, a splat file (.ply), a camera file (.json) or a capture's folder.

    \b
    A film     its assets and scenes, and the shot list with durations and timecodes
    Splats     how many, their spherical harmonics, how they were trained, their size
    A camera   its keys, scene frames and lens
    A capture  its photographs and points
    Nothing    the version of Splatfilm, and what can render on this machine

    Nothing is written and nothing heavy is loaded: it answers at once.

    \b
    Examples:
      splatfilm info film.toml
      splatfilm info out/flat/splats.ply --json
      splatfilm info
    """
    kind = "machine" if path is None else _kind(path)
    values: Values = {"kind": kind, **(_machine() if path is None else _GATHER[kind](path))}
    if as_json:
        terminal.write_json(values)
    else:
        for line in "\n".join(_WORDS[kind](values)).split("\n"):
            click.echo(terminal.visible(line))


def _kind(path: Path) -> str:
    """What a path holds; what is no film, camera or folder is for the splat readers to know or to refuse."""
    if path.is_dir():
        return "film" if (path / "film.toml").is_file() else "capture"
    return {".toml": "film", ".json": "camera"}.get(path.suffix.lower(), "splats")


# ---- gathering ----------------------------------------------------------------------------------------------------


def _film(path: Path) -> Values:
    from splatfilm.film import load
    from splatfilm.film.report import film_report

    return {**film_report(load(path / "film.toml" if path.is_dir() else path)), "backends": _backends()}


def _splats(path: Path) -> Values:
    from splatfilm.splats import inspect_splats, splat_bounds

    header = inspect_splats(path)
    low, high = splat_bounds(path)
    return {
        "file": str(path),
        "container": header.container,
        "count": header.count,
        "sh_degree": header.sh_degree,
        "mode": header.mode,
        "bounds": [list(low), list(high)],
        "bytes": path.stat().st_size,
    }


def _camera(path: Path) -> Values:
    from splatfilm.cameras import load_path
    from splatfilm.film.report import lens_report

    camera = load_path(path)
    return {
        "file": str(path),
        "keys": len(camera.keys),
        "frames": [camera.first, camera.last],
        "speed": camera.speed,
        "lens": [lens_report(camera.lens_at(frame)) for frame in (camera.first, camera.last)],
        "notes": list(camera.notes),
    }


def _capture(path: Path) -> Values:
    from splatfilm.capture import read_capture

    capture = read_capture(path)
    sizes = sorted({(photograph.camera.width, photograph.camera.height) for photograph in capture.photographs})
    return {
        "folder": str(path),
        "photographs": len(capture.photographs),
        "train": len(capture.of("train")),
        "test": len(capture.of("test")),
        "masks": sum(photograph.mask is not None for photograph in capture.photographs),
        "sizes": [list(size) for size in sizes],
        "points": 0 if capture.points is None else len(capture.points.positions),
        "notes": list(capture.notes),
    }


def _machine() -> Values:
    return {"version": __version__, "python": platform.python_version(), "backends": _backends()}


def _backends() -> list[Values]:
    from splatfilm.render import backend_statuses

    return [dataclasses.asdict(status) for status in backend_statuses()]


# ---- in words -----------------------------------------------------------------------------------------------------


def _film_words(film: Values) -> list[str]:
    width, height = film["size"]
    looks = [
        (asset["name"], asset["kind"], look["name"], look.get("capture") or look["splats"], look.get("preset", "-"))
        for asset in film["assets"]
        for look in asset["looks"]
    ]
    scenes = [
        (
            scene["name"],
            f"{scene['set']} ({scene['look']})",
            _range(scene["frames"]),
            ", ".join(member["name"] for member in scene["cast"]) or "-",
        )
        for scene in film["scenes"]
    ]
    shots = [_shot_row(shot) for shot in film["shots"]]
    total = ("total", "", "", str(film["frames"]), _seconds(film["seconds"]), *_timecodes(film), "", "", "")
    return [
        f"{film['title']} ({film['name']}): {width}x{height}, {film['rate']} frames a second",
        "",
        table(("asset", "kind", "look", "made from", "preset"), looks),
        "",
        table(("scene", "set", "frames", "cast"), scenes),
        "",
        table(_SHOT_HEADINGS, [*shots, total], right=(3, 4)),
        "",
        *_backend_words(film["backends"]),
    ]


_SHOT_HEADINGS = ("shot", "scene", "frames", "count", "length", "cut in", "cut out", "camera", "lens", "passes")


def _shot_row(shot: Values) -> tuple[str, ...]:
    return (
        shot["name"],
        shot["scene"],
        _range(shot["frames"]),
        str(shot["count"]),
        _seconds(shot["seconds"]),
        *_timecodes(shot),
        shot["camera"],
        "cannot be read: see splatfilm check" if shot["lens"] is None else _lens_words(*shot["lens"]),
        ", ".join(shot["passes"]),
    )


def _lens_words(first: Values, last: Values) -> str:
    """`35 mm`, `24-50 mm T2.8`."""
    focal = f"{first['focal_mm']:.4g}"
    if f"{last['focal_mm']:.4g}" != focal:
        focal += f"-{last['focal_mm']:.4g}"
    stop = f" T{first['t_stop']:.3g}" if first["t_stop"] else ""
    return f"{focal} mm{stop}"


def _range(frames: list[float]) -> str:
    return "-".join(f"{frame:.10g}" for frame in frames)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _timecodes(values: Values) -> tuple[str, str]:
    return values["timecode"]["in"], values["timecode"]["out"]


def _splats_words(splats: Values) -> list[str]:
    low, high = splats["bounds"]
    box = " x ".join(f"{b - a:.3g}" for a, b in zip(low, high, strict=True))
    corners = " to ".join("(" + ", ".join(f"{v:.3g}" for v in corner) + ")" for corner in (low, high))
    return _lines(
        splats["file"],
        {
            "splats": f"{splats['count']:,}",
            "colour": f"spherical harmonics of degree {splats['sh_degree']}",
            "trained": splats["mode"],
            "extent": f"{box} in its own units, {corners}",
            "file": f"{splats['container']}, {splats['bytes']:,} bytes",
        },
    )


def _camera_words(camera: Values) -> list[str]:
    first = camera["lens"][0]
    width, height = first["filmback_mm"]
    focus = f"{first['focus_m']:.4g} m" if first["focus_m"] else "none"
    return _lines(
        camera["file"],
        {
            "keys": f"{camera['keys']}, {camera['speed']} speed",
            "scene frames": _range(camera["frames"]),
            "lens": _lens_words(*camera["lens"]),
            "filmback": f"{width:.4g} x {height:.4g} mm, fits the {first['gate']} side, squeeze {first['squeeze']:.3g}",
            "focus": focus,
        },
        camera["notes"],
    )


def _capture_words(capture: Values) -> list[str]:
    return _lines(
        capture["folder"],
        {
            "photographs": f"{capture['photographs']}: {capture['train']} for training, {capture['test']} held out",
            "sizes": ", ".join(f"{width}x{height}" for width, height in capture["sizes"]),
            "masks": str(capture["masks"]),
            "sparse points": f"{capture['points']:,}",
        },
        capture["notes"],
    )


def _machine_words(machine: Values) -> list[str]:
    return [f"Splatfilm {machine['version']}, Python {machine['python']}", "", *_backend_words(machine["backends"])]


def _backend_words(backends: list[Values]) -> list[str]:
    rows = [(one["name"], one["version"] or "-", "ready" if one["ready"] else one["reason"]) for one in backends]
    return [table(("renderer", "version", "on this machine"), rows)]


def _lines(heading: str, rows: Mapping[str, str], notes: list[str] | None = None) -> list[str]:
    width = max(map(len, rows))
    return [heading, *(f"  {label:<{width}}  {value}" for label, value in rows.items()), *(notes or [])]


_GATHER: Mapping[str, Callable[[Path], Values]] = {
    "film": _film,
    "splats": _splats,
    "camera": _camera,
    "capture": _capture,
}
_WORDS: Mapping[str, Callable[[Values], list[str]]] = {
    "film": _film_words,
    "splats": _splats_words,
    "camera": _camera_words,
    "capture": _capture_words,
    "machine": _machine_words,
}
