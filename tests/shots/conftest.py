"""What every test of this room may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_film import FakeRenderer, TinyFilm, build_tiny


@pytest.fixture
def tiny(tmp_path: Path) -> TinyFilm:
    """The tiny film on disk, not yet made."""
    return build_tiny(tmp_path / "film")


@pytest.fixture
def renderer() -> FakeRenderer:
    """A renderer that costs nothing."""
    return FakeRenderer()
