"""glTF 2.0 containers and accessors: JSON, buffers, and arrays out of them, with the standard library and numpy.

Reads what tools export: .glb, .gltf with embedded or neighbouring buffers, strides, normalised integers, sparse
accessors. Nothing outside the file's own folder is opened.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from splatfilm.base.errors import InputError

_MAGIC, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES: Mapping[int, str] = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Mapping[str, int] = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_MOST_ITEMS = 100_000_000
UNREAD = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_mesh_quantization")
"""Extensions under which accessors do not mean what they say; a file that requires one is refused by name."""


@dataclass(frozen=True, eq=False)
class Gltf:
    """A glTF file in hand: its JSON and its buffers."""

    path: str
    values: Mapping[str, Any]
    buffers: tuple[bytes, ...]

    def refuse(self, place: str, message: str) -> NoReturn:
        """Raise `InputError` at a place in the file."""
        raise InputError.at(self.path, message, place)

    def items(self, key: str) -> list[Any]:
        """The array `key` of the file, empty where there is none."""
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            self.refuse(key, "expected an array of objects")
        return found

    def item(self, key: str, index: Any, place: str) -> Any:
        """One object of the array `key`; `place` is where it was asked for."""
        items = self.values.get(key, [])
        if not isinstance(items, list):
            self.refuse(key, "expected an array of objects")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(items):
            self.refuse(place, f"refers to {key}[{index!r}], but the file has {len(items)}")
        if not isinstance(items[index], dict):  # this one alone: clips ask for thousands of accessors
            self.refuse(key, "expected an array of objects")
        return items[index]

    def array(self, index: Any, place: str, kind: str = "") -> NDArray[Any]:  # -> [N] or [N, width]
        """An accessor's values: floats as float64 (normalised integers too), plain integers as int64.

        `kind` is the type that it must have (`VEC3`). Raises `InputError` for indices and offsets that do not hold,
        and for numbers that are not finite.
        """
        accessor = self.item("accessors", index, place)
        place = f"accessors[{index}]"
        found, count = accessor.get("type"), accessor.get("count")
        if found not in _WIDTHS or (kind and found != kind):
            self.refuse(place, f"has the type {found!r}, expected {kind or ', '.join(_WIDTHS)}")
        if not isinstance(count, int) or not 0 < count < _MOST_ITEMS:
            self.refuse(place, f"has the count {count!r}, expected 1 to {_MOST_ITEMS}")
        width, code = _WIDTHS[found], accessor.get("componentType")
        if code not in _TYPES:
            self.refuse(place, f"has the componentType {code!r}, expected one of {', '.join(map(str, _TYPES))}")
        dtype = np.dtype(_TYPES[code])
        values = self._plain(accessor, place, dtype, count, width)
        if "sparse" in accessor:
            values = self._with_sparse(accessor["sparse"], f"{place}.sparse", values, dtype)
        if accessor.get("normalized") and dtype.kind != "f":
            values = np.maximum(values / float(np.iinfo(dtype).max), -1.0)
        result = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
        if result.dtype.kind == "f" and not np.isfinite(result).all():
            self.refuse(place, "holds numbers that are not finite")
        return result[:, 0] if width == 1 else result

    def _plain(self, accessor: Any, place: str, dtype: np.dtype[Any], count: int, width: int) -> NDArray[Any]:
        if "bufferView" not in accessor:
            return np.zeros((count, width), dtype)
        return self._view(accessor["bufferView"], place, accessor.get("byteOffset", 0), dtype, (count, width))

    def _view(
        self, index: Any, place: str, offset: Any, dtype: np.dtype[Any], shape: tuple[int, int]
    ) -> NDArray[Any]:  # [count, width]
        view = self.item("bufferViews", index, place)
        number = view.get("buffer", 0)
        if not isinstance(number, int) or not 0 <= number < len(self.buffers):
            self.refuse(f"bufferViews[{index}]", f"refers to buffers[{number!r}], but the file has {len(self.buffers)}")
        start, length = view.get("byteOffset", 0), view.get("byteLength", 0)
        size = dtype.itemsize * shape[1]
        stride = view.get("byteStride", size)
        if not all(isinstance(n, int) and n >= 0 for n in (start, length, offset, stride)) or stride < size:
            self.refuse(f"bufferViews[{index}]", "offsets, lengths and strides must be whole numbers that fit")
        end = offset + stride * (shape[0] - 1) + size
        buffer = self.buffers[number]
        if end > length or start + length > len(buffer):
            self.refuse(place, f"reads beyond bufferViews[{index}]: the file is cut off or damaged")
        return np.ndarray(shape, dtype, buffer, start + offset, (stride, dtype.itemsize))

    def _with_sparse(self, sparse: Any, place: str, values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            count, at, data = sparse["count"], sparse["indices"], sparse["values"]
            kind = np.dtype(_TYPES[at["componentType"]])
            views = at["bufferView"], data["bufferView"]
        except (KeyError, TypeError):
            self.refuse(place, "expected count, indices and values, each in a bufferView")
        if not isinstance(count, int) or not 0 < count <= len(values):
            self.refuse(place, f"has the count {count!r}, expected 1 to {len(values)}")
        rows = self._view(views[0], place, at.get("byteOffset", 0), kind, (count, 1))[:, 0]
        if rows.max() >= len(values):
            self.refuse(place, f"writes to item {int(rows.max())} of {len(values)}")
        result = values.copy()
        result[rows] = self._view(views[1], place, data.get("byteOffset", 0), dtype, (count, values.shape[1]))
        return result


def read_gltf(path: str | PathLike[str]) -> Gltf:
    """A .glb or .gltf file with its buffers. Raises `InputError` for what cannot be read or is no glTF 2.0."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError.at(path, "no such file") from None
    except OSError as error:
        raise InputError.at(path, f"cannot be read: {error.strerror or error}") from error
    text, binary = _chunks(path, data) if data[:4] == b"glTF" else (data, None)
    try:
        values = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError.at(path, f"no glTF file: its JSON cannot be read ({error})") from None
    if not isinstance(values, dict) or not isinstance(values.get("asset"), dict):
        raise InputError.at(path, 'no glTF file: expected a JSON object with "asset"')
    version = str(values["asset"].get("version", ""))
    if not version.startswith("2."):
        raise InputError.at(path, f"is glTF {version or 'without a version'}, expected 2.0", "asset.version")
    for name in values.get("extensionsRequired", []):
        if name in UNREAD:
            raise InputError.at(path, f"requires {name}, which is not read: export without it", "extensionsRequired")
    whole = Gltf(str(path), values, ())
    buffers = [_buffer(path, i, buffer, binary) for i, buffer in enumerate(whole.items("buffers"))]
    return Gltf(str(path), values, tuple(buffers))


def _chunks(path: str | PathLike[str], data: bytes) -> tuple[bytes, bytes | None]:
    if len(data) < 20:
        raise InputError.at(path, "is cut off: a .glb has at least 20 bytes")
    _, version, total = struct.unpack_from("<III", data)
    if version != 2 or total > len(data):
        raise InputError.at(path, f"is .glb version {version} of {total} bytes, but {len(data)} are here: cut off?")
    found: dict[int, bytes] = {}
    at = 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > total:
            raise InputError.at(path, "has a chunk that reaches beyond its end: cut off?", f"byte {at}")
        found.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length
    if _JSON_CHUNK not in found:
        raise InputError.at(path, "has no JSON chunk")
    return found[_JSON_CHUNK], found.get(_BINARY_CHUNK)


def _buffer(path: str | PathLike[str], index: int, buffer: Any, binary: bytes | None) -> bytes:
    uri, place = buffer.get("uri"), f"buffers[{index}]"
    if uri is None:
        if binary is None:
            raise InputError.at(path, "has no uri and the file no binary chunk", place)
        data = binary
    elif isinstance(uri, str) and uri.startswith("data:"):
        try:
            data = base64.b64decode(uri.partition(",")[2], validate=True)
        except (binascii.Error, ValueError):
            raise InputError.at(path, "its data URI is not base64", place) from None
    else:
        folder = Path(path).resolve().parent
        near = (folder / unquote(str(uri))).resolve()
        if not near.is_relative_to(folder):
            raise InputError.at(path, f"refers to {uri!r}, outside the file's folder", place)
        try:
            data = near.read_bytes()
        except OSError as error:
            raise InputError.at(path, f"its buffer {uri!r} cannot be read: {error.strerror or error}", place) from error
    wanted = buffer.get("byteLength", 0)
    if not isinstance(wanted, int) or len(data) < wanted:
        raise InputError.at(path, f"has {len(data)} bytes, expected {wanted}: cut off?", place)
    return data
