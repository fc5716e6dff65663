"""The door to diffusers and transformers: the one module that imports them, and only when somebody asks.

Importing diffusers takes seconds and its classes fetch from a hub unless told otherwise, so nothing here runs at import
time: `diffusers_class("UNet2DModel")` is what the other modules call.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from splatfilm.base.errors import MissingPartError


def diffusers_class(name: str) -> Any:
    """A public class of diffusers by its name, such as `UNet2DModel`.

    Raises `MissingPartError` when diffusers is not installed or when this version of it has no such class.
    """
    return _class("diffusers", name, "pip install 'diffusers>=0.42,<0.43'")


def transformers_class(name: str) -> Any:
    """A public class of transformers, such as `CLIPTextModel`; big models need it, the scene refiner does not."""
    return _class("transformers", name, "pip install 'splatfilm[models]'")


def hub_snapshot(name: str, revision: str | None, download: bool) -> Path:
    """The folder in which a hub's repository lies on this machine, fetched first when `download` is set.

    Only configurations and safetensors are fetched: pickles can run code. Raises `MissingPartError` saying what to do
    when it is not here and may not or cannot be fetched.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        found = snapshot_download(name, revision=revision, local_files_only=not download, allow_patterns=patterns)
    except LocalEntryNotFoundError as error:
        if download:
            raise MissingPartError(f"{name}: the hub cannot be reached and no copy lies on this machine") from error
        raise MissingPartError(
            f"{name} is not on this machine: give the folder that holds it, or set download = true and a revision"
        ) from error
    except (HfHubHTTPError, ValueError, OSError) as error:
        raise MissingPartError(f"{name} cannot be fetched: {error}") from error
    return Path(found)


def _class(library: str, name: str, install: str) -> Any:
    try:
        module = _module(library)
    except ImportError as error:
        raise MissingPartError(f"{library} cannot be imported ({error}): {install}") from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise MissingPartError(f"{library} {module.__version__} has no class {name}") from error


def _module(library: str) -> Any:
    """The library, told to keep its notices and bars to itself: progress is ours to show."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if library == "diffusers":
        import diffusers

        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        return diffusers
    import transformers

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return transformers
