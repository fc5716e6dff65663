"""Names of a package that are loaded when they are first used, so that planning never waits for torch (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def later(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package whose names live in the modules of `homes` (name -> module inside the package).

    A name is looked up once and kept. No module of `homes` may bear the name of something the package offers: importing
    it would put the module in that place.
    """

    def resolve(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return resolve
