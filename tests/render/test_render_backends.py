"""Choosing a renderer, and refusing what none can do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from splatfilm.base.errors import InputError, MissingPartError
from splatfilm.render import (
    RenderSettings,
    backend_statuses,
    backends,
    resolve_backend,
    set_threads,
)


def test_backends_are_known_without_importing_torch(repository: Path) -> None:
    script = (
        "import sys; from splatfilm.render import backend_statuses, resolve_backend, RenderSettings\n"
        "print(resolve_backend('cpu').manifest(), [s.ready for s in backend_statuses()])\n"
        "assert 'torch' not in sys.modules and 'gsplat' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=repository, check=True, capture_output=True)


def test_the_cpu_is_ready_and_its_manifest_names_what_decides_pixels() -> None:
    status = resolve_backend("cpu")
    assert status.ready
    assert status.manifest() == {
        "name": "cpu",
        "version": backends.CPU_VERSION,
        "semantics": "gsplat-1.5.3",
        "flags": [],
    }


def test_gsplat_without_a_driver_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_gsplat_problem", lambda: "no NVIDIA driver on this machine")
    assert [status.ready for status in backend_statuses()] == [False, True]
    assert resolve_backend("auto").name == "cpu"
    with pytest.raises(MissingPartError, match="gsplat renderer cannot be used: no NVIDIA driver"):
        resolve_backend("gsplat")


def test_another_gsplat_than_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "cuda_problem", lambda: "")
    monkeypatch.setattr(backends.importlib.metadata, "version", lambda name: "1.6.0")
    problem = backends._gsplat_problem.__wrapped__()
    assert "1.6.0" in problem and "1.5.3" in problem


def test_gsplat_without_kernels_says_what_builds_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(backends, "cuda_problem", lambda: "")
    monkeypatch.setattr(backends.importlib.metadata, "version", lambda name: "1.5.3")
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_PATH", "")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    monkeypatch.setattr(
        Path, "is_file", lambda path: path.exists() and tmp_path in path.parents
    )  # no toolkit elsewhere
    assert "no nvcc" in backends._gsplat_problem.__wrapped__()
    (tmp_path / "cuda/bin").mkdir(parents=True)
    (tmp_path / "cuda/bin/nvcc").touch()
    assert "ninja" in backends._gsplat_problem.__wrapped__()
    (tmp_path / "ninja").touch(mode=0o755)
    assert backends._gsplat_problem.__wrapped__() == ""


def test_auto_prefers_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_gsplat_problem", lambda: "")
    assert resolve_backend("auto").name == "gsplat"


def test_a_backend_that_does_not_exist_is_named_with_what_was_meant() -> None:
    with pytest.raises(InputError, match='did you mean "gsplat"'):
        resolve_backend("gspalt")


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_the_thread_count_of_the_environment_is_checked(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SPLATFILM_THREADS", text)
    if text:
        with pytest.raises(InputError, match="SPLATFILM_THREADS"):
            backends.threads_wanted()
    else:
        assert backends.threads_wanted() >= 1


def test_less_than_one_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        set_threads(0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"background": (0.0, float("nan"), 0.0)},
        {"sh_degree": 4},
        {"near": 0.0},
        {"sort": "nearness"},
        {"near": 2.0, "far": 1.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        RenderSettings(**wrong)  # type: ignore[arg-type]
