"""What every test may use. Nothing here does work at import time."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


def pytest_configure() -> None:
    """A run started in the background may ignore Ctrl-C, and its children with it; tests that interrupt need it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("no clock", deadline=None)  # a test asserts no time; machines are busy
    settings.load_profile("no clock")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real captures and files by others, which are not part of the repository; skips where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"test data by others is not at {SHARED_DATA}")
    return SHARED_DATA
