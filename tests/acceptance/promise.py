"""What a promise is, and the ground it is tried on: fresh clones and real processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Promise:
    """A sentence that a user could read, and the function that tries it: it returns figures or raises."""

    sentence: str
    keep: Callable[[Ground], str]


@dataclass
class Ground:
    """A folder for clones; promises share a clone where the sentence allows it."""

    folder: Path
    _clones: dict[str, Path] = field(default_factory=dict)

    def clone(self, name: str) -> Path:
        """The fresh clone called `name` of the last commit, with the neighbouring test data where there is some."""
        if name not in self._clones:
            home = self.folder / name
            home.mkdir()
            run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), "splatfilm"], home)
            shared = REPOSITORY.parent / "shared"
            if shared.is_dir():
                (home / "shared").symlink_to(shared)
            self._clones[name] = home / "splatfilm"
        return self._clones[name]


def run(command: list[str], folder: Path, expect: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside any virtual environment; raise with the end of its output unless it exits as expected."""
    clean = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=clean | environment, check=False)
    if done.returncode != expect:
        said = "\n".join([*done.stdout.splitlines()[-40:], *done.stderr.splitlines()[-15:]])
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}, expected {expect}:\n{said}")
    return done
