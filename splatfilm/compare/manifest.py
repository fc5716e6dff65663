"""`baseline.json`: which clips of other methods show which shot, what each method was given, and where it came from.

One file a scene. Unknown is null, never invented; a clip belongs to a shot by the shot's name only, never by the name
of its file. What is wrong with one clip is noted under its name and leaves that clip out; the others stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem, did_you_mean
from splatfilm.base.files import read_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.compare.fields import Notes, Table, is_wholes

SCHEMA = "splatfilm.baseline/1"

KINDS = ("closed", "open", "mini", "trivial", "ours")
CLASSES = ("I0", "I1", "I2", "I3", "I4", "I5")
PROTOCOLS = ("T", "F1", "FF", "none")
GIVEN = ("text", "first_frame", "last_frame", "references", "camera", "capture", "depth", "edges", "renders", "video")
CAMERA_INPUTS = ("none", "text", "action", "c2w", "control_video")
SEED_KINDS = ("torch-cpu", "service", "unknown")
PAIR_KINDS = ("follow-up", "revisit", "edit")

INFORMATION = {
    "I0": "text only",
    "I1": "text and one image",
    "I2": "text and several reference images",
    "I3": "an image and the camera's poses",
    "I4": "the same capture photographs",
    "I5": "our renders (depth, edges or pictures)",
}
"""What each class of information means, in words for the report."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")


@dataclass(frozen=True)
class ClipEntry:
    """One clip of one take of one shot, as the manifest says it. `path` is below the project; a folder holds pictures.

    `first`, `last` are the frames shown for the shot's first and last frame; None is the clip's own. `crop` is
    (x, y, width, height) in the clip's pixels, `mask` such boxes that nothing may be measured in.
    """

    shot: str
    take: int
    path: Path
    sha256: str
    place: str  # where in the manifest
    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    seed_kind: str = "unknown"
    seed_mode: str = ""
    rate: float | None = None
    frames: int | None = None
    size: tuple[int, int] | None = None
    first: int | None = None
    last: int | None = None
    crop: tuple[int, int, int, int] | None = None
    mask: tuple[tuple[int, int, int, int], ...] = ()
    codec: str = ""
    takes_made: int | None = None
    in_reel: bool = False
    notes: str = ""


@dataclass(frozen=True)
class MethodEntry:
    """One way of making the shots, and what it was given (`information` is its class I0 to I5)."""

    name: str
    title: str
    kind: str
    information: str
    given: tuple[str, ...] = ()
    protocol: str = "none"
    camera_input: str = "none"
    translation_scale: float | None = None
    model: Mapping[str, Any] | None = None
    made: Mapping[str, Any] | None = None
    clips: tuple[ClipEntry, ...] = ()
    sentence: str = ""  # printed beside every number of the method

    @property
    def takes_withheld(self) -> tuple[str, ...]:
        """What to say of shots of which more takes were made than are here."""
        found: dict[tuple[int, int], list[str]] = {}
        for shot in dict.fromkeys(clip.shot for clip in self.clips):
            own = [clip for clip in self.clips if clip.shot == shot]
            made = max((clip.takes_made or 0) for clip in own)
            if made > len(own):
                found.setdefault((len(own), made), []).append(shot)
        return tuple(
            f"shot{'s' if len(shots) > 1 else ''} {', '.join(shots)}: {here} of {made} takes were supplied, "
            "chosen by whoever made them"
            for (here, made), shots in found.items()
        )


@dataclass(frozen=True)
class PairEntry:
    """Two shots to compare. `frames` are pairs of indices in the two shots."""

    kind: str
    a: str
    b: str
    frames: tuple[tuple[int, int], ...] = ()
    object: str = ""


@dataclass(frozen=True)
class Baseline:
    """A manifest, read. `problems` name the clips that had to be left out, and why; `remarks` are worth knowing."""

    path: Path
    methods: tuple[MethodEntry, ...]
    pairs: tuple[PairEntry, ...]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def project(self) -> Path:
        """The folder that every path of the manifest starts at and stays below."""
        return self.path.parent


_TOP = ("schema", "scene", "shotlist", "conform", "methods", "pairs")
_METHOD = (
    "id",
    "title",
    "kind",
    "given",
    "class",
    "protocol",
    "camera_input",
    "translation_scale",
    "model",
    "made",
    "clips",
    "sentence",
)
_CLIP = (
    "shot",
    "take",
    "file",
    "sha256",
    "prompt",
    "negative_prompt",
    "seed",
    "seed_kind",
    "seed_mode",
    "first_frame",
    "fps",
    "frames",
    "size",
    "in",
    "out",
    "time_map",
    "crop",
    "mask",
    "codec",
    "takes_made",
    "selected_for_reel",
    "cost",
    "notes",
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")


def read_baseline(path: Path, shots: tuple[str, ...], film_file: Path | None = None, verify: bool = True) -> Baseline:
    """Read a manifest against the shots of a film; `verify` False leaves the clips' hashes unchecked.

    Raises `InputError` when it is no manifest at all. What is wrong with a method, a clip or a pair is in `problems`,
    and that part is left out.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else type(value).__name__
        raise InputError.at(path, f"found {found!r}, expected {SCHEMA!r}", "schema")
    notes = Notes(str(path))
    table = Table(notes, "", value)
    table.only(_TOP)
    remarks = _shotlist(table, path, film_file)
    methods: dict[str, MethodEntry] = {}
    for item in table.tables("methods"):
        method = _method(item, path.parent, shots, verify)
        if method.name in methods:
            item.fail("id", f"{method.name!r} is already the id of another method")
        elif method.name:
            methods[method.name] = method
    pairs = [pair for item in table.tables("pairs") if (pair := _pair(item, shots)) is not None]
    remarks += [f"{method.title}: {told}" for method in methods.values() for told in method.takes_withheld]
    return Baseline(path, tuple(methods.values()), tuple(pairs), tuple(notes.problems), tuple(remarks))


def _shotlist(table: Table, path: Path, film_file: Path | None) -> list[str]:
    listed = table.table("shotlist")
    if listed is None:
        return []
    listed.only(("path", "sha256"))
    expected = listed.text("sha256", "")
    if not expected or film_file is None or hash_file(film_file) == expected:
        return []
    return [f"{path.name}: the shot list has changed since these clips were made"]


def _method(table: Table, project: Path, shots: tuple[str, ...], verify: bool) -> MethodEntry:
    table.only(_METHOD)
    name = table.text("id", longest=64)
    if name and not _NAME.fullmatch(name):
        table.fail("id", f"found {name!r}, expected letters, digits, _ - . +, at most 64")
        name = ""
    clips: dict[tuple[str, int], ClipEntry] = {}
    for item in table.tables("clips"):
        clip = _clip(item, project, shots, verify)
        if clip is None:
            continue
        if (clip.shot, clip.take) in clips:
            other = clips[clip.shot, clip.take]
            item.fail(
                "shot",
                f"shot {clip.shot} take {clip.take} is shown by two clips, {other.path.name} ({other.place}) and "
                f"{clip.path.name}: give the second another take",
            )
            continue
        clips[clip.shot, clip.take] = clip
    model, made = table.table("model"), table.table("made")
    return MethodEntry(
        name=name,
        title=table.text("title", name or "untitled", 200),
        kind=table.choice("kind", KINDS),
        information=table.choice("class", CLASSES),
        given=table.choices("given", GIVEN),
        protocol=table.choice("protocol", PROTOCOLS, "none"),
        camera_input=table.choice("camera_input", CAMERA_INPUTS, "none"),
        translation_scale=table.number("translation_scale", 1e-9, 1e9),
        model=None if model is None else dict(model.values),
        made=None if made is None else dict(made.values),
        clips=tuple(clips.values()),
        sentence=table.text("sentence", ""),
    )


def _clip(table: Table, project: Path, shots: tuple[str, ...], verify: bool) -> ClipEntry | None:
    before = len(table.notes.problems)
    table.only(_CLIP)
    shot = table.text("shot", longest=64)
    if shot and shot not in shots:
        table.fail("shot", f"there is no shot {shot!r}; the film has {', '.join(shots)}{did_you_mean(shot, shots)}")
    path = _inside(table, project)
    sha256 = table.text("sha256", "", 64).lower()
    table.choice("time_map", ("linear",), "linear")
    size, crop = table.wholes("size", 2, 1), table.wholes("crop", 4)
    first, last = table.whole("in", 0, 1 << 30), table.whole("out", 0, 1 << 30)
    if first is not None and last is not None and last < first:
        table.fail("out", f"found {last}, expected a frame from {first} (in) on")
    entry = ClipEntry(
        shot=shot,
        take=table.whole("take", 1, 1_000_000, 1) or 1,
        path=path or project,
        sha256=sha256,
        place=table.place,
        prompt=table.text("prompt", ""),
        negative_prompt=table.text("negative_prompt", ""),
        seed=table.whole("seed", 0, (1 << 64) - 1),
        seed_kind=table.choice("seed_kind", SEED_KINDS, "unknown"),
        seed_mode=table.text("seed_mode", "", 40),
        rate=table.number("fps", 0.01, 1000),
        frames=table.whole("frames", 1, 1 << 30),
        size=None if size is None else (size[0], size[1]),
        first=first,
        last=last,
        crop=None if crop is None else (crop[0], crop[1], crop[2], crop[3]),
        mask=_boxes(table),
        codec=table.text("codec", "", 200),
        takes_made=table.whole("takes_made", 1, 1_000_000),
        in_reel=table.truth("selected_for_reel", False),
        notes=table.text("notes", ""),
    )
    if path is not None and verify and len(table.notes.problems) == before:
        _verify(table, entry)
    return entry if len(table.notes.problems) == before else None


def _inside(table: Table, project: Path) -> Path | None:
    """The clip's file or folder, below the project and there."""
    given = table.text("file", longest=4096)
    if not given:
        return None
    try:
        root, path = project.resolve(), (project / given).resolve()
        if Path(given).is_absolute() or not path.is_relative_to(root):
            table.fail("file", f"found {given!r}, which leaves the project: paths start at {project} and stay below it")
            return None
        if not path.exists():
            near = (
                did_you_mean(path.name, sorted(e.name for e in path.parent.iterdir())) if path.parent.is_dir() else ""
            )
            table.fail("file", f"no such file: {given!r}{near}")
            return None
    except (OSError, ValueError, RuntimeError) as error:
        table.fail("file", f"found {given!r}, which cannot be a path here: {error}")
        return None
    return path


def _verify(table: Table, clip: ClipEntry) -> None:
    try:
        found = hash_clip(clip.path)
    except InputError as error:
        table.fail("file", error.problems[0].message)
        return
    if not clip.sha256:
        table.fail("sha256", f"missing, expected the hash of {clip.path.name}: {found}")
    elif found != clip.sha256:
        table.fail(
            "sha256",
            f"{clip.path.name} has the hash {found[:12]}..., the manifest says {clip.sha256[:12]}...: it is not the "
            "file that was described",
        )


def _boxes(table: Table) -> tuple[tuple[int, int, int, int], ...]:
    value = table.values.get("mask")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(is_wholes(box, 4) for box in value):
        table.fail("mask", "expected boxes [[x, y, width, height], ...] in the clip's pixels")
        return ()
    return tuple((box[0], box[1], box[2], box[3]) for box in value)


def _pair(table: Table, shots: tuple[str, ...]) -> PairEntry | None:
    before = len(table.notes.problems)
    table.only(("kind", "a", "b", "before", "after", "object", "frames"))
    kind = table.choice("kind", PAIR_KINDS)
    keys = ("before", "after") if kind == "edit" else ("a", "b")
    names = [table.text(key, longest=64) for key in keys]
    for key, name in zip(keys, names, strict=True):
        if name and name not in shots:
            table.fail(key, f"there is no shot {name!r}; the film has {', '.join(shots)}{did_you_mean(name, shots)}")
    frames = table.values.get("frames") or []
    if not isinstance(frames, list) or not all(is_wholes(pair, 2) for pair in frames):
        table.fail("frames", "expected pairs of frames [[first of a, first of b], ...], counted from 0")
        frames = []
    if len(table.notes.problems) > before:
        return None
    return PairEntry(kind, names[0], names[1], tuple((a, b) for a, b in frames), table.text("object", "", 64))


def pictures_in(folder: Path) -> list[Path]:
    """The numbered pictures of a folder in order of their numbers. Raises `InputError` when there is none."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")]
    if not found:
        raise InputError.at(folder, f"holds no pictures ({', '.join(PICTURES)})")
    return sorted(found, key=lambda path: ([int(n) for n in re.findall(r"\d+", path.stem)][-1:], path.name))


def hash_clip(path: Path) -> str:
    """SHA-256 of a clip: of a file's bytes, or of the names and hashes of a folder's pictures in order."""
    if path.is_dir():
        return hash_value([[picture.name, hash_file(picture)] for picture in pictures_in(path)])
    return hash_file(path)
