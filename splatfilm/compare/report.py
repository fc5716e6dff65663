"""The report of a film: its rows gathered, measured, drawn into atlases, judged in words, and written as a page."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from splatfilm import __version__
from splatfilm.base.errors import InputError
from splatfilm.base.hashing import hash_value
from splatfilm.base.progress import SILENT, Progress
from splatfilm.compare.ahead import ahead, continuity_values
from splatfilm.compare.atlas import Lane, Layout, atlas_key, lay_out, sheet_frames, sweep, write_atlas, write_sheet
from splatfilm.compare.baselines import Conforming, conform_all, shot_names
from splatfilm.compare.crew import Crew
from splatfilm.compare.exporting import export_rows
from splatfilm.compare.html import write_page
from splatfilm.compare.manifest import INFORMATION, PairEntry, read_baseline
from splatfilm.compare.mattes import edit_mattes
from splatfilm.compare.measuring import Measuring, measure_rows
from splatfilm.compare.rows import Row, baseline_rows, our_takes, refined_takes, with_masks
from splatfilm.compare.scores import MethodScores, plain
from splatfilm.compare.trivial import Footage, trivial_rows
from splatfilm.compare.truth import TruthOptions, film_truth
from splatfilm.compare.verdict import Verdict, room, verdicts
from splatfilm.compare.views import kept_size, scaled_truth
from splatfilm.film.model import Film, Shot
from splatfilm.film.timecode import timecode
from splatfilm.shots.names import FilmFolders
from splatfilm.shots.plan import load_paths
from splatfilm.shots.wanted import frames_before

SCHEMA = "splatfilm.report/1"

MANY_SHOTS = 4  # from which on processes of our own are worth the seconds in which they start


@dataclass(frozen=True)
class ReportOptions:
    """What a person may choose. `baselines` are manifests; `methods` None shows all of them; `width` is measured at.

    `alone`: what never saw our scene is also judged by its pictures alone. `export`: a folder for all clips as picture
    sequences, and a timeline of them.
    """

    out: Path = Path("out")
    baselines: tuple[Path, ...] = ()
    methods: tuple[str, ...] | None = None
    width: int | None = None
    backend: str = "auto"
    imported: tuple[Path, ...] = ()
    alone: bool = False
    export: Path | None = None
    processes: int | None = None  # that work side by side; None: two of a long film, where there are two threads


@dataclass(frozen=True)
class Report:
    """What was written."""

    page: Path
    csv: Path
    json: Path
    scores: Mapping[str, MethodScores]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    timeline: Path | None = None


def default_baselines(film: Film, out: Path) -> tuple[Path, ...]:
    """The manifests that a film finds by itself: beside its file, and what `baseline run` and `baseline mini` made."""
    folder = FilmFolders.of(out, film).root / "baselines"
    places = [film.path.parent / "baseline.json", *sorted(folder.glob("*/baseline.json"))]
    return tuple(path for path in places if path.is_file())


def make_report(film: Film, options: ReportOptions, progress: Progress = SILENT) -> Report:
    """Make the report. Raises `InputError` when the film itself is not made; what is wrong with clips is told in it."""
    folders = FilmFolders.of(options.out, film)
    width = options.width or 0
    footage = Footage(
        film, folders, our_takes(film, folders), refined_takes(film, folders), kept_size(film.size, width)
    )
    asked = Measuring(film, options.out, options.backend, options.width, options.imported, options.alone)
    with Crew(1 if options.processes is None and len(film.shots) < MANY_SHOTS else options.processes) as crew:
        conforming, pairs = _theirs(film, options, progress, crew)
        rows = _gather(footage, conforming, progress, crew)
        scores = measure_rows(asked, rows, pairs, progress, crew)
        data, atlases = _draw(footage, rows, progress, crew)
    folder = footage.cache
    data |= _judged(film, rows, scores)
    data["mattes"] = _mattes(film, rows, pairs, options)
    problems = [{"path": p.path, "place": p.place, "message": p.message} for p in conforming.problems]
    data |= {
        "problems": problems,
        "remarks": [*conforming.remarks, _measured_at(asked)],
        "fidelity": _fidelity(footage),
    }
    data["identity"] = hash_value([path.name for path in atlases.values()])[:12]
    page = folder / f"{film.name}-compare.html"
    written = asked.write(folder, list(scores.values()))
    data["files"] = {"csv": written[1].name, "json": written[0].name}
    write_page(page, data, atlases)
    told = tuple(str(problem) for problem in conforming.problems)
    timeline = export_rows(options.export, film, rows, progress) if options.export else None
    return Report(page, written[1], written[0], scores, told, tuple(data["remarks"]), timeline)


def _mattes(
    film: Film, rows: Sequence[Row], pairs: Sequence[PairEntry], options: ReportOptions
) -> list[dict[str, Any]]:
    """The difference mattes of the edits that the manifests ask for."""
    if not any(pair.kind == "edit" for pair in pairs):
        return []
    truths = film_truth(film, TruthOptions(options.out, backend=options.backend, stored=True))
    size = kept_size(film.size, options.width or 0)
    return edit_mattes(rows, pairs, {name: scaled_truth(truth, *size) for name, truth in truths.items()})


def _measured_at(asked: Measuring) -> str:
    wide = f"Measured {asked.size[0]} pixels wide, or at a clip's own size where that is smaller"
    return f"{wide}; shown as large as they are."


def _theirs(
    film: Film, options: ReportOptions, progress: Progress, crew: Crew
) -> tuple[Conforming, tuple[PairEntry, ...]]:
    """The clips of all manifests. A manifest that is none stops the report: it was asked for by name."""
    paths = options.baselines or default_baselines(film, options.out)
    baselines = [read_baseline(path, shot_names(film), film.path) for path in paths]
    if options.methods is not None:
        known = [method.name for baseline in baselines for method in baseline.methods]
        if missing := [name for name in options.methods if name not in known]:
            raise InputError.at(
                "--method", f"there is no method {', '.join(missing)}, only {', '.join(known) or 'ours'}"
            )
        chosen = options.methods
        baselines = [dataclasses.replace(b, methods=tuple(m for m in b.methods if m.name in chosen)) for b in baselines]
    pairs = tuple(pair for baseline in baselines for pair in baseline.pairs)
    return conform_all(film, baselines, options.out, progress, crew=crew, width=options.width or 0), pairs


def _gather(footage: Footage, conforming: Conforming, progress: Progress, crew: Crew) -> list[Row]:
    theirs = [row for row in baseline_rows(conforming) if row.clips]
    trivial = trivial_rows(footage, theirs, progress, crew)
    names = [row.name for row in (*trivial, *theirs)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError.at("baselines", f"two methods are called {', '.join(twice)}: give one another id")
    return with_masks([trivial[0], *theirs, *trivial[1:]])


# ---- pictures --------------------------------------------------------------------------------------------------------


def _draw(
    footage: Footage, rows: Sequence[Row], progress: Progress, crew: Crew
) -> tuple[dict[str, Any], dict[str, Path]]:
    """The atlas and the contact sheet of every shot, and what the page must know of them."""
    film, folder = footage.film, footage.cache / "atlas"
    shots, atlases = [], {}
    progress.start("drawing the report", len(film.shots), "shots")
    asked = [(shot, _lanes(shot, rows)) for shot in film.shots]
    drawn = crew.map(partial(_draw_shot, film, folder), asked)
    for done, (shot, (value, atlas)) in enumerate(zip(film.shots, drawn, strict=True), 1):
        shots.append(value)
        atlases[shot.name] = atlas
        progress.advance(done, shot.name)
    progress.finish()
    sweep(folder, {path.stem for path in atlases.values()})
    head = {
        "name": film.name,
        "title": film.title,
        "size": list(film.size),
        "rate": [film.rate.numerator, film.rate.denominator],
    }
    methods = [
        {
            "id": row.name,
            "title": row.title,
            "kind": row.kind,
            "information": row.information,
            "words": _given(row),
            "notes": list(row.notes),
            "facts": dict(row.facts),
        }
        for row in rows
    ]
    value = {"schema": SCHEMA, "made_with": __version__, "film": head, "methods": methods, "shots": shots}
    return value | {"information": INFORMATION}, atlases


def _lanes(shot: Shot, rows: Sequence[Row]) -> list[Lane]:
    return [Lane(row.name, take, row.clips[shot.name, take]) for row in rows for take in row.takes(shot.name)]


def _draw_shot(film: Film, folder: Path, asked: tuple[Shot, Sequence[Lane]]) -> tuple[dict[str, Any], Path]:
    """What the page must know of one shot, and its atlas."""
    shot, lanes = asked
    layout = lay_out(len(lanes), film.size)
    key = atlas_key(lanes, layout)
    atlas = write_atlas(folder / f"{key}.mp4", lanes, layout, film.rate)
    sheet = folder / f"{key}.jpg"
    pane = write_sheet(sheet, lanes, film.size)
    return _shot_value(film, shot, lanes, layout) | {"sheet": _sheet_value(sheet, pane, len(shot.frames))}, atlas


def _given(row: Row) -> str:
    """What stands under a method's name."""
    if row.kind != "trivial":
        return INFORMATION[row.information]
    return "no model" if not row.notes or row.name != "ours-bare" else "not refined: the same"


def _shot_value(film: Film, shot: Shot, lanes: Sequence[Lane], layout: Layout) -> dict[str, Any]:
    path = load_paths(film, [shot])[shot.name]
    lenses = [path.lens_at(frame) for frame in (shot.frames.first, shot.frames.last)]
    focal = list(dict.fromkeys(f"{lens.focal_mm:.3g}" for lens in lenses))
    return {
        "name": shot.name,
        "scene": shot.scene,
        "first": shot.frames.first,
        "last": shot.frames.last,
        "count": len(shot.frames),
        "lens": f"{'–'.join(focal)} mm",
        "camera": shot.camera.name,
        "timecode": timecode(frames_before(film, shot), film.rate, drop=";" in film.timecode),
        "atlas": {"columns": layout.columns, "rows": layout.rows, "pane": list(layout.pane)},
        "lanes": [
            {
                "method": lane.method,
                "take": lane.take,
                "size": list(lane.clip.made or lane.clip.size),
                "facts": {key: value for key, value in lane.clip.facts.items() if key not in ("photographs", "source")},
                "remarks": list(lane.clip.remarks),
            }
            for lane in lanes
        ],
    }


def _sheet_value(path: Path, pane: tuple[int, int], count: int) -> dict[str, Any]:
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"src": f"data:image/jpeg;base64,{encoded}", "pane": list(pane), "frames": sheet_frames(count)}


# ---- words -----------------------------------------------------------------------------------------------------------


def _judged(film: Film, rows: Sequence[Row], scores: Mapping[str, MethodScores]) -> dict[str, Any]:
    """Verdicts of every method, and of every cut."""
    cuts: list[dict[str, Any]] = []
    for a, b in zip(film.shots, film.shots[1:], strict=False):
        judged_cut = {row.name: _cut(scores[row.name], a.name, b.name) for row in rows}
        found = {name: plain(verdict) for name, verdict in judged_cut.items() if verdict is not None}
        telling = "ours" in found and found["ours"]["tone"] != "none"
        cuts.append({"a": a.name, "b": b.name, "verdicts": found, "telling": telling})
    ours = continuity_values(scores["ours"])
    leads = {
        name: plain(lead) | {"words": lead.words}
        for name, own in scores.items()
        if name != "ours" and (lead := ahead(ours, continuity_values(own), name)) is not None
    }
    judged = {name: {key: plain(value) for key, value in verdicts(own).items()} for name, own in scores.items()}
    return {
        "cuts": cuts,
        "verdicts": judged,
        "ahead": leads,
        "scores": {name: plain(own) for name, own in scores.items()},
    }


def _cut(scores: MethodScores, a: str, b: str) -> Verdict | None:
    """One cut of one method; where its shots share too little, B beside the nearest shot that was held against it."""
    own = [pair for pair in scores.pairs if pair.kind == "follow-up" and pair.b == b]
    here = [pair for pair in own if pair.a == a]
    if not here:
        return None
    told = room(here)
    others = [pair for pair in own if pair.a != a]
    if told.tone != "none" or not others:
        return told
    other = others[0].a
    instead = room([pair for pair in others if pair.a == other])
    if instead.tone == "none":
        return told
    why = f"{a} and {b} share too little; {other} shows enough of {b}"
    return Verdict(f"{instead.word}, held against {other}", instead.tone, instead.value, why, instead.exact)


def _fidelity(footage: Footage) -> list[str]:
    """How well each asset was reconstructed: continuity is not quality."""
    found: dict[str, str] = {}
    for take in footage.takes.values():
        for name, asset in take.header.get("inputs", {}).get("assets", {}).items():
            made = asset.get("reconstruction")
            if made and made.get("heldout_psnr") is not None:
                found[name] = f"{name}: held-out {made['heldout_psnr']:.1f} dB, SSIM {made['heldout_ssim']:.3f}"
    return list(found.values())
