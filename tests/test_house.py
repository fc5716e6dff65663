"""The house of docs/architecture.md, enforced: who may import whom, and who may import the big libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FLOORS = {
    "base": -1,
    "splats": 0,
    "cameras": 0,
    "film": 1,
    "capture": 1,
    "render": 2,
    "stage": 3,
    "reconstruct": 3,
    "layout": 4,
    "refine": 4,
    "shots": 5,
    "studio": 6,
    "compare": 6,
    "pipeline": 6,
    "cli": 7,
}
"""A room imports only from rooms on lower floors, and from itself."""

ADAPTERS = {
    "gsplat": "render/gsplat_backend.py",
    "av": "shots/video.py",
    "OpenEXR": "shots/exr.py",
    "pxr": "stage/clips/usd.py",
    "tomlkit": "layout/film_text.py",
    "websockets": "studio/server.py",
    "viser": "studio/overview.py",
    "diffusers": "refine/diffusion.py",
    "transformers": "refine/diffusion.py",
    "cv2": "compare/vision.py",
    "pycolmap": "compare/structure.py",
}
"""The one module that may import each big library."""

PACKAGE = Path(__file__).resolve().parent.parent / "splatfilm"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported_names(tree: ast.AST) -> list[str]:
    """Dotted names of everything that a module imports, wherever the import stands."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute in this house"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room_of(path: Path) -> str | None:
    """The room a file stands in; None for the package's own front door."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def test_every_folder_is_a_room_with_a_floor() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms - {"__pycache__"} <= FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_below_it(path: Path) -> None:
    room = room_of(path)
    for name in imported_names(ast.parse(path.read_text(encoding="utf-8"))):
        parts = name.split(".")
        if parts[0] != "splatfilm" or len(parts) < 2 or parts[1] not in FLOORS:
            continue
        if room is None:
            assert path.name == "__main__.py", f"importing splatfilm must stay cheap, but its front door imports {name}"
            continue
        assert parts[1] == room or FLOORS[parts[1]] < FLOORS[room], f"{room} stands on or below {parts[1]}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_big_library_is_imported_by_its_one_adapter(path: Path) -> None:
    for name in imported_names(ast.parse(path.read_text(encoding="utf-8"))):
        adapter = ADAPTERS.get(name.split(".")[0])
        assert adapter is None or path == PACKAGE / adapter, f"{name} belongs in {adapter}"


@pytest.mark.parametrize(
    "module", ["splatfilm", *(f"splatfilm.{room}" for room in ("cli.main", "film", "cameras", "shots", "layout"))]
)
def test_planning_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
