"""The door to diffusers and transformers: the one module that imports them, and only when somebody asks.

Importing diffusers takes seconds and its classes fetch from a hub unless told otherwise, so nothing here runs at import
time: `diffusers_class("UNet2DModel")` is what the other modules call.
"""

from __future__ import annotations

from typing import Any

from splatfilm.base.errors import MissingPartError


def diffusers_class(name: str) -> Any:
    """A public class of diffusers by its name, such as `UNet2DModel`.

    Raises `MissingPartError` when diffusers is not installed or when this version of it has no such class.
    """
    return _class("diffusers", name, "pip install 'diffusers>=0.35,<0.43'")


def transformers_class(name: str) -> Any:
    """A public class of transformers, such as `CLIPTextModel`; big models need it, the scene refiner does not."""
    return _class("transformers", name, "pip install 'splatfilm[models]'")


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
    if library == "diffusers":
        import diffusers

        return diffusers
    import transformers

    return transformers
