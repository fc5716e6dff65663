"""The command line as its users meet it: real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import environment, trial_command

Process = subprocess.CompletedProcess[str]
Run = Callable[..., Process]


@pytest.fixture
def run() -> Run:
    """`run("check", "film.toml", cwd=..., env={...})`: a `splatfilm` process, run to its end."""

    def run_process(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Process:
        command = [sys.executable, "-m", "splatfilm", *arguments]
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment(**(env or {})),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )

    return run_process


@pytest.fixture
def run_trial() -> Run:
    """`run_trial("raise ...", "--verbose", "trial")`: a `splatfilm` process whose verb `trial` does what is given."""

    def run_process(body: str, *arguments: str, options: str = "", env: dict[str, str] | None = None) -> Process:
        command = trial_command(body, *(arguments or ("trial",)), options=options)
        return subprocess.run(
            command,
            env=environment(**(env or {})),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )

    return run_process
