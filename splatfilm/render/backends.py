"""Which renderers this machine has, found out without importing torch or gsplat.

Planning, `splatfilm info` and a run with nothing to do need to know which backend a frame would be made with (it is
part of the frame's identity) but must not wait four seconds for torch.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from splatfilm.base.errors import InputError, MissingPartError, did_you_mean
from splatfilm.render.constants import SEMANTICS

CPU_VERSION = "1"
"""Version of the CPU kernels' pixels: raised whenever a change in them moves a bit of any frame."""

GSPLAT_VERSION = "1.5.3"
"""The only gsplat release whose semantics are ours; others clip and cull with other numbers."""

GSPLAT_FLAGS = ("packed=False", "tile_size=16", "fast-math")
_NVCC = ("nvcc", "nvcc.exe")
INSTALL_GSPLAT = "pip install 'splatfilm[gpu]'"


@dataclass(frozen=True)
class BackendStatus:
    """A renderer, as a manifest names it, and whether it can be used here."""

    name: str  # "cpu" or "gsplat"
    version: str
    semantics: str
    flags: tuple[str, ...]
    ready: bool
    reason: str  # why it is ready or what is missing and how to get it

    def manifest(self) -> dict[str, object]:
        """What decides pixels: equal manifests and equal inputs mean equal frames (on a GPU: on one GPU model)."""
        return {"name": self.name, "version": self.version, "semantics": self.semantics, "flags": list(self.flags)}


def threads_wanted() -> int:
    """`SPLATFILM_THREADS`, or the number of CPUs that this process may use. Raises `InputError` when it is no count."""
    text = os.environ.get("SPLATFILM_THREADS", "")
    if text:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise InputError.at(
                "environment", f"expected a number of threads >= 1, found {text!r}", "SPLATFILM_THREADS"
            )
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def cpu_problem() -> str:
    """Why the CPU kernels cannot be used; empty when they can."""
    if importlib.util.find_spec("splatfilm.render._kernels") is None:
        return "the CPU kernels are not built: install Splatfilm with `pip install .`, which needs a C++17 compiler"
    try:
        from splatfilm.render import _kernels  # noqa: F401
    except ImportError as error:
        return f"the CPU kernels cannot be loaded ({error}): install Splatfilm again with `pip install .`"
    return ""


@lru_cache(maxsize=1)
def cuda_problem() -> str:
    """Why CUDA cannot be used as far as the driver says; empty when there is a device. Asks the driver, not torch."""
    names = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")
    for name in names:
        try:
            driver = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        return "no NVIDIA driver on this machine (libcuda was not found): rendering with gsplat needs an NVIDIA GPU"
    count = ctypes.c_int(0)
    code = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if code:
        return f"the NVIDIA driver reports error {code}: check it with `nvidia-smi`"
    if count.value == 0:
        return "the NVIDIA driver sees no GPU: check CUDA_VISIBLE_DEVICES and `nvidia-smi`"
    return ""


@lru_cache(maxsize=1)
def _gsplat_problem() -> str:
    problem = cuda_problem()
    if problem:
        return problem
    if importlib.metadata.version("torch").endswith("+cpu"):
        return "this torch was built without CUDA: install one with CUDA from https://pytorch.org/get-started"
    try:
        version = importlib.metadata.version("gsplat")
    except importlib.metadata.PackageNotFoundError:
        return f"gsplat is not installed: {INSTALL_GSPLAT}"
    if version.split("+")[0] != GSPLAT_VERSION:
        return f"gsplat {version} is installed, but frames are defined by gsplat {GSPLAT_VERSION}: {INSTALL_GSPLAT}"
    return _gsplat_kernels_problem()


def _gsplat_kernels_problem() -> str:
    """What gsplat needs for its kernels: its wheel has only their sources and builds them at the first call."""
    spec = importlib.util.find_spec("gsplat")
    if spec is not None and spec.origin and any(Path(spec.origin).parent.glob("csrc*.*")):
        return ""  # installed with its kernels built
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]  # where torch looks
    found = shutil.which("nvcc") or any(
        (Path(home) / "bin" / name).is_file() for home in homes if home for name in _NVCC
    )
    if not found:
        return (
            "gsplat has no kernels here and no nvcc to build them: install the CUDA toolkit of the version that torch "
            "was built with, and set CUDA_HOME to where it is"
        )
    if not (shutil.which("ninja") or importlib.util.find_spec("ninja")):
        return f"gsplat needs ninja to build its kernels: {INSTALL_GSPLAT}"
    return ""


def backend_statuses() -> tuple[BackendStatus, ...]:
    """Every backend, best first for this machine, ready or not."""
    gsplat, cpu = _gsplat_problem(), cpu_problem()
    return (
        BackendStatus("gsplat", GSPLAT_VERSION, SEMANTICS, GSPLAT_FLAGS, not gsplat, gsplat or "NVIDIA GPU found"),
        BackendStatus("cpu", CPU_VERSION, SEMANTICS, (), not cpu, cpu or "built"),
    )


def resolve_backend(name: str = "auto") -> BackendStatus:
    """The backend called `name`, or the best one that is ready.

    Raises `InputError` for a name that is none, `MissingPartError` saying what is missing when it cannot be used.
    """
    statuses = {status.name: status for status in backend_statuses()}
    if name == "auto":
        for status in statuses.values():
            if status.ready:
                return status
        raise MissingPartError("; ".join(f"{status.name}: {status.reason}" for status in statuses.values()))
    if name not in statuses:
        allowed = ["auto", *statuses]
        raise InputError.at("backend", f"expected {', '.join(allowed)}, found {name!r}{did_you_mean(name, allowed)}")
    if not statuses[name].ready:
        raise MissingPartError(f"the {name} renderer cannot be used: {statuses[name].reason}")
    return statuses[name]
