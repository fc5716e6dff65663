"""A shot list to files: takes, manifests, the cut. Importing this imports no torch; drawing the first frame does."""

from splatfilm.shots.make import MadeFilm, make_film
from splatfilm.shots.report import Verified, make_report, render_report, verify_report, verify_shots
from splatfilm.shots.schedule import RenderOptions, ShotResult, render_shots

__all__ = [
    "MadeFilm",
    "RenderOptions",
    "ShotResult",
    "Verified",
    "make_film",
    "make_report",
    "render_report",
    "render_shots",
    "verify_report",
    "verify_shots",
]
