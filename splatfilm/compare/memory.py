"""What was worked out once and is asked for again, within a fixed number of bytes.

A comparison holds many clips against the same frames of ours. Their features, views and lines of sight are kept here,
the latest used, so that speed never costs more memory than this, however large the pictures or long the clips.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import numpy as np

LIMIT = 384 << 20  # bytes, of a process
_LEAST = 64  # bytes that anything counts

T = TypeVar("T")


class Memory:
    """Values by owner and key; what was used longest ago is forgotten when they come to more than `limit` bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit, self._held = limit, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made now where it is not remembered. A value must not be changed by who gets it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return cast(T, self._values[key][0])
        made = make()
        size = size_of(made)
        with self._lock:
            if key not in self._values and size <= self._limit:
                self._values[key] = made, size
                self._held += size
                while self._held > self._limit:
                    self._held -= self._values.popitem(last=False)[1][1]
        return made

    @property
    def held(self) -> int:
        """Bytes that are remembered."""
        return self._held


def size_of(value: Any) -> int:
    """The bytes of the arrays in a value: an array, or a dataclass, tuple, list or dictionary of values.

    What an owner remembers is counted by itself.
    """
    if isinstance(value, np.ndarray):
        return _LEAST + value.nbytes
    if isinstance(value, Owner):
        return _LEAST
    if dataclasses.is_dataclass(value):
        return _LEAST + sum(size_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, tuple | list):
        return _LEAST + sum(map(size_of, value))
    if isinstance(value, dict):
        return _LEAST + sum(map(size_of, value.values()))
    return _LEAST


MEMORY = Memory()
_NUMBERS = itertools.count()


@dataclasses.dataclass(frozen=True, eq=False)
class Owner:
    """Whose values those are: every object of its own, a copy too."""

    number: int = dataclasses.field(default_factory=lambda: next(_NUMBERS), init=False, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, remembered under `key` as long as there is room."""
        return MEMORY.once((self.number, key), make)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process nothing of this is remembered, and its number may be somebody else's."""
        self.__dict__.update(state | {"number": next(_NUMBERS)})
