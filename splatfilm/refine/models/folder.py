"""A model's folder, checked before anything is loaded: which pipeline it holds, whether it is whole, its hash.

Loading a large model takes minutes and its errors name tensors; what can be known from the file names and the small
JSON files is said here first, in terms of the folder. Pickled weights are never read: they can run code.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splatfilm.base.errors import InputError, Problem, StorageError
from splatfilm.base.files import write_json
from splatfilm.base.hashing import hash_file, hash_value
from splatfilm.film.refine_model import ModelSettings, is_folder
from splatfilm.refine.diffusion import hub_snapshot

_CONFIGS = ("config.json", "scheduler_config.json", "tokenizer_config.json", "preprocessor_config.json")
_WITHOUT_WEIGHTS = ("Scheduler", "Tokenizer", "ImageProcessor", "FeatureExtractor", "TokenizerFast")
_PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth")


@dataclass(frozen=True)
class ModelFolder:
    """A folder that can be loaded. `class_name` is the pipeline's or, for a lone component, the model's class."""

    path: Path
    class_name: str
    key: str  # SHA-256 over configurations and weights


def find_folder(name: str, settings: ModelSettings, base: Path) -> Path:
    """Where the weights called `name` lie; relative names count from `base`, the film file's folder.

    Raises `InputError` for a folder that does not exist and `MissingPartError` for a hub's id that is not here.
    """
    path = (base / Path(name).expanduser()).resolve()
    if path.is_dir():
        return path
    if is_folder(name):
        raise InputError.at(path, "no such folder: expected a diffusers model (model_index.json or config.json in it)")
    return hub_snapshot(name, settings.revision, settings.download)


def check_pipeline(path: Path, allowed: tuple[str, ...]) -> ModelFolder:
    """A folder with a whole pipeline whose class is one of `allowed`. Raises `InputError` with all that is wrong."""
    index = _read_json(path / "model_index.json", "this is how diffusers marks a pipeline's folder")
    name = index.get("_class_name")
    if name not in allowed:
        raise InputError.at(
            path / "model_index.json", f"holds a {name}; what can be used here: {', '.join(allowed)}", "_class_name"
        )
    problems: list[Problem] = []
    for part, entry in sorted(index.items()):
        if part.startswith("_") or not isinstance(entry, list) or len(entry) != 2 or entry[1] is None:
            continue
        problems += _part_problems(path / part, str(entry[1]))
    if problems:
        raise InputError(problems)
    return ModelFolder(path, str(name), _key(path))


def check_component(path: Path, allowed: tuple[str, ...]) -> ModelFolder:
    """A folder with one model (a ControlNet, an autoencoder) whose class is one of `allowed`."""
    config = _read_json(path / "config.json", "this is how diffusers describes a model")
    name = config.get("_class_name")
    if name not in allowed:
        raise InputError.at(path / "config.json", f"holds a {name}; expected {' or '.join(allowed)}", "_class_name")
    problems = _part_problems(path, str(name))
    if problems:
        raise InputError(problems)
    return ModelFolder(path, str(name), _key(path))


def check_weights(path: Path, what: str) -> ModelFolder:
    """A folder that only has to hold safetensors, as LoRA and IP-Adapter weights do."""
    if not any(path.rglob("*.safetensors")):
        raise InputError.at(path, f"holds no .safetensors file: expected the weights of {what}")
    return ModelFolder(path, what, _key(path))


def _read_json(file: Path, why: str) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError.at(file, f"is missing: {why}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError.at(file, f"cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError.at(file, f"must hold an object, not {type(value).__name__}")
    return value


def _part_problems(folder: Path, class_name: str) -> list[Problem]:
    """What is missing in the folder of one part of a pipeline."""
    if not folder.is_dir():
        return [Problem(str(folder), "", f"is missing: the model's {class_name} belongs here")]
    if not any((folder / name).is_file() for name in _CONFIGS):
        return [Problem(str(folder), "", f"has none of {', '.join(_CONFIGS)}: the {class_name} cannot be read")]
    if class_name.endswith(_WITHOUT_WEIGHTS):
        return []
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
        found = f"; {', '.join(pickles)} can run code and is not read: convert it" if pickles else ""
        return [Problem(str(folder), "", f"has no .safetensors file for the {class_name}{found}")]
    problems = [problem for file in weights for problem in _weight_problems(file)]
    for index in sorted(folder.glob("*.safetensors.index.json")):
        shards = set(_read_json(index, "").get("weight_map", {}).values())
        missing = sorted(shards - {file.name for file in weights})
        problems += [Problem(str(folder / name), "", f"is missing, but {index.name} names it") for name in missing]
    return problems


def _weight_problems(file: Path) -> list[Problem]:
    """Whether a safetensors file is as long as its own header says: a download that broke off is shorter."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 2 <= head <= size - 8:
            return [Problem(str(file), "header", f"is no safetensors file: its header would be {head} of {size} bytes")]
        try:
            entries = json.loads(stream.read(head))
            ends = [entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            return [Problem(str(file), "header", f"is no safetensors file: {error}")]
    expected = 8 + head + max(ends, default=0)
    if size != expected:
        return [Problem(str(file), "", f"is damaged: {size} bytes long, and its header says {expected}")]
    return []


def _key(path: Path) -> str:
    files = sorted(file for pattern in ("*.json", "*.safetensors", "*.txt") for file in path.rglob(pattern))
    memory = _HashMemory()
    key = hash_value({file.relative_to(path).as_posix(): memory.hash(file) for file in files})
    memory.save()
    return key


class _HashMemory:
    """Hashes of large files between runs, by path, size and time of change; losing it costs only time."""

    def __init__(self) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.file = cache / "splatfilm" / "weights.json"
        self.grown = False
        try:
            self.known: dict[str, str] = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def hash(self, file: Path) -> str:
        stat = file.stat()
        name = f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
        if name not in self.known:
            self.known[name] = hash_file(file)
            self.grown = True
        return self.known[name]

    def save(self) -> None:
        if not self.grown:
            return
        try:
            write_json(self.file, self.known)
        except StorageError:
            return
