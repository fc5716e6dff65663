"""Which splat files a scene shows, without ever starting a reconstruction: looking at a film trains nothing."""

from __future__ import annotations

from pathlib import Path

from splatfilm.base.errors import MissingPartError
from splatfilm.film import Film
from splatfilm.film.model import Look
from splatfilm.shots.assets import Ways, resolve_assets
from splatfilm.stage.placement import Placements

Source = tuple[str, str]


class _NoTraining:
    """Progress that refuses as soon as long work wants to begin."""

    def __init__(self, film: Film) -> None:
        self._film = film

    def start(self, what: str, total: int, unit: str) -> None:
        raise MissingPartError(f"{what}: not made yet. Run `splatfilm make {self._film.path}` first")

    def advance(self, done: int, note: str = "") -> None: ...
    def finish(self, note: str = "") -> None: ...
    def say(self, line: str) -> None: ...


def splat_files(film: Film, scene: str, out: Path, backend: str = "auto") -> dict[Source, Path]:
    """The splat file of every look in a scene; reconstructions only where they are made already.

    Raises `MissingPartError` naming what must be reconstructed first, `InputError` for captures that are not right.
    """
    wanted = Placements(film, scene).sources()
    if missing := [name[0] for name in wanted if not _is_there(film, name, out, backend)]:
        raise MissingPartError(
            f"{', '.join(dict.fromkeys(missing))}: not reconstructed yet. Run `splatfilm make {film.path}` first"
        )
    found = resolve_assets(film, wanted, Ways(out / "assets", None, backend), _NoTraining(film))
    return {name: source.path for name, source in found.items()}


def _is_there(film: Film, name: Source, out: Path, backend: str) -> bool:
    source = film.source(*name)
    if source.splats is not None or not isinstance(source, Look):
        return True  # layers are made with their looks; one that is missing is found when it would be learnt
    assert source.capture is not None, "a look has splats or a capture"
    from splatfilm.capture import MEMO_NAME, capture_hash, read_capture
    from splatfilm.reconstruct import cached, settings_of

    content = capture_hash(read_capture(source.capture), out / "assets" / MEMO_NAME)
    settings = settings_of(source.care, backend, bends=film.assets[name[0]].rig is not None)
    return cached(content, settings, out / "assets") is not None
